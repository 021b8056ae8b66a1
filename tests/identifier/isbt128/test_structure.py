"""Data identifiers and the structures behind them. Sources: ISBT 128 ST-001 v6.2.2, the FDA's list of UDI formats."""

import itertools
import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.identifier import ChainOfIdentityId, Code, DonationScan, FacilityNumber, IdentifierError
from cellwright.identifier.isbt128 import structure as table
from cellwright.identifier.isbt128.blood_group import GROUPS, BloodGroup, DonationType, SpecialMessage, blood_group
from cellwright.identifier.isbt128.compound import split_structures
from cellwright.identifier.isbt128.consignment import ConsignmentContainer
from cellwright.identifier.isbt128.date import CodedDate, CodedTime, Occasion, decode_day, encode_day, to_utc
from cellwright.identifier.isbt128.donor_registration import DonorRegistrationId, with_checksum
from cellwright.identifier.isbt128.patient import PatientBirthDate, PatientNumber
from cellwright.identifier.isbt128.processor import ProcessorLotNumber, ProcessorProductCode
from cellwright.identifier.isbt128.product import (
    LoadedProductTable,
    ProductCode,
    ProductDivisions,
    describe,
)
from cellwright.identifier.isbt128.structure import Structure, Uninterpreted

SAMPLES = {
    "001": "=A99992112345600",
    "002": "=%5100",
    "003": "=<S12954A0",
    "004": "=>026001",
    "005": "&>0253652359",
    "006": "=*024060",
    "007": "&*0240601230",
    "008": "=}021365",
    "009": "&}0213650001",
    "024": "=#0119700131",
    "025": "&#0106AB1234",
    "028": "=$A99992100001" + "0203",
    "032": "=,000025",
    "034": "=/A9999XYZ100T0944",
    "035": "&,1000000000000XYZ123",
    "039": with_checksum("9991", "0000000012345").data_structure,
    "040": "&/CHA99992100012A",
}


def test_every_structure_that_is_read_has_a_sample() -> None:
    assert set(SAMPLES) == {row.number for row in table.READ if row is not table.COMPOUND}


def test_data_identifiers_are_distinct() -> None:
    identifiers = [row.data_identifier for row in (*table.READ, *table.NAMED, *table.NATIONAL)]
    assert len(set(identifiers)) == len(identifiers)


@pytest.mark.requirement("R079")
@pytest.mark.parametrize("number", SAMPLES)
def test_a_structure_is_read_where_it_is_expected(number: str) -> None:
    row = table.BY_NUMBER[number]
    content = row.interpret(SAMPLES[number])
    if isinstance(content, DonationScan):
        assert content.number.data_structure(content.flags) == SAMPLES[number]
    else:
        assert content.data_structure == SAMPLES[number]


@pytest.mark.requirement("R079")
@pytest.mark.parametrize(
    ("expected", "scanned"), [pair for pair in itertools.product(SAMPLES, SAMPLES) if pair[0] != pair[1]]
)
def test_a_structure_is_refused_where_another_is_expected(expected: str, scanned: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        table.BY_NUMBER[expected].interpret(SAMPLES[scanned])
    refusal = caught.value.refusal
    assert (refusal.code, refusal.requirement) == (Code.WRONG_DATA_IDENTIFIER, "R079")
    assert refusal.detail == table.BY_NUMBER[scanned].name
    assert refusal.expected == table.BY_NUMBER[expected].name


@pytest.mark.requirement("R079")
def test_red_cell_antigens_in_the_blood_group_field_are_refused() -> None:
    with pytest.raises(IdentifierError) as caught:
        table.BLOOD_GROUP.interpret("=\\620000000000000000")
    assert caught.value.refusal.detail == "red cell antigens"


@pytest.mark.requirement("R079")
@pytest.mark.parametrize("number", SAMPLES)
def test_a_character_more_or_less_is_refused(number: str) -> None:
    row, text = table.BY_NUMBER[number], SAMPLES[number]
    for wrong in (text[:-1], text + "0", text + " ", text[: len(row.data_identifier)]):
        with pytest.raises(IdentifierError):
            row.interpret(wrong)


@pytest.mark.parametrize("row", table.NAMED, ids=lambda row: row.number)
def test_a_structure_without_rules_here_is_named_and_measured(row: Structure) -> None:
    content = "0" * (row.length or 0)
    assert row.interpret(row.data_identifier + content) == Uninterpreted(row.number, content)
    with pytest.raises(IdentifierError):
        row.interpret(row.data_identifier + content + "0")


@pytest.mark.parametrize("text", ["", "A", "=", "&", "==", "=O99992112345600", "==A9999", "?<S12954A0", "&Á"])
def test_what_opens_no_structure_is_not_recognised(text: str) -> None:
    assert table.recognise(text) is None


@pytest.mark.requirement("R082")
@pytest.mark.parametrize(
    ("day", "digits"),  # computed from the rule of ST-001 2.4.4
    [
        (date(2021, 12, 31), "021365"),
        (date(2024, 2, 29), "024060"),
        (date(2024, 12, 31), "024366"),
        (date(2026, 1, 1), "026001"),
        (date(1999, 12, 31), "999365"),
        (date(2014, 2, 1), "014032"),  # expiry of the FDA's UDI example
        (date(2100, 3, 1), "100060"),
    ],
)
def test_ordinal_dates_with_century_digit(day: date, digits: str) -> None:
    assert encode_day(day) == digits
    assert decode_day(digits) == day


@pytest.mark.requirement("R082")
@pytest.mark.parametrize("digits", ["025366", "900366", "100366", "026000", "026367", "026999"])
def test_a_day_the_year_does_not_have_is_refused(digits: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        decode_day(digits)
    assert caught.value.refusal.code is Code.NO_SUCH_DATE


@pytest.mark.requirement("R082")
@pytest.mark.parametrize("digits", ["02636", "0263651", "O26001", "02600١", ""])
def test_other_text_is_no_date(digits: str) -> None:
    with pytest.raises(IdentifierError):
        decode_day(digits)


@given(st.dates(date(1900, 1, 1), date(2899, 12, 31)))
@settings(deadline=None, max_examples=200)
def test_every_day_round_trips(day: date) -> None:
    assert decode_day(encode_day(day)) == day


@pytest.mark.parametrize("year", [1899, 2900])
def test_years_the_century_digit_cannot_tell_are_refused(year: int) -> None:
    with pytest.raises(IdentifierError):
        encode_day(date(year, 6, 1))


@pytest.mark.requirement("R082")
def test_unspecified_time_is_one_minute_before_midnight() -> None:
    timed = table.EXPIRY_TIME.interpret("&>0253652359")
    dated = table.EXPIRY_DATE.interpret("=>025365")
    assert isinstance(timed, CodedTime)
    assert isinstance(dated, CodedDate)
    assert timed.local == dated.local == datetime(2025, 12, 31, 23, 59)  # noqa: DTZ001 - local time by the standard
    assert not timed.specified
    assert timed.utc(ZoneInfo("Asia/Shanghai")) == datetime(2025, 12, 31, 15, 59, tzinfo=UTC)
    assert dated.utc(ZoneInfo("Asia/Shanghai")) == datetime(2025, 12, 31, 15, 59, tzinfo=UTC)


@pytest.mark.requirement("R082")
@pytest.mark.parametrize("text", ["&>0253652400", "&>0253651260", "&>0253652460"])
def test_no_such_time_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        table.EXPIRY_TIME.interpret(text)
    assert caught.value.refusal.code is Code.NO_SUCH_DATE


def test_an_hour_that_occurs_twice_is_read_as_the_earlier_one() -> None:
    twice = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 - local time, the night the clock goes back in Berlin
    assert to_utc(twice, ZoneInfo("Europe/Berlin")) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_coded_time_has_whole_minutes_and_no_zone() -> None:
    for wrong in (datetime(2026, 1, 1, 12, 0, 5), datetime(2026, 1, 1, 12, 0, tzinfo=UTC)):  # noqa: DTZ001
        with pytest.raises(IdentifierError):
            CodedTime(Occasion.EXPIRY, wrong)


# ST-001 Table 4: group O RhD positive by type of donation.
@pytest.mark.parametrize(
    ("code", "donation", "autologous", "hazard"),
    [
        ("51", DonationType.UNSPECIFIED, False, False),
        ("47", DonationType.DIRECTED, False, False),
        ("52", DonationType.AUTOLOGOUS_CROSSOVER, True, False),
        ("53", DonationType.AUTOLOGOUS_ONLY, True, False),
        ("54", DonationType.AUTOLOGOUS_BIOHAZARD, True, True),
    ],
)
@pytest.mark.requirement("R069")
def test_donation_types_of_group_o_positive(code: str, donation: DonationType, autologous: bool, hazard: bool) -> None:
    group = table.BLOOD_GROUP.interpret(f"=%{code}00")
    assert isinstance(group, BloodGroup)
    assert (group.group, group.donation_type) == ("O RhD positive", donation)
    assert (group.is_autologous, group.is_biohazard) == (autologous, hazard)
    assert blood_group("O RhD positive", donation) == group


def test_every_group_and_donation_type_has_its_own_code() -> None:
    codes = {blood_group(group, donation).text for group in GROUPS for donation in DonationType}
    assert len(codes) == 64
    for group in GROUPS:
        for donation in DonationType:
            code = blood_group(group, donation)
            assert (code.group, code.donation_type, code.message) == (group, donation, None)


def test_special_messages_and_unknown_groups_are_not_guessed() -> None:
    assert BloodGroup("Ma00").is_autologous
    assert BloodGroup("Mb00").is_biohazard
    assert BloodGroup("Mq00").message is SpecialMessage.QUARANTINE
    rare = BloodGroup("D600")
    assert (rare.group, rare.donation_type, rare.message, rare.is_autologous) == (None, None, None, False)
    with pytest.raises(IdentifierError):
        blood_group("0 positive")


@pytest.mark.requirement("R081")
def test_product_code_structure() -> None:
    code = ProductCode("S12954A0")
    assert (code.description_code, code.collection_type, code.division) == ("S1295", "4", "A0")
    assert code.is_cellular_therapy


@pytest.mark.requirement("R081")
@pytest.mark.parametrize("text", ["112954A0", "s12954A0", "S12954A", "S12954A00", "S1295-A0", "S12954a0", "S12954AA"])
def test_text_that_is_no_product_code(text: str) -> None:
    with pytest.raises(IdentifierError):
        ProductCode(text)


@pytest.mark.requirement("R081")
def test_a_description_is_unknown_without_the_licensed_table() -> None:
    code = ProductCode("S12954A0")
    assert describe(code).text is None
    table_of_site = LoadedProductTable("site licence, 2026-01", {"S1295": "as the site's table says"})
    assert describe(code, table_of_site).text == "as the site's table says"
    assert describe(ProductCode("S99994A0"), table_of_site).text is None


@pytest.mark.requirement("R081")
def test_the_package_ships_no_table_of_product_codes() -> None:
    import cellwright.identifier

    source = Path(cellwright.identifier.__file__).parent
    files = [path for path in source.rglob("*") if path.suffix not in {".py", ".pyc"} and path.is_file()]
    assert files == []
    code = re.compile(r"""["'][ESTFHPRVW][0-9]{4}["']""")
    assert [path.name for path in source.rglob("*.py") if code.search(path.read_text(encoding="utf-8"))] == []


def test_parts_of_a_product_have_distinct_division_codes() -> None:
    whole = ProductCode("S1295400")
    parts = whole.divided(26)
    assert (parts[0].division, parts[25].division) == ("A0", "Z0")
    again = parts[0].divided(3)
    assert [part.division for part in again] == ["Aa", "Ab", "Ac"]
    assert len({*parts, *again, whole}) == 30
    for wrong in (lambda: whole.divided(27), lambda: whole.divided(0), lambda: again[0].divided(2)):
        with pytest.raises(IdentifierError):
            wrong()


def test_a_published_concatenation_is_taken_apart() -> None:
    # FDA, UDI formats by issuing agency, ICCBBA example.
    text = "=/A9999XYZ100T0944=,000025=A99971312345600=>014032=}013032&,1000000000000XYZ123"
    contents = [row.interpret(piece) for row, piece in split_structures(text)]
    product, divisions, donation, expiry, production, lot = contents
    assert product == ProcessorProductCode("A9999XYZ100T0944")
    assert (product.facility, product.own_code, product.description_code) == (
        FacilityNumber("A9999"),
        "XYZ100",
        "T0944",
    )
    assert divisions == ProductDivisions("000025")
    assert isinstance(donation, DonationScan)
    assert donation.number.text == "A999713123456"
    assert expiry == CodedDate(Occasion.EXPIRY, date(2014, 2, 1))
    assert production == CodedDate(Occasion.PRODUCTION, date(2013, 2, 1))
    assert lot == ProcessorLotNumber("000000000000XYZ123")


def test_consignment_containers() -> None:
    second = table.CONSIGNMENT.interpret(SAMPLES["028"])
    assert isinstance(second, ConsignmentContainer)
    assert (second.consignment, second.container, second.total) == ("A99992100001", 2, 3)
    assert second.facility == FacilityNumber("A9999")
    for wrong in ("A999921000010003", "A999921000010403"):
        with pytest.raises(IdentifierError):
            ConsignmentContainer(wrong)


def test_donor_registration_checksum() -> None:
    donor = with_checksum("9991", "ABC0000012345")
    assert donor.issuing_organization == "9991"
    for number in range(100):
        text = f"{donor.text[:17]}{number:02d}"
        if text != donor.text:
            with pytest.raises(IdentifierError):
                DonorRegistrationId(text)
    mod_37_2 = pytest.importorskip("stdnum.iso7064.mod_37_2")
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
    assert alphabet.index(mod_37_2.calc_check_digit(donor.text[:17])) == int(donor.text[17:])
    with pytest.raises(IdentifierError):
        with_checksum("999", "ABC0000012345")


def test_patient_data_is_not_repeated_in_refusals_or_representations() -> None:
    birth, number = table.PATIENT_BIRTH.interpret(SAMPLES["024"]), table.PATIENT_NUMBER.interpret(SAMPLES["025"])
    assert birth == PatientBirthDate("01", date(1970, 1, 31))
    assert number == PatientNumber("01", "AB1234")
    assert "1970" not in repr(birth)
    assert "AB1234" not in repr(number)
    for row, text in (
        (table.DONATION, SAMPLES["024"]),
        (table.DONATION, SAMPLES["025"]),
        (table.PATIENT_BIRTH, "=#0119701331"),
        (table.PATIENT_NUMBER, "&#0109AB1234"),
        (table.PATIENT_BIRTH, "=#011970X131"),
        (table.DONATION, "=+02000" + SAMPLES["024"] + SAMPLES["025"]),
    ):
        with pytest.raises(IdentifierError) as caught:
            row.interpret(text)
        words = str(caught.value) + repr(caught.value.refusal)
        assert "1970" not in words
        assert "AB1234" not in words


@given(st.text(max_size=30), st.sampled_from([row for row in table.READ if row is not table.COMPOUND]))
@settings(deadline=None, max_examples=400)
def test_any_text_is_read_or_refused_with_a_reason(text: str, row: Structure) -> None:
    for candidate in (text, row.data_identifier + text):
        try:
            row.interpret(candidate)
        except IdentifierError as error:
            words = str(error)
        else:
            words = "[R000]"
        assert words.endswith("]")


def test_the_chain_of_identity_is_read_through_the_table() -> None:
    assert table.CHAIN_OF_IDENTITY.interpret("&/CHA99992100012A") == ChainOfIdentityId("CHA99992100012A")
