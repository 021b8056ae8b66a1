"""The interpreter: programs of processes run over flat arrays, an event at a time.

One source for two runs: compiled by numba, and as plain Python with bit-identical results. Nothing here allocates per
event. A process is a row of numbers (`Entity`), a resource another, an instruction a row of the program's table.

Chance is counter-based: a draw is a hash of (seed, identity of the process, instruction, turn, number), so it depends
neither on the order of events nor on threads, and two scenarios with the same seed meet the same luck.

Mixing function: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
"""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from cellwright.compiling import compiled, inlined
from cellwright.simulation.layout import (
    ACQUIRE,
    ACQUIRE_ALL,
    ADD,
    ALIVE,
    ALL,
    AREA_BLOCKED,
    AREA_CAPACITY,
    AREA_DOWN,
    AREA_FULL,
    AREA_QUEUED,
    AREA_USED,
    AREA_WIDTH,
    ARRIVAL,
    ARRIVED,
    AT_LEAST,
    AT_MOST,
    ATTRIBUTE,
    BATCH,
    BEGAN,
    BLOCKED,
    BORN,
    BRANCH,
    BREAK,
    CAPACITY,
    CARRIED,
    CHANGE,
    CONSTANT,
    CONSUME,
    COUNT,
    CROWDED,
    DEADLINE,
    DELAY,
    DOWN,
    DRAW,
    DUE,
    END,
    ENDED,
    EQUAL,
    ERLANG,
    EVENTS,
    EXHAUSTED,
    EXPONENTIAL,
    FINISHED,
    FIRST_VALUE,
    FREE,
    GAMMA,
    GAVE,
    GAVE_UP,
    GIVE_BACK,
    GIVEN,
    GOT,
    HEAP,
    HOLDERS,
    HOLE,
    IDENT,
    IN_BATCH,
    IN_JOIN,
    INTERRUPTED,
    JUMP,
    KIND,
    LAST,
    LATE,
    LEFT,
    LESS,
    LOGNORMAL,
    LOST_SAMPLE,
    LOST_TRACE,
    MEASURE,
    MEMBER,
    MODE,
    MORE,
    MOST_ALIVE,
    MOST_QUEUED,
    MOST_RESOURCES,
    MOST_ROWS,
    NEXT,
    NEXT_GIVEN,
    NORMAL,
    NOT_WAITING,
    OBSERVE,
    OBSERVED,
    ONE,
    ONE_OF,
    OP,
    ORDER,
    OTHER,
    PARENT,
    PC,
    PENDING,
    PERT,
    PREEMPTED,
    PREV,
    PRIO,
    PRIORITY,
    PUT,
    QUEUE,
    QUEUED,
    RELEASE,
    RENEGED,
    RESUME,
    RING_FIRST,
    RING_LAST,
    SAMPLED,
    SET,
    SET_NOW,
    SET_TO,
    SHIFT,
    SINCE,
    SPLIT,
    STAMP,
    STEPS,
    STOPPED,
    STOPPED_TIMER,
    TAKE,
    TARGET,
    TEST,
    THIRD,
    TIMER,
    TRACED,
    TRIANGULAR,
    TURN,
    UNBATCH,
    UNEQUAL,
    UNIFORM,
    USED,
    VICTIM,
    WAIT_MOST,
    WAIT_SQUARES,
    WAIT_SUM,
    WAIT_UNTIL,
    WAITS,
    WAITS_FOR,
    WANT,
    WARM,
    WEIBULL,
)  # fmt: skip

# --- chance -------------------------------------------------------------------------------------------------------------

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_UNIT: Final = 2.0**-53


@inlined
def mixed(x: Any) -> Any:
    """SplitMix64's finaliser of a 64-bit word."""
    x = (x ^ (x >> _S30)) * _FIRST
    x = (x ^ (x >> _S27)) * _SECOND
    return x ^ (x >> _S31)


@inlined
def stream(seed: Any, identity: int) -> Any:
    """The word that all draws of one process begin with: a function of the seed and of who it is."""
    return mixed(seed + np.uint64(identity) * _GOLDEN)


@inlined
def uniform(word: Any, place: int, turn: int, number: int) -> Any:
    """A number in the open interval (0, 1), a function of the stream's word and the three coordinates alone."""
    word = mixed(word ^ (np.uint64(place) * _GOLDEN + np.uint64(turn) * _FIRST + np.uint64(number) * _SECOND))
    return (float(word >> _S11) + 0.5) * _UNIT


@compiled
def normal(word: Any, place: int, turn: int, number: int) -> Any:
    """A standard normal number (Box and Muller 1958) from draws `number` and `number + 1`."""
    u = uniform(word, place, turn, number)
    v = uniform(word, place, turn, number + 1)
    return math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * v)


@compiled
def gamma(shape: float, word: Any, place: int, turn: int, number: int) -> Any:
    """A gamma number of the given shape and scale 1 (Marsaglia and Tsang 2000)."""
    boost = 1.0
    if shape < 1.0:
        boost = math.pow(uniform(word, place, turn, number), 1.0 / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    k = number + 1
    while True:
        x = normal(word, place, turn, k)
        u = uniform(word, place, turn, k + 2)
        k += 3
        v = 1.0 + c * x
        v = v * v * v
        if v > 0.0 and math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
            return d * v * boost


@compiled
def drawn(draws: Any, table: Any, d: int, word: Any, place: int, turn: int) -> Any:
    """A draw from row `d` of the draws (all but `ATTRIBUTE`, which needs the process)."""
    d = row(d)
    kind = int(draws[d, 0])
    a, b, c = draws[d, 1], draws[d, 2], draws[d, 3]
    if kind == CONSTANT:
        return a
    if kind == NORMAL:
        k = 0
        while True:
            x = a + b * normal(word, place, turn, k)
            if x >= 0.0:
                return x
            k += 2
    if kind == LOGNORMAL:
        return math.exp(a + b * normal(word, place, turn, 0))
    if kind == GAMMA:
        return gamma(a, word, place, turn, 0) * b
    if kind == PERT:
        spread = c - a
        x = gamma(1.0 + 4.0 * (b - a) / spread, word, place, turn, 0)
        y = gamma(1.0 + 4.0 * (c - b) / spread, word, place, turn, 1 << 20)
        return a + spread * x / (x + y)
    u = uniform(word, place, turn, 0)
    if kind == EXPONENTIAL:
        return -a * math.log(u)
    if kind == UNIFORM:
        return a + (b - a) * u
    if kind == TRIANGULAR:
        if u * (c - a) < b - a:
            return a + math.sqrt(u * (c - a) * (b - a))
        return c - math.sqrt((1.0 - u) * (c - a) * (c - b))
    if kind == WEIBULL:
        return b * math.pow(-math.log(u), 1.0 / a)
    if kind == ERLANG:
        total = -math.log(u)
        for k in range(1, int(a)):
            total -= math.log(uniform(word, place, turn, k))
        return total * b / a
    first, count = int(draws[d, 4]), int(a)
    at = u * (count - 1)
    low = int(at)
    return table[first + low] + (at - low) * (table[first + low + 1] - table[first + low])


@inlined
def row(i: Any) -> Any:
    """The same number, known to the compiler not to be negative: it need not ask whether to count from the end."""
    return i & MOST_ROWS


# --- the heap of what is to come ----------------------------------------------------------------------------------------


@compiled
def sift(due: Any, entry: Any, n: int, time: float, order: int, what: int) -> None:
    """Put an entry in place of the first of `n`, and restore the order of the heap below it."""
    i, child = 0, 1
    while child < n:
        right = row(child + 1)
        if right < n:
            # Without a branch: which child is the earlier is a coin toss that no processor foresees.
            child += (due[right] < due[child]) | ((due[right] == due[child]) & (entry[right, 0] < entry[child, 0]))
        child = row(child)
        if due[child] > time or (due[child] == time and entry[child, 0] > order):
            break
        due[i] = due[child]
        entry[i, 0] = entry[child, 0]
        entry[i, 1] = entry[child, 1]
        i = child
        child = row(2 * i + 1)
    due[i] = time
    entry[i, 0] = order
    entry[i, 1] = what


@compiled
def push(due: Any, entry: Any, m: Any, time: float, what: int) -> None:
    """Add an entry; equal times keep the order in which they were added."""
    order = m[ORDER]
    m[ORDER] = order + 1
    if m[HOLE] == 1:
        m[HOLE] = 0
        sift(due, entry, m[HEAP], time, order, what)
        return
    i = row(m[HEAP])
    m[HEAP] = i + 1
    while i > 0:
        above = row((i - 1) >> 1)
        if due[above] <= time:
            break
        due[i] = due[above]
        entry[i, 0] = entry[above, 0]
        entry[i, 1] = entry[above, 1]
        i = above
    due[i] = time
    entry[i, 0] = order
    entry[i, 1] = what


@inlined
def pop(m: Any) -> None:
    """Take away the first entry. Its place stays empty for the next one, which mostly comes soon and belongs high up."""
    m[HOLE] = 1


@compiled
def close_hole(due: Any, entry: Any, m: Any) -> None:
    """Fill the place of the entry that was taken away, so that the first is the earliest again."""
    n = m[HEAP] - 1
    m[HEAP] = n
    m[HOLE] = 0
    if n > 0:
        sift(due, entry, n, due[n], entry[n, 0], entry[n, 1])


@inlined
def set_timer(s: Any, e: int, time: float) -> None:
    """Let the process go on at that time, unless its timer is stopped before; it has one timer at most."""
    s.entity[e, STAMP] = s.m[ORDER]
    push(s.due, s.what, s.m, time, TIMER | (e << 3))


# --- processes ----------------------------------------------------------------------------------------------------------


@inlined
def note(s: Any, now: float, e: int, kind: int, resource: int) -> None:
    """Write a line of the trace, where one is kept and has room."""
    n, e = row(s.m[TRACED]), row(e)
    if n < s.trace_when.shape[0]:
        s.trace_when[n] = now
        s.trace_what[n, 0] = s.entity[e, IDENT]
        s.trace_what[n, 1] = s.entity[e, PC]
        s.trace_what[n, 2] = kind
        s.trace_what[n, 3] = resource
        s.m[TRACED] = n + 1
    elif s.trace_when.shape[0] > 0:
        s.m[LOST_TRACE] += 1


@inlined
def born(s: Any, seed: Any, now: float, identity: int, pc: int, priority: int, kind: int) -> int:
    """A new process, of which nothing is held or wanted yet."""
    entity, m = s.entity, s.m
    e = row(m[FREE])
    m[FREE] = entity[e, NEXT]
    m[ALIVE] += 1
    m[MOST_ALIVE] = max(m[MOST_ALIVE], m[ALIVE])
    entity[e, PC] = pc
    entity[e, PRIO] = priority
    entity[e, IDENT] = identity
    entity[e, TURN] = 0
    entity[e, QUEUE] = NOT_WAITING
    entity[e, MODE] = ONE
    entity[e, PARENT] = -1
    entity[e, PENDING] = 0
    entity[e, MEMBER] = -1
    entity[e, KIND] = kind
    entity[e, VICTIM] = -1
    entity[e, STAMP] = STOPPED_TIMER
    s.stream[e] = stream(seed, identity)
    for v in range(s.value.shape[1]):
        s.value[e, v] = 0.0
    s.value[e, BORN] = now
    note(s, now, e, ARRIVED, -1)
    return int(e)


@inlined
def wake(s: Any, e: int) -> None:
    """Let a process go on now, behind those who were woken before it."""
    m, ring = s.m, s.ring
    last = row(m[RING_LAST])
    ring[last] = e
    m[RING_LAST] = last + 1 if last + 1 < ring.shape[0] else 0


@inlined
def wake_first(s: Any, e: int) -> None:
    """Let a process go on before all others, where it was."""
    m, ring = s.m, s.ring
    first = m[RING_FIRST]
    m[RING_FIRST] = first - 1 if first > 0 else ring.shape[0] - 1
    ring[m[RING_FIRST]] = e


@inlined
def touch(s: Any, r: int, now: float) -> None:
    """Bring the integrals of a resource up to now."""
    area, resource = s.area, s.resource
    passed = now - area[r, LAST]
    if passed > 0.0:
        used = resource[r, USED]
        area[r, AREA_USED] += passed * used
        area[r, AREA_QUEUED] += passed * resource[r, QUEUED]
        area[r, AREA_CAPACITY] += passed * max(resource[r, CAPACITY], used)
        area[r, AREA_BLOCKED] += passed * resource[r, BLOCKED]
        area[r, AREA_DOWN] += passed * resource[r, DOWN]
        if used >= resource[r, CAPACITY]:
            area[r, AREA_FULL] += passed
        area[r, LAST] = now


@inlined
def blocks(s: Any, e: int, now: float, sign: int) -> None:
    """What a waiting process holds is blocked (+1) or no more (-1)."""
    held, resource = s.held, s.resource
    for r in range(held.shape[1]):
        if held[e, r] > 0:
            touch(s, r, now)
            resource[r, BLOCKED] += sign * held[e, r]


@inlined
def line_up(s: Any, e: int, r: int, now: float) -> None:
    """Queue at the end of the own priority."""
    entity, priority = s.entity, row(s.entity[e, PRIO])
    touch(s, r, now)
    last = s.tail[r, priority]
    entity[e, QUEUE] = r
    entity[e, NEXT] = -1
    entity[e, PREV] = last
    if last >= 0:
        entity[last, NEXT] = e
    else:
        s.head[r, priority] = e
    s.tail[r, priority] = e
    s.resource[r, QUEUED] += 1
    s.resource[r, MOST_QUEUED] = max(s.resource[r, MOST_QUEUED], s.resource[r, QUEUED])


@inlined
def line_up_first(s: Any, e: int, r: int, now: float) -> None:
    """Queue at the front of the own priority, as one who was interrupted does."""
    entity, priority = s.entity, row(s.entity[e, PRIO])
    touch(s, r, now)
    first = s.head[r, priority]
    entity[e, QUEUE] = r
    entity[e, PREV] = -1
    entity[e, NEXT] = first
    if first >= 0:
        entity[first, PREV] = e
    else:
        s.tail[r, priority] = e
    s.head[r, priority] = e
    s.resource[r, QUEUED] += 1
    s.resource[r, MOST_QUEUED] = max(s.resource[r, MOST_QUEUED], s.resource[r, QUEUED])


@inlined
def leave_line(s: Any, e: int, now: float) -> None:
    """Go out of the queue."""
    entity = s.entity
    r, priority = row(entity[e, QUEUE]), row(entity[e, PRIO])
    touch(s, r, now)
    before, behind = entity[e, PREV], entity[e, NEXT]
    if before >= 0:
        entity[before, NEXT] = behind
    else:
        s.head[r, priority] = behind
    if behind >= 0:
        entity[behind, PREV] = before
    else:
        s.tail[r, priority] = before
    entity[e, QUEUE] = NOT_WAITING
    s.resource[r, QUEUED] -= 1


@inlined
def take(s: Any, e: int, r: int, n: int, now: float) -> None:
    """Hold `n` units more."""
    touch(s, r, now)
    s.resource[r, USED] += n
    s.held[e, r] += n


@inlined
def give(s: Any, e: int, r: int, n: int, now: float) -> None:
    """Hold `n` units less; they stay in use until they are put back."""
    s.held[e, r] -= n


@inlined
def put_back(s: Any, r: int, n: int, now: float) -> None:
    """Units are free again."""
    touch(s, r, now)
    s.resource[r, USED] -= n


@inlined
def remember_holder(s: Any, e: int, r: int) -> None:
    """From now on the process may be interrupted in what it does with `r`."""
    entity = s.entity
    first = s.resource[r, HOLDERS]
    entity[e, VICTIM] = r
    entity[e, PREV] = -1
    entity[e, NEXT] = first
    if first >= 0:
        entity[first, PREV] = e
    s.resource[r, HOLDERS] = e


@inlined
def forget_holder(s: Any, e: int) -> None:
    """From now on it may not."""
    entity = s.entity
    r = entity[e, VICTIM]
    before, behind = entity[e, PREV], entity[e, NEXT]
    if before >= 0:
        entity[before, NEXT] = behind
    else:
        s.resource[r, HOLDERS] = behind
    if behind >= 0:
        entity[behind, PREV] = before
    entity[e, VICTIM] = -1


@inlined
def first_in_line(s: Any, r: int) -> int:
    """The most urgent process of the queue, or -1."""
    for priority in range(s.head.shape[1]):
        if s.head[r, priority] >= 0:
            return int(row(s.head[r, priority]))
    return -1


@inlined
def lacking(p: Any, s: Any, first: int, count: int) -> int:
    """The first resource of a set that has too few units free, or -1."""
    for at in range(first, first + count):
        w = row(at)
        r = row(p.wants[w, 0])
        if s.resource[r, CAPACITY] - s.resource[r, USED] < p.wants[w, 1]:
            return int(r)
    return -1


@inlined
def waited(s: Any, e: int, r: int, now: float) -> None:
    """Book the wait that ends now."""
    wait = now - s.value[e, SINCE]
    area = s.area
    area[r, WAITS] += 1.0
    area[r, WAIT_SUM] += wait
    area[r, WAIT_SQUARES] += wait * wait
    area[r, WAIT_MOST] = max(area[r, WAIT_MOST], wait)
    if wait > 0.0:
        area[r, LATE] += 1.0


@inlined
def serve(p: Any, s: Any, r: int, now: float) -> None:
    """Give what is free to those who wait, most urgent first, nobody overtaking within a priority."""
    entity, resource = s.entity, s.resource
    r = row(r)
    while resource[r, QUEUED] > 0:
        e = first_in_line(s, r)
        mode = entity[e, MODE]
        if mode == ALL:
            pc = entity[e, PC]
            missing = lacking(p, s, p.code[pc, ONE_OF], p.code[pc, OTHER])
            if missing == r:
                return
            leave_line(s, e, now)
            if missing >= 0:
                line_up(s, e, missing, now)
                continue
            blocks(s, e, now, -1)
            for w in range(p.code[pc, ONE_OF], p.code[pc, ONE_OF] + p.code[pc, OTHER]):
                take(s, e, p.wants[w, 0], p.wants[w, 1], now)
        else:
            if resource[r, CAPACITY] - resource[r, USED] < entity[e, WANT]:
                return
            leave_line(s, e, now)
            blocks(s, e, now, -1)
            if mode == CONSUME:
                touch(s, r, now)
                resource[r, CAPACITY] -= entity[e, WANT]
                resource[r, CARRIED] -= entity[e, WANT]
            else:
                take(s, e, r, entity[e, WANT], now)
        entity[e, STAMP] = STOPPED_TIMER
        if mode != RESUME:
            waited(s, e, r, now)
            note(s, now, e, GOT, r)
            entity[e, PC] += 1
        wake(s, e)


@compiled
def interrupt(s: Any, r: int, needed: int, priority: int, now: float) -> None:
    """Take units from those who may be interrupted and are less urgent, the least urgent and latest first.

    Nobody is interrupted unless it frees enough, nor whose work ends at this instant.
    """
    entity, resource = s.entity, s.resource
    free = resource[r, CAPACITY] - resource[r, USED]
    within = free
    e = resource[r, HOLDERS]
    while e >= 0:
        if entity[e, PRIO] > priority and s.value[e, DUE] > now:
            within += s.held[e, r]
        e = entity[e, NEXT]
    if within < needed:
        return
    while free < needed:
        e = resource[r, HOLDERS]
        worst = -1
        while e >= 0:
            urgent = entity[e, PRIO] <= priority or s.value[e, DUE] <= now
            if not urgent and (worst < 0 or entity[e, PRIO] > entity[worst, PRIO]):
                worst = e
            e = entity[e, NEXT]
        units = s.held[worst, r]
        free += units
        forget_holder(s, worst)
        entity[worst, STAMP] = STOPPED_TIMER
        s.value[worst, DUE] -= now
        s.held[worst, r] = 0
        put_back(s, r, units, now)
        entity[worst, WANT] = units
        entity[worst, MODE] = RESUME
        resource[r, PREEMPTED] += 1
        note(s, now, worst, INTERRUPTED, r)
        blocks(s, worst, now, 1)
        line_up_first(s, worst, r, now)


@inlined
def contested(p: Any, s: Any, r: int, priority: int) -> bool:
    """Whether the first in line for `r` is more urgent than this, and may interrupt."""
    if s.resource[r, QUEUED] == 0:
        return False
    e = first_in_line(s, r)
    pc = s.entity[e, PC]
    return bool(
        s.entity[e, PRIO] < priority
        and s.entity[e, MODE] == ONE
        and p.code[pc, OP] == ACQUIRE
        and p.code[pc, THIRD] == 1
    )


@inlined
def give_way(s: Any, r: int, now: float) -> None:
    """Interrupt for the first in line, who was there before the work could be interrupted."""
    e = first_in_line(s, r)
    interrupt(s, r, s.entity[e, WANT], s.entity[e, PRIO], now)


@inlined
def valued(p: Any, s: Any, e: int, d: int, pc: int) -> Any:
    """The value of draw `d` for a process at an instruction, an attribute included."""
    d = row(d)
    if p.draws[d, 0] == ATTRIBUTE:
        return s.value[e, FIRST_VALUE + int(p.draws[d, 1])]
    return drawn(p.draws, p.table, d, s.stream[e], pc, s.entity[e, TURN])


@inlined
def works(p: Any, s: Any, e: int, d: int, pc: int) -> Any:
    """As `lasts`, with the two distributions that most work has written out: a call would cost more than the draw."""
    d = row(d)
    kind = p.draws[d, 0]
    if kind == EXPONENTIAL:
        return -p.draws[d, 1] * math.log(uniform(s.stream[e], pc, s.entity[e, TURN], 0))
    if kind == TRIANGULAR:
        a, b, c = p.draws[d, 1], p.draws[d, 2], p.draws[d, 3]
        u = uniform(s.stream[e], pc, s.entity[e, TURN], 0)
        if u * (c - a) < b - a:
            return a + math.sqrt(u * (c - a) * (b - a))
        return c - math.sqrt((1.0 - u) * (c - a) * (c - b))
    return lasts(p, s, e, d, pc)


@inlined
def lasts(p: Any, s: Any, e: int, d: int, pc: int) -> Any:
    """As `valued`, of a duration: an attribute that is negative lasts no time."""
    return max(0.0, valued(p, s, e, d, pc))


@compiled
def arrival_after(p: Any, k: int, now: float, gap: float) -> Any:
    """When source `k` brings the next arrival: `gap` later by a clock that runs as fast as its calendar of rates says.

    With exponential gaps this is the Poisson process of that rate (Cinlar 1975, inversion of the mean function).
    """
    count = p.rated[k, 1]
    if count == 0:
        return now + gap
    first, period = p.rated[k, 0], p.rate_periods[k]
    turn = math.floor(now / period)
    at = now - turn * period
    i = count - 1
    while i > 0 and p.rates[first + i, 0] > at:
        i -= 1
    while True:
        end = p.rates[first + i + 1, 0] if i + 1 < count else period
        speed = p.rates[first + i, 1]
        room = (end - at) * speed
        if speed > 0.0 and room >= gap:
            return max(now, turn * period + at + gap / speed)
        gap -= room
        at = end
        i += 1
        if i == count:
            i, at = 0, 0.0
            turn += 1


@inlined
def tallied(rows: Any, row: int, value: float) -> None:
    """Add a value to number, sum, squares, least and greatest."""
    rows[row, 0] += 1.0
    rows[row, 1] += value
    rows[row, 2] += value * value
    rows[row, 3] = min(rows[row, 3], value)
    rows[row, 4] = max(rows[row, 4], value)


@inlined
def emptied(rows: Any) -> None:
    """Begin the tallies anew."""
    for row in range(rows.shape[0]):
        rows[row, 0] = 0.0
        rows[row, 1] = 0.0
        rows[row, 2] = 0.0
        rows[row, 3] = np.inf
        rows[row, 4] = -np.inf


@inlined
def gone(s: Any, e: int, now: float) -> None:
    """A process ends: it is counted, and whoever waits for its end is told."""
    entity = s.entity
    while e >= 0:
        e = row(e)
        tallied(s.finished, row(entity[e, KIND]), now - s.value[e, BORN])
        note(s, now, e, LEFT, -1)
        parent = entity[e, PARENT]
        if parent >= 0:
            entity[parent, PENDING] -= 1
            if entity[parent, PENDING] == 0 and entity[parent, QUEUE] == IN_JOIN:
                entity[parent, QUEUE] = NOT_WAITING
                entity[parent, PC] += 1
                wake(s, parent)
        following = entity[e, MEMBER]
        entity[e, NEXT] = s.m[FREE]
        s.m[FREE] = e
        s.m[ALIVE] -= 1
        e = following


@inlined
def leads(s: Any, b: int) -> None:
    """The batch is complete, or has waited long enough: its leader goes on and carries the others."""
    entity = s.entity
    leader = s.batch[b, 0]
    entity[leader, QUEUE] = NOT_WAITING
    entity[leader, STAMP] = STOPPED_TIMER
    entity[leader, PC] += 1
    s.batch[b, 0] = -1
    s.batch[b, 1] = 0
    s.batch[b, 2] = -1
    wake(s, leader)


# --- the run ------------------------------------------------------------------------------------------------------------


@compiled
def begin(p: Any, s: Any, seed: Any, warm_up: float, every: float) -> None:
    """Put the first entries on the heap: what is found under way first, then everything else."""
    given = p.due.shape[0]
    for g in range(given):
        push(s.due, s.what, s.m, p.due[g], GIVEN)
        if p.due[g] > 0.0:
            break
    if warm_up > 0.0:
        push(s.due, s.what, s.m, warm_up, WARM)
    if every > 0.0:
        push(s.due, s.what, s.m, every, OBSERVE)
    for r in range(p.calendars.shape[0]):
        if p.calendars[r, 1] > 0:
            push(s.due, s.what, s.m, p.calendar[p.calendars[r, 0], 0], SHIFT | (r << 3))
    for k in range(p.sources.shape[0]):
        if p.sources[k, 3] != 0:
            gap = drawn(p.draws, p.table, p.sources[k, 2], stream(seed, k), 0, 0)
            push(s.due, s.what, s.m, arrival_after(p, k, 0.0, gap), ARRIVAL | (k << 3))


@compiled
def simulate(p: Any, s: Any, seed: Any, now: float, horizon: float, every: float, most: int) -> Any:
    """Run on from `now` to the horizon. Returns the time reached and how the run ended.

    `CROWDED` asks for more room in the state; called again with it, the run goes on as if nothing had been. `most`
    limits the number of instructions and events together: a model that would never end is stopped there.
    """
    code = p.code
    m, entity, value = s.m, s.entity, s.value
    ended, steps = FINISHED, m[STEPS]
    while True:
        e, freed = -1, -1
        if m[FREE] < 0 or m[HEAP] + 4 > s.due.shape[0]:
            m[STEPS] = steps
            return now, CROWDED
        if m[RING_FIRST] != m[RING_LAST]:
            first = row(m[RING_FIRST])
            e = row(s.ring[first])
            m[RING_FIRST] = first + 1 if first + 1 < s.ring.shape[0] else 0
        else:
            if m[HOLE] == 1:
                close_hole(s.due, s.what, m)
            if m[HEAP] == 0:
                ended = EXHAUSTED
                break
            if s.due[0] > horizon:
                break
            now = s.due[0]
            order, what = s.what[0, 0], s.what[0, 1]
            pop(m)
            kind, which = what & 7, row(what >> 3)
            if kind == TIMER:
                if entity[which, STAMP] != order:
                    continue
                entity[which, STAMP] = STOPPED_TIMER
                e = which
                queue = entity[e, QUEUE]
                if queue == NOT_WAITING:
                    if entity[e, VICTIM] >= 0:
                        forget_holder(s, e)
                    m[EVENTS] += 1
                    note(s, now, e, ENDED, -1)
                    entity[e, PC] += 1
                elif queue == IN_BATCH:
                    leads(s, code[entity[e, PC], ONE_OF])
                    e = -1
                else:
                    leave_line(s, e, now)
                    blocks(s, e, now, -1)
                    s.resource[queue, RENEGED] += 1
                    note(s, now, e, GAVE_UP, queue)
                    entity[e, TURN] += 1
                    entity[e, PC] = code[entity[e, PC], TARGET]
                    freed = queue
            elif kind == ARRIVAL:
                count = s.source[which]
                s.source[which] = count + 1
                m[EVENTS] += 1
                e = born(
                    s,
                    seed,
                    now,
                    ((which + 1) << 40) + count,
                    p.sources[which, 0],
                    p.sources[which, 1],
                    p.sources[which, 4],
                )
                if p.sources[which, 3] < 0 or count + 1 < p.sources[which, 3]:
                    gap = drawn(p.draws, p.table, p.sources[which, 2], stream(seed, which), 0, count + 1)
                    push(s.due, s.what, s.m, arrival_after(p, which, now, gap), what)
            elif kind == GIVEN:
                g = m[NEXT_GIVEN]
                m[NEXT_GIVEN] = g + 1
                m[EVENTS] += 1
                e = born(s, seed, now, p.given[g, 3], p.given[g, 0], p.given[g, 1], p.given[g, 2])
                for a in range(p.given_values.shape[1]):
                    value[e, FIRST_VALUE + a] = p.given_values[g, a]
                for r in range(p.given_held.shape[1]):
                    if p.given_held[g, r] > 0:
                        take(s, e, r, p.given_held[g, r], now)
                if p.due[g] > 0.0 and g + 1 < p.due.shape[0]:
                    push(s.due, s.what, s.m, p.due[g + 1], GIVEN)
                if p.given_left[g] >= 0.0:
                    if code[entity[e, PC], ONE_OF] >= 0:
                        remember_holder(s, e, code[entity[e, PC], ONE_OF])
                    value[e, DUE] = now + p.given_left[g]
                    set_timer(s, e, value[e, DUE])
                    e = -1
            elif kind == GIVE_BACK:
                which &= MOST_RESOURCES
                put_back(s, which, what >> 32, now)
                freed = which
            elif kind == SHIFT:
                touch(s, which, now)
                at = s.resource[which, CHANGE]
                first, count = p.calendars[which, 0], p.calendars[which, 1]
                s.resource[which, CAPACITY] = int(p.calendar[first + at % count, 1]) + s.resource[which, CARRIED]
                s.resource[which, CHANGE] = at + 1
                turn = (at + 1) // count
                push(s.due, s.what, s.m, p.calendar[first + (at + 1) % count, 0] + turn * p.periods[which], what)
                freed = which
            elif kind == OBSERVE:
                k = m[OBSERVED]
                if k < s.series.shape[0]:
                    for r in range(s.resource.shape[0]):
                        touch(s, r, now)
                        for column in range(AREA_WIDTH):
                            s.series[k, r, column] = s.area[r, column]
                    m[OBSERVED] = k + 1
                    push(s.due, s.what, s.m, every * (k + 2), OBSERVE)
            else:
                for r in range(s.resource.shape[0]):
                    touch(s, r, now)
                    s.area[r, WAIT_MOST] = 0.0
                    s.resource[r, MOST_QUEUED] = s.resource[r, QUEUED]
                    s.resource[r, RENEGED] = 0
                    s.resource[r, PREEMPTED] = 0
                    for column in range(AREA_WIDTH):
                        s.base[r, column] = s.area[r, column]
                emptied(s.finished)
                emptied(s.tally)
                for c in range(s.counter.shape[0]):
                    s.counter[c] = 0.0
                m[SAMPLED] = 0
                m[LOST_SAMPLE] = 0
        steps += 1
        if steps >= most:
            ended = STOPPED
            break
        if e < 0 and freed < 0:
            continue

        if e >= 0 and entity[e, MODE] == RESUME:
            entity[e, MODE] = ONE
            r = code[entity[e, PC], ONE_OF]
            remember_holder(s, e, r)
            value[e, DUE] += now
            set_timer(s, e, value[e, DUE])
            if contested(p, s, r, entity[e, PRIO]):
                give_way(s, r, now)
                serve(p, s, r, now)
            continue
        while True:
            if freed >= 0:
                serve(p, s, freed, now)
                freed = -1
                if e < 0:
                    break
            steps += 1
            if steps >= most:
                break
            e = row(e)
            pc = row(entity[e, PC])
            op = code[pc, OP]
            if m[HEAP] + 4 > s.due.shape[0] or (op == SPLIT and m[ALIVE] + code[pc, OTHER] >= entity.shape[0]):
                wake_first(s, e)
                m[STEPS] = steps
                return now, CROWDED
            if op == DELAY:
                value[e, DUE] = now + works(p, s, e, code[pc, DRAW], pc)
                set_timer(s, e, value[e, DUE])
                note(s, now, e, BEGAN, -1)
                r = code[pc, ONE_OF]
                if r < 0:
                    break
                remember_holder(s, e, r)
                if not contested(p, s, r, entity[e, PRIO]):
                    break
                give_way(s, r, now)
                e, freed = -1, r
                continue
            if op == RELEASE:
                r, n, d = row(code[pc, ONE_OF]), code[pc, OTHER], code[pc, DRAW]
                note(s, now, e, GAVE, r)
                give(s, e, r, n, now)
                if d >= 0:
                    push(s.due, s.what, s.m, now + lasts(p, s, e, d, pc), GIVE_BACK | (r << 3) | (n << 32))
                else:
                    put_back(s, r, n, now)
                    freed = r
                entity[e, PC] = pc + 1
            elif op in (ACQUIRE, TAKE, ACQUIRE_ALL):
                r, n = row(code[pc, ONE_OF]), code[pc, OTHER]
                value[e, SINCE] = now
                if op == ACQUIRE_ALL:
                    missing = lacking(p, s, r, n)
                    blocked_by = missing
                    if missing < 0:
                        for w in range(r, r + n):
                            one = row(p.wants[row(w), 0])
                            if s.resource[one, QUEUED] > 0 and entity[first_in_line(s, one), PRIO] <= entity[e, PRIO]:
                                blocked_by = one
                    first = row(p.wants[r, 0])
                else:
                    first = r
                    blocked_by = -1
                    waiting = s.resource[r, QUEUED]
                    if waiting > 0 and entity[first_in_line(s, r), PRIO] <= entity[e, PRIO]:
                        blocked_by = r
                    elif s.resource[r, CAPACITY] - s.resource[r, USED] < n:
                        if op == ACQUIRE and code[pc, THIRD] == 1:
                            interrupt(s, r, n, entity[e, PRIO], now)
                        if s.resource[r, CAPACITY] - s.resource[r, USED] < n:
                            blocked_by = r
                if blocked_by < 0:
                    if op == ACQUIRE_ALL:
                        for w in range(r, r + n):
                            take(s, e, row(p.wants[row(w), 0]), p.wants[row(w), 1], now)
                    elif op == TAKE:
                        touch(s, r, now)
                        s.resource[r, CAPACITY] -= n
                        s.resource[r, CARRIED] -= n
                    else:
                        take(s, e, r, n, now)
                    s.area[first, WAITS] += 1.0
                    note(s, now, e, GOT, first)
                    entity[e, PC] = pc + 1
                    continue
                patience = np.inf
                if code[pc, DEADLINE] >= 0:
                    patience = value[e, FIRST_VALUE + code[pc, DEADLINE]] - now
                elif code[pc, DRAW] >= 0:
                    patience = lasts(p, s, e, code[pc, DRAW], pc)
                if patience <= 0.0:
                    s.resource[blocked_by, RENEGED] += 1
                    note(s, now, e, GAVE_UP, blocked_by)
                    entity[e, TURN] += 1
                    entity[e, PC] = code[pc, TARGET]
                    continue
                entity[e, WANT] = n
                entity[e, MODE] = ALL if op == ACQUIRE_ALL else (CONSUME if op == TAKE else ONE)
                note(s, now, e, WAITS_FOR, blocked_by)
                line_up(s, e, blocked_by, now)
                blocks(s, e, now, 1)
                if patience < np.inf:
                    set_timer(s, e, now + patience)
                break
            elif op == END:
                gone(s, e, now)
                break
            elif op == BRANCH:
                u = uniform(s.stream[e], pc, entity[e, TURN], 0)
                if u < p.draws[code[pc, DRAW], 1]:
                    if code[pc, ONE_OF] <= pc:
                        entity[e, TURN] += 1
                    entity[e, PC] = code[pc, ONE_OF]
                else:
                    entity[e, PC] = pc + 1
            elif op == JUMP:
                if code[pc, ONE_OF] <= pc:
                    entity[e, TURN] += 1
                entity[e, PC] = code[pc, ONE_OF]
            elif op == TEST:
                left, right, how = value[e, FIRST_VALUE + code[pc, ONE_OF]], p.draws[code[pc, DRAW], 1], code[pc, OTHER]
                if p.draws[code[pc, DRAW], 0] == ATTRIBUTE:
                    right = value[e, FIRST_VALUE + int(right)]
                if (
                    (how == LESS and left < right)
                    or (how == AT_MOST and left <= right)
                    or (how == EQUAL and left == right)
                    or (how == UNEQUAL and left != right)
                    or (how == AT_LEAST and left >= right)
                    or (how == MORE and left > right)
                ):
                    if code[pc, TARGET] <= pc:
                        entity[e, TURN] += 1
                    entity[e, PC] = code[pc, TARGET]
                else:
                    entity[e, PC] = pc + 1
            elif op == SET:
                a, d = FIRST_VALUE + code[pc, ONE_OF], code[pc, DRAW]
                amount = 0.0
                if d >= 0:
                    amount = valued(p, s, e, d, pc)
                how = code[pc, OTHER]
                if how == SET_TO:
                    value[e, a] = amount
                elif how == ADD:
                    value[e, a] += amount
                elif how == SET_NOW:
                    value[e, a] = now
                else:
                    value[e, a] = now + amount
                entity[e, PC] = pc + 1
            elif op == WAIT_UNTIL:
                until = max(now, value[e, FIRST_VALUE + code[pc, ONE_OF]])
                value[e, DUE] = until
                note(s, now, e, BEGAN, -1)
                set_timer(s, e, until)
                break
            elif op == PRIORITY:
                wanted = code[pc, OTHER] if code[pc, ONE_OF] < 0 else int(value[e, FIRST_VALUE + code[pc, ONE_OF]]) + 1
                entity[e, PRIO] = min(max(wanted, 0), s.head.shape[1] - 1)
                entity[e, PC] = pc + 1
            elif op == COUNT:
                s.counter[code[pc, ONE_OF]] += p.draws[code[pc, DRAW], 1]
                entity[e, PC] = pc + 1
            elif op == MEASURE:
                since = value[e, BORN] if code[pc, OTHER] < 0 else value[e, FIRST_VALUE + code[pc, OTHER]]
                tallied(s.tally, code[pc, ONE_OF], now - since)
                n = m[SAMPLED]
                if n < s.sample_value.shape[0]:
                    s.sample_value[n, 0] = now
                    s.sample_value[n, 1] = now - since
                    s.sample_what[n, 0] = code[pc, ONE_OF]
                    s.sample_what[n, 1] = entity[e, IDENT]
                    m[SAMPLED] = n + 1
                elif s.sample_value.shape[0] > 0:
                    m[LOST_SAMPLE] += 1
                entity[e, PC] = pc + 1
            elif op == PUT:
                r = code[pc, ONE_OF]
                touch(s, r, now)
                s.resource[r, CAPACITY] += code[pc, OTHER]
                s.resource[r, CARRIED] += code[pc, OTHER]
                freed = r
                entity[e, PC] = pc + 1
            elif op == BATCH:
                b = code[pc, ONE_OF]
                entity[e, QUEUE] = IN_BATCH
                if s.batch[b, 0] < 0:
                    s.batch[b, 0] = e
                    s.batch[b, 2] = e
                    if code[pc, DRAW] >= 0:
                        set_timer(s, e, now + lasts(p, s, e, code[pc, DRAW], pc))
                else:
                    entity[s.batch[b, 2], MEMBER] = e
                    s.batch[b, 2] = e
                s.batch[b, 1] += 1
                if s.batch[b, 1] >= code[pc, OTHER]:
                    leads(s, b)
                break
            elif op == UNBATCH:
                member = entity[e, MEMBER]
                entity[e, MEMBER] = -1
                while member >= 0:
                    following = entity[member, MEMBER]
                    entity[member, MEMBER] = -1
                    entity[member, QUEUE] = NOT_WAITING
                    entity[member, PC] = pc + 1
                    wake(s, member)
                    member = following
                entity[e, PC] = pc + 1
            elif op == SPLIT:
                for k in range(code[pc, OTHER]):
                    name = mixed(
                        np.uint64(entity[e, IDENT]) * _GOLDEN
                        + np.uint64(pc * 4096 + k)
                        + np.uint64(entity[e, TURN]) * _FIRST
                    )
                    child = born(
                        s, seed, now, int(name >> np.uint64(2)), code[pc, ONE_OF], entity[e, PRIO], code[pc, THIRD]
                    )
                    for a in range(FIRST_VALUE, value.shape[1]):
                        value[child, a] = value[e, a]
                    if code[pc, TARGET] < 0:
                        entity[child, PARENT] = e
                        entity[e, PENDING] += 1
                    wake(s, child)
                entity[e, PC] = pc + 1
            elif op == BREAK:
                r = code[pc, ONE_OF]
                touch(s, r, now)
                s.resource[r, DOWN] += code[pc, OTHER]
                entity[e, PC] = pc + 1
            else:
                if entity[e, PENDING] > 0:
                    entity[e, QUEUE] = IN_JOIN
                    break
                entity[e, PC] = pc + 1
        if steps >= most:
            ended = STOPPED
            break
    if ended != STOPPED:
        now = max(now, horizon) if horizon < np.inf else now
    for r in range(s.resource.shape[0]):
        touch(s, r, now)
    m[STEPS] = steps
    return now, ended


def compile_all(progress: Callable[[str], Any]) -> None:
    """Compile the interpreter by running the smallest model."""
    from cellwright.simulation.model import Model

    progress("  simulation kernel\n")
    model = Model("smallest")
    model.process("one", arrivals=1.0).delay(1.0)
    model.run(until=2.0)
