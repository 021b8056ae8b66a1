"""Electronic product codes. The example is that of the EPC Tag Data Standard, confirmed with another library."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.identifier import IdentifierError
from cellwright.identifier.gs1.element_string import read_eye_readable
from cellwright.identifier.gs1.epc import (
    Sgtin,
    ShippingContainer,
    sgtin_from_hex96,
    sgtin_from_uri,
    sgtin_of,
    sscc_from_hex96,
    sscc_from_uri,
)
from cellwright.identifier.gs1.key import Gtin, Sscc, check_digit

HEX = "3074257BF7194E4000001A85"
URI = "urn:epc:id:sgtin:0614141.812345.6789"
ELEMENTS = "(01)80614141123458(21)6789"


@pytest.mark.requirement("R088")
def test_the_example_converts_in_every_direction() -> None:
    item = sgtin_of(read_eye_readable(ELEMENTS), prefix_digits=7)
    assert item == sgtin_from_uri(URI)
    assert sgtin_from_hex96(HEX) == (item, 3)
    assert (item.uri, item.hex96(3), item.element_string.eye_readable) == (URI, HEX, ELEMENTS)


def test_the_vector_file_agrees(shared_reference: Path) -> None:
    row = json.loads((shared_reference / "vectors" / "vectors.json").read_text(encoding="utf-8"))["sgtin96"]
    item, filter_value = sgtin_from_hex96(row["hex"])
    assert (item.hex96(filter_value), item.uri) == (row["hex"], row["epc_uri"])
    assert (item.element_string.eye_readable, item.gtin.text) == (row["gs1_element_string"], row["gtin14"])


def _gtins() -> st.SearchStrategy[Gtin]:
    return st.text("0123456789", min_size=13, max_size=13).map(lambda body: Gtin(body + check_digit(body)))


@pytest.mark.requirement("R088")
@given(_gtins(), st.integers(0, 2**38 - 1), st.integers(6, 12), st.integers(0, 7))
@settings(deadline=None, max_examples=300)
def test_numeric_serials_round_trip(gtin: Gtin, serial: int, prefix_digits: int, filter_value: int) -> None:
    item = Sgtin(gtin, str(serial), prefix_digits)
    assert sgtin_from_hex96(item.hex96(filter_value)) == (item, filter_value)
    assert sgtin_from_uri(item.uri) == item
    assert sgtin_of(read_eye_readable(item.element_string.eye_readable), prefix_digits) == item


@pytest.mark.requirement("R088")
@given(_gtins(), st.text("ABCabc0123456789-_/.!%\"&<>?'()*+,:;=", min_size=1, max_size=20), st.integers(6, 12))
@settings(deadline=None, max_examples=300)
def test_any_serial_round_trips_through_the_uri(gtin: Gtin, serial: str, prefix_digits: int) -> None:
    item = Sgtin(gtin, serial, prefix_digits)
    assert sgtin_from_uri(item.uri) == item


@pytest.mark.requirement("R088")
@pytest.mark.parametrize("serial", ["A1", "007", str(2**38), "00"])
def test_a_serial_that_the_tag_would_change_is_refused(serial: str) -> None:
    with pytest.raises(IdentifierError):
        Sgtin(Gtin("80614141123458"), serial, 7).hex96()


@pytest.mark.parametrize("digits", [5, 13, 0])
def test_a_company_prefix_has_six_to_twelve_digits(digits: int) -> None:
    with pytest.raises(IdentifierError):
        Sgtin(Gtin("80614141123458"), "1", digits)
    with pytest.raises(IdentifierError):
        ShippingContainer(Sscc("376130321109103420"), digits)


@pytest.mark.parametrize(
    "uri",
    [
        "urn:epc:id:sgtin:0614141.81234.6789",
        "urn:epc:id:sgtin:0614141.8123456.6789",
        "urn:epc:id:sgtin:0614141.812345.",
        "urn:epc:id:sgtin:0614141.812345.6/9",
        "urn:epc:id:sgtin:0614141.812345.6%9",
        "urn:epc:id:sgtin:0614141.812345.6789 ",
        "urn:epc:id:sscc:0614141.1234567890",
    ],
)
def test_other_uris_are_refused(uri: str) -> None:
    with pytest.raises(IdentifierError):
        sgtin_from_uri(uri)


@pytest.mark.parametrize(
    "tag", ["", HEX.lower(), HEX[:-1], HEX + "0", "31" + HEX[2:], "307C" + HEX[4:], "3074" + "F" * 20, "G" * 24]
)
def test_other_tags_are_refused(tag: str) -> None:
    with pytest.raises(IdentifierError):
        sgtin_from_hex96(tag)


def test_filter_values_are_three_bits() -> None:
    with pytest.raises(IdentifierError):
        sgtin_from_uri(URI).hex96(8)


@pytest.mark.requirement("R088")
@given(st.text("0123456789", min_size=17, max_size=17), st.integers(6, 12), st.integers(0, 7))
@settings(deadline=None, max_examples=200)
def test_shipping_containers_round_trip(body: str, prefix_digits: int, filter_value: int) -> None:
    container = ShippingContainer(Sscc(body + check_digit(body)), prefix_digits)
    assert sscc_from_uri(container.uri) == container
    assert sscc_from_hex96(container.hex96(filter_value)) == (container, filter_value)
    assert container.element_string["00"] == container.sscc.text


def test_other_shipping_container_codes_are_refused() -> None:
    good = ShippingContainer(Sscc("376130321109103420"), 7).hex96()
    for tag in (good[:-1] + "1", HEX):
        with pytest.raises(IdentifierError):
            sscc_from_hex96(tag)
    for uri in (URI, "urn:epc:id:sscc:0614141.123456789"):
        with pytest.raises(IdentifierError):
            sscc_from_uri(uri)
