"""State machines against the published tables: all pairs of state and command, nothing left to chance."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from cellwright.factory.recipe import instrument_state, job_order
from cellwright.factory.recipe.machine import Machine
from cellwright.factory.recipe.procedure import COMMANDS, PROCEDURE, STATES, commanded, completed, recovered
from cellwright.factory.rule import Refusal


@pytest.fixture(scope="module")
def isa88(shared_reference: Path) -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads((shared_reference / "vectors" / "vectors.json").read_text())
    found: dict[str, Any] = vectors["isa88"]
    return found


@pytest.fixture(scope="module")
def opcua(shared_reference: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared_reference / "vectors" / "opcua_state_machines.json").read_text())
    return found


@pytest.mark.requirement("R092")
def test_states_and_commands_are_those_of_batchml(isa88: dict[str, Any]) -> None:
    assert list(STATES) == isa88["states"]
    assert list(COMMANDS) == isa88["commands"]


@pytest.mark.requirement("R093")
def test_all_96_pairs_of_state_and_command(isa88: dict[str, Any]) -> None:
    table = {(state, command): to for state, row in isa88["commanded"].items() for command, to in row.items()}
    assert len(table) == 25
    refused = 0
    for state, command in product(STATES, COMMANDS):
        if (state, command) in table:
            assert commanded(state, command) == table[state, command]
            continue
        with pytest.raises(Refusal) as caught:
            commanded(state, command)
        assert caught.value.code == "transition-not-possible"
        assert caught.value.rule == "R093"
        assert command in str(caught.value)
        refused += 1
    assert refused == 71


@pytest.mark.requirement("R093")
def test_the_six_completions(isa88: dict[str, Any]) -> None:
    assert len(isa88["state_complete"]) == 6
    for state in STATES:
        if state in isa88["state_complete"]:
            assert completed(state) == isa88["state_complete"][state]
            continue
        with pytest.raises(Refusal) as caught:
            completed(state)
        assert caught.value.code == "nothing-to-complete"


@pytest.mark.requirement("R093")
@pytest.mark.parametrize(("state", "command"), [("Dreaming", "Start"), ("Idle", "Dream"), ("idle", "start")])
def test_words_that_are_not_in_the_table_are_refused(state: str, command: str) -> None:
    with pytest.raises(Refusal):
        commanded(state, command)


@pytest.mark.requirement("R099")
def test_what_was_at_work_comes_back_held_and_goes_on_only_by_restart() -> None:
    table = {
        "Idle": "Idle", "Running": "Held", "Complete": "Complete", "Pausing": "Held", "Paused": "Paused",
        "Holding": "Held", "Held": "Held", "Restarting": "Held", "Stopping": "Stopping", "Stopped": "Stopped",
        "Aborting": "Aborting", "Aborted": "Aborted",
    }  # fmt: skip
    assert {state: recovered(state) for state in STATES} == table
    assert PROCEDURE.possible("Held") == ("Stop", "Restart", "Abort")


def edges(machine: Machine) -> set[tuple[str, str, str]]:
    return {
        *((state, to, command) for state, row in machine.commanded.items() for command, to in row.items()),
        *((state, to, "") for state, following in machine.completion.items() for to in following),
    }


def published(rows: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {(row["frm"], row["to"], row["cause"][0] if row["cause"] else "") for row in rows}


@pytest.mark.requirement("R097")
@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (job_order.JOB_ORDER, "ISA95JobOrderReceiverObjectType"),
        (job_order.JOB_ORDER, "ISA95JobOrderReceiverSubStatesType"),
        (job_order.PREPARE, "ISA95PrepareStateMachineType"),
        (job_order.INTERRUPTED, "ISA95InterruptedStateMachineType"),
        (job_order.ENDED, "ISA95EndedStateMachineType"),
    ],
)
def test_job_orders_follow_the_node_set(opcua: dict[str, Any], machine: Machine, name: str) -> None:
    assert edges(machine) == published(opcua["jobctl"][name])


@pytest.mark.parametrize(
    ("machine", "name", "count"),
    [
        (instrument_state.DEVICE, "LADSDeviceStateMachineType", 4),
        (instrument_state.FUNCTION, "FunctionalStateMachineType", 7),
        (instrument_state.RUNNING, "RunningStateMachineType", 19),
    ],
)
def test_devices_follow_the_lads_node_set(opcua: dict[str, Any], machine: Machine, name: str, count: int) -> None:
    assert edges(machine) == published(opcua["lads"][name])
    assert len(edges(machine)) == count


@pytest.mark.parametrize(
    "machine", [PROCEDURE, job_order.JOB_ORDER, instrument_state.FUNCTION, instrument_state.RUNNING]
)
def test_tables_speak_of_their_own_states_only(machine: Machine) -> None:
    assert {state for a, b, _ in edges(machine) for state in (a, b)} <= set(machine.states)
    assert {command for _, _, command in edges(machine) if command} <= set(machine.commands)


def test_a_device_that_aborts_never_completes_its_phase() -> None:
    for state in ("Aborting", "Aborted", "Clearing"):
        command = instrument_state.phase_command(state)
        assert command is not None
        assert commanded("Running", command) == "Aborting"
    assert instrument_state.phase_command("Running") is None
    stop = instrument_state.phase_command("Stopping")
    assert stop is not None
    assert commanded("Running", stop) == "Stopping"


def test_a_choice_of_completions_has_to_be_named() -> None:
    assert job_order.PREPARE.complete("Ready", "Loaded") == "Loaded"
    with pytest.raises(Refusal):
        job_order.PREPARE.complete("Ready")
