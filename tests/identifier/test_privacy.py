"""Codes without persons in them (21 CFR 1271.290(c))."""

from datetime import date

import pytest

from cellwright.identifier import DEMO, ChainOfIdentityIssuer, Code, DonationNumberIssuer, IdentifierError
from cellwright.identifier.privacy import Finding, Person, Trait, check_code

PERSON = Person(
    names=("Müller-Lüdenscheidt Jörg", "王芳"), numbers=("H-004711", "078-05-1120", "12"), born=date(1970, 1, 31)
)


@pytest.mark.requirement("R062")
@pytest.mark.parametrize(
    ("code", "trait"),
    [
        ("CART-JORG-01", Trait.NAME),
        ("cart joerg / jörg", Trait.NAME),
        ("X-MULLER_LUDENSCHEIDT", Trait.NAME),
        ("批次王芳01", Trait.NAME),
        ("ＪＯＲＧ-1", Trait.NAME),  # full-width letters
        ("LOT-H004711", Trait.NUMBER),
        ("L078051120", Trait.NUMBER),
        ("12", Trait.NUMBER),
        ("A9999-19700131-1", Trait.BIRTH_DATE),
        ("A9999.31.01.1970", Trait.BIRTH_DATE),
        ("B700131X", Trait.BIRTH_DATE),
    ],
)
def test_a_code_that_names_the_patient_is_refused(code: str, trait: Trait) -> None:
    with pytest.raises(IdentifierError) as caught:
        check_code(code, PERSON)
    assert (caught.value.refusal.code, caught.value.refusal.requirement) == (Code.PERSONAL_DATA, "R062")
    assert check_code(code, PERSON, exception=True) == (Finding(code, trait),)


@pytest.mark.requirement("R062")
def test_the_exception_is_shown_and_does_not_repeat_what_was_found() -> None:
    findings = check_code("JORG-H004711", PERSON, exception=True)
    assert [finding.trait for finding in findings] == [Trait.NAME, Trait.NUMBER]
    assert check_code("LA9999260000001F", PERSON, exception=True) == ()
    assert "Jörg" not in repr(PERSON)


@pytest.mark.requirement("R062")
def test_the_numbers_of_the_house_name_nobody() -> None:
    for sequence in range(200):
        for code in (
            str(ChainOfIdentityIssuer(DEMO).issue(2026, sequence)),
            str(DonationNumberIssuer(DEMO).issue(2026, sequence)),
        ):
            assert check_code(code, PERSON) == ()


def test_short_names_and_numbers_are_not_found_by_chance() -> None:
    person = Person(names=("Li Bo",), numbers=("99", ""))
    assert check_code("CHA999926LIB0BO", person) == ()
