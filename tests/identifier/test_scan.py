"""What a scanner sends: symbology identifiers, what was scanned, what was expected."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright import language
from cellwright.identifier import (
    DEMO,
    ChainOfIdentityId,
    Code,
    HouseNumberIssuer,
    LabelSerial,
    LotNumber,
    Refusal,
    SampleNumber,
    ShipperNumber,
    scan,
)
from cellwright.identifier.gs1.key import Gsrn, Sscc
from cellwright.identifier.isbt128.product import ProductCode
from cellwright.identifier.scan import Scan

COMPOUND = "=+04000=A99992112345600=<S12954A0&>0253652359&/CHA99992100012A"
LOT, SAMPLE, LABEL, SHIPPER = (
    HouseNumberIssuer(kind, DEMO).issue(2026, 7).text for kind in (LotNumber, SampleNumber, LabelSerial, ShipperNumber)
)
SINGLES = {
    "DONATION": (scan.DONATION, "]C0=A99992112345600"),
    "CHAIN_OF_IDENTITY": (scan.CHAIN_OF_IDENTITY, "]d1&/CHA99992100012A"),
    "PRODUCT": (scan.PRODUCT, "]C0=<S12954A0"),
    "BLOOD_GROUP": (scan.BLOOD_GROUP, "]C0=%5300"),
    "EXPIRY_DATE": (scan.EXPIRY_DATE, "]C0=>026001"),
    "EXPIRY_TIME": (scan.EXPIRY_TIME, "]C0&>0253652359"),
    "COLLECTION_TIME": (scan.COLLECTION_TIME, "]C0&*0253652359"),
    "CONSIGNMENT": (scan.CONSIGNMENT, "]C0=$A999921000010203"),
    "PATIENT_BIRTH": (scan.PATIENT_BIRTH, "]d1=#0119700131"),
    "PATIENT_NUMBER": (scan.PATIENT_NUMBER, "]d1&#0106AB1234"),
    "LOT": (scan.LOT, f"]d1{LOT}"),
    "SAMPLE": (scan.SAMPLE, f"]d1{SAMPLE}"),
    "LABEL": (scan.LABEL, f"]d1{LABEL}"),
    "SHIPPER": (scan.SHIPPER, f"]Q1{SHIPPER}"),
    "SHIPPING_CONTAINER": (scan.SHIPPING_CONTAINER, "]C100376130321109103420"),
    "RECIPIENT": (scan.RECIPIENT, "]d28018376130321109103420\x1d801912"),
    "TRADE_ITEM": (scan.TRADE_ITEM, "]d2010950110153000317270630102A1B2C\x1d21SN000123"),
    "CONTAINER": (scan.CONTAINER, f"]d1{COMPOUND}"),
}
# A compound message holds these, and a GS1 message with four AIs is a material too: not wrong scans.
INSIDE_COMPOUND = {"DONATION", "CHAIN_OF_IDENTITY", "PRODUCT", "EXPIRY_TIME"}


@pytest.mark.parametrize("name", SINGLES)
def test_the_expected_code_is_read(name: str) -> None:
    expected, raw = SINGLES[name]
    outcome = scan.interpret(raw, expecting=expected)
    assert isinstance(outcome, Scan)
    assert outcome.payload.symbology == raw[1:3]


@pytest.mark.requirement("R079")
@pytest.mark.parametrize(
    ("expected", "scanned"), [pair for pair in itertools.product(SINGLES, SINGLES) if pair[0] != pair[1]]
)
def test_another_code_is_refused_and_both_are_named(expected: str, scanned: str) -> None:
    if scanned == "CONTAINER" and expected in INSIDE_COMPOUND:
        assert isinstance(scan.interpret(SINGLES[scanned][1], expecting=SINGLES[expected][0]), Scan)
        return
    outcome = scan.interpret(SINGLES[scanned][1], expecting=SINGLES[expected][0])
    assert isinstance(outcome, Refusal)
    assert outcome.expected


@pytest.mark.requirement("R079")
def test_the_refusal_says_what_was_scanned_and_what_was_expected() -> None:
    outcome = scan.interpret("]C0=A99992112345600", expecting=scan.CHAIN_OF_IDENTITY)
    assert isinstance(outcome, Refusal)
    assert (outcome.code, outcome.requirement) == (Code.WRONG_DATA_IDENTIFIER, "R079")
    assert (outcome.detail, outcome.expected) == ("donation number", "chain-of-identity identifier")
    assert "donation number" in str(outcome)
    assert "chain-of-identity identifier" in str(outcome)


def test_a_structure_is_taken_out_of_a_compound_message() -> None:
    outcome = scan.interpret(f"]d1{COMPOUND}", expecting=scan.PRODUCT)
    assert isinstance(outcome, Scan)
    assert outcome.value == ProductCode("S12954A0")
    missing = scan.interpret(f"]d1{COMPOUND}", expecting=scan.BLOOD_GROUP)
    assert isinstance(missing, Refusal)
    assert missing.code is Code.MISSING_ELEMENT


@pytest.mark.requirement("R083")
def test_nothing_is_taken_out_of_a_damaged_compound_message() -> None:
    outcome = scan.interpret("]d1=+04000=A99992112345600=<S12954A0", expecting=scan.DONATION)
    assert isinstance(outcome, Refusal)
    assert outcome.code is Code.WRONG_COUNT


def test_two_linear_codes_read_as_one_are_taken_apart() -> None:
    outcome = scan.interpret("]C4=A99992112345600=<S12954A0", expecting=scan.PRODUCT)
    assert isinstance(outcome, Scan)
    assert outcome.value == ProductCode("S12954A0")
    assert isinstance(scan.interpret("]C0=A99992112345600=<S12954A0", expecting=scan.DONATION), Refusal)


def test_a_container_symbol_tells_whose_it_is() -> None:
    outcome = scan.interpret(f"]d1{COMPOUND}", expecting=scan.CONTAINER)
    assert isinstance(outcome, Scan)
    container = outcome.value
    assert container.chain == ChainOfIdentityId("CHA99992100012A")
    assert container.donation.number.text == "A999921123456"
    assert container.product == ProductCode("S12954A0")


@pytest.mark.requirement("R060")
def test_a_container_symbol_without_donation_number_is_refused() -> None:
    outcome = scan.interpret("]d1=+02000=<S12954A0&/CHA99992100012A", expecting=scan.CONTAINER)
    assert isinstance(outcome, Refusal)
    assert outcome.detail == "donation number"


@pytest.mark.requirement("R086")
def test_gs1_data_are_read_only_with_their_symbology() -> None:
    data = "0109501101530003172706301012345"
    for raw in (data, f"]d1{data}", f"]C0{data}", f"]E0{data}"):
        outcome = scan.interpret(raw, expecting=scan.MATERIAL)
        assert isinstance(outcome, Refusal)
        assert outcome.code is Code.WRONG_SYMBOLOGY
    for symbology in scan.GS1_SYMBOLOGIES:
        assert isinstance(scan.interpret(f"]{symbology}{data}", expecting=scan.MATERIAL), Scan)


@pytest.mark.requirement("R086")
def test_the_lost_separator_is_caught_at_the_scanner() -> None:
    outcome = scan.interpret("]d2010950110153000310LOT121SN1", expecting=scan.elements("01", "10", "21"))
    assert isinstance(outcome, Refusal)
    assert outcome.code is Code.MISSING_ELEMENT


def test_keys_are_typed() -> None:
    container = scan.interpret("]C100376130321109103420", expecting=scan.SHIPPING_CONTAINER)
    recipient = scan.interpret("]d28018376130321109103420\x1d801912", expecting=scan.RECIPIENT)
    assert isinstance(container, Scan)
    assert isinstance(recipient, Scan)
    assert container.value == Sscc("376130321109103420")
    assert (recipient.value.relation, recipient.value.instance) == (Gsrn("376130321109103420"), "12")


@pytest.mark.parametrize("ending", ["", "\r", "\n", "\r\n", "\t"])
def test_one_line_end_of_the_scanner_is_left_out(ending: str) -> None:
    outcome = scan.interpret(f"=A99992112345600{ending}", expecting=scan.DONATION)
    assert isinstance(outcome, Scan)
    assert outcome.payload == scan.Payload("=A99992112345600", None)
    assert isinstance(scan.interpret("=A99992112345600 ", expecting=scan.DONATION), Refusal)
    assert isinstance(scan.interpret("=A99992112345600\n\n", expecting=scan.DONATION), Refusal)


@pytest.mark.parametrize("raw", ["", "\n", "]d1", "]d1\r\n"])
def test_an_empty_scan_is_refused(raw: str) -> None:
    outcome = scan.interpret(raw, expecting=scan.DONATION)
    assert isinstance(outcome, Refusal)
    assert outcome.code is Code.EMPTY


def test_a_patients_code_in_the_wrong_place_is_not_repeated() -> None:
    for raw in ("]d1=#0119700131", "]d1&#0106AB1234", "]d28018376130321109103420", "&#0106AB1234"):
        for expected in (scan.LOT, scan.DONATION, scan.MATERIAL):
            outcome = scan.interpret(raw, expecting=expected)
            assert isinstance(outcome, Refusal)
            assert not any(secret in repr(outcome) for secret in ("1970", "AB1234", "3761303"))


@given(st.text(max_size=40), st.sampled_from(sorted(SINGLES)), st.sampled_from(["", "]d1", "]d2", "]C0", "]C4", "]Q1"]))
@settings(deadline=None, max_examples=500)
def test_any_scan_is_read_or_refused_in_both_languages(text: str, name: str, symbology: str) -> None:
    outcome = scan.interpret(symbology + text, expecting=SINGLES[name][0])
    if isinstance(outcome, Refusal):
        for tongue in language.LANGUAGES:
            with language.use(tongue):
                assert str(outcome).endswith(f"[{outcome.requirement}]")
