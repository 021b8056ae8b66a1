"""The state machines of laboratory devices as the LADS companion specification of OPC UA encodes them (R098).

Also how a device's state bears on the phase that uses it: a device that aborts puts the phase in Aborting, never in
Complete.
"""

from typing import Final

from cellwright.factory.recipe.machine import Machine

DEVICE: Final = Machine(
    name="device",
    states=("Initialization", "Operate", "Sleep", "Shutdown"),
    commands=("GotoSleep", "GotoOperate", "GotoShutdown"),
    commanded={
        "Operate": {"GotoSleep": "Sleep", "GotoShutdown": "Shutdown"},
        "Sleep": {"GotoOperate": "Operate"},
    },
    completion={"Initialization": ("Operate",)},
    rule="R098",
)

FUNCTION: Final = Machine(
    name="device function",
    states=("Stopped", "Running", "Stopping", "Aborting", "Aborted", "Clearing"),
    commands=("Start", "Stop", "Abort", "Clear"),
    commanded={
        "Stopped": {"Start": "Running"},
        "Running": {"Stop": "Stopping", "Abort": "Aborting"},
        "Aborted": {"Clear": "Clearing"},
    },
    completion={"Stopping": ("Stopped",), "Aborting": ("Aborted",), "Clearing": ("Stopped",)},
    rule="R098",
)

_HOLD: Final = {"Hold": "Holding"}
RUNNING: Final = Machine(
    name="device function, while it runs",
    states=(
        "Idle",
        "Starting",
        "Execute",
        "Completing",
        "Complete",
        "Resetting",
        "Suspending",
        "Suspended",
        "Unsuspending",
        "Holding",
        "Held",
        "Unholding",
    ),
    commands=("Start", "ToComplete", "Reset", "Suspend", "Unsuspend", "Hold", "Unhold"),
    commanded={
        "Idle": {"Start": "Starting"},
        "Starting": _HOLD,
        "Execute": {"ToComplete": "Completing", "Suspend": "Suspending", **_HOLD},
        "Complete": {"Reset": "Resetting"},
        "Suspending": _HOLD,
        "Suspended": {"Unsuspend": "Unsuspending", **_HOLD},
        "Unsuspending": _HOLD,
        "Held": {"Unhold": "Unholding"},
        "Unholding": _HOLD,
    },
    completion={
        "Starting": ("Execute",),
        "Completing": ("Complete",),
        "Resetting": ("Idle",),
        "Suspending": ("Suspended",),
        "Unsuspending": ("Execute",),
        "Holding": ("Held",),
        "Unholding": ("Execute",),
    },
    rule="R098",
)

PHASE_COMMAND: Final = {"Aborting": "Abort", "Aborted": "Abort", "Stopping": "Stop", "Clearing": "Abort"}
"""What a device function that is not running any more makes of the phase that uses it."""


def phase_command(function: str) -> str | None:
    """The ISA-88 command that a device function's state gives to the running phase that uses it; None: none.

    A stop that nobody asked the phase for stops the phase; only the phase itself completes.
    """
    return PHASE_COMMAND.get(function)
