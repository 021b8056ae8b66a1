"""Tests, answers and reasons are said in words: no code, no empty separator, in both languages."""

import re
from decimal import Decimal

import pytest
from django.test import Client

from cellwright.command import signing
from cellwright.factory.quality.file import QualityState
from cellwright.factory.quality.specification import Specification
from cellwright.factory.quality.specifying import AssignSpecification
from cellwright.factory.release.finding import Missing
from cellwright.factory.rule import By, Refusal
from cellwright.language import use
from cellwright.site import models, tested, words
from cellwright.site.house import House
from cellwright.site.pages import answer
from cellwright.site.reading import Read
from cellwright.site.refusals import told
from tests.site.conftest import signed_in

NAMES = {"identity_transgene": "转基因鉴别"}


def missing(value: str, unit: str, why: str, verdict: str = "pending") -> str:
    refusal = Refusal("test-not-passed", "{what}: {verdict}, {value} {unit} ({why}).", rule="R102",
                      what="identity_transgene", verdict=verdict, value=value, unit=unit, why=why)  # fmt: skip
    return tested.missing(Missing("tests", refusal), NAMES).text


def test_a_test_is_said_by_its_name_its_value_and_the_reason_why_it_is_no_pass() -> None:
    with use("zh-Hans"):
        assert missing("-", "", "culture-running") == "转基因鉴别：待出。 培养尚未判读。"
        assert missing("positive", "", "not-verified").startswith("转基因鉴别：阳性, ")
    assert missing("3.5E+6", "/mL", "not-verified") == (
        "转基因鉴别: 3.5 × 10⁶ /mL, awaited. No second person has verified the result yet."
    )


@pytest.mark.parametrize("word", sorted(words.ANSWERS))
def test_a_word_that_answers_is_translated(word: str) -> None:
    with use("zh-Hans"):
        assert not answer(word).isascii()


def test_a_number_keeps_its_unit_and_nothing_stands_for_no_unit() -> None:
    assert (answer(Decimal("91.5"), "%"), answer("turbid"), answer("<0.5", "EU/mL")) == (
        "91.5 %",
        "turbid",
        "<0.5 EU/mL",
    )


def test_a_refusal_says_states_in_words_and_counts_what_is_missing() -> None:
    refusal = Refusal("not-releasable", "Lot {lot} cannot become {outcome}; missing: {missing}.", lot="L",
                      outcome="released_pending_results", missing="tests(a), tests(b)")  # fmt: skip
    assert told(refusal).text == "Lot L cannot become released with results pending; missing: 2 conditions."


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize("where", ["", "/release"])
def test_no_page_of_a_lot_shows_the_code_of_a_test(house: House, visitor: Client, where: str, language: str) -> None:
    signed_in(visitor, "QA-1")
    visitor.get(f"/language/{language}")
    lot = models.Lot.objects.order_by("lot")[0].lot
    if Read().load(QualityState, lot).specification is None:
        assert house.keys is not None
        who = By(person="QA-1", source="test")
        house.keys.ensure("QA-1")
        pending = house.desk.prepare(AssignSpecification(lot=lot), who)
        proofs = [house.keys.sign(one.person, signing.challenge(one)) for one in pending.signatures]
        house.desk.commit(pending, proofs)
    read = Read()
    assigned = read.load(QualityState, lot).specification
    assert assigned is not None
    codes = {
        c for t in read.definition(Specification, assigned.specification, assigned.version).tests for c in t.measured
    }
    text = re.sub(r"<[^>]+>", " ", visitor.get(f"/lots/{lot}{where}").content.decode())
    assert not [code for code in codes if "_" in code and code in text]


def test_a_story_has_each_day_of_the_plants_calendar_once(house: House, visitor: Client) -> None:
    """Days are those of the site's zone: what happened at 23:30 UTC belongs to the next day in China."""
    signed_in(visitor, "QA-1")
    for order in models.Order.objects.values_list("order", flat=True):
        text = visitor.get(f"/orders/{order}").content.decode()
        days = re.findall(r'id="(day-[^"]+)"', text)
        assert days and len(days) == len(set(days))
