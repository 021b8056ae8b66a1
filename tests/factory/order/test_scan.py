"""What a scanner or a keyboard brought in is read as what was expected, and as nothing else."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.factory.order import scan
from cellwright.factory.order.scan import Scan
from cellwright.factory.rule import By, Refusal

DAY = date(2026, 3, 2)


def read(text: str, how: str, kind: str) -> str:
    one = Scan(text=text, how=how)  # type: ignore[arg-type]
    if kind == "donation":
        return scan.donation(one, DAY)
    return scan.chain_of_identity(one) if kind == "coi" else scan.item(one, kind)


def refused(text: str, how: str = "scanned", kind: str = "donation") -> str:
    with pytest.raises(Refusal) as caught:
        read(text, how, kind)
    assert str(caught.value)
    return caught.value.rule


def test_one_donation_however_it_is_read() -> None:
    """ST-001 figure 2: A9999 21 123456 with check character 3, checksum flag 63."""
    texts = ("=A99992112345600", "=A99992112345663", "A999921123456", "A9999-2021-123456")
    assert {scan.donation(Scan(text=t), DAY) for t in texts} == {"A9999-2021-123456"}
    assert scan.donation(Scan(text="A9999 21 123456 3", how="typed"), DAY) == "A9999-2021-123456"


@pytest.mark.requirement("R064")
def test_a_typed_donation_number_needs_its_check_character() -> None:
    assert refused("A999921123456", "typed") == "R077"
    assert refused("A9999211234564", "typed") == "R077"


def test_another_kind_of_code_is_not_read() -> None:
    assert refused("&/CHA99992100012A") == "R079"
    assert refused("=A99992112345600", kind="coi") == "R079"
    assert refused("=A99992112345600", kind="seal") == "R079"
    assert refused("=<S12954A0", kind="container") == "R079"
    assert refused("A9999-26-1") == "R076"


@pytest.mark.parametrize("text", ["", "   ", "A\x00B", "x" * 600, "a\u202eb"], ids=repr)
def test_noise_is_not_read(text: str) -> None:
    for kind in ("donation", "coi", "container"):
        assert refused(text, kind=kind) == "R079"


def test_a_house_label_may_say_whose_it_is() -> None:
    assert scan.label(Scan(text="P-1|CHA99992100012A"), "container", DAY) == ("P-1", "CHA99992100012A")
    assert scan.label(Scan(text="BAG-1"), "container", DAY) == ("BAG-1", None)


def test_the_compound_symbol_of_a_container_says_which_and_whose() -> None:
    """The message constructed in requirements section 3.4."""
    symbol = "=+04000=A99992112345600=<S12954A0&>0253652359&/CHA99992100012A"
    for text in (symbol, f"]d1{symbol}", f"{symbol}\r\n"):
        assert scan.label(Scan(text=text), "container", DAY) == ("A9999-2021-123456-A0", "CHA99992100012A")
        assert scan.chain_of_identity(Scan(text=text)) == "CHA99992100012A"
        assert scan.donation(Scan(text=text), DAY) == "A9999-2021-123456"
    with pytest.raises(Refusal) as caught:
        scan.label(Scan(text=symbol.replace("=+04", "=+03")), "container", DAY)
    assert caught.value.rule == "R083"


def test_a_wristband_may_be_a_service_relation_number() -> None:
    """GSRN 061414112345678902 of the GS1 key; a wrong check digit is refused."""
    band = "]d2801806141411234567890"
    good = band + str(_check_digit(band[7:]))
    assert scan.wristband(Scan(text=good)) == good[7:]
    assert scan.wristband(Scan(text=f"{good}\x1d801903")) == f"{good[7:]}-03"
    with pytest.raises(Refusal):
        scan.wristband(Scan(text=band + str((_check_digit(band[7:]) + 1) % 10)))
    assert scan.wristband(Scan(text="WB-7")) == "WB-7"


def _check_digit(digits: str) -> int:
    """GS1: weights 3, 1, 3, … from the right (requirements section 3.5)."""
    return -sum(int(d) * (3 if n % 2 == 0 else 1) for n, d in enumerate(reversed(digits))) % 10


@pytest.mark.requirement("R064")
def test_what_was_typed_needs_a_second_person_who_signs() -> None:
    by = By(person="N-1")
    assert scan.confirmed(by, "nurse", [Scan(text="X")]) == ()
    (need,) = scan.confirmed(by, "nurse", [Scan(text="X", how="typed", second="N-2"), Scan(text="Y")])
    assert (need.person, need.meaning, need.role) == ("N-2", "verified", "nurse")
    for second in (None, "N-1"):
        with pytest.raises(Refusal) as caught:
            scan.confirmed(by, "nurse", [Scan(text="X", how="typed", second=second)])
        assert (caught.value.code, caught.value.rule) == ("second-person-needed", "R064")


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    for kind in ("donation", "coi", "container"):
        try:
            found = read(text, "scanned", kind)
        except Refusal as refusal:
            found = str(refusal)
        assert found
