"""ISA-88 in a lot: transitions with their trigger and reason, and Held after a crash while the clocks run (R099)."""

import pytest

from cellwright.factory.lot.fact.step import ProcedureTransitioned
from cellwright.factory.lot.procedure import CommandProcedure, possible, recover
from cellwright.factory.recipe.procedure import COMMANDS, PROCEDURE, STATES
from tests.factory.lot.setting import Bench, refused


def running() -> tuple[Bench, str, str]:
    bench = Bench()
    lot = bench.received()
    name = next(iter(bench.lot(lot).containers))
    bench.start(lot, "select", name)
    return bench, lot, name


def command(bench: Bench, lot: str, order: str, unit: str = "prepare", **more: object) -> None:
    bench.do(CommandProcedure(lot=lot, unit_procedure=unit, order=order, **more))  # type: ignore[arg-type]


@pytest.mark.requirement("R094")
def test_every_transition_stores_its_trigger_and_why_it_was_interrupted() -> None:
    bench, lot, _ = running()
    with refused("reason-missing"):
        command(bench, lot, "Hold")
    command(bench, lot, "Hold", reason="alarm of the isolator")
    with refused("restart-not-authorised"):
        command(bench, lot, "Restart")
    with refused("restart-not-authorised"):
        command(bench, lot, "Restart", authoriser="OP-1")
    command(bench, lot, "Restart", authoriser="QA-1")
    seen = [
        (b.before, b.trigger, b.after, f.reason)
        for f, _ in bench.events
        if isinstance(b := f.body, ProcedureTransitioned) and b.unit_procedure == "prepare"
    ]
    assert seen == [
        ("Idle", "Start", "Running", None),
        ("Running", "Hold", "Holding", "alarm of the isolator"),
        ("Holding", "completion", "Held", None),
        ("Held", "Restart", "Restarting", None),
        ("Restarting", "completion", "Running", None),
    ]
    assert bench.lot(lot).procedures["prepare"] == seen[-1][2], "the events replay to the state"


@pytest.mark.requirement("R093")
@pytest.mark.parametrize("state", STATES)
def test_what_the_table_refuses_changes_nothing(state: str) -> None:
    for order in COMMANDS:
        bench, lot, _ = running()
        bench.say(
            f"lot/{lot}",
            ProcedureTransitioned(unit_procedure="prepare", before="Running", after=state, trigger="test"),
        )
        assert (order in possible(bench.lot(lot), "prepare")) == (order in PROCEDURE.commanded[state])
        if order in PROCEDURE.commanded[state]:
            command(bench, lot, order, reason="test", authoriser="QA-1")
        else:
            events = len(bench.events)
            with refused("transition-not-possible"):
                command(bench, lot, order, reason="test", authoriser="QA-1")
            assert len(bench.events) == events
            assert bench.lot(lot).procedures["prepare"] == state


RECOVERED = {
    "Running": "Held",
    "Pausing": "Held",
    "Holding": "Held",
    "Restarting": "Held",
}
"""The recovery table: what was at work is Held, everything else is where it was."""


@pytest.mark.requirement("R099")
@pytest.mark.parametrize("state", STATES)
def test_after_a_crash_what_was_at_work_is_held(state: str) -> None:
    bench, lot, _ = running()
    bench.say(
        f"lot/{lot}", ProcedureTransitioned(unit_procedure="prepare", before="Running", after=state, trigger="test")
    )
    facts = recover(bench, bench.lot(lot))
    bench.record(facts, "service/recovery")
    assert bench.lot(lot).procedures["prepare"] == RECOVERED.get(state, state)
    assert recover(bench, bench.lot(lot)) == (), "recovering twice changes nothing more"


@pytest.mark.requirement("R099")
def test_what_is_held_needs_an_authorised_restart_and_its_clocks_have_run_on() -> None:
    bench = Bench()
    lot, culture = bench.harvested()
    before = bench.lot(lot).clocks(bench.now)
    bench.advance(minutes=30)
    bench.record(recover(bench, bench.lot(lot)), "service/recovery")
    assert bench.lot(lot).procedures["finish"] == "Held"
    with refused("unit-procedure-not-running"):
        bench.start(lot, "fill", culture)
    after = bench.lot(lot).clocks(bench.now)
    assert after == before, "the hold ends when it would have ended: cells do not wait for a server"
    command(bench, lot, "Restart", unit="finish", authoriser="QA-1")
    bench.start(lot, "fill", culture)


def test_a_step_done_while_held_is_recorded_and_the_unit_procedure_ends_after_the_restart() -> None:
    bench, lot, name = running()
    bench.complete(lot, "select")
    from cellwright.factory.lot.nonconformance import AssessNonconformance

    for n in list(bench.lot(lot).nonconformances):
        bench.do(AssessNonconformance(lot=lot, nonconformance=n, severity="minor", text="Test."), "QA-1")
    bench.start(lot, "transduce", name)
    bench.record(recover(bench, bench.lot(lot)), "service/recovery")
    bench.add(lot, "transduce", "vector", "V-7")
    bench.complete(lot, "transduce")
    assert bench.lot(lot).procedures["prepare"] == "Held"
    command(bench, lot, "Restart", authoriser="QA-1")
    assert bench.lot(lot).procedures["prepare"] == "Complete"
    with refused("unknown-unit-procedure"):
        command(bench, lot, "Start", unit="nothing")
