"""Exceptional supply: each item alone blocks, never certified, never while safety fails, never with identity in doubt."""

from typing import Any

import pytest

from cellwright.factory import people
from cellwright.factory.lot.fact import life
from cellwright.factory.record import Fact
from cellwright.factory.release import permits
from cellwright.factory.release.decide import Release
from cellwright.factory.release.exceptional import RecordAuthorityDecision
from cellwright.factory.release.fact import ExceptionallySupplied
from tests.factory.quality.setting import product, refused
from tests.factory.release.setting import DOCUMENT, EU, Office

US = ("single_patient_ind", "patient_consent")


def failing(office: Office, n: int = 1, market: str = "EU", **changed: tuple[str, str]) -> str:
    """A lot whose viability is 65 %: out of specification, and nothing else."""
    return office.ready(n, market=market, **{"viability": ("65", "%"), **changed})


@pytest.mark.requirement("R111")
def test_with_every_item_the_lot_leaves_uncertified() -> None:
    office = Office()
    lot = failing(office)
    for item in EU:
        assert office.assess(lot).possible == "pending"
        office.item(lot, item)
    assert office.assess(lot).possible == "exceptional_supply"
    with refused("not-releasable"):
        office.do(Release(lot=lot), "AP-1")
    office.supply(lot)
    assert office.release(lot).status == "exceptional_supply", "never released, never certified"
    assert office.said("release.released") == []
    (body,) = office.said("release.exceptionally_supplied")
    assert isinstance(body, ExceptionallySupplied)
    assert [(j.test, j.verdict, j.value) for j in body.failures] == [("viability", "fail", "65")]
    assert permits(office, lot, "infusion") is None


@pytest.mark.requirement("R111")
@pytest.mark.parametrize("absent", EU)
def test_each_missing_item_alone_blocks(absent: str) -> None:
    office = Office()
    lot = failing(office)
    for item in EU:
        if item != absent:
            office.item(lot, item)
    assert office.missing(lot, "exceptional_supply") == {f"item-missing({absent})"}
    with refused("not-releasable") as refusal:
        office.supply(lot)
    assert absent in str(refusal.values["missing"])


@pytest.mark.requirement("R111")
def test_in_a_trial_the_sponsor_is_told_instead_of_the_holder() -> None:
    office = Office(product("EU", "trial"))
    lot = failing(office)
    for item in EU:
        office.item(lot, item)
    assert office.missing(lot, "exceptional_supply") == {"item-missing(sponsor_notified)"}
    office.item(lot, "sponsor_notified")
    assert office.assess(lot).possible == "exceptional_supply"


@pytest.mark.requirement("R112")
@pytest.mark.parametrize("protocol", ["single_patient_ind", "expanded_access_protocol"])
def test_in_the_us_only_a_protocol_or_an_ind_with_consent_opens_the_path(protocol: str) -> None:
    office = Office(product("US"))
    lot = failing(office, market="US")
    either = "item-missing(expanded_access_protocol / single_patient_ind)"
    assert office.missing(lot, "exceptional_supply") == {either, "item-missing(patient_consent)"}
    with refused("not-releasable"):
        office.supply(lot)
    for item in EU:
        office.item(lot, item)  # the conditions of another law are none here
    assert office.missing(lot, "exceptional_supply") == {either, "item-missing(patient_consent)"}
    office.item(lot, protocol, "us")
    assert office.missing(lot, "exceptional_supply") == {"item-missing(patient_consent)"}
    office.item(lot, "patient_consent", "us")
    office.supply(lot)
    assert office.release(lot).status == "exceptional_supply"


def test_where_no_path_is_known_there_is_none() -> None:
    office = Office(product("CN"))
    lot = failing(office, market="CN")
    for item in EU:
        office.item(lot, item)
    assert office.missing(lot, "exceptional_supply") == {"no-exceptional-path(CN)"}


UNSAFE = [
    ("sterility_in_process", ("positive", "")),
    ("sterility", ("positive", "")),
    ("mycoplasma", ("present", "")),
    ("endotoxin", ("4", "EU/mL")),
    ("endotoxin", ("<4", "EU/mL")),
]


@pytest.mark.requirement("R113")
@pytest.mark.parametrize(("test", "figure"), UNSAFE)
def test_a_safety_test_that_does_not_pass_closes_the_path(test: str, figure: tuple[str, str]) -> None:
    office = Office()
    lot = failing(office, **{test: figure})
    for item in EU:
        office.item(lot, item)
    assert f"safety-test-not-passed({test})" in office.missing(lot, "exceptional_supply")
    with refused("not-releasable"):
        office.supply(lot)


def test_a_safety_test_that_is_missing_closes_it_too() -> None:
    office = Office()
    lot = failing(office)
    other = office.ready(2, without=("mycoplasma",), viability=("65", "%"))
    for item in EU:
        office.item(lot, item)
        office.item(other, item)
    assert office.assess(lot).possible == "exceptional_supply"
    assert office.missing(other, "exceptional_supply") == {"safety-test-not-passed(mycoplasma)"}


def decided(office: Office, lot: str, *tests: Any) -> None:
    office.do(
        RecordAuthorityDecision(lot=lot, authority="BfArM", reference="2026-17", tests=tests, document_sha256=DOCUMENT),
        "QA-1",
    )


@pytest.mark.requirement("R113")
def test_only_a_recorded_decision_of_an_authority_opens_it_and_only_for_what_it_names() -> None:
    office = Office()
    lot = failing(office, mycoplasma=("present", ""))
    for item in EU:
        office.item(lot, item)
    for tests in ((), ("",)):
        with refused("decision-not-plausible"):
            decided(office, lot, *tests)
    decided(office, lot, "endotoxin")
    assert office.assess(lot).possible == "pending"
    decided(office, lot, "mycoplasma")
    assert office.assess(lot).possible == "exceptional_supply"


@pytest.mark.requirement("R111")
def test_with_the_identity_in_doubt_no_path_is_open() -> None:
    """D19: exceptional supply is refused there too, and by its own name, not as one item of a list."""
    office = Office()
    lot, good = failing(office), office.ready(2)
    for item in EU:
        office.item(lot, item)
    for number in (lot, good):
        office.say(f"lot/{number}", life.DoubtRaised(case="CASE-1"))
        assert office.assess(number).possible == "pending"
    with refused("identity-in-doubt"):
        office.supply(lot)
    with refused("identity-in-doubt"):
        office.do(Release(lot=good), "AP-1")
    with refused("identity-in-doubt"):
        office.item(lot, "no_alternative")


def test_what_is_in_order_is_not_supplied_exceptionally() -> None:
    office = Office()
    lot = office.ready()
    for item in EU:
        office.item(lot, item)
    with refused("not-out-of-specification"):
        office.supply(lot)


@pytest.mark.requirement("R035")
def test_the_exceptional_path_takes_an_authorised_signature_too() -> None:
    office = Office()
    lot = failing(office)
    for item in EU:
        office.item(lot, item)
    with refused("role-missing"):
        office.supply(lot, by="QA-1")
    office.person("AP-8", "authorised_person")
    with refused("not-authorised-person"):
        office.supply(lot, by="AP-8")
    until = people.stamp(office.now)
    office.record(
        [Fact("person/AP-8", people.Qualified(person="AP-8", qualification="authorised_person",
                                              since="2020-01-01T00:00:00.000000Z", until=until))]
    )  # fmt: skip
    with refused("not-authorised-person"):
        office.supply(lot, by="AP-8")


def test_the_physician_speaks_for_the_physician() -> None:
    office = Office()
    lot = failing(office)
    office.item(lot, "physician_request", by="DR-1")
    office.item(lot, "physician_acceptance", by="DR-1")
    with refused("not-the-physicians"):
        office.item(lot, "risk_evaluation_sent", by="DR-1")
    with refused("item-not-plausible"):
        office.item(lot, "patient_consent", "eu")


def test_what_was_not_known_at_the_time_is_owed_and_a_new_failure_is_not_accepted() -> None:
    """Only what was out of specification then is accepted; a result that turns later stops the lot."""
    office = Office(product("EU", "authorised", "copies_per_cell"))
    lot = office.ready(without=("copies_per_cell",), viability=("65", "%"))
    for item in EU:
        office.item(lot, item)
    office.supply(lot)
    assert set(office.release(lot).awaited) == {"copies_per_cell"}
    assert permits(office, lot, "infusion") is None
    office.record_result(lot, "copies_per_cell", "6", "copies/cell")
    assert office.release(lot).status == "suspended"
    refusal = permits(office, lot, "infusion")
    assert refusal is not None
    assert refusal.code == "lot-suspended"
