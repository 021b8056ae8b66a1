"""Refusals in words: every code has a sentence, and none breaks on what was scanned."""

import pytest

from cellwright.identifier import Code, IdentifierError, Refusal, read_donation
from cellwright.identifier.wording import SENTENCES


def test_every_code_has_a_sentence() -> None:
    assert set(SENTENCES) == {code.value for code in Code}


@pytest.mark.parametrize("code", Code)
def test_a_sentence_says_what_was_expected_and_the_requirement(code: Code) -> None:
    words = str(Refusal(code, "{scanned}", "donation number", "R079", 3, "product code"))
    assert words.endswith("[R079]")
    assert "donation number" in words


def test_an_error_says_its_refusal() -> None:
    with pytest.raises(IdentifierError) as caught:
        read_donation("=<S12954A0")
    assert str(caught.value) == str(caught.value.refusal)
