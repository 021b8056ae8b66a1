"""Element strings. The messages follow the GS1 General Specifications and were read alike by another library."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.identifier import Code, IdentifierError
from cellwright.identifier.gs1.application_identifier import TABLE, Kind
from cellwright.identifier.gs1.element_string import (
    SEPARATOR,
    ElementString,
    read_element_string,
    read_eye_readable,
)
from cellwright.identifier.gs1.key import Gsrn, check_digit

MESSAGE = "010950110153000317270630102A1B2C\x1d21SN000123"
COLD = "01095011015300031727020010LOT1\x1d4331013000-\x1d8018376130321109103420\x1d801912"
NO_SEPARATOR = "010950110153000310LOT121SN1"
NEAR = date(2026, 3, 1)


def test_a_message_is_read() -> None:
    elements = read_element_string(MESSAGE, required=("01", "17", "10", "21"))
    assert elements.eye_readable == "(01)09501101530003(17)270630(10)2A1B2C(21)SN000123"
    assert elements.data == MESSAGE
    assert elements.day("17", NEAR) == date(2027, 6, 30)
    assert elements["21"] == "SN000123"
    assert read_eye_readable(elements.eye_readable) == elements


def test_the_vector_file_agrees(shared_reference: Path) -> None:
    vectors = json.loads((shared_reference / "vectors" / "vectors.json").read_text(encoding="utf-8"))
    for name in ("gs1_message", "gs1_message_cold", "gs1_missing_separator"):
        elements = read_element_string(vectors[name]["raw"].removeprefix("]d2"))
        assert elements.eye_readable == vectors[name]["hri"]
    cold = read_element_string(vectors["gs1_message_cold"]["raw"][3:])
    assert cold.day("17", NEAR).isoformat() == vectors["gs1_message_cold"]["expiry_resolved"]


@pytest.mark.requirement("R086")
def test_a_lost_separator_is_refused_because_the_serial_is_missing() -> None:
    assert read_element_string(NO_SEPARATOR)["10"] == "LOT121SN1"  # what a trusting reader would take
    with pytest.raises(IdentifierError) as caught:
        read_element_string(NO_SEPARATOR, required=("01", "10", "21"))
    refusal = caught.value.refusal
    assert (refusal.code, refusal.requirement) == (Code.MISSING_ELEMENT, "R086")
    assert "(21)" in refusal.detail


@pytest.mark.requirement("R086")
@pytest.mark.parametrize(
    "message", ["8018376130321109103420" + "801912", "4331013000-" + "801912", "72410310X", "7003270630120010X"]
)
def test_a_fixed_length_that_is_not_predefined_needs_its_separator(message: str) -> None:
    with pytest.raises(IdentifierError):
        read_element_string(message)


@pytest.mark.requirement("R087")
@pytest.mark.parametrize(
    ("digits", "day"),
    [
        ("270200", date(2027, 2, 28)),
        ("280200", date(2028, 2, 29)),
        ("270630", date(2027, 6, 30)),
        ("261200", date(2026, 12, 31)),
        ("750101", date(2075, 1, 1)),
        ("760101", date(2076, 1, 1)),
        ("770101", date(1977, 1, 1)),
    ],
)
def test_expiry_days(digits: str, day: date) -> None:
    assert read_element_string(f"17{digits}").day("17", NEAR) == day


@pytest.mark.requirement("R087")
@pytest.mark.parametrize(
    "element", ["17271301", "17270001", "17270230", "17270631", "11270200", "13270200", "15270232"]
)
def test_no_such_day(element: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        read_element_string(element)
    assert caught.value.refusal.code is Code.NO_SUCH_DATE


@pytest.mark.requirement("R087")
def test_an_expiry_to_the_hour_uses_its_own_element() -> None:
    elements = read_element_string("70032706301430")
    assert elements.moment("7003", NEAR) == datetime(2027, 6, 30, 14, 30)  # noqa: DTZ001 - local by the standard
    for wrong in ("70032706302430", "70032706301460", "70032706001430"):
        with pytest.raises(IdentifierError):
            read_element_string(wrong)


@pytest.mark.parametrize(
    ("content", "degrees"), [("013000-", "-130.00"), ("000800", "8.00"), ("001850-", "-18.50"), ("000000", "0.00")]
)
def test_temperatures_of_the_cold_chain(content: str, degrees: str) -> None:
    for ai in ("4331", "4333"):
        assert read_element_string(ai + content).temperature(ai) == Decimal(degrees)


@pytest.mark.parametrize("content", ["13000-", "013000+", "0130000", "013000--", "-013000"])
def test_wrong_temperatures(content: str) -> None:
    with pytest.raises(IdentifierError):
        read_element_string("4331" + content)


@pytest.mark.requirement("R085")
@pytest.mark.parametrize("ai", [ai for ai, row in TABLE.items() if row.key is not None])
def test_a_wrong_check_digit_inside_an_element_string_is_refused(ai: str) -> None:
    row = TABLE[ai]
    body = "95011015300034567"[: row.longest - 1]
    right = check_digit(body)
    assert read_element_string(ai + body + right).key(ai).text == body + right
    for digit in "0123456789":
        if digit != right:
            for reader, text in (
                (read_element_string, f"{ai}{body}{digit}"),
                (read_eye_readable, f"({ai}){body}{digit}"),
            ):
                with pytest.raises(IdentifierError) as caught:
                    reader(text)
                assert (caught.value.refusal.code, caught.value.refusal.requirement) == (Code.CHECK_WRONG, "R085")


@pytest.mark.requirement("R085")
def test_one_wrong_digit_in_a_long_message_is_refused() -> None:
    assert read_element_string(COLD).key("8018") == Gsrn("376130321109103420")
    with pytest.raises(IdentifierError):
        read_element_string(COLD.replace("0109501101530003", "0109501101530004"))
    with pytest.raises(IdentifierError):
        read_element_string(COLD.replace("376130321109103420", "376130321109103421"))


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", Code.EMPTY),
        ("99COMPANY", Code.UNKNOWN_ELEMENT),  # internal use, not in the closed list
        ("7250" + "19700101", Code.UNKNOWN_ELEMENT),  # a birth date has no place here
        ("10LOT1\x1d\x1d21SN1", Code.UNKNOWN_ELEMENT),
        ("\x1d10LOT1", Code.UNKNOWN_ELEMENT),
        ("10", Code.WRONG_LENGTH),
        ("10\x1d21SN1", Code.WRONG_LENGTH),
        ("10" + "A" * 21, Code.WRONG_LENGTH),
        ("0109501101530", Code.WRONG_LENGTH),
        ("10LOT 1", Code.WRONG_CHARACTER),
        ("10LOT1\x1d10LOT2", Code.REPEATED_ELEMENT),
        ("30A", Code.WRONG_CHARACTER),
        ("10LOTÄ", Code.WRONG_CHARACTER),
    ],
)
def test_refused(message: str, code: Code) -> None:
    with pytest.raises(IdentifierError) as caught:
        read_element_string(message)
    assert caught.value.refusal.code is code


def test_a_separator_where_none_is_needed_does_no_harm() -> None:
    spaced = "0109501101530003\x1d10LOT1\x1d"
    assert read_element_string(spaced) == read_element_string("010950110153000310LOT1")
    assert read_element_string("10LOT1\x1d10LOT1").elements == (("10", "LOT1"),)


def test_a_patients_number_is_not_repeated_in_a_refusal() -> None:
    for text in ("8018376130321109103421", "8018376130321109103420\x1d99X", "801837613032110910342"):
        with pytest.raises(IdentifierError) as caught:
            read_element_string(text)
        assert "3761303211091034" not in str(caught.value) + repr(caught.value.refusal)


def test_no_field_is_called_by_an_ambiguous_abbreviation() -> None:
    assert TABLE["7242"].name == "version control number"
    assert not [row.ai for row in TABLE.values() if "vcn" in row.name.lower()]


def test_a_missing_element_is_asked_for_by_its_name() -> None:
    elements = read_element_string(MESSAGE)
    assert elements.get("8018") is None
    with pytest.raises(IdentifierError):
        elements["8018"]


_TEXTS = st.text("ABCXYZabcxyz0123456789-_/.!%", min_size=1, max_size=20)


@st.composite
def _elements(draw: st.DrawFn) -> ElementString:
    chosen = draw(st.lists(st.sampled_from(sorted(TABLE)), min_size=1, max_size=8, unique=True))
    return ElementString(tuple((ai, draw(_content(ai))) for ai in chosen))


def _content(ai: str) -> st.SearchStrategy[str]:
    row = TABLE[ai]
    digits = st.text("0123456789", min_size=row.shortest, max_size=row.longest)
    if row.key is not None:
        body = st.text("0123456789", min_size=row.longest - 1, max_size=row.longest - 1)
        return body.map(lambda text: text + check_digit(text))
    return {
        Kind.TEXT: _TEXTS,
        Kind.NUMBER: digits,
        Kind.DATE: st.dates(date(2000, 1, 1), date(2049, 12, 31)).map(lambda day: f"{day:%y%m%d}"),
        Kind.DATE_TIME: st.datetimes(datetime(2000, 1, 1), datetime(2049, 1, 1)).map(  # noqa: DTZ001
            lambda moment: f"{moment:%y%m%d%H%M}"
        ),
        Kind.TEMPERATURE: st.from_regex(r"[0-9]{6}-?", fullmatch=True),
    }[row.kind]


@given(_elements())
@settings(deadline=None, max_examples=300)
def test_element_strings_round_trip_in_both_forms(elements: ElementString) -> None:
    assert read_element_string(elements.data) == elements
    assert read_eye_readable(elements.eye_readable) == elements
    assert not elements.data.endswith(SEPARATOR)


@given(st.text("0123456789ABC()\x1d]-", max_size=40))
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_whole_or_refused(text: str) -> None:
    try:
        elements = read_element_string(text)
    except IdentifierError:
        return
    assert read_element_string(elements.data) == elements
