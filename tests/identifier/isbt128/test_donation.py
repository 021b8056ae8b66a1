"""Donation numbers: layout, flags, check character, year. Vectors: ISBT 128 ST-001 v6.2.2 and the JPAC Red Book."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.identifier import (
    Code,
    DonationNumber,
    IdentifierError,
    ResolvedDonationNumber,
    Way,
    read_donation,
    type_donation,
)
from cellwright.identifier.isbt128.check_character import ALPHABET, check_character, checksum
from cellwright.identifier.isbt128.donation import FlagMeaning

# DIN, checksum, check character, flag. Rows 1-2 of each source published, the last four computed with two
# independent implementations (python-stdnum's iso7064.mod_37_2 is one of them).
VECTORS = [
    ("G123417654321", 10, "A", "70"),  # ST-001 Appendix A.1 and A.2
    ("G123498654321", 17, "H", "77"),  # JPAC Red Book, Annex 2
    ("A999921123456", 3, "3", "63"),  # ST-001 Figure 2
    ("A999925000288", 0, "0", "60"),
    ("A999925000029", 1, "1", "61"),
    ("A999925000289", 35, "Z", "95"),
    ("A999925000038", 36, "*", "96"),
]
# Wrong variants met in public code: (37 - s) % 37, and a hybrid that passes the standard's own example.
WRONG_VARIANTS = [("G123417654321", "9", "A"), ("G123498654321", "G", "0"), ("A999921123456", "2", "Z")]

ALPHA = "ABCDEFGHIJKLMNPQRSTUVWXYZ123456789"
DINS = st.builds(
    lambda first, second, digits: first + second + digits,
    st.sampled_from(ALPHA),
    st.text("ABCDEFGHIJKLMNPQRSTUVWXYZ0123456789", min_size=2, max_size=2),
    st.text("0123456789", min_size=10, max_size=10),
)


@pytest.mark.requirement("R077")
@pytest.mark.parametrize(("din", "value", "check", "flags"), VECTORS)
def test_check_character_and_flag_of_the_published_numbers(din: str, value: int, check: str, flags: str) -> None:
    number = DonationNumber(din)
    assert (checksum(din), number.check) == (value, check)
    assert number.data_structure() == f"={din}{flags}"
    assert type_donation(din + check).value == number
    assert read_donation(f"={din}{flags}").number == number


def test_the_vector_file_agrees(shared_reference: Path) -> None:
    vectors = json.loads((shared_reference / "vectors" / "vectors.json").read_text(encoding="utf-8"))
    for row in vectors["isbt128_din_published"] + vectors["isbt128_din_computed_edges"]:
        assert check_character(row["din"]) == row["K"]
        assert checksum(row["din"]) == row["checksum"]
    for row in vectors["isbt128_din_computed_edges"]:
        assert read_donation(row["data_structure"]).number == DonationNumber(row["din"])
    for row in vectors["wrong_variants_must_not_match"]:
        assert check_character(row["din"]) == row["correct"] != row["off_by_one"]


def test_agrees_with_an_independent_implementation() -> None:
    mod_37_2 = pytest.importorskip("stdnum.iso7064.mod_37_2")
    for din, *_ in VECTORS:
        assert mod_37_2.calc_check_digit(din) == check_character(din)


@pytest.mark.parametrize(("din", "off_by_one", "hybrid"), WRONG_VARIANTS)
def test_known_wrong_variants_do_not_match(din: str, off_by_one: str, hybrid: str) -> None:
    with pytest.raises(IdentifierError):
        type_donation(din + off_by_one)
    if din != "G123417654321":  # the trap: the hybrid passes on this one
        with pytest.raises(IdentifierError):
            type_donation(din + hybrid)


@pytest.mark.requirement("R077")
@pytest.mark.parametrize("din", [row[0] for row in VECTORS])
def test_every_single_substitution_is_refused(din: str) -> None:
    check = check_character(din)
    wrong = [
        din[:place] + character + din[place + 1 :]
        for place in range(13)
        for character in ALPHABET[:36]
        if character != din[place]
    ]
    assert len(wrong) == 455
    for text in wrong:
        with pytest.raises(IdentifierError):
            type_donation(text + check)
        assert check_character(text) != check


@pytest.mark.requirement("R077")
@pytest.mark.parametrize("din", [row[0] for row in VECTORS])
def test_every_adjacent_transposition_is_refused(din: str) -> None:
    whole = din + check_character(din)
    for place in range(13):
        swapped = whole[:place] + whole[place + 1] + whole[place] + whole[place + 2 :]
        if swapped != whole:
            with pytest.raises(IdentifierError):
                type_donation(swapped)


@pytest.mark.requirement("R077")
def test_typed_without_check_character_is_refused() -> None:
    with pytest.raises(IdentifierError) as caught:
        type_donation("A999921123456")
    assert caught.value.refusal.code is Code.CHECK_MISSING


def test_typed_number_tells_how_it_came_in() -> None:
    entry = type_donation("A9999 21 123456 3", typed_by="ana")
    assert (entry.way, entry.usable, entry.typed_by) == (Way.TYPED_WITH_CHECK, True, "ana")
    assert read_donation("=A99992112345600").entry.way is Way.SCANNED


@pytest.mark.requirement("R076")
def test_flags_are_no_part_of_the_identity() -> None:
    plain, first = read_donation("=A99992112345600"), read_donation("=A99992112345601")
    assert plain.number == first.number
    assert str(plain.number) == "A999921123456"
    assert (plain.meaning, first.meaning) == (FlagMeaning.UNUSED, FlagMeaning.CONTAINER_OF_SET)


@pytest.mark.requirement("R076")
@pytest.mark.parametrize(
    "structure",
    [
        "=A99992112345600",
        "=199992112345600",
        "=ZZZ992112345600",
        "=N00000000000000",
        "=A999921123456AY",
        "=P1N002199999915",
    ],
)
def test_accepted(structure: str) -> None:
    assert read_donation(structure).number.text == structure[1:14]


@pytest.mark.requirement("R076")
@pytest.mark.parametrize(
    ("structure", "code", "position"),
    [
        ("=O99992112345600", Code.WRONG_CHARACTER, 2),  # no letter O
        ("=099992112345600", Code.WRONG_CHARACTER, 2),  # no zero in the first place
        ("=AO9992112345600", Code.WRONG_CHARACTER, 3),
        ("=A9O992112345600", Code.WRONG_CHARACTER, 4),
        ("=A99A92112345600", Code.WRONG_CHARACTER, 5),
        ("=A9999A112345600", Code.WRONG_CHARACTER, 7),
        ("=A9999211234B600", Code.WRONG_CHARACTER, 13),
        ("=a99992112345600", Code.WRONG_CHARACTER, 2),
        ("=A999921123456I0", Code.WRONG_CHARACTER, 15),  # I, O, Q, Z are no flag characters
        ("=A9999211234560O", Code.WRONG_CHARACTER, 16),
        ("=A999921123456Z0", Code.WRONG_CHARACTER, 15),
        ("=A9999211234560", Code.WRONG_LENGTH, None),
        ("=A999921123456000", Code.WRONG_LENGTH, None),
        ("A99992112345600", Code.WRONG_DATA_IDENTIFIER, 1),
        ("", Code.WRONG_DATA_IDENTIFIER, 1),
        ("=A9999２112345600", Code.WRONG_CHARACTER, 7),  # a full-width digit is no digit
        ("=A99992112345600\n", Code.WRONG_LENGTH, None),
    ],
)
def test_refused(structure: str, code: Code, position: int | None) -> None:
    with pytest.raises(IdentifierError) as caught:
        read_donation(structure)
    assert (caught.value.refusal.code, caught.value.refusal.position) == (code, position)


@pytest.mark.requirement("R078")
def test_type_three_flag_is_verified() -> None:
    assert read_donation("=G12341765432170").meaning is FlagMeaning.CHECKSUM
    for flag in range(60, 97):
        if flag != 70:
            with pytest.raises(IdentifierError) as caught:
                read_donation(f"=G123417654321{flag}")
            assert (caught.value.refusal.code, caught.value.refusal.requirement) == (Code.CHECK_WRONG, "R078")


def test_meaning_of_every_numeric_flag() -> None:
    meanings = {}
    for flag in [*range(60), 97, 98, 99]:
        meanings.setdefault(read_donation(f"=A999921123456{flag:02d}").meaning, []).append(flag)
    assert meanings[FlagMeaning.CONTAINER_OF_SET] == [1, 2, 3, 4, 15, 16, 17, 18, 19]
    assert meanings[FlagMeaning.LOCAL] == list(range(20, 60))
    assert meanings[FlagMeaning.RESERVED] == [14, 97, 98, 99]
    assert meanings[FlagMeaning.TEST_TUBE] == [7]


@pytest.mark.requirement("R084")
@pytest.mark.parametrize(
    ("yy", "day", "year"),
    [
        ("26", date(2026, 1, 1), 2026),
        ("25", date(2026, 1, 1), 2025),
        ("25", date(2026, 1, 31), 2025),
        ("27", date(2026, 12, 1), 2027),
        ("26", date(2026, 12, 31), 2026),
        ("00", date(2099, 12, 31), 2100),
        ("99", date(2100, 1, 2), 2099),
    ],
)
def test_year_when_assigned(yy: str, day: date, year: int) -> None:
    assert DonationNumber(f"A9999{yy}000001").assigned_on(day).year == year


@pytest.mark.requirement("R084")
@pytest.mark.parametrize(
    ("yy", "day"),
    [("25", date(2026, 2, 1)), ("27", date(2026, 11, 30)), ("27", date(2026, 1, 1)), ("25", date(2026, 12, 31))],
)
def test_year_that_cannot_be_assigned_is_refused(yy: str, day: date) -> None:
    with pytest.raises(IdentifierError) as caught:
        DonationNumber(f"A9999{yy}000001").assigned_on(day)
    assert caught.value.refusal.code is Code.YEAR_NOT_POSSIBLE


@pytest.mark.requirement("R084")
@pytest.mark.parametrize(
    ("yy", "day", "year"),
    [
        ("26", date(2026, 6, 1), 2026),
        ("27", date(2026, 6, 1), 1927),
        ("27", date(2026, 12, 5), 2027),
        ("99", date(2026, 6, 1), 1999),
        ("98", date(2098, 1, 1), 2098),
    ],
)
def test_year_when_first_seen(yy: str, day: date, year: int) -> None:
    assert DonationNumber(f"A9999{yy}000001").seen_on(day).year == year


@pytest.mark.requirement("R084")
def test_same_number_a_century_later_is_another_number() -> None:
    number = DonationNumber("A999921123456")
    assert number.of_year(2021) != number.of_year(2121)
    assert str(number.of_year(2021)) == "A9999-2021-123456"
    assert number.of_year(2121).number == number
    with pytest.raises(IdentifierError):
        number.of_year(2022)


@given(DINS, st.dates(date(1970, 1, 1), date(2199, 12, 31)))
@settings(deadline=None, max_examples=200)
def test_resolved_year_is_never_ahead_of_the_next_and_within_a_century(din: str, day: date) -> None:
    year = DonationNumber(din).seen_on(day).year
    assert year % 100 == int(din[5:7])
    assert day.year - 99 <= year <= (day + timedelta(days=31)).year


@given(DINS)
@settings(deadline=None, max_examples=200)
def test_round_trips(din: str) -> None:
    number = DonationNumber(din)
    assert read_donation(number.data_structure()).number == number
    assert type_donation(number.eye_readable).value == number
    assert ResolvedDonationNumber(str(number.of_year(1900 + int(din[5:7])))).number == number


@given(st.text(max_size=20))
@settings(deadline=None, max_examples=300)
def test_any_text_is_a_number_or_a_typed_refusal(text: str) -> None:
    for candidate in (text, f"={text}"):
        try:
            scan = read_donation(candidate)
        except IdentifierError:
            continue
        assert scan.number.text == candidate[1:14]
