"""Check digits of GS1 keys. Worked examples: gs1hk.org, gs1india.org, and the encyclopaedia example of UPC-A."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.identifier import Code, IdentifierError
from cellwright.identifier.gs1.key import Gln, Gsin, Gsrn, Gtin, Key, Sscc, check_digit, gtin

EXAMPLES = [
    ("629104150021", "3"),  # gs1hk.org: 6+6+9+3+0+12+1+15+0+0+2+3 = 57
    ("890400021003", "7"),  # gs1india.org: 18*3 + 9 = 63
    ("03600024145", "7"),  # 14*3 + 11 = 53
    ("0950110153000", "3"),
    ("37613032110910342", "0"),  # SSCC
    ("8061414112345", "8"),  # EPC Tag Data Standard example
]
KINDS: list[type[Key]] = [Gtin, Sscc, Gln, Gsrn, Gsin]


@pytest.mark.requirement("R085")
@pytest.mark.parametrize(("digits", "check"), EXAMPLES)
def test_worked_examples(digits: str, check: str) -> None:
    assert check_digit(digits) == check


def test_the_vector_file_agrees(shared_reference: Path) -> None:
    vectors = json.loads((shared_reference / "vectors" / "vectors.json").read_text(encoding="utf-8"))
    for row in vectors["gs1_check_digit"]:
        assert check_digit(row["digits"]) == row["check"]


@pytest.mark.requirement("R085")
@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(deadline=None, max_examples=50)
def test_every_other_digit_in_any_place_is_refused(kind: type[Key], data: st.DataObject) -> None:
    length = len(kind.LAYOUT.places)
    body = data.draw(st.text("0123456789", min_size=length - 1, max_size=length - 1))
    text = body + check_digit(body)
    assert str(kind(text)) == text
    for place in range(length):
        for digit in "0123456789":
            wrong = text[:place] + digit + text[place + 1 :]
            if wrong != text:
                with pytest.raises(IdentifierError) as caught:
                    kind(wrong)
                assert (caught.value.refusal.code, caught.value.refusal.requirement) == (Code.CHECK_WRONG, "R085")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "0", "0" * 19, "A" * 18, "٠" * 14])
def test_other_text_is_no_key(kind: type[Key], text: str) -> None:
    with pytest.raises(IdentifierError):
        kind(text)


def test_shorter_trade_item_numbers_are_filled_up() -> None:
    assert gtin("6291041500213") == Gtin("06291041500213")
    assert gtin("036000241457") == Gtin("00036000241457")
    for wrong in ("6291041500214", "629104150021", "62910415002", "6291041500213 "):
        with pytest.raises(IdentifierError):
            gtin(wrong)


def test_check_digit_of_other_text_is_an_error_of_the_program() -> None:
    with pytest.raises(ValueError, match="not digits"):
        check_digit("12x")
