"""Compound messages. The message is constructed from ST-001 2.4.23; no published one is known."""

import json
from pathlib import Path

import pytest

from cellwright.identifier import Code, DonationScan, IdentifierError
from cellwright.identifier.isbt128 import structure as table
from cellwright.identifier.isbt128.compound import read_compound, write_compound
from cellwright.identifier.isbt128.structure import Uninterpreted

STRUCTURES = ["=A99992112345600", "=<S12954A0", "&>0253652359", "&/CHA99992100012A"]
MESSAGE = "=+04000" + "".join(STRUCTURES)


@pytest.mark.requirement("R083")
def test_the_message_is_read_as_a_whole() -> None:
    message = read_compound(MESSAGE)
    assert [part.text for part in message.parts] == STRUCTURES
    assert message.text == write_compound(STRUCTURES) == MESSAGE
    donation = message.content(table.DONATION)
    assert isinstance(donation, DonationScan)
    assert donation.number.text == "A999921123456"
    assert message.content(table.BLOOD_GROUP) is None


def test_the_vector_file_agrees(shared_reference: Path) -> None:
    vectors = json.loads((shared_reference / "vectors" / "vectors.json").read_text(encoding="utf-8"))
    row = vectors["isbt128_compound_constructed"]
    assert [part.text for part in read_compound(row["string"]).parts] == row["structures"]


@pytest.mark.requirement("R083")
@pytest.mark.parametrize("dropped", range(4))
def test_a_message_that_lost_a_structure_is_refused(dropped: int) -> None:
    rest = "".join(text for index, text in enumerate(STRUCTURES) if index != dropped)
    with pytest.raises(IdentifierError) as caught:
        read_compound(f"=+04000{rest}")
    assert (caught.value.refusal.code, caught.value.refusal.requirement) == (Code.WRONG_COUNT, "R083")


@pytest.mark.requirement("R083")
@pytest.mark.parametrize("cut", range(1, len(MESSAGE)))
def test_a_message_cut_anywhere_is_refused(cut: int) -> None:
    with pytest.raises(IdentifierError):
        read_compound(MESSAGE[:cut])


@pytest.mark.requirement("R083")
@pytest.mark.parametrize("national", ["&a12345", "&;12345", "&!1"])
def test_a_national_structure_inside_is_refused(national: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        read_compound("=+05000" + "".join(STRUCTURES) + national)
    assert caught.value.refusal.code is Code.NATIONAL_STRUCTURE


@pytest.mark.requirement("R083")
@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("=+05000" + "".join(STRUCTURES) + "=<S12954B0", Code.REPEATED_ELEMENT),
        ("=+05000" + "".join(STRUCTURES) + "=+02000", Code.UNKNOWN_ELEMENT),
        ("=+05000" + "".join(STRUCTURES) + "ZZ", Code.UNKNOWN_ELEMENT),
        ("=+03000" + "".join(STRUCTURES), Code.WRONG_COUNT),
        ("=+01000=<S12954A0", Code.WRONG_COUNT),
        ("=+00000", Code.WRONG_COUNT),
        ("=+0A000" + "".join(STRUCTURES), Code.WRONG_CHARACTER),
        ("=A99992112345600", Code.WRONG_DATA_IDENTIFIER),
        ("=+04001" + "".join(STRUCTURES), Code.WRONG_ORDER),
        ("=+02000=A99992112345671=<S12954A0", Code.CHECK_WRONG),
    ],
)
def test_refused(message: str, code: Code) -> None:
    with pytest.raises(IdentifierError) as caught:
        read_compound(message)
    assert caught.value.refusal.code is code


@pytest.mark.requirement("R083")
def test_a_registered_order_is_kept() -> None:
    orders = {"017": ("001", "003", "005", "040")}
    ordered = "=+04017" + "".join(STRUCTURES)
    assert read_compound(ordered, orders=orders).order == "017"
    with pytest.raises(IdentifierError) as caught:
        read_compound("=+04017" + "".join(reversed(STRUCTURES)), orders=orders)
    assert caught.value.refusal.code is Code.WRONG_ORDER


@pytest.mark.requirement("R083")
def test_a_required_structure_that_is_missing_is_named() -> None:
    with pytest.raises(IdentifierError) as caught:
        read_compound(MESSAGE, required=[table.DONATION, table.BLOOD_GROUP])
    assert (caught.value.refusal.code, caught.value.refusal.detail) == (Code.MISSING_ELEMENT, "blood group")


def test_a_foreign_structure_is_carried_uninterpreted() -> None:
    message = read_compound("=+03000=A99992112345600=)1AB1234567&#0104AB12")
    container = table.BY_NUMBER["017"]
    assert message.content(container) == Uninterpreted("017", "1AB1234567")


@pytest.mark.parametrize("wrong", [["=<S12954A0"], ["=<S12954A0", "=<S12954B0"], ["=<S12954A0", "&aX"]])
def test_a_message_that_could_not_be_read_back_is_not_written(wrong: list[str]) -> None:
    with pytest.raises(IdentifierError):
        write_compound(wrong)
