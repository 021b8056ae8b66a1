"""The shipped statements, and how they are found, superseded and held against each other."""

import pytest

from cellwright.factory.definition import Basis
from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.precedence import check
from cellwright.factory.portfolio.statement import (
    Alias,
    Claim,
    PortfolioProduct,
    ProductTarget,
    Source,
    Stated,
    UnknownStatement,
    event_type,
    read_statement,
    write_statement,
)
from tests.factory.portfolio.portfolios import happened, one_product, shipped_book


def test_no_statement_of_the_shipped_file_is_a_fact_without_a_source() -> None:
    book = shipped_book()
    for (kind, name), history in book.history.items():
        said = history[-1].statement
        if isinstance(said, Stated):
            assert said.basis.grade in ("M", "X") or said.basis.sources, f"{kind} {name} says nothing of its source"
            assert all(book.get(Source, source).locator for source in said.basis.sources)


def test_what_is_from_memory_is_marked_and_never_a_fact() -> None:
    """Six codes of MAB Works were remembered, not read."""
    book = shipped_book()
    remembered = [one.id for one in book.all(PortfolioProduct) if one.basis.standing == "unverified"]
    assert remembered == ["MIL93", "MIL95", "MIL97", "MBS301", "MBS303", "MBS314"]
    assert all(not book.programmes(product) for product in remembered)


def test_at19_expresses_what_car_t_19_binds_and_depends_on_it() -> None:
    book = shipped_book()
    relations = {one.product: one.relation for one in book.all(ProductTarget) if one.molecule == "CD19"}
    assert relations["aT19"] == "expresses"
    assert relations["CAR-T-19"] == "binds"
    assert book.get(PortfolioProduct, "aT19").depends_on == "CAR-T-19"


@pytest.mark.parametrize(
    ("name", "means"),
    [("MIL62", "MIL62"), ("mil-62", "MIL62"), ("ＭＩＬ６２", "MIL62"), ("MIL162", "MIL62"), ("永泰生物", "immunotech"),
     ("天广实", "mab-works"), ("HKEX 6978", "immunotech"), ("Kymriah", "tisagenlecleucel"),
     ("北京经济技术开发区", "beijing-e-town"), ("NCT05213637", "NCT05213637"), ("北京亦庄", "beijing-e-town")],
)  # fmt: skip
def test_names_in_both_languages_lead_to_the_same_thing(name: str, means: str) -> None:
    found = shipped_book().find(name)
    assert found is not None
    assert found.thing.id == means


def test_a_disputed_alias_says_so() -> None:
    found = shipped_book().find("MIL162")
    assert found is not None and found.by is not None
    assert found.by.disputed and found.by.conflict is not None


def test_conflicting_claims_stand_side_by_side() -> None:
    book = shipped_book()
    ages = {one.value for one in book.claims("aT19") if one.subject == "age"}
    assert ages == {"< 25", "<= 25"}
    plants = {one.value for one in book.claims("immunotech") if one.subject == "plant"}
    assert {"34995.92 m2", "nearly 30000 m2"} <= plants


def test_a_statement_that_supersedes_leaves_the_other_readable() -> None:
    old = happened("ind_approved", "2024-02", "old")
    new = happened("ind_approved", "2024-02-05", "new", supersedes="old")
    book = Book.of([*one_product(), old, new])
    assert [one.id for one in book.events("P-1")] == ["new"]
    assert book.history["event", "old"][0].statement == old


def test_stating_anew_keeps_what_was_said_before() -> None:
    first, second = happened("ind_approved", "2024", "e"), happened("ind_approved", "2024-02", "e")
    book = Book.of([*one_product(), first, second])
    assert [one.when for one in book.events("P-1")] == ["2024-02"]
    assert [one.statement for one in book.history["event", "e"]] == [first, second]


def test_every_kind_is_read_back_as_written() -> None:
    for history in shipped_book().history.values():
        for said, _at in history:
            assert read_statement(event_type(said), write_statement(said)) == said


@pytest.mark.parametrize("type_", ["lot.opened", "portfolio.rumour_stated", "portfolio.area"])
def test_what_another_program_wrote_is_not_taken_for_a_statement(type_: str) -> None:
    with pytest.raises(UnknownStatement):
        read_statement(type_, {})


FIRST = {
    "event": "breakthrough_therapy", "agency": "NMPA", "speciality": "nephrology", "of": "P-1",
}  # fmt: skip


def claim() -> Claim:
    body = {"id": "first", "about": "P", "subject": "first", "text": {"en": "first", "zh": "首个"},
            "basis": {"grade": "B", "source": "s"}, "check": FIRST}  # fmt: skip
    read = read_statement("portfolio.claim_stated", body)
    assert isinstance(read, Claim)
    return read


@pytest.mark.parametrize(
    ("other", "verdict"),
    [(None, "not contradicted"), ("2024", "not contradicted"), ("2023-06-20", "open"), ("2023-05", "contradicted")],
)
def test_a_claim_of_being_first_is_checked_against_the_ledger(other: str | None, verdict: str) -> None:
    statements = [*one_product(), happened("breakthrough_therapy", "2023-06", "own")]
    if other:
        statements += [*one_product("Q", "G"), happened("breakthrough_therapy", other, "other", programme="Q-1")]
    found = check(Book.of(statements), claim())
    assert found is not None
    assert found.verdict == verdict


def test_a_rumour_contradicts_nothing() -> None:
    rumour = happened("breakthrough_therapy", "2020", "other", programme="Q-1", basis=Basis(grade="M"))
    own = happened("breakthrough_therapy", "2023-06", "own")
    found = check(Book.of([*one_product(), *one_product("Q", "G"), own, rumour]), claim())
    assert found is not None
    assert found.verdict == "not contradicted"


def test_the_claim_about_mil62_is_not_contradicted_by_what_the_ledger_knows() -> None:
    book = shipped_book()
    checked = [check(book, one) for one in book.claims("MIL62") if one.subject == "first_breakthrough_in_nephrology"]
    assert [one.verdict for one in checked if one] == ["not contradicted"] * 3


def test_an_alias_that_leads_nowhere_finds_nothing() -> None:
    alias = Alias(id="a", of="nothing", name="something", basis=Basis(grade="B", source="s"))
    assert Book.of([alias]).find("something") is None
