"""How a compiled model and a running one lie in memory: the columns of the interpreter's arrays, and its codes.

Apart from the interpreter, so that a model can be built and checked without loading the compiler.
"""

from collections import namedtuple

# --- the program: what never changes during a run -----------------------------------------------------------------------

Program = namedtuple(
    "Program",
    (
        "code",  # int64 [instructions, 7]: operation, three operands, draw, target, deadline
        "draws",  # float64 [draws, 5]: kind, three parameters, first row of the table
        "table",  # float64 [values]: sorted values of empirical distributions
        "wants",  # int64 [wants, 2]: resource, units; rows of the sets that are acquired at once
        "sources",  # int64 [sources, 5]: first instruction, priority, draw, most arrivals, process
        "calendar",  # float64 [changes, 2]: time within the period, capacity
        "calendars",  # int64 [resources, 2]: first change, number of changes
        "periods",  # float64 [resources]: length of the period
        "rates",  # float64 [changes, 2]: time within the period, how fast the clock of arrivals runs
        "rated",  # int64 [sources, 2]: first change, number of changes
        "rate_periods",  # float64 [sources]
        "due",  # float64 [arrivals]: time of each given arrival, ascending
        "given",  # int64 [arrivals, 4]: first instruction, priority, process, identity
        "given_left",  # float64 [arrivals]: rest of the delay in which it is found, or -1
        "given_values",  # float64 [arrivals, attributes]
        "given_held",  # int64 [arrivals, resources]
    ),
)

(END, DELAY, ACQUIRE, RELEASE, ACQUIRE_ALL, BRANCH, JUMP, TEST, SET, PRIORITY, COUNT, MEASURE, PUT, TAKE, BATCH, UNBATCH,
 SPLIT, JOIN, WAIT_UNTIL, BREAK) = range(20)  # fmt: skip
"""Operations."""

(CONSTANT, EXPONENTIAL, UNIFORM, TRIANGULAR, NORMAL, LOGNORMAL, WEIBULL, ERLANG, GAMMA, EMPIRICAL, ATTRIBUTE, PERT) = (
    range(12)
)
"""Kinds of draws."""

OP, ONE_OF, OTHER, THIRD, DRAW, TARGET, DEADLINE = range(7)
"""Columns of the code."""

SET_TO, ADD, SET_NOW, SET_FROM_NOW = range(4)
"""What `SET` does with its draw."""

LESS, AT_MOST, EQUAL, UNEQUAL, AT_LEAST, MORE = range(6)
"""What `TEST` compares."""

# --- the state: what a run changes --------------------------------------------------------------------------------------

State = namedtuple(
    "State",
    (
        "entity",  # int64 [processes, ENTITY_WIDTH]
        "stream",  # uint64 [processes]: the word that a process's draws begin with
        "value",  # float64 [processes, FIRST_VALUE + attributes]
        "held",  # int64 [processes, resources]
        "resource",  # int64 [resources, RESOURCE_WIDTH]
        "area",  # float64 [resources, AREA_WIDTH]: integrals over time and sums
        "head",  # int64 [resources, priorities]
        "tail",  # int64 [resources, priorities]
        "ring",  # int64 [processes + 1]: who goes on now
        "due",  # float64 [events]: heap of what is to come
        "what",  # int64 [events, 2]: order, what
        "m",  # int64 [COUNTERS_WIDTH]
        "source",  # int64 [sources]: arrivals so far
        "batch",  # int64 [batches, 3]: leader, number, last member
        "finished",  # float64 [processes of the model, 5]: number, sum, squares, least, greatest
        "tally",  # float64 [tallies, 5]: number, sum, squares, least, greatest
        "counter",  # float64 [counters]
        "base",  # float64 [resources, AREA_WIDTH]: the areas at the end of the warm-up
        "series",  # float64 [observations, resources, AREA_WIDTH]
        "trace_when",  # float64 [most]
        "trace_what",  # int64 [most, 4]: identity, instruction, kind, resource
        "sample_value",  # float64 [most, 2]: time, value
        "sample_what",  # int64 [most, 2]: tally, identity
    ),
)

(PC, STAMP, QUEUE, IDENT, TURN, MODE, VICTIM, PRIO, NEXT, PREV, WANT, PARENT, PENDING, MEMBER, KIND) = range(15)
"""Columns of a process: what every event touches stands in the first eight, a line of the cache."""
ENTITY_WIDTH = 16
STOPPED_TIMER = -1
"""Value of STAMP where no timer runs; else the order of the heap's entry that is valid."""
MOST_RESOURCES = (1 << 29) - 1
MOST_ROWS = (1 << 40) - 1
BORN, SINCE, DUE, FIRST_VALUE = range(4)
(CAPACITY, USED, QUEUED, CHANGE, MOST_QUEUED, RENEGED, PREEMPTED, HOLDERS, BLOCKED, CARRIED, DOWN,
 RESOURCE_WIDTH) = range(12)  # fmt: skip
(LAST, AREA_USED, AREA_QUEUED, AREA_CAPACITY, AREA_BLOCKED, AREA_FULL, AREA_DOWN, WAIT_SUM, WAIT_SQUARES, WAIT_MOST,
 WAITS, LATE, AREA_WIDTH) = range(13)  # fmt: skip
(HEAP, ORDER, RING_FIRST, RING_LAST, FREE, EVENTS, TRACED, SAMPLED, OBSERVED, NEXT_GIVEN, ALIVE, MOST_ALIVE, LOST_TRACE,
 LOST_SAMPLE, STEPS, HOLE, COUNTERS_WIDTH) = range(17)  # fmt: skip

NOT_WAITING, IN_BATCH, IN_JOIN = -1, -2, -3
"""Values of QUEUE besides a resource."""
ONE, RESUME, ALL, CONSUME = range(4)
"""Values of MODE: what is waited for."""
TIMER, ARRIVAL, SHIFT, GIVE_BACK, OBSERVE, WARM, GIVEN = range(7)
"""What an entry of the heap is."""
ARRIVED, WAITS_FOR, GOT, GAVE, BEGAN, ENDED, LEFT, GAVE_UP, INTERRUPTED, CHANGED = range(10)
"""Kinds of trace entries."""
FINISHED, STOPPED, EXHAUSTED, CROWDED = range(4)
"""How a run ended: at its horizon, at the limit of events, with nothing left to do, or for want of room."""
