"""How a scheduling problem lies in memory: the columns of the compiled core's arrays.

A job follows a template: tasks in order of precedence, each done in one of its options. A row is what resources are
counted in: a pool of like units, one unit that matters by itself, a group of skills. All arrays are int64.
"""

from collections import namedtuple

Tables = namedtuple(
    "Tables",
    (
        "template",  # [templates, 5]: first task, tasks, first hold, behind the last hold, tasks of a job may clash
        "task",  # [tasks, 4]: first option, behind the last, first arc, behind the last
        "option",  # [options, 3]: duration, first demand, behind the last
        "demand",  # [demands, 5]: row, units, steps before the task, steps behind it, whether it must find them free
        "arc",  # [arcs, 3]: task before (within the template), least lag from its end, greatest (NO_LIMIT for none)
        "hold",  # [holds, 5]: row, units, from the start of a task, to the end of a task, cleaning
        "mode",  # [modes, 3]: template, price, latest first start counted from the release
        "job",  # [jobs, JOB_WIDTH]
        "pin",  # [jobs, 2 * widest template]: starts and options of work that is fixed, -1 where it is free
    ),
)

(RELEASE, DEADLINE, DUE, WEIGHT, LATE_WEIGHT, FIRST_MODE, MODES, PINNED, HELD, WISH, WISH_TASK, MOVE_WEIGHT, LATEST,
 EARLIEST, JOB_WIDTH) = range(15)  # fmt: skip
"""Columns of a job: release, deadline, due time, weights, its modes, whether it has fixed work, the time from which on
its open holds are counted, the promised start (-1 for none) of which task and the price of a step away from it, the
latest sensible first start, the time from which on it may begin."""

Room = namedtuple(
    "Room", ("out", "key", "turn", "old_chosen", "old_price", "old_starts", "spare", "earliest", "later", "blocking")
)
"""What a round of improvement writes into, so that it allocates nothing."""

BLOCK = 5
"""Binary logarithm of the steps of a block."""
NO_LIMIT = 1 << 40
"""A time, or a lag, beyond all others."""
NOT_PLACED = -1
"""Template of a job that is in no resource."""
NO_RESOURCE, NO_WINDOW, NO_END = 1, 2, 3
"""Why a job does not fit: nothing left before the horizon, too late for its window, or lags that chase each other."""
