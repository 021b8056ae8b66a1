"""The laboratory's commands: samples, plates, results, verification, what stops and what is refused."""

from datetime import timedelta
from typing import Any

import pytest

from cellwright.factory import people
from cellwright.factory.order.case import CaseState
from cellwright.factory.order.scan import Scan
from cellwright.factory.quality.fact import Control, Derivation, PlannedWell, RawFile, ResultAttested, ResultRecomputed
from cellwright.factory.quality.laboratory import Suspend
from cellwright.factory.quality.plate import FillWell, MapPlate, PlateState
from cellwright.factory.quality.result import InvalidateResult, VerifyResults
from cellwright.factory.quality.sample import ReceiveSample
from cellwright.factory.quality.situation import judgements
from cellwright.factory.quality.specifying import AssignSpecification
from cellwright.factory.rule import Decision
from tests.factory.quality.setting import Laboratory, refused
from tests.factory.world import ClaimError


@pytest.fixture
def lab() -> Laboratory:
    found = Laboratory()
    found.patient(1)
    found.patient(2)
    found.do(AssignSpecification(lot="L-1"), "QA-1")
    found.receive("L-1")
    return found


def stopped(lab: Laboratory, decision: Decision | None, point: str, *lots: str) -> None:
    """The decision is a hard stop at this point: a case is open, these lots are in doubt, nothing else was recorded."""
    assert decision is not None
    assert decision.stop is not None
    assert decision.stop.code == "identity-mismatch"
    (case,) = [name.partition("/")[2] for name in lab.states if name.startswith("case/") and lab.states[name].exists]
    assert lab.load(CaseState, case).point == point
    for lot in ("L-1", "L-2"):
        assert lab.lot(lot).in_doubt == (lot in lots), lot


# --- identity ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("R066")
def test_a_tube_of_another_patient_stops_at_the_bench_and_raises_doubt_on_both(lab: Laboratory) -> None:
    decision = lab.receive("L-1", "L-1-S1", scan="L-2-S1")
    stopped(lab, decision, "qc_tube", "L-1", "L-2")
    assert len(lab.said("quality.sample_received")) == 2, "only the two before"


def test_a_label_that_names_another_owner_beside_the_right_sample_stops_too(lab: Laboratory) -> None:
    other = lab.lot("L-2").coi
    stopped(lab, lab.receive("L-1", "L-1-S1", scan=f"L-1-S1|{other}"), "qc_tube", "L-1", "L-2")


def test_a_label_with_the_owner_beside_the_sample_is_read() -> None:
    lab = Laboratory()
    lab.patient(1)
    lab.receive("L-1", "L-1-S1", scan=f"L-1-S1|{lab.lot('L-1').coi}")
    assert set(lab.quality("L-1").samples) == {"L-1-S1"}


def test_a_sample_is_received_once_and_only_if_it_was_drawn(lab: Laboratory) -> None:
    with refused("sample-received-already"):
        lab.receive("L-1", "L-1-S1")
    with refused("unknown-sample"):
        lab.receive("L-1", "L-1-S9")


def test_both_parties_sign_the_handover_of_a_sample(lab: Laboratory) -> None:
    decision = lab.receive("L-2", "L-2-S1")
    assert decision is not None
    assert {(n.person, n.meaning) for n in decision.sign} == {("OP-1", "handed_over"), ("QC-1", "received")}
    with refused("same-person-twice"):
        lab.person("QC-9", "analyst", "operator")
        lab.do(
            ReceiveSample(lot="L-2", sample="L-2-S2", scan=Scan(text="L-2-S2"), handed_over_by="QC-9",
                          handed_over_role="operator", condition="intact", temperature_c="4"),
            "QC-9",
        )  # fmt: skip


def plate(lab: Laboratory) -> str:
    """A plate shared by two patients, with a standard; nothing is in it yet."""
    lab.receive("L-2")
    wells = (
        PlannedWell(well="A01", role="sample", lot="L-1", sample="L-1-S1"),
        PlannedWell(well="A02", role="sample", lot="L-2", sample="L-2-S1"),
        PlannedWell(well="H12", role="standard", content="standard 1e4 copies"),
    )
    command = MapPlate(
        plate="P-1", tests=("copies_per_cell",), method="m", method_version="1", assay_version="1", map=wells
    )
    lab.do(command, "QC-1")
    return "P-1"


def test_wells_of_many_patients_share_a_plate_each_claimed_by_its_owner(lab: Laboratory) -> None:
    name = plate(lab)
    lab.do(FillWell(plate=name, well="A01", scan=Scan(text="L-1-S1")), "QC-1")
    lab.do(FillWell(plate=name, well="A02", scan=Scan(text="L-2-S1")), "QC-1")
    lab.do(FillWell(plate=name, well="H12", stock="qc-standard-vcn"), "QC-3")
    assert lab.claims["well/P-1:A01"] == lab.lot("L-1").coi
    assert lab.claims["well/P-1:A02"] == lab.lot("L-2").coi
    assert lab.claims["well/P-1:H12"] == "stock/qc-standard-vcn"
    assert lab.load(PlateState, name).empty == ()
    assert lab.load(PlateState, name).participants == ("QC-1", "QC-3")


@pytest.mark.requirement("R066")
def test_the_wrong_tube_at_a_well_stops(lab: Laboratory) -> None:
    name = plate(lab)
    stopped(lab, lab.do(FillWell(plate=name, well="A01", scan=Scan(text="L-2-S1")), "QC-1"), "plate_well", "L-1", "L-2")
    assert lab.load(PlateState, name).wells == {}


def test_a_well_is_filled_once_scanned_and_as_the_map_says(lab: Laboratory) -> None:
    name = plate(lab)
    with refused("scan-missing"):
        lab.do(FillWell(plate=name, well="A01"), "QC-1")
    with refused("stock-missing"):
        lab.do(FillWell(plate=name, well="H12"), "QC-1")
    with refused("well-not-free"):
        lab.do(FillWell(plate=name, well="B01", scan=Scan(text="L-1-S1")), "QC-1")
    lab.do(FillWell(plate=name, well="A01", scan=Scan(text="L-1-S1")), "QC-1")
    with refused("well-not-free"):
        lab.do(FillWell(plate=name, well="A01", scan=Scan(text="L-1-S1")), "QC-1")


def test_a_map_names_each_well_once_and_what_belongs_into_it(lab: Laboratory) -> None:
    def mapping(*wells: PlannedWell) -> MapPlate:
        return MapPlate(tests=("x",), method="m", method_version="1", assay_version="1", map=wells)

    twice = PlannedWell(well="A01", role="blank", content="buffer")
    for code, wells in (
        ("map-not-plausible", ()),
        ("map-not-plausible", (twice, twice)),
        ("well-not-described", (PlannedWell(well="A01", role="blank"),)),
        ("well-not-described", (PlannedWell(well="A01", role="sample", lot="L-1"),)),
        ("sample-not-received", (PlannedWell(well="A01", role="sample", lot="L-2", sample="L-2-S1"),)),
    ):
        with refused(code):
            lab.do(mapping(*wells), "QC-1")


@pytest.mark.requirement("R066")
def test_a_result_read_from_a_well_of_another_patient_stops(lab: Laboratory) -> None:
    name = plate(lab)
    lab.do(FillWell(plate=name, well="A02", scan=Scan(text="L-2-S1")), "QC-1")
    command = lab.recording("L-1", "copies_per_cell", "1.2", "copies/cell", wells=("P-1:A02",))
    stopped(lab, lab.do(command, "QC-1"), "plate_well", "L-1", "L-2")
    assert lab.quality("L-1").results == {}


def test_who_filled_the_plate_took_part_in_the_result(lab: Laboratory) -> None:
    name = plate(lab)
    lab.do(FillWell(plate=name, well="A01", scan=Scan(text="L-1-S1")), "QC-3")
    lab.record_result("L-1", "copies_per_cell", "1.2", "copies/cell", wells=("P-1:A01",), by="QC-2")
    assert {"QC-1", "QC-2", "QC-3"} <= lab.quality("L-1").participants


@pytest.mark.requirement("R066")
def test_a_raw_file_that_names_another_sample_stops(lab: Laboratory) -> None:
    file = RawFile(sha256="f" * 64, name="x.fcs", sample="L-2-S1", acquired_at=people.stamp(lab.now))
    stopped(lab, lab.do(lab.recording("L-1", "viability", "92", "%", file=file), "QC-1"), "raw_file", "L-1", "L-2")
    assert lab.quality("L-1").results == {}


@pytest.mark.parametrize(
    ("file_minutes", "asked_minutes", "stops"),
    [
        (60, 60, False),
        (61, 60, False),
        (60, 63, True),  # the file says another time than the worksheet
        (-3, -3, True),  # before the sample was drawn
        (200, 200, True),  # after now
    ],
)
def test_a_raw_file_of_another_time_stops(file_minutes: int, asked_minutes: int, stops: bool) -> None:
    """D18: the sample is drawn at 0 minutes, now is 120 minutes; two minutes of clock difference are tolerated."""
    lab = Laboratory()
    start = lab.now
    lab.patient(1)
    lab.receive("L-1")
    lab.advance(minutes=120)
    at, asked = (people.stamp(start + timedelta(minutes=m)) for m in (file_minutes, asked_minutes))
    file = RawFile(sha256="f" * 64, name="x.fcs", sample="L-1-S1", acquired_at=at)
    decision = lab.do(lab.recording("L-1", "viability", "92", "%", file=file, acquired_at=asked), "QC-1")
    assert (decision.stop is not None) == stops
    assert lab.lot("L-1").in_doubt == stops


@pytest.mark.parametrize("stated", ["", "yesterday", "2026-03-02T00:00:00"])
def test_a_raw_file_without_a_readable_time_stops(lab: Laboratory, stated: str) -> None:
    file = RawFile(sha256="f" * 64, name="x.fcs", sample="L-1-S1", acquired_at=stated)
    assert lab.do(lab.recording("L-1", "viability", "92", "%", file=file), "QC-1").stop is not None


def test_the_store_itself_refuses_a_sample_of_another_owner(lab: Laboratory) -> None:
    """Even if every rule above it failed, the claim on the sample would not let it pass."""
    lab.record_result("L-1", "viability", "92", "%")
    body = lab.said("quality.result_recomputed")[0]
    assert isinstance(body, ResultRecomputed)
    import msgspec

    forged = msgspec.structs.replace(body, coi=lab.lot("L-2").coi)  # type: ignore[type-var]
    with pytest.raises(ClaimError):
        lab.say("quality/L-2", forged)


# --- results -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("R017")
@pytest.mark.requirement("R018")
def test_a_result_carries_everything_it_takes_to_compute_it_again(lab: Laboratory) -> None:
    lab.record_result("L-1", "viability", "92.4", "%")
    (body,) = lab.said("quality.result_recomputed")
    assert isinstance(body, ResultRecomputed)
    assert len(body.file.sha256) == 64
    assert (body.derivation.parser, body.derivation.parser_version) == ("fcs", "1")
    assert body.derivation.parameters == {"gate": "t1"}
    for name in ("value", "unit", "method", "method_version", "assay_version", "instrument", "analyst", "sample"):
        assert getattr(body, name), name
    assert body.file.acquired_at


NULLABLE = {"flaw", "hands", "investigation", "retest", "stands_for", "second", "coi", "stock", "readings", "controls", "wells"}  # fmt: skip


@pytest.mark.requirement("R018")
@pytest.mark.parametrize("body", [ResultRecomputed, ResultAttested])
def test_the_schema_of_a_result_lets_nothing_be_left_out(body: Any) -> None:
    """Unit, method version, instrument, operator, sample and time have no default and cannot be null."""
    import msgspec

    optional = {field.name for field in msgspec.structs.fields(body) if not field.required}
    assert optional <= NULLABLE, optional - NULLABLE
    for field in msgspec.structs.fields(body):
        if field.required:
            assert type(None) not in getattr(field.type, "__args__", ()), field.name


@pytest.mark.requirement("R044")
@pytest.mark.parametrize(
    ("value", "unit", "code"),
    [
        ("92,4", "%", "value-not-understood"),
        ("NaN", "%", "value-not-understood"),
        ("", "%", "value-not-understood"),
        ("about 90", "%", "value-not-understood"),
        ("-1", "%", "value-not-plausible"),
        ("9e9", "%", "value-not-plausible"),
    ],
)
def test_what_is_no_value_is_refused(lab: Laboratory, value: str, unit: str, code: str) -> None:
    with refused(code):
        lab.record_result("L-1", "viability", value, unit)


@pytest.mark.requirement("R036")
def test_an_instrument_must_be_known_and_fit(lab: Laboratory) -> None:
    with refused("instrument-not-registered"):
        lab.record_result("L-1", "viability", "92", "%", instrument="INS-9")
    lab.equip("INS-2", until=people.stamp(lab.now))
    name = lab.record_result("L-1", "viability", "92", "%", instrument="INS-2")
    assert lab.quality("L-1").results[name].flaw == "instrument-not-fit", "recorded, and proves nothing"
    assert judgements(lab, "L-1")["viability"].verdict == "not_evaluable"


def test_a_result_needs_a_sample_in_the_laboratory(lab: Laboratory) -> None:
    with refused("sample-not-received"):
        lab.record_result("L-2", "viability", "92", "%")


@pytest.mark.requirement("R023")
def test_a_second_person_verifies_and_the_signature_covers_the_result(lab: Laboratory) -> None:
    name = lab.record_result("L-1", "viability", "92", "%")
    assert judgements(lab, "L-1")["viability"].why == "not-verified"
    with refused("same-person-twice"):
        lab.verify("L-1", name, by="QC-1")
    decision = lab.do(VerifyResults(lot="L-1", results=(name,)), "QC-2")
    assert decision.sign[0].leaves == (lab.quality("L-1").result_leaves[name].hex(),)
    assert judgements(lab, "L-1")["viability"].verdict == "pass"
    with refused("result-not-open"):
        lab.verify("L-1", name)
    with refused("nothing-to-verify"):
        lab.verify("L-1")
    with refused("unknown-result"):
        lab.verify("L-1", "L-1-R99")


def test_an_attested_result_says_so_and_counts_when_its_laboratory_is_qualified(lab: Laboratory) -> None:
    lab.do(lab.attesting("L-1", "viability", "92", "%", controls=(Control(name="unstained", passed=True),)), "QC-1")
    (result,) = lab.quality("L-1").results.values()
    assert (result.origin, result.evidence, result.flaw) == ("attested", "d" * 64, "")
    with refused("same-person-twice"):
        lab.verify("L-1", result.id, by="QC-1")
    with refused("same-person-twice"):
        lab.verify("L-1", result.id, by="QC-2")  # who measured it, by the report
    lab.verify("L-1", result.id, by="QC-3")
    assert judgements(lab, "L-1")["viability"].verdict == "pass"


@pytest.mark.requirement("R017")
def test_a_flow_result_without_its_raw_file_is_never_complete(lab: Laboratory) -> None:
    """A printout of a flow result, attested by a qualified laboratory or passed off as a raw file, proves nothing."""
    lab.do(lab.attesting("L-1", "viability", "92", "%", method="flow_cytometry"), "QC-1")
    lab.record_result("L-1", "viability", "92", "%", method="flow_cytometry")
    read = Derivation(parser="cellwright.cytometry.fcs", parser_version="2", parameters={"record": "a" * 64})
    lab.record_result("L-1", "viability", "92", "%", method="flow_cytometry", derivation=read)
    flaws = [result.flaw for result in lab.quality("L-1").results.values()]
    assert flaws == ["raw-file-missing", "raw-file-missing", ""]


def test_an_attested_result_of_an_unqualified_laboratory_proves_nothing(lab: Laboratory) -> None:
    lab.do(lab.attesting("L-1", "mycoplasma", "absent"), "QC-1")
    assert judgements(lab, "L-1")["mycoplasma"].why == "laboratory-not-qualified"
    lab.do(Suspend(laboratory="bench", reason="audit"), "QA-1")
    lab.do(lab.attesting("L-1", "viability", "92", "%"), "QC-1")
    assert judgements(lab, "L-1")["viability"].why == "laboratory-not-qualified"


@pytest.mark.requirement("R004")
@pytest.mark.requirement("R015")
def test_an_invalidated_result_stays_with_its_reason(lab: Laboratory) -> None:
    name = lab.record_result("L-1", "viability", "92", "%", controls=(Control(name="unstained", passed=False),))
    with refused("reason-missing"):
        lab.do(InvalidateResult(lot="L-1", result=name, cause=" "), "QA-1")
    lab.do(InvalidateResult(lot="L-1", result=name, cause="unstained control stained by mistake"), "QA-1")
    result = lab.quality("L-1").results[name]
    assert (result.status, result.reason, result.value) == ("invalidated", "unstained control stained by mistake", "92")
    assert judgements(lab, "L-1")["viability"].why == "no-result"
    with refused("result-not-open"):
        lab.do(InvalidateResult(lot="L-1", result=name, cause="again"), "QA-1")


def test_a_censored_result_is_repeated_at_a_suitable_dilution(lab: Laboratory) -> None:
    """D17: `<5 EU/mL` x 30 mL / 25 kg = <6 EU/kg: not shown to comply, no out-of-specification case, then repeated."""
    first = lab.record_result("L-1", "endotoxin", "<5", "EU/mL")
    lab.verify("L-1", first)
    found = judgements(lab, "L-1")["endotoxin_per_kg"]
    assert (found.value, found.verdict) == ("<6", "not_shown_to_comply")
    assert lab.quality("L-1").investigations == {}
    again = lab.record_result("L-1", "endotoxin", "<0.05", "EU/mL", stands_for=first, reason="diluted 1:100, not 1:1")
    lab.verify("L-1", again)
    assert lab.quality("L-1").results[first].status == "superseded"
    assert judgements(lab, "L-1")["endotoxin_per_kg"].verdict == "pass"


@pytest.mark.requirement("R110")
def test_a_sensitive_result_is_not_replaced_by_a_second_measurement(lab: Laboratory) -> None:
    first = lab.record_result("L-1", "car_positive", "11", "%")
    with refused("nothing-to-repeat"):
        lab.record_result("L-1", "car_positive", "40", "%", stands_for=first)
    with refused("nothing-to-repeat"):
        lab.record_result("L-1", "viability", "40", "%", stands_for=first)


def test_reading_a_file_again_takes_a_reason_and_a_second_person(lab: Laboratory) -> None:
    first = lab.record_result("L-1", "car_positive", "11", "%")
    file = lab.said("quality.result_recomputed")[-1].file  # type: ignore[attr-defined]
    moved = Derivation(parser="fcs", parser_version="1", parameters={"gate": "t2"})
    more: dict[str, Any] = {"file": file, "derivation": moved}
    for change in ({}, {"stands_for": first}, {"stands_for": first, "reason": "x"},
                   {"stands_for": first, "reason": "x", "second": "QC-1"}):  # fmt: skip
        with refused("reanalysis-needs-two"):
            lab.record_result("L-1", "car_positive", "40", "%", **more, **change)
    lab.record_result(
        "L-1", "car_positive", "12", "%", **more, stands_for=first, reason="doublets were gated in", second="QC-2"
    )
    assert lab.quality("L-1").results[first].status == "superseded", "and still there (R115)"
    assert lab.quality("L-1").results[first].value == "11"
    assert "QC-2" in lab.quality("L-1").participants


@pytest.mark.requirement("R100")
def test_the_specification_is_that_of_the_destination(lab: Laboratory) -> None:
    assigned = lab.quality("L-1").specification
    assert assigned is not None
    assert (assigned.specification, assigned.market) == ("s1", "EU")
    with refused("no-market"):
        lab.do(AssignSpecification(lot="L-2", market="US"), "QA-1")
    lab.patient(3, market="US")
    with refused("market-differs", "no-market"):
        lab.do(AssignSpecification(lot="L-3", market="EU"), "QA-1")
