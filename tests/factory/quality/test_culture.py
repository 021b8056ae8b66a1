"""Cultures: negative to date, final, positive."""

from datetime import timedelta

import pytest

from cellwright.factory import people
from cellwright.factory.quality.culture import ReadCulture, StartCulture
from cellwright.factory.quality.fact import Derivation, RawFile
from cellwright.factory.quality.situation import judgements
from cellwright.factory.quality.specifying import AssignSpecification
from tests.factory.quality.setting import Laboratory, refused


def start(lab: Laboratory, test: str = "sterility", incubation: str = "P14D", lot: str = "L-1") -> str:
    lab.do(
        StartCulture(lot=lot, test=test, sample=f"{lot}-S1", incubation=incubation, method="m", method_version="1",
                     assay_version="1", instrument="INS-1"),
        "QC-1",
    )  # fmt: skip
    return next(reversed(lab.quality(lot).cultures))


def read(lab: Laboratory, culture: str, *, growth: bool = False, lot: str = "L-1", by: str = "QC-2") -> None:
    lab.files += 1
    at = people.stamp(lab.now)
    file = RawFile(sha256=f"{lab.files:064x}", name="bottle.csv", sample=f"{lot}-S1", acquired_at=at)
    derivation = Derivation(parser="culture", parser_version="1", parameters={})
    lab.do(ReadCulture(lot=lot, culture=culture, growth=growth, file=file, derivation=derivation), by)


@pytest.fixture
def lab() -> Laboratory:
    found = Laboratory()
    found.patient(1)
    found.do(AssignSpecification(lot="L-1"), "QA-1")
    found.receive("L-1")
    return found


def test_a_culture_is_negative_to_date_until_its_time_is_over(lab: Laboratory) -> None:
    name = start(lab)
    lab.advance(days=10)
    read(lab, name)
    assert lab.quality("L-1").cultures[name].status == "negative_to_date"
    assert judgements(lab, "L-1")["sterility"].why == "negative-to-date"
    lab.advance(days=3, hours=23, minutes=59)
    read(lab, name)
    assert lab.quality("L-1").cultures[name].status == "negative_to_date", "a minute is missing"
    lab.advance(minutes=1)
    read(lab, name)
    assert lab.quality("L-1").cultures[name].status == "negative"
    assert judgements(lab, "L-1")["sterility"].why == "not-verified", "the final reading is a result like any other"
    lab.verify("L-1", lab.quality("L-1").cultures[name].result, by="QC-3")
    assert judgements(lab, "L-1")["sterility"].verdict == "pass"
    with refused("culture-not-running"):
        read(lab, name)


def test_growth_is_a_failing_result_at_once(lab: Laboratory) -> None:
    name = start(lab)
    lab.advance(days=2)
    read(lab, name, growth=True)
    assert lab.quality("L-1").cultures[name].status == "positive"
    assert judgements(lab, "L-1")["sterility"].verdict == "fail", "nobody waits for a second person to be warned"
    assert [i.test for i in lab.quality("L-1").open_investigations] == ["sterility"]


@pytest.mark.parametrize("incubation", ["", "P", "14 days", "P0D", "P61D", "-P14D", "P99999999999D"])
def test_an_incubation_is_a_plausible_duration(lab: Laboratory, incubation: str) -> None:
    with refused("incubation-not-plausible"):
        start(lab, incubation=incubation)


def test_only_a_sample_in_the_laboratory_is_cultured() -> None:
    lab = Laboratory()
    lab.patient(1)
    with refused("sample-not-received"):
        start(lab)
    lab.receive("L-1")
    with refused("culture-not-running"):
        read(lab, "L-1-C01")


@pytest.mark.parametrize(("sample", "hours"), [("L-2-S1", 0), ("L-1-S1", -24), ("L-1-S1", 24)])
def test_a_reading_of_another_bottle_or_time_stops(lab: Laboratory, sample: str, hours: int) -> None:
    """D18: the bottle's file names another sample, a time before the sample was drawn, or one still to come."""
    lab.patient(2)
    name = start(lab)
    at = people.stamp(lab.now + timedelta(hours=hours))
    file = RawFile(sha256="f" * 64, name="bottle.csv", sample=sample, acquired_at=at)
    derivation = Derivation(parser="culture", parser_version="1", parameters={})
    command = ReadCulture(lot="L-1", culture=name, growth=False, file=file, derivation=derivation)
    decision = lab.do(command, "QC-1")
    assert decision.stop is not None
    assert lab.lot("L-1").in_doubt
    assert lab.quality("L-1").cultures[name].status == "incubating"
