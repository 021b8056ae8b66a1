"""Documents of registers: nothing lost, nothing guessed, the quirks of real records read as they are."""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.connect.register import Record, Unreadable, read_file, terms
from cellwright.connect.register.document import Document, leaf_values
from tests.connect.register.papers import CDE, ICTRP, v2


def one(data: bytes | str | dict[str, object]) -> Record:
    text = json.dumps(data) if isinstance(data, dict) else data
    (record,) = read_file(text.encode() if isinstance(text, str) else text).records
    return record


# --- real files


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest) -> dict[str, tuple[Record, ...]]:
    shared: Path = request.getfixturevalue("shared_data")
    files = sorted(path for path in (shared / "portfolio").rglob("*") if path.is_file())
    return {path.name: read_file(path.read_bytes()).records for path in files}


def test_every_real_file_is_read(real: dict[str, tuple[Record, ...]]) -> None:
    forms = Counter(record.form.name for records in real.values() for record in records)
    assert forms == {
        "ctgov-v2": 84,
        "ctgov-csv": 145,
        "ctgov-classic": 3,
        "ctis": 2,
        "euctr": 2,
        "isrctn": 5,
        "usdm": 1,
    }
    assert {name for name, records in real.items() if not records} == {"LICENSE", "USDM_API.json", "dataStructure.yml"}


def test_every_value_of_a_real_record_is_held_or_listed(real: dict[str, tuple[Record, ...]]) -> None:
    for records in real.values():
        for record in records:
            doc = Document(record.tree)
            assert doc.leaves() == frozenset(leaf_values(record.tree))
            record.form.fields(doc)
            assert doc.unmapped() == record.unmapped
            assert record.leaves - len(record.unmapped) > 0


def test_what_a_mapped_path_of_the_current_form_says_is_in_the_common_fields(
    real: dict[str, tuple[Record, ...]],
) -> None:
    """Of version 2 every mapped value is found again in the common fields, however it is written there."""
    for record in (record for records in real.values() for record in records if record.form.name == "ctgov-v2"):
        held = json.dumps(record.fields.as_content(), ensure_ascii=False).lower()
        values = leaf_values(record.tree)
        for path in set(values) - set(record.unmapped):
            if path.endswith(("eligibilityCriteria", "nctId")):
                continue
            for value in values[path]:
                assert json.dumps(value, ensure_ascii=False).lower()[1:-1] in held, (record.number, path, value)


def test_real_quirks_are_named(real: dict[str, tuple[Record, ...]]) -> None:
    counted = Counter(
        quirk for records in real.values() for record in records if record.form.name == "ctgov-v2"
        for quirk in record.fields.quirks
    )  # fmt: skip
    assert counted["escaped-comparators"] == 42
    assert counted["phase-missing"] == 26
    assert counted["no-arms"] == 11
    assert not any("\\<" in record.fields.criteria for records in real.values() for record in records)


def test_the_record_of_membranous_nephropathy(real: dict[str, tuple[Record, ...]]) -> None:
    """NCT05914155, whose criteria are encoded as rules elsewhere."""
    (record,) = real["NCT05914155_rituximab_membranous_nephropathy.json"]
    assert (record.number, record.fields.phase) == ("NCT05914155", "3")
    assert len(record.fields.inclusion) == 6
    assert any("3.5" in text for text in record.fields.inclusion)


def test_two_registers_of_one_trial_name_each_other(real: dict[str, tuple[Record, ...]]) -> None:
    numbers = {name: {one.value for one in records[0].fields.numbers} for name, records in real.items() if records}
    assert "NCT04494412" in numbers["2024-510663-34-00.json"]
    assert "NCT04089566" in numbers["2019-002663-10-ES.json"]
    assert "NCT01727609" in numbers["76463425.json"]
    assert real["EliLilly_NCT03421379_Diabetes.json"][0].number == "NCT03421379"


# --- made-up documents


def test_a_month_stays_a_month_and_what_the_register_does_not_say_is_not_said() -> None:
    fields = one(v2()).fields
    assert fields.dates["start"].when == "2021-02"
    assert fields.dates["start"].kind == "not_stated"
    assert fields.dates["completion"].kind == "estimated"
    assert {"date-without-day", "date-kind-missing", "phase-missing", "age-not-in-years", "escaped-comparators",
            "maximum-age-missing", "no-arms"} == set(fields.quirks)  # fmt: skip
    assert fields.title == "Cells & a disease"
    assert fields.inclusion == ("ALT < 3 x ULN", "age >= 18")
    assert fields.minimum_age is not None
    assert (fields.minimum_age.value, fields.minimum_age.unit) == ("30", "minutes")
    assert "protocolSection.contactsLocationsModule.locations.geoPoint.lat" in one(v2()).unmapped


def test_the_portal_of_the_who() -> None:
    record = one(ICTRP)
    fields = record.fields
    assert record.id == "ictrp-ChiCTR2100099999"
    assert (fields.phase, fields.status, fields.dates["registered"].when) == ("1/2", "recruiting", "2021-03-05")
    assert fields.inclusion == ("One;", "Two < 3")
    assert fields.exclusion == ("Three",)
    assert [one.value for one in fields.numbers] == ["NCT09999999"]
    assert record.unmapped == ("Ethics_Status", "Source_Register")


def test_a_saved_page_of_the_chinese_register() -> None:
    fields = one(CDE).fields
    assert (fields.phase, fields.status, fields.sponsor) == ("2", "recruiting", "某某公司")
    assert fields.inclusion == ("第一条 ≥ 2", "第二条")
    assert fields.exclusion == ("第三条",)
    assert (fields.dates["first_posted"].when, fields.dates["start"].when) == ("2021-03-05", "2021-04-02")
    assert fields.other_ids == ("CXSL1900099",)
    assert fields.minimum_age is not None and fields.maximum_age is not None
    assert (fields.minimum_age.value, fields.maximum_age.value) == ("18", "75")


def test_a_page_in_the_older_chinese_encoding() -> None:
    assert one(CDE.encode("gb18030")).number == "CTR20219999"


@pytest.mark.parametrize(
    "data",
    [b'{"protocolSection": {}}', b"{", b"[1]", b"<a><b></a>", b"<html><body>nothing</body></html>", b"<unknown/>",
     b'<!DOCTYPE x [<!ENTITY a "b">]><clinical_study/>', b'{"other": 1}', b"\xff\xfe\x00", b"[" * 200_000],
)  # fmt: skip
def test_what_is_broken_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"\S"):
        read_file(data)


def test_a_document_type_hidden_in_xml_is_refused() -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE t [<!ENTITY a "aa">]><clinical_study>&a;</clinical_study>'
    with pytest.raises(Unreadable, match="document type"):
        read_file(bomb.encode())


@given(
    st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f'{{"id_info": {{"nct_id": "{text}"}}}}'.encode())
)
@settings(deadline=None, max_examples=150)
def test_no_bytes_bring_the_reader_down(data: bytes) -> None:
    with suppress(Unreadable):
        read_file(data)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=2), TREES, max_size=4), st.lists(st.text("abc."), max_size=4)
)
@settings(deadline=None, max_examples=150)
def test_what_is_read_and_what_is_unmapped_make_the_whole(tree: dict[str, object], asked: list[str]) -> None:
    doc = Document(tree)
    for path in asked:
        doc.values(path)
    unmapped = set(doc.unmapped())
    assert unmapped <= doc.leaves()
    assert all(any(leaf == path or leaf.startswith(f"{path}.") for path in asked) for leaf in doc.leaves() - unmapped)


# --- words


@pytest.mark.parametrize(
    ("text", "when"),
    [("2024-02", "2024-02"), ("2024-02-15", "2024-02-15"), ("February 2021", "2021-02"), ("May 16, 2018", "2018-05-16"),
     ("05/03/2021", "2021-03-05"), ("2023-02-02T00:00:00.000Z", "2023-02-02"), ("2021年3月5日", "2021-03-05"),
     ("2021年3月", "2021-03"), ("2024", "2024"), ("soon", ""), ("13/13/2021", ""), ("", "")],
)  # fmt: skip
def test_dates_keep_their_precision(text: str, when: str) -> None:
    assert terms.when(text) == when


@pytest.mark.parametrize(
    ("text", "phase"),
    [("PHASE1 PHASE2", "1/2"), ("Phase 1/Phase 2", "1/2"), ("Phase III", "3"), ("EARLY_PHASE1", "early 1"),
     ("NA", "not applicable"), ("Ⅱ期", "2"), ("II/III期", "2/3"), ("Therapeutic use (Phase IV)", "4"), ("", ""),
     ("Phase 2a", "2"), ("PHASE4", "4"), ("Human pharmacology (Phase I)- First administration to humans", "1")],
)  # fmt: skip
def test_phases_of_all_registers(text: str, phase: str) -> None:
    assert terms.phase(text) == phase


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [("25 Years", "25", "years"), ("1 Year", "1", "years"), ("6 Months", "6", "months"), ("90 Minutes", "90", "minutes"),
     ("18岁", "18", "years"), ("N/A", "", ""), ("0", "0", "")],
)  # fmt: skip
def test_ages_carry_their_unit(text: str, value: str, unit: str) -> None:
    assert terms.age(text)[:2] == (value, unit)


@pytest.mark.parametrize(
    ("text", "state"),
    [("NOT_YET_RECRUITING", "not_yet_recruiting"), ("RECRUITING", "recruiting"), ("UNKNOWN", "unknown"),
     ("ACTIVE_NOT_RECRUITING", "active_not_recruiting"), ("Authorised, not started", "not_yet_recruiting"),
     ("Prematurely Ended", "terminated"), ("进行中 招募完成", "active_not_recruiting"), ("4", "not_stated"),
     ("NO_LONGER_AVAILABLE", "no_longer_available"), ("Completed", "completed")],
)  # fmt: skip
def test_states_of_all_registers(text: str, state: str) -> None:
    assert terms.state(text) == state


def test_numbers_of_registers_are_told_apart() -> None:
    text = (
        "NCT01234567, ISRCTN12345678, 2020-001234-56, 2022-502728-30-00, U1111-1234-5678, CTR20210099, x2020-001234-567"
    )
    assert [name for name, _number in terms.numbers(text)] == ["ctgov", "isrctn", "cde", "who", "ctis", "euctr"]


def test_a_text_without_headings_is_all_inclusion_and_says_so() -> None:
    read = terms.criteria("- one\n- two\n  goes on\n- three")
    assert read.inclusion == ("one", "two goes on", "three")
    assert not read.headed
