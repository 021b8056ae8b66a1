"""The states of a procedural element: ANSI/ISA-88.01's example matrix with the names of BatchML (R092, R093).

Twelve states, eight commands, 25 commanded transitions and six that a state completes by itself; the other 71 pairs of
state and command are refused and change nothing. Control systems differ in details of this matrix, so it is data.
"""

from typing import Final, Literal, get_args

from cellwright.factory.recipe.machine import Machine

ProcedureState = Literal[
    "Idle", "Running", "Complete", "Pausing", "Paused", "Holding", "Held", "Restarting", "Stopping", "Stopped",
    "Aborting", "Aborted",
]  # fmt: skip
"""BatchML `BatchStatus`, verbatim."""
ProcedureCommand = Literal["Start", "Stop", "Hold", "Restart", "Abort", "Reset", "Pause", "Resume"]
"""BatchML `JobOrderCommand`, verbatim."""

STATES: Final[tuple[ProcedureState, ...]] = get_args(ProcedureState)
COMMANDS: Final[tuple[ProcedureCommand, ...]] = get_args(ProcedureCommand)
INITIAL: Final[ProcedureState] = "Idle"

PROCEDURE: Final = Machine(
    name="unit procedure",
    states=STATES,
    commands=COMMANDS,
    commanded={
        "Idle": {"Start": "Running"},
        "Running": {"Stop": "Stopping", "Hold": "Holding", "Abort": "Aborting", "Pause": "Pausing"},
        "Complete": {"Reset": "Idle"},
        "Pausing": {"Stop": "Stopping", "Hold": "Holding", "Abort": "Aborting"},
        "Paused": {"Stop": "Stopping", "Hold": "Holding", "Abort": "Aborting", "Resume": "Running"},
        "Holding": {"Stop": "Stopping", "Abort": "Aborting"},
        "Held": {"Stop": "Stopping", "Restart": "Restarting", "Abort": "Aborting"},
        "Restarting": {"Stop": "Stopping", "Hold": "Holding", "Abort": "Aborting"},
        "Stopping": {"Abort": "Aborting"},
        "Stopped": {"Abort": "Aborting", "Reset": "Idle"},
        "Aborting": {},
        "Aborted": {"Reset": "Idle"},
    },
    completion={
        "Running": ("Complete",),
        "Pausing": ("Paused",),
        "Holding": ("Held",),
        "Restarting": ("Running",),
        "Stopping": ("Stopped",),
        "Aborting": ("Aborted",),
    },
    rule="R093",
)

WORKING: Final[frozenset[str]] = frozenset({"Running", "Pausing", "Holding", "Restarting"})


def commanded(state: str, command: str) -> str:
    """The state after a command. Raises Refusal `transition-not-possible` for one of the 71 other pairs."""
    return PROCEDURE.command(state, command)


def completed(state: str) -> str:
    """The state that follows when the work of a state is done. Raises Refusal `nothing-to-complete`."""
    return PROCEDURE.complete(state)


def recovered(state: str) -> str:
    """The state in which an element comes back after the system that ran it went down (R099).

    What was at work is Held and needs an authorised Restart, because nobody knows what happened meanwhile; what was
    being stopped or aborted stays so until a person confirms that it is done; what stood still stands still.
    """
    return "Held" if state in WORKING else state
