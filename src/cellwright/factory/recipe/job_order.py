"""The job order of ISA-95 as OPC 10031-4 encodes it (R097): what a plant's control system answers to an order."""

from typing import Final

from cellwright.factory.recipe.machine import Machine

JOB_ORDER: Final = Machine(
    name="job order",
    states=("NotAllowedToStart", "AllowedToStart", "Running", "Interrupted", "Ended", "Aborted"),
    commands=("Start", "RevokeStart", "Update", "Pause", "Resume", "Stop", "Abort"),
    commanded={
        "NotAllowedToStart": {"Start": "AllowedToStart", "Update": "NotAllowedToStart", "Abort": "Aborted"},
        "AllowedToStart": {"RevokeStart": "NotAllowedToStart", "Update": "AllowedToStart", "Abort": "Aborted"},
        "Running": {"Pause": "Interrupted", "Stop": "Ended", "Abort": "Aborted"},
        "Interrupted": {"Resume": "Running", "Stop": "Ended", "Abort": "Aborted"},
        "Ended": {},
        "Aborted": {},
    },
    completion={"AllowedToStart": ("Running",)},
    rule="R097",
)

PREPARE: Final = Machine(
    name="job order, while it waits",
    states=("Waiting", "Ready", "Loaded"),
    commands=(),
    commanded={},
    completion={"Waiting": ("Ready",), "Ready": ("Loaded", "Waiting"), "Loaded": ("Ready", "Waiting")},
    rule="R097",
)
INTERRUPTED: Final = Machine(
    name="job order, while it is interrupted",
    states=("Held", "Suspended"),
    commands=(),
    commanded={},
    completion={"Held": ("Suspended",), "Suspended": ("Held",)},
    rule="R097",
)
ENDED: Final = Machine(
    name="job order, when it has ended",
    states=("Completed", "Closed"),
    commands=(),
    commanded={},
    completion={"Completed": ("Closed",)},
    rule="R097",
)
