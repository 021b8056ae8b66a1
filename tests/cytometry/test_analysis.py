"""An analysis as a file and its record: bound to the raw file, repeated bit for bit, honest about what it does not prove."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright import shipped
from cellwright.cytometry import FcsFile, encode_fcs, read_fcs
from cellwright.cytometry.analysis import (
    AnalysisError,
    ControlFile,
    Disagreement,
    Evidence,
    InstrumentQc,
    Moved,
    Request,
    Revision,
    Sheet,
    analyse,
    analysis_schema,
    differences,
    read_analysis,
    read_record,
    record_bytes,
    record_sha256,
)
from cellwright.cytometry.simulated import Cells, draw, encode, simulated_fcs

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEXT = shipped.content("flow/car-t-panel.yaml").decode()
FREE = TEXT[: TEXT.index("\ncontrols:")]
"""The shipped analysis without its controls."""


def sample(cells: Cells | None = None, seed: int = 7, name: str = "S-1", at: datetime = AT) -> FcsFile:
    return read_fcs(simulated_fcs(cells or Cells(), seed, name, at, "FC-01"))


def sheet(**change: str) -> Sheet:
    text = FREE
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    return read_analysis(text)


UNSTAINED = ControlFile(
    "unstained", sample(Cells(living=0, cd3=0, car=0, cd8=0, b_cells=0, dead=0, doublets=0), 11, "S-1-UNSTAINED")
)


def beside(**more: object) -> Evidence:
    fmo = sample(Cells(living=15_000, cd3=14_500, car=5, cd8=5_000), 9, "S-1-FMO")
    check = InstrumentQc(
        cytometer="FC-01",
        performed="2026-03-02T07:30:00",
        valid_until="2026-03-03T07:30:00",
        passed=True,
        sha256="a" * 64,
    )
    usual = {"controls": (ControlFile("fmo", fmo, "CAR"), UNSTAINED), "instrument": (check,)}
    return Evidence(**{**usual, **more})  # type: ignore[arg-type]


# --- figures ---------------------------------------------------------------------------------------------------------


def test_the_counts_are_those_that_were_drawn() -> None:
    cells = Cells()
    record = analyse(sheet(), sample(cells))
    counts = {one.name: one.events for one in record.populations}
    assert counts["living"] == cells.living
    assert counts["leukocytes"] == cells.living + cells.dead
    assert (counts["cd3_positive"], counts["car_positive"], counts["cd8_positive"]) == (cells.cd3, cells.car, cells.cd8)
    assert (counts["residual_b_cells"], counts["beads"]) == (cells.b_cells, cells.beads)


def test_each_figure_has_its_interval_and_the_events_behind_it() -> None:
    """6,600 of 16,500: 40.0 %, exact 95 % limits 39.25 and 40.75, printed outwards."""
    car = analyse(sheet(), sample()).output("car_positive")
    assert (car.value, car.low, car.high, car.events, car.of) == ("40.0", "39.2", "40.8", 6600, 16500)
    ratio = analyse(sheet(), sample()).output("cd4_to_cd8")
    assert (ratio.value, ratio.events, ratio.of) == ("1.75", 10_500, 6_000)


def test_a_count_by_beads_carries_the_dilution() -> None:
    """17,000 cells beside 1,000 of 50,000 beads in 50 uL, diluted 1:10: 17 x 1,000 x 10 = 170,000 per uL."""
    found = analyse(sheet(), sample()).output("living_per_ul")
    assert (found.value, found.unit) == ("170000", "cells/uL")
    assert float(found.low) < 170_000 * 0.95 < 170_000 * 1.05 < float(found.high), "5 % of the beads are in it"


@pytest.mark.parametrize(
    ("b_cells", "living", "value", "word", "flaw"),
    [
        (0, 17_000, "<0.177", "negative", ""),
        (29, 17_000, "<0.177", "negative", ""),
        (30, 17_000, "<0.295", "positive", ""),
        (49, 17_000, "<0.295", "positive", ""),
        (50, 17_000, "0.294", "positive", ""),
        (0, 9_999, "<0.301", "", "events-too-few"),
    ],
)
def test_rare_cells_are_detected_quantified_or_not_evaluable(
    b_cells: int, living: int, value: str, word: str, flaw: str
) -> None:
    """Detection from 30 events, quantification from 50, 10,000 living events at least; 30/17,000 = 0.1765 %."""
    cells = Cells(living=living, cd3=living - 100, car=4000, cd8=4000, b_cells=b_cells)
    found = analyse(sheet(), sample(cells)).output("residual_b_cells")
    assert (found.value, found.word, found.flaw) == (value, word, flaw)


def test_a_small_count_says_so() -> None:
    record = analyse(sheet(), sample(Cells(car=7)))
    assert "small-count" in record.output("car_positive").warnings
    assert "small-count" not in record.output("cd3_positive").warnings


def test_nothing_to_divide_by_gives_no_figure() -> None:
    record = analyse(sheet(), sample(Cells(living=0, cd3=0, car=0, cd8=0, b_cells=0, beads=0, dead=0)))
    for name in ("viability", "cd4_to_cd8", "residual_b_cells", "living_per_ul"):
        assert (record.output(name).value, record.output(name).flaw) == ("", "events-too-few")


def test_proposed_gates_are_not_passed_off_as_approved() -> None:
    record = analyse(sheet(**{"status: approved": "status: proposed"}), sample())
    assert all("gates-proposed" in one.warnings for one in record.outputs)


@pytest.mark.requirement("R019")
def test_a_broken_acquisition_proves_nothing() -> None:
    columns, _ = draw(Cells(), 7)
    columns["FL3-A"][:9000] *= 0.2
    record = analyse(sheet(), read_fcs(encode(columns, "S-1", AT, "FC-01")))
    assert record.acquisition is not None
    assert record.acquisition.verdict == "rejected"
    assert {one.flaw for one in record.outputs} == {"acquisition-incomplete"}


def test_a_stretch_of_bad_events_is_left_out_of_every_count() -> None:
    columns, labels = draw(Cells(), 7)
    columns["FL3-A"][4000:6000] *= 0.2
    record = analyse(sheet(), read_fcs(encode(columns, "S-1", AT, "FC-01")))
    assert record.acquisition is not None
    assert record.acquisition.verdict == "accepted_with_exclusions"
    assert record.output("cd3_positive").events < 0.92 * labels["cd3"].sum()
    assert float(record.output("cd3_positive").value) > 96


# --- the record ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("R017")
def test_a_record_repeats_bit_for_bit_and_one_byte_of_the_file_changes_it() -> None:
    data = simulated_fcs(Cells(), 7, "S-1", AT, "FC-01")
    first, again = (analyse(sheet(), read_fcs(data)) for _ in range(2))
    assert record_bytes(first) == record_bytes(again)
    assert first.file.sha256 == sha256(data).hexdigest()
    flipped = bytearray(data)
    flipped[-1000] ^= 1
    assert "file" in differences(first, analyse(sheet(), read_fcs(bytes(flipped))))


def test_a_record_is_read_back_and_names_what_made_it() -> None:
    record = analyse(sheet(), sample())
    assert read_record(record_bytes(record)) == record
    assert differences(record, record) == ()
    assert record.definition_sha256 == sha256(FREE.encode()).hexdigest()
    assert record.engine["cellwright.cytometry.fcs"]
    assert msgspec.json.decode(record_bytes(record))["schema"] == "cellwright.flow-record/1"


@pytest.mark.requirement("R066")
@pytest.mark.parametrize(
    "request_",
    [
        Request(sample="S-2"),
        Request(sample="S-1", acquired_at="2026-03-02T12:00:00+00:00"),
        Request(sample="S-1", acquired_at="2026-03-02T09:00:00+00:00", instrument_offset_minutes=480),
        Request(sample="S-1", acquired_at="2026-03-02T09:00:00"),
    ],
)
def test_a_file_of_another_sample_or_time_stops(request_: Request) -> None:
    with pytest.raises(Disagreement):
        analyse(sheet(), sample(), Evidence(request=request_))


def test_a_file_of_the_right_sample_and_time_goes_on() -> None:
    request = Request(sample="S-1", acquired_at="2026-03-02T01:01:00+00:00", instrument_offset_minutes=480)
    assert analyse(sheet(), sample(), Evidence(request=request)).outputs


def test_a_gate_moved_after_the_result_was_seen_takes_a_reason_and_a_second_person() -> None:
    one, moved = sample(), sheet(**{"ranges: {CAR: {low: 1500}}": "ranges: {CAR: {low: 900}}"})
    earlier = analyse(sheet(), one)
    good = Revision(stands_for=record_sha256(earlier), reason="bound above the FMO", moved_by="QC-1", agreed_by="QC-2")
    for revision in (
        None,
        msgspec.structs.replace(good, reason=" "),
        msgspec.structs.replace(good, agreed_by="QC-1"),
        msgspec.structs.replace(good, agreed_by=""),
        msgspec.structs.replace(good, stands_for="0" * 64),
    ):
        with pytest.raises(Moved):
            analyse(moved, one, Evidence(earlier=earlier, revision=revision))
    again = analyse(moved, one, Evidence(earlier=earlier, revision=good))
    assert again.revision == good
    assert analyse(sheet(), one, Evidence(earlier=earlier)).revision is None, "nothing was moved"


# --- controls --------------------------------------------------------------------------------------------------------


def test_controls_in_order_leave_the_figures_as_they_are() -> None:
    record = analyse(read_analysis(TEXT), sample(), beside())
    assert [c.status for c in record.controls] == ["passed", "passed", "passed"]
    assert {one.flaw for one in record.outputs} == {""}
    fmo = record.controls[1]
    assert (fmo.control, fmo.value, fmo.limit) == ("fmo:CAR", "0.0", "1.0")
    assert len(fmo.sha256) == 64


def test_without_its_control_a_figure_proves_nothing_and_the_others_do() -> None:
    record = analyse(read_analysis(TEXT), sample(), beside(controls=(UNSTAINED,)))
    assert record.output("car_positive").flaw == "control-missing"
    assert record.output("cd3_positive").flaw == ""


def test_a_control_that_fails_or_is_of_another_day_takes_the_figure_with_it() -> None:
    stained = ControlFile("fmo", sample(Cells(car=900), 3, "S-1-FMO"), "CAR")
    assert (
        analyse(read_analysis(TEXT), sample(), beside(controls=(stained, UNSTAINED))).output("car_positive").flaw
        == "control-failed"
    )
    old = ControlFile("fmo", sample(Cells(car=0), 3, "S-1-FMO", AT - timedelta(days=3)), "CAR")
    found = analyse(read_analysis(TEXT), sample(), beside(controls=(old, UNSTAINED)))
    assert found.controls[1].status == "out_of_date"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"passed": False}, "failed"),
        ({"valid_until": "2026-03-02T08:00:00"}, "out_of_date"),
        ({"cytometer": "FC-02"}, "missing"),
    ],
)
def test_the_instruments_own_check_is_in_date_and_passed(change: dict[str, object], status: str) -> None:
    check = msgspec.structs.replace(beside().instrument[0], **change)
    record = analyse(read_analysis(TEXT), sample(), beside(instrument=(check,)))
    assert record.controls[0].status == status
    assert all(one.flaw for one in record.outputs)


def test_a_single_stain_is_brightest_in_its_own_detector() -> None:
    text = FREE + "\ncontrols:\n  - {control: single_stain, marker: CD8}\n"
    stained = Cells(living=17_000, cd3=16_500, car=0, cd8=8_000, b_cells=0, dead=0, beads=0)
    columns, _ = draw(stained, 3)
    for name in ("FL1-A", "FL2-A", "FL3-A", "FL4-A", "FL6-A", "FL7-A"):
        columns[name][:] = columns["FL5-A"] * 0.1
    single = read_fcs(encode(columns, "CD8", AT, "FC-01"))
    right = analyse(read_analysis(text), sample(), Evidence(controls=(ControlFile("single_stain", single, "CD8"),)))
    assert right.controls[0].status == "passed"
    wrong = analyse(
        read_analysis(text.replace("marker: CD8}\n", "marker: CAR}\n")),
        sample(),
        Evidence(controls=(ControlFile("single_stain", single, "CAR"),)),
    )
    assert wrong.controls[0].status == "failed"


# --- the file --------------------------------------------------------------------------------------------------------


def problems(text: str) -> list[tuple[int, str]]:
    from cellwright.cytometry.analysis import strategy

    with pytest.raises(AnalysisError) as error:
        strategy(read_analysis(text))
    return [(one.line, one.where) for one in error.value.problems]


def line(text: str) -> int:
    return FREE[: FREE.index(text)].count("\n") + 1


def test_every_problem_of_form_is_told_at_once_with_its_line() -> None:
    broken = (
        FREE.replace("kind: ratio", "kind: rate")
        .replace("events_min: 500", "events_min: many")
        .replace("added: 50000", "added: ''")
    )
    assert problems(broken) == [
        (line("- {output: cd4_to_cd8"), "outputs[4].kind"),
        (line("- {output: living_per_ul"), "outputs[6].events_min"),
        (line("beads: {added"), "beads.added"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("{CAR: {low: 1500}}", "{TCR: {low: 1500}}", "gates[6]"),
        ("    parent: singlets", "    parent: nobody", "gates"),
        ("count: car_positive", "count: nobody", "outputs[2].count"),
        ("scale: logicle}", "scale: other}", "panel[3].scale"),
        ("decades: 4.5", "decades: 0", "scales.logicle"),
        ("quantification_events: 50", "quantification_events: 5", "outputs[5]"),
        ("output: viability", "output: cd3_positive", "outputs[1]"),
        ("  - gate: beads\n", "  - gate: beads\n    any_of: [cells]\n", "gates[0]"),
        ("beads: {added: 50000, sample_ul: 50, dilution: 10, uncertainty_percent: 5}", "", "outputs[6]"),
    ],
)
def test_parts_that_contradict_each_other_are_named(old: str, new: str, where: str) -> None:
    assert old in FREE
    assert where in [path for _, path in problems(FREE.replace(old, new))]


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "a: [", "schema: &a x\nname: *a", "schema: !!python/object x", "schema: x\nschema: y", b"\xff\xfe",
        "a: " + "[" * 60 + "]" * 60,
    ],
)  # fmt: skip
def test_what_is_no_analysis_is_refused(text: str | bytes) -> None:
    with pytest.raises(AnalysisError):
        read_analysis(text)


def test_gates_in_a_gating_ml_file_are_bound_by_its_hash() -> None:
    from cellwright.cytometry import gating_ml
    from cellwright.cytometry.analysis import strategy

    inline = strategy(sheet())
    document = gating_ml.write(inline).encode() if isinstance(gating_ml.write(inline), str) else gating_ml.write(inline)
    begin, end = FREE.index("gates:\n"), FREE.index("outputs:\n")
    bound = f"gating_ml: {{file: gates.xml, sha256: {sha256(document).hexdigest()}}}\n\n"
    text = FREE[:begin] + bound + FREE[end:]
    by_file = analyse(read_analysis(text), sample(), read=lambda name: {"gates.xml": document}[name])
    assert by_file.outputs == analyse(sheet(), sample()).outputs
    with pytest.raises(AnalysisError, match="not the file that was bound"):
        analyse(read_analysis(text), sample(), read=lambda _name: document + b" ")
    with pytest.raises(AnalysisError, match="was not given"):
        analyse(read_analysis(text), sample())


def test_the_schema_for_editors_is_the_one_that_is_shipped() -> None:
    assert msgspec.json.decode(shipped.schema("flow-analysis")) == msgspec.json.decode(
        msgspec.json.encode(analysis_schema())
    )


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_is_read_or_refused_and_never_breaks(data: st.DataObject) -> None:
    from cellwright.cytometry.analysis import strategy

    lines = FREE.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        n = data.draw(st.integers(0, len(lines) - 1))
        at = data.draw(st.integers(0, len(lines[n])))
        lines[n] = (
            lines[n][:at]
            + data.draw(st.sampled_from(["", ":", " ", "{", "]", "- ", "'", "x", "\t", "9e9", "null", "~"]))
            + lines[n][at + 1 :]
        )
    with suppress(AnalysisError):
        strategy(read_analysis("\n".join(lines)))


# --- what a careless or hostile hand may do ---------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["nan", "sNaN", "-nan", "inf", "1e999", "1e-999"])
@pytest.mark.parametrize("place", ["low: 1500", "added: 50000", "top: 262144"])
def test_a_number_that_is_none_is_refused_with_its_line(number: str, place: str) -> None:
    if place not in FREE:
        place = "low: 1500"
    with pytest.raises(AnalysisError, match="line"):
        analyse(read_analysis(FREE.replace(place, f"{place.split(':')[0]}: {number}", 1)), sample())


@pytest.mark.parametrize(
    "added",
    [
        "confidence: nan",
        "confidence: 0.99999999999999999999",
        "controls: [{control: fmo, marker: CAR, output: car_positive, at_most: nan}]",
        "controls: [{control: fmo, marker: CAR, within_hours: 99999999999999999}]",
        "controls: [{control: fmo, marker: CAR, within_hours: -1}]",
        "controls: [{control: single_stain}]",
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused(added: str) -> None:
    with pytest.raises(AnalysisError):
        analyse(read_analysis(f"{FREE}\n{added}\n"), sample(), beside())


@pytest.mark.requirement("R019")
@pytest.mark.parametrize(
    ("control", "status"),
    [
        (simulated_fcs(Cells(car=5), 9, "S-2-FMO", AT, "FC-01"), "not_its_own"),
        (simulated_fcs(Cells(car=5), 9, "S-1-FMO", AT, "FC-02"), "not_its_own"),
        (simulated_fcs(Cells(car=5), 9, "S-1-FMO", AT - timedelta(days=3), "FC-01"), "out_of_date"),
        (simulated_fcs(Cells(), 7, "S-1", AT, "FC-01"), "out_of_date"),
    ],
    ids=["another sample's", "another instrument's", "another day's", "the sample itself"],
)
def test_a_control_that_is_not_the_samples_own_proves_nothing(control: bytes, status: str) -> None:
    own = beside().controls[0]
    for controls in (
        (ControlFile("fmo", read_fcs(control), "CAR"),),
        (own, ControlFile("fmo", read_fcs(control), "CAR")),
    ):
        record = analyse(read_analysis(TEXT), sample(), beside(controls=(*controls, UNSTAINED)))
        assert record.controls[1].status == status
        assert record.output("car_positive").flaw == "control-missing"


def test_empty_foreign_and_zoned_control_files_are_judged_and_break_nothing() -> None:
    """No event, other channels, a clock with a zone (FCS 3.2) beside one without."""
    own = {"$SMNO": "S-1-FMO", "$CYT": "FC-01", "$DATE": "02-MAR-2026", "$BTIM": "09:00:00"}
    zoned = {"$SMNO": "S-1-FMO", "$CYT": "FC-01", "$BEGINDATETIME": "2026-03-02T09:00:00Z"}
    channels = list(sample().channels)
    rules = "\ncontrols: [{control: fmo, marker: CAR, output: car_positive, at_most: 1}, {control: single_stain, marker: CAR}]"
    for events, text, names in ((0, own, channels), (1, zoned, channels), (1, own, ["X"])):
        data = encode_fcs([np.ones(events)] * len(names), names, text=text)
        files = [ControlFile(kind, read_fcs(data), "CAR") for kind in ("fmo", "single_stain")]  # type: ignore[arg-type]
        record = analyse(read_analysis(FREE + rules + "\n"), sample(), beside(controls=files))
        assert [one.status for one in record.controls] == ["failed", "failed"]


@pytest.mark.parametrize("time", ["yesterday", "2026-03-02T09:00:00", ""])
def test_an_instrument_check_and_a_request_state_times_that_can_be_compared(time: str) -> None:
    if time != "2026-03-02T09:00:00":
        with pytest.raises(ValueError, match="ISO 8601"):
            InstrumentQc(cytometer="FC-01", performed=time, valid_until=time, passed=True, sha256="a" * 64)
    if time:
        with pytest.raises(Disagreement, match="can be compared"):
            analyse(sheet(), sample(), Evidence(request=Request(sample="S-1", acquired_at=time)))


@pytest.mark.requirement("R019")
@pytest.mark.parametrize("second", ["A. Li", "a. li ", " "])
def test_a_second_person_is_another_person(second: str) -> None:
    earlier = analyse(sheet(), sample())
    revision = Revision(stands_for=record_sha256(earlier), reason="seen", moved_by="A. Li", agreed_by=second)
    moved = read_analysis(FREE.replace("low: 1500", "low: 1400", 1))
    with pytest.raises(Moved):
        analyse(moved, sample(), Evidence(earlier=earlier, revision=revision))
