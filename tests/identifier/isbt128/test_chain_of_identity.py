"""Chain-of-identity identifiers: layout, typed entry. The accept and reject tables follow ST-001 2.4.40."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.identifier import (
    ChainOfIdentityId,
    Code,
    IdentifierError,
    Need,
    Way,
    confirmed,
    read_chain_of_identity,
    type_chain_of_identity,
    typed_again,
)

PATTERN = r"^&/CH[A-NP-Z1-9][A-NP-Z0-9]{2}[0-9]{2}[0-9]{2}[A-Z0-9]{6}$"
GOOD = ["&/CHA99992100012A", "&/CHW123426ZZZZZZ"]
BAD = [
    ("&/CHO999921000123", Code.WRONG_CHARACTER, 5),
    ("&/CH0999921000123", Code.WRONG_CHARACTER, 5),
    ("&/CHA99992100012a", Code.WRONG_CHARACTER, 17),
    ("&/CIA999921000123", Code.WRONG_CHARACTER, 4),
    ("&/CHA9999210001234", Code.WRONG_LENGTH, None),
    ("&/CHA99992100012", Code.WRONG_LENGTH, None),
    ("&,CHA999921000123", Code.WRONG_DATA_IDENTIFIER, 1),
    ("CHA999921000123", Code.WRONG_DATA_IDENTIFIER, 1),
]


@pytest.mark.requirement("R080")
@pytest.mark.parametrize("structure", GOOD)
def test_accepted(structure: str) -> None:
    entry = read_chain_of_identity(structure)
    assert entry.value.data_structure == structure
    assert (entry.way, entry.needs) == (Way.SCANNED, None)


@pytest.mark.requirement("R080")
@pytest.mark.parametrize(("structure", "code", "position"), BAD)
def test_refused(structure: str, code: Code, position: int | None) -> None:
    with pytest.raises(IdentifierError) as caught:
        read_chain_of_identity(structure)
    assert (caught.value.refusal.code, caught.value.refusal.position) == (code, position)


def test_the_vector_file_agrees(shared_reference: Path) -> None:
    vectors = json.loads((shared_reference / "vectors" / "vectors.json").read_text(encoding="utf-8"))
    assert vectors["isbt128_coi_regex"] == PATTERN
    for structure in vectors["isbt128_coi_good"]:
        assert read_chain_of_identity(structure).usable
    for structure in vectors["isbt128_coi_bad"]:
        with pytest.raises(IdentifierError):
            read_chain_of_identity(structure)


@given(st.one_of(st.from_regex(PATTERN), st.text("&/,=CHAO019a", min_size=15, max_size=18)))
@settings(deadline=None, max_examples=300)
def test_accepts_what_the_pattern_of_the_standard_accepts(structure: str) -> None:
    fits = re.fullmatch(PATTERN[1:-1], structure) is not None
    try:
        read_chain_of_identity(structure)
    except IdentifierError:
        assert not fits
    else:
        assert fits


@pytest.mark.requirement("R080")
def test_typed_once_is_not_usable_until_typed_again() -> None:
    once = type_chain_of_identity("CH A9999 21 000 12A", typed_by="ana")
    assert (once.usable, once.needs) == (False, Need.SECOND_ENTRY_OR_SECOND_PERSON)
    twice = typed_again(once, ChainOfIdentityId("CHA99992100012A"))
    assert (twice.usable, twice.way) == (True, Way.TYPED_TWICE)


@pytest.mark.requirement("R080")
def test_entries_that_differ_are_refused_with_the_place() -> None:
    once = type_chain_of_identity("CHA99992100012A", typed_by="ana")
    with pytest.raises(IdentifierError) as caught:
        typed_again(once, ChainOfIdentityId("CHA99992100021A"))
    assert (caught.value.refusal.code, caught.value.refusal.position) == (Code.ENTRIES_DIFFER, 13)


@pytest.mark.requirement("R080")
@pytest.mark.parametrize("person", ["ana", ""])
def test_nobody_confirms_an_own_entry(person: str) -> None:
    once = type_chain_of_identity("CHA99992100012A", typed_by="ana")
    with pytest.raises(IdentifierError) as caught:
        confirmed(once, ChainOfIdentityId("CHA99992100012A"), person)
    assert caught.value.refusal.code is Code.SAME_PERSON


@pytest.mark.requirement("R080")
def test_a_second_person_confirms() -> None:
    once = type_chain_of_identity("CHA99992100012A", typed_by="ana")
    entry = confirmed(once, ChainOfIdentityId("CHA99992100012A"), "li")
    assert (entry.usable, entry.way, entry.confirmed_by) == (True, Way.TYPED_AND_CONFIRMED, "li")
    with pytest.raises(IdentifierError):
        confirmed(once, ChainOfIdentityId("CHA99992100012B"), "li")


@pytest.mark.requirement("R080")
def test_an_unnamed_typist_cannot_be_confirmed() -> None:
    with pytest.raises(IdentifierError):
        confirmed(type_chain_of_identity("CHA99992100012A"), ChainOfIdentityId("CHA99992100012A"), "li")
