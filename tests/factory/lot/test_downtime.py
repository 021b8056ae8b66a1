"""Step sheets after an outage: claimed times beside the server's, whatever was wrong beside what was done (D7, D8)."""

from datetime import timedelta

import pytest

from cellwright.factory.lot.closing import CompleteLot
from cellwright.factory.lot.downtime import Added, EnterSheet, PrintSheet, VoidSheet
from cellwright.factory.lot.reading import Measured
from cellwright.factory.people import stamp
from tests.factory.lot.setting import Bench, refused

SCAN = "5" * 64


def printed(step: str = "harvest") -> tuple[Bench, str, str, str]:
    bench = Bench()
    lot, culture = bench.cultured()
    bench.do(PrintSheet(lot=lot, step=step))
    (sheet,) = bench.lot(lot).blank_sheets
    return bench, lot, culture, sheet


def entry(bench: Bench, lot: str, number: str, culture: str, **more: object) -> EnterSheet:
    given: dict[str, object] = {
        "lot": lot, "sheet": number, "scan_sha256": SCAN, "outage": "Server down 08:00-09:00", "verifier": "OP-3",
        "performer": "OP-1", "started": stamp(bench.now - timedelta(hours=2)),
        "completed": stamp(bench.now - timedelta(hours=1)), "room": "S1", "containers": (culture,),
        "readings": (
            Measured(parameter="viable_cells", value="1500000000", unit="cells"),
            Measured(parameter="viability", value="97", unit="%"),
        ),
        **more,
    }  # fmt: skip
    return EnterSheet(**given)  # type: ignore[arg-type]


@pytest.mark.requirement("R007")
def test_a_late_entry_keeps_claimed_times_the_servers_times_and_the_reason() -> None:
    bench, lot, culture, sheet = printed()
    bench.advance(hours=3)
    asked = entry(bench, lot, sheet, culture)
    decision = bench.do(asked, "OP-2")
    assert [(n.person, n.meaning) for n in decision.sign] == [("OP-2", "transcribed"), ("OP-3", "verified")]
    done = next((f, s) for f, s in bench.events if f.body.type == "lot.step_completed" and f.body.step == "harvest")  # type: ignore[attr-defined]
    fact, seen = done
    assert seen.at == stamp(bench.now), "the server's own time stands"
    assert (fact.claimed_at, fact.reason) == (asked.completed, asked.outage)
    assert fact.body.late_entry  # type: ignore[attr-defined]
    state = bench.lot(lot).steps["harvest"]
    assert (state.started, state.completed, state.late_entry) == (asked.started, asked.completed, True)
    assert bench.lot(lot).participants >= {"OP-1", "OP-2", "OP-3"}
    assert not bench.lot(lot).blank_sheets


def test_the_hold_runs_from_the_claimed_end_not_from_the_entry() -> None:
    bench, lot, culture, sheet = printed()
    bench.advance(hours=5)
    ended = bench.now - timedelta(hours=3)
    bench.do(
        entry(bench, lot, sheet, culture, started=stamp(ended - timedelta(hours=1)), completed=stamp(ended)), "OP-2"
    )
    (clock,) = [c for c in bench.lot(lot).clocks(bench.now) if c.kind == "hold"]
    assert clock.due == ended + timedelta(hours=2)
    assert clock.exceeded(bench.now)


def test_what_was_wrong_is_recorded_beside_what_was_done() -> None:
    bench, lot, culture, sheet = printed("fill")
    bench.person("OP-8", "operator")
    bench.advance(hours=3)
    decision = bench.do(entry(bench, lot, sheet, culture, performer="OP-8", readings=(), room=None), "OP-2")
    assert decision.stop is None
    assert "fill" in bench.lot(lot).done
    found = {n.code: n.severity for n in bench.lot(lot).nonconformances.values()}
    assert found["out-of-sequence"] == "critical"
    assert {"training-missing", "room-missing", "verifier-missing", "count-differs"} <= set(found)
    assert all(n.blocks for n in bench.lot(lot).nonconformances.values())


def test_materials_of_a_sheet_are_consumed_and_judged() -> None:
    bench = Bench()
    lot = bench.received()
    name = next(iter(bench.lot(lot).containers))
    bench.stock("B-X", "beads", "beads", expiry=stamp(bench.now))
    bench.do(PrintSheet(lot=lot, step="select"))
    (sheet,) = bench.lot(lot).blank_sheets
    bench.advance(hours=3)
    added = (Added(code="beads", material="B-X", quantity="2", unit="mL", into=name),)
    with refused("material-unknown"):
        wrong = (Added(code="beads", material="B-404", quantity="2", unit="mL"),)
        bench.do(entry(bench, lot, sheet, name, readings=(), materials=wrong), "OP-2")
    bench.do(entry(bench, lot, sheet, name, readings=(), materials=added), "OP-2")
    assert bench.lot(lot).materials == {"B-X"}
    assert "material-expired" in {n.code for n in bench.lot(lot).nonconformances.values()}


def test_a_step_under_way_when_the_system_went_down_is_finished_from_its_sheet() -> None:
    bench, lot, culture, sheet = printed()
    bench.start(lot, "harvest", culture)
    began = bench.lot(lot).steps["harvest"].started
    bench.advance(hours=3)
    bench.do(entry(bench, lot, sheet, culture), "OP-2")
    state = bench.lot(lot).steps["harvest"]
    assert (state.started, state.status) == (began, "completed")


def test_a_sheet_is_entered_once_and_read_by_two() -> None:
    bench, lot, culture, sheet = printed()
    bench.advance(hours=3)
    for wrong, code in (
        ({"verifier": "OP-2"}, "same-person-twice"),
        ({"sheet": "L-1-S99"}, "sheet-not-out"),
        ({"scan_sha256": "x"}, "scan-missing"),
        ({"outage": " "}, "reason-missing"),
        ({"completed": stamp(bench.now + timedelta(seconds=1))}, "in-the-future"),
        ({"completed": stamp(bench.now - timedelta(hours=3))}, "ends-before-it-begins"),
        ({"containers": ("A9999-2026-777777-A0",)}, "unknown-container"),
        ({"readings": ()}, "reading-missing"),
    ):
        with refused(code):
            bench.do(entry(bench, lot, sheet, culture, **wrong), "OP-2")
    bench.do(entry(bench, lot, sheet, culture), "OP-2")
    with refused("sheet-not-out"):
        bench.do(entry(bench, lot, sheet, culture), "OP-2")


def test_every_printed_sheet_comes_back_or_is_voided() -> None:
    bench, lot, culture, sheet = printed()
    bench.do(PrintSheet(lot=lot, step="harvest"))
    assert len(bench.lot(lot).blank_sheets) == 2
    bench.advance(hours=3)
    bench.do(entry(bench, lot, sheet, culture), "OP-2")
    (left,) = bench.lot(lot).blank_sheets
    with refused("step-done-already"):
        bench.do(entry(bench, lot, left, culture), "OP-2")
    with refused("steps-left", "sheets-missing"):
        bench.do(CompleteLot(lot=lot, verifier="OP-2"))
    bench.do(VoidSheet(lot=lot, sheet=left, witness="OP-2", reason="not needed"))
    assert not bench.lot(lot).blank_sheets
    bench.do(PrintSheet(lot=lot, step="fill"))
    assert len({sheet, left, *bench.lot(lot).blank_sheets}) == 3, "numbers are never used twice"
