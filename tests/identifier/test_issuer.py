"""Issuers: pure, injective, within their block; the inner check of our own chain-of-identity identifiers."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.identifier import (
    DEMO,
    ChainOfIdentityId,
    ChainOfIdentityIssuer,
    Code,
    DonationNumberIssuer,
    FacilityNumber,
    HouseNumberIssuer,
    IdentifierError,
    Issuer,
    LabelSerial,
    LotNumber,
    SampleNumber,
    ShipperNumber,
)
from cellwright.identifier.house import type_house_number

ISSUERS: list[Issuer] = [
    DonationNumberIssuer(DEMO),
    DonationNumberIssuer(DEMO, first=500_000, last=599_999),
    ChainOfIdentityIssuer(DEMO),
    *(HouseNumberIssuer(kind, DEMO) for kind in (LotNumber, SampleNumber, LabelSerial, ShipperNumber)),
]


def test_the_demo_site_uses_the_test_facility() -> None:
    assert str(DEMO) == "A9999"
    assert str(DonationNumberIssuer(DEMO).issue(2026, 42)) == "A9999-2026-000042"


@pytest.mark.parametrize("issuer", ISSUERS)
def test_first_and_last_number_are_issued_and_the_next_is_refused(issuer: Issuer) -> None:
    issuer.issue(2026, 0)
    issuer.issue(2026, issuer.capacity - 1)
    for sequence in (-1, issuer.capacity):
        with pytest.raises(IdentifierError) as caught:
            issuer.issue(2026, sequence)
        assert caught.value.refusal.code is Code.NUMBERS_EXHAUSTED


def test_streams_tell_kind_site_and_year_apart() -> None:
    sites = (DEMO, FacilityNumber("W1234"))
    streams = [
        issuer.stream(year)
        for site, year in itertools.product(sites, (2026, 2027))
        for issuer in (
            DonationNumberIssuer(site),
            ChainOfIdentityIssuer(site),
            HouseNumberIssuer(LotNumber, site),
            HouseNumberIssuer(LabelSerial, site),
        )
    ]
    assert len(set(streams)) == len(streams)


@pytest.mark.parametrize("issuer", ISSUERS)
@given(data=st.data())
@settings(deadline=None, max_examples=50)
def test_distinct_sequences_give_distinct_identifiers(issuer: Issuer, data: st.DataObject) -> None:
    numbers = st.integers(0, issuer.capacity - 1)
    one, other = data.draw(numbers), data.draw(numbers)
    assert (issuer.issue(2026, one) == issuer.issue(2026, other)) == (one == other)


def test_the_chains_of_identity_of_two_pages_are_distinct() -> None:
    issuer = ChainOfIdentityIssuer(DEMO)
    issued = {issuer.issue(2026, sequence).text for sequence in range(62_000)}
    assert len(issued) == 62_000
    assert issuer.capacity == 15 * 31_000


@given(st.integers(0, 15 * 31_000 - 1), st.data())
@settings(deadline=None, max_examples=300)
def test_a_misread_chain_of_identity_is_never_another_one_of_the_issuer(sequence: int, data: st.DataObject) -> None:
    issuer = ChainOfIdentityIssuer(DEMO)
    text = issuer.issue(2026, sequence).text
    assert issuer.may_have_issued(ChainOfIdentityId(text))
    place = data.draw(st.integers(9, 14))
    character = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
    substituted = text[:place] + character + text[place + 1 :]
    left = data.draw(st.integers(9, 13))
    swapped = text[:left] + text[left + 1] + text[left] + text[left + 2 :]
    for wrong in {substituted, swapped} - {text}:
        assert not issuer.may_have_issued(ChainOfIdentityId(wrong))


def test_a_foreign_chain_of_identity_is_not_ours() -> None:
    other = ChainOfIdentityIssuer(FacilityNumber("W1234")).issue(2026, 7)
    assert not ChainOfIdentityIssuer(DEMO).may_have_issued(other)


@given(st.integers(0, 9_999_999), st.integers(0, 15), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"))
@settings(deadline=None, max_examples=300)
def test_house_numbers_carry_their_check(sequence: int, place: int, character: str) -> None:
    number = HouseNumberIssuer(SampleNumber, DEMO).issue(2026, sequence)
    assert (number.sequence, number.facility, number.year) == (sequence, DEMO, "26")
    assert type_house_number(SampleNumber, number.eye_readable).value == number
    wrong = number.text[:place] + character + number.text[place + 1 :]
    if wrong != number.text:
        with pytest.raises(IdentifierError):
            SampleNumber(wrong)


def test_kinds_are_never_equal_and_never_parsed_for_each_other() -> None:
    lot = HouseNumberIssuer(LotNumber, DEMO).issue(2026, 1)
    with pytest.raises(IdentifierError):
        SampleNumber(lot.text)
    assert lot != HouseNumberIssuer(SampleNumber, DEMO).issue(2026, 1)
