"""The compiled core: jobs are fitted into what is left of the resources, torn out, and fitted again.

Time is counted in steps. `free[r, t]` is what is left of row r in step t, `low[r, b]` the least of it in block b
of 32 steps, so that a culture of weeks is checked in a few comparisons. All numbers are whole: a plan depends on the
problem, the seed and the number of rounds, and on nothing else.
"""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from cellwright.compiling import compiled, inlined
from cellwright.schedule.layout import (
    BLOCK,
    DEADLINE,
    DUE,
    EARLIEST,
    FIRST_MODE,
    HELD,
    LATE_WEIGHT,
    LATEST,
    MODES,
    MOVE_WEIGHT,
    NO_END,
    NO_LIMIT,
    NO_RESOURCE,
    NO_WINDOW,
    NOT_PLACED,
    PINNED,
    RELEASE,
    WEIGHT,
    WISH,
    WISH_TASK,
)

TRIES: Final = 5000
"""Steps of fitting one job after which its lags are said to chase each other."""
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


@compiled
def chance(random: Any) -> Any:
    """The next number in [0, 1) of a SplitMix64 stream (Steele, Lea and Flood 2014); `random[0]` is its state."""
    random[0] += _GOLDEN
    x = random[0]
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    x ^= x >> np.uint64(31)
    return float(x >> np.uint64(11)) * 2.0**-53


@compiled
def last_short(free: Any, low: Any, r: int, units: int, begin: int, end: int) -> Any:
    """The last step of [begin, end) with fewer than `units` left, or -1."""
    t = end - 1
    while t >= begin:
        block = t >> BLOCK
        first = block << BLOCK
        if low[r, block] >= units:
            t = first - 1
            continue
        stop = max(first, begin)
        while t >= stop:
            if free[r, t] < units:
                return t
            t -= 1
    return -1


@compiled
def use(free: Any, low: Any, r: int, units: int, begin: int, end: int) -> None:
    """Take units out of [begin, end); give them back with a negative number."""
    for t in range(begin, end):
        free[r, t] -= units
    first, last = begin >> BLOCK, (end - 1) >> BLOCK
    for block in range(first, last + 1):
        start = block << BLOCK
        stop = min(start + (1 << BLOCK), free.shape[1])
        if begin <= start and end >= stop:
            low[r, block] -= units
        else:
            least = free[r, start]
            for t in range(start + 1, stop):
                least = min(least, free[r, t])
            low[r, block] = least


@compiled
def use_option(p: Any, free: Any, low: Any, option: int, t: int, sign: int) -> None:
    """Put a task done in this way at t into the rows (sign 1) or take it out of them (sign -1)."""
    length = p.option[option, 0]
    for d in range(p.option[option, 1], p.option[option, 2]):
        begin = max(0, t - p.demand[d, 2])
        end = min(free.shape[1], t + length + p.demand[d, 3])
        if begin < end:
            use(free, low, p.demand[d, 0], sign * p.demand[d, 1], begin, end)


@compiled
def place(p: Any, free: Any, low: Any, j: int, template: int, start: Any, sign: int) -> None:
    """Put what is free of a job with these starts into the rows (sign 1) or take it out of them (sign -1)."""
    pinned, width = p.job[j, PINNED] == 1, start.shape[0] // 2
    for k in range(p.template[template, 1]):
        if not (pinned and p.pin[j, k] >= 0):
            use_option(p, free, low, start[width + k], start[k], sign)
    for h in range(p.template[template, 2], p.template[template, 3]):
        begin = hold_begin(p, j, h, start)
        end = hold_end(p, h, start)
        if begin < end:
            use(free, low, p.hold[h, 0], sign * p.hold[h, 1], begin, end)


@inlined
def hold_begin(p: Any, j: int, h: int, start: Any) -> Any:
    """From when on a hold counts: the start of its first task, or what fixed work has already taken."""
    begin = start[p.hold[h, 2]]
    if p.job[j, PINNED] == 1 and p.pin[j, p.hold[h, 2]] >= 0:
        begin = max(begin, p.job[j, HELD])
    return begin


@inlined
def hold_end(p: Any, h: int, start: Any) -> Any:
    """Until when a hold counts, cleaning included."""
    last = p.hold[h, 3]
    return start[last] + p.option[start[start.shape[0] // 2 + last], 0] + p.hold[h, 4]


@compiled
def option_after(p: Any, free: Any, low: Any, option: int, t: int, blocking: Any) -> Any:
    """The first start from t on at which everything that the option needs is left, or -1."""
    length, begin, end = p.option[option, 0], p.option[option, 1], p.option[option, 2]
    moved = True
    while moved:
        moved = False
        for d in range(begin, end):
            if p.demand[d, 4] == 0:
                continue
            stop = t + length + p.demand[d, 3]
            if stop > free.shape[1]:
                blocking[0] = p.demand[d, 0]
                return -1
            short = last_short(free, low, p.demand[d, 0], p.demand[d, 1], t, stop)
            if short >= 0:
                t = short + 1
                moved = True
                blocking[0] = p.demand[d, 0]
    return -1 if t + length > free.shape[1] else t


@compiled
def task_after(p: Any, free: Any, low: Any, task: int, t: int, k: int, start: Any, blocking: Any) -> Any:
    """Start the task as early from t on as lets it end soonest; the option goes into `start`. Returns the start, or -1."""
    width = start.shape[0] // 2
    best, soonest = -1, np.int64(NO_LIMIT)
    for option in range(p.task[task, 0], p.task[task, 1]):
        found = option_after(p, free, low, option, t, blocking)
        if found >= 0 and found + p.option[option, 0] < soonest:
            best, soonest = found, found + p.option[option, 0]
            start[width + k] = option
    return best


@compiled
def first_short(free: Any, low: Any, r: int, units: int, begin: int, end: int) -> Any:
    """The first step of [begin, end) with fewer than `units` left, or -1."""
    t = begin
    while t < end:
        block = t >> BLOCK
        behind = (block + 1) << BLOCK
        if low[r, block] >= units:
            t = behind
            continue
        stop = min(behind, end)
        while t < stop:
            if free[r, t] < units:
                return t
            t += 1
    return -1


@compiled
def option_before(p: Any, free: Any, low: Any, option: int, least: int, t: int) -> Any:
    """The last start in [least, t] at which everything that the option needs is left, or -1."""
    length, begin, end = p.option[option, 0], p.option[option, 1], p.option[option, 2]
    moved = True
    while moved and t >= least:
        moved = False
        for d in range(begin, end):
            if p.demand[d, 4] == 0:
                continue
            behind = length + p.demand[d, 3]
            if t + behind > free.shape[1]:
                t = free.shape[1] - behind
                moved = True
            short = first_short(free, low, p.demand[d, 0], p.demand[d, 1], t, t + behind)
            if short >= 0:
                t = short - behind
                moved = True
    return t if t >= least else -1


@compiled
def tighten(p: Any, free: Any, low: Any, template: int, start: Any, later: Any, most: Any, latest: int) -> None:
    """Set what comes before the end of a hold as late as what follows allows, so that the hold is short.

    The end of the job stays. `most` narrows, for a few turns, to what the lags leave; where they leave nothing, nothing
    is changed.
    """
    count, width = p.template[template, 1], start.shape[0] // 2
    end = np.int64(0)
    for k in range(count):
        end = max(end, start[k] + p.option[start[width + k], 0])
    for h in range(p.template[template, 2], p.template[template, 3]):
        last = p.hold[h, 3]
        for k in range(count):
            most[k] = start[k] if k >= last else end - p.option[start[width + k], 0]
        most[0] = min(most[0], latest)
        for _turn in range(2 * count):
            if not narrowed(p, template, start, most):
                break
            sound = True
            for k in range(count):
                later[k] = start[k]
            for back in range(last):
                k = last - 1 - back
                if most[k] > start[k]:
                    t = option_before(p, free, low, start[width + k], start[k], most[k])
                    later[k] = start[k] if t < 0 else t
                if later[k] < most[k]:
                    most[k] = later[k]
                    sound = False
                    break
            if sound:
                for k in range(last):
                    start[k] = later[k]
                break


@compiled
def narrowed(p: Any, template: int, start: Any, most: Any) -> bool:
    """Make `most` obey the lags; False where a task would have to begin before `start`."""
    first, count, width = p.template[template, 0], p.template[template, 1], start.shape[0] // 2
    changed = True
    while changed:
        changed = False
        for k in range(count):
            for a in range(p.task[first + k, 2], p.task[first + k, 3]):
                before = p.arc[a, 0]
                length = p.option[start[width + before], 0]
                if most[k] - p.arc[a, 1] - length < most[before]:
                    most[before] = most[k] - p.arc[a, 1] - length
                    changed = True
                if p.arc[a, 2] < NO_LIMIT and most[before] + length + p.arc[a, 2] < most[k]:
                    most[k] = most[before] + length + p.arc[a, 2]
                    changed = True
            if most[k] < start[k]:
                return False
    return True


@compiled
def lift(p: Any, free: Any, low: Any, j: int, start: Any, begin: int, end: int) -> None:
    """Take tasks begin to end - 1 of a job that is being fitted out of the rows."""
    width, pinned = start.shape[0] // 2, p.job[j, PINNED] == 1
    for k in range(begin, end):
        if not (pinned and p.pin[j, k] >= 0):
            use_option(p, free, low, start[width + k], start[k], -1)


@compiled
def pulled(p: Any, j: int, template: int, k: int, start: Any, earliest: Any) -> int:
    """The first task that must begin later so that task k does not come too late after it, -1 if none, -2 if none may.

    Their earliest starts are set.
    """
    first, width = p.template[template, 0], start.shape[0] // 2
    back = -1
    for a in range(p.task[first + k, 2], p.task[first + k, 3]):
        before, most = p.arc[a, 0], p.arc[a, 2]
        if most >= NO_LIMIT:
            continue
        needed = start[k] - most - p.option[start[width + before], 0]
        if start[before] < needed:
            if p.job[j, PINNED] == 1 and p.pin[j, before] >= 0:
                return -2
            earliest[before] = max(earliest[before], needed)
            if back < 0 or before < back:
                back = before
    return back


@compiled
def interrupted(p: Any, free: Any, low: Any, j: int, template: int, start: Any, earliest: Any, blocking: Any) -> int:
    """The first task that must begin later so that every hold finds its units, -1 if none, -2 if none may."""
    back = -1
    for h in range(p.template[template, 2], p.template[template, 3]):
        a = p.hold[h, 2]
        begin, end = hold_begin(p, j, h, start), hold_end(p, h, start)
        if end > free.shape[1]:
            blocking[0] = p.hold[h, 0]
            return -2
        short = last_short(free, low, p.hold[h, 0], p.hold[h, 1], begin, end)
        if short >= 0:
            blocking[0] = p.hold[h, 0]
            if p.job[j, PINNED] == 1 and p.pin[j, a] >= 0:
                return -2
            earliest[a] = max(earliest[a], short + 1)
            back = a if back < 0 else min(back, a)
    return back


@compiled
def fit(
    p: Any, free: Any, low: Any, j: int, template: int, latest: Any, start: Any, earliest: Any, blocking: Any
) -> Any:
    """Earliest starts of a job in what is left, into `start`; returns its end, or -1 where it does not fit.

    Tasks are set one after another, each as early as its predecessors and resources allow. Where one comes too late
    after another (a maximum lag, a hold that is interrupted), the other is set later and all behind it anew.
    """
    first, count, width = p.template[template, 0], p.template[template, 1], start.shape[0] // 2
    own, pinned = p.template[template, 4] == 1, p.job[j, PINNED] == 1
    for k in range(count):
        earliest[k] = p.job[j, EARLIEST]
    placed, k, tries = 0, 0, 0
    while True:
        tries += 1
        if tries > TRIES:
            blocking[1] = NO_END
            break
        if k < count:
            task = first + k
            t = earliest[k]
            fixed = pinned and p.pin[j, k] >= 0
            for a in range(p.task[task, 2], p.task[task, 3]):
                before = p.arc[a, 0]
                t = max(t, start[before] + p.option[start[width + before], 0] + p.arc[a, 1])
            if fixed:
                start[k], start[width + k] = p.pin[j, k], p.pin[j, width + k]
            else:
                t = task_after(p, free, low, task, t, k, start, blocking)
                if t < 0:
                    blocking[1] = NO_RESOURCE
                    break
                start[k] = t
                if t + p.option[start[width + k], 0] > p.job[j, DEADLINE] or (k == 0 and t > latest):
                    blocking[1] = NO_WINDOW
                    break
            back = pulled(p, j, template, k, start, earliest)
            if back == -1:
                if own and not fixed:
                    use_option(p, free, low, start[width + k], start[k], 1)
                k += 1
                placed = k
                continue
        else:
            back = interrupted(p, free, low, j, template, start, earliest, blocking)
            if back == -1:
                if own:
                    lift(p, free, low, j, start, 0, placed)
                end = np.int64(0)
                for i in range(count):
                    end = max(end, start[i] + p.option[start[width + i], 0])
                return end
        if back == -2:
            blocking[1] = NO_WINDOW
            break
        if own and back < placed:
            lift(p, free, low, j, start, back, placed)
        k = back
        placed = min(placed, back)
    if own:
        lift(p, free, low, j, start, 0, placed)
    return -1


@inlined
def cost(job: Any, start: Any, end: Any) -> Any:
    """Weighted time from release, weighted lateness, and weighted moves away from what was promised."""
    total = job[WEIGHT] * (end - job[RELEASE]) + job[LATE_WEIGHT] * max(0, end - job[DUE])
    if job[WISH] >= 0:
        total += job[MOVE_WEIGHT] * abs(start[job[WISH_TASK]] - job[WISH])
    return total


@compiled
def best_fit(
    p: Any,
    free: Any,
    low: Any,
    j: int,
    start: Any,
    chosen: Any,
    room: Any,
    tight: bool,
) -> Any:
    """Fit a job in the best of its modes; returns the cost, or -1. The mode goes into `chosen[j]`."""
    job, spare = p.job[j], room.spare
    best = np.int64(-1)
    for m in range(job[FIRST_MODE], job[FIRST_MODE] + job[MODES]):
        template = p.mode[m, 0]
        latest = min(np.int64(NO_LIMIT), job[RELEASE] + p.mode[m, 2])
        end = fit(p, free, low, j, template, latest, spare, room.earliest, room.blocking)
        if end >= 0:
            if tight and p.template[template, 4] == 0 and job[PINNED] == 0:
                tighten(p, free, low, template, spare, room.earliest, room.later, latest)
            price = cost(job, spare, end) + p.mode[m, 1]
            if best < 0 or price < best:
                best = price
                chosen[j] = m
                for k in range(spare.shape[0]):
                    start[k] = spare[k]
    return best


@compiled
def construct(
    p: Any, free: Any, low: Any, order: Any, starts: Any, chosen: Any, price: Any, blocked: Any, room: Any
) -> int:
    """Fit the jobs in the given order. Returns how many did not fit; `blocked` tells on which row and why."""
    blocking = room.blocking
    missing = 0
    for i in range(order.shape[0]):
        j = order[i]
        blocking[0] = -1
        blocking[1] = 0
        price[j] = best_fit(p, free, low, j, starts[j], chosen, room, True)
        if price[j] < 0:
            missing += 1
            blocked[j, 0] = blocking[0]
            blocked[j, 1] = blocking[1]
            chosen[j] = NOT_PLACED
        else:
            place(p, free, low, j, p.mode[chosen[j], 0], starts[j], 1)
    return missing


@compiled
def settle(p: Any, free: Any, low: Any) -> None:
    """Put fixed work into the rows, for good: its tasks, and its holds until the time from which they are counted."""
    width = p.pin.shape[1] // 2
    for j in range(p.job.shape[0]):
        if p.job[j, PINNED] == 0:
            continue
        template = p.mode[p.job[j, FIRST_MODE], 0]
        for k in range(p.template[template, 1]):
            if p.pin[j, k] >= 0:
                use_option(p, free, low, p.pin[j, width + k], p.pin[j, k], 1)
        for h in range(p.template[template, 2], p.template[template, 3]):
            a, b = p.hold[h, 2], p.hold[h, 3]
            if p.pin[j, a] >= 0:
                end = p.job[j, HELD]
                if p.pin[j, b] >= 0:
                    end = min(end, p.pin[j, b] + p.option[p.pin[j, width + b], 0] + p.hold[h, 4])
                if p.pin[j, a] < end:
                    use(free, low, p.hold[h, 0], p.hold[h, 1], p.pin[j, a], end)


@compiled
def still_fits(p: Any, free: Any, low: Any, j: int, k: int, template: int, start: Any) -> bool:
    """Whether a task of an old plan may stay where it is."""
    task, width = p.template[template, 0] + k, start.shape[0] // 2
    option = start[width + k]
    length = p.option[option, 0]
    if start[k] < p.job[j, EARLIEST] or start[k] + length > p.job[j, DEADLINE]:
        return False
    for a in range(p.task[task, 2], p.task[task, 3]):
        before = p.arc[a, 0]
        gap = start[k] - start[before] - p.option[start[width + before], 0]
        if gap < p.arc[a, 1] or gap > p.arc[a, 2]:
            return False
    for d in range(p.option[option, 1], p.option[option, 2]):
        if p.demand[d, 4] == 1:
            end = start[k] + length + p.demand[d, 3]
            if end > free.shape[1] or last_short(free, low, p.demand[d, 0], p.demand[d, 1], start[k], end) >= 0:
                return False
    return True


@compiled
def kept(p: Any, free: Any, low: Any, j: int, template: int, start: Any) -> bool:
    """Put a job back where it was, if all of it may stay there."""
    pinned = p.job[j, PINNED] == 1
    done, sound = 0, True
    while done < p.template[template, 1] and sound:
        if not (pinned and p.pin[j, done] >= 0):
            sound = still_fits(p, free, low, j, done, template, start)
            if sound:
                use_option(p, free, low, start[start.shape[0] // 2 + done], start[done], 1)
        else:
            sound = p.pin[j, done] == start[done]
        if sound:
            done += 1
    held = p.template[template, 2]
    while held < p.template[template, 3] and sound:
        begin, end = hold_begin(p, j, held, start), hold_end(p, held, start)
        if end > free.shape[1] or last_short(free, low, p.hold[held, 0], p.hold[held, 1], begin, end) >= 0:
            sound = False
        else:
            if begin < end:
                use(free, low, p.hold[held, 0], p.hold[held, 1], begin, end)
            held += 1
    if sound:
        return True
    lift(p, free, low, j, start, 0, done)
    for h in range(p.template[template, 2], held):
        begin, end = hold_begin(p, j, h, start), hold_end(p, h, start)
        if begin < end:
            use(free, low, p.hold[h, 0], -p.hold[h, 1], begin, end)
    return False


@compiled
def keep(p: Any, free: Any, low: Any, order: Any, starts: Any, chosen: Any, price: Any) -> int:
    """Put back every job of an old plan that may stay where it was; the others are not placed. Returns how many."""
    missing = 0
    for i in range(order.shape[0]):
        j = order[i]
        price[j] = -1
        if chosen[j] >= 0:
            template, width = p.mode[chosen[j], 0], starts.shape[1] // 2
            if kept(p, free, low, j, template, starts[j]):
                end = np.int64(0)
                for k in range(p.template[template, 1]):
                    end = max(end, starts[j, k] + p.option[starts[j, width + k], 0])
                price[j] = cost(p.job[j], starts[j], end) + p.mode[chosen[j], 1]
                continue
        chosen[j] = NOT_PLACED
        missing += 1
    return missing


@compiled
def torn_out(p: Any, by_time: Any, most: int, random: Any, out: Any) -> int:
    """Choose the jobs of a round: mostly neighbours in time, seldom any; returns how many stand in `out`."""
    count = by_time.shape[0]
    size: int = min(1 + int(chance(random) * most), count)
    centre = int(chance(random) * count)
    kind = chance(random)
    if kind < 0.2:
        begin = max(0, min(count - size, centre - size // 2))
        for i in range(size):
            out[i] = by_time[begin + i]
        return size
    spread = count
    if kind < 0.6:
        spread = 2 * size
    elif kind < 0.9:
        spread = 6 * size
    first, last = max(0, centre - spread), min(count, centre + spread + 1)
    n, tries = 0, 0
    while n < size and tries < 4 * size:
        tries += 1
        j = by_time[first + int(chance(random) * (last - first))]
        known = False
        for i in range(n):
            known = known or out[i] == j
        if not known:
            out[n] = j
            n += 1
    return n


@compiled
def sorted_anew(p: Any, n: int, out: Any, key: Any, turn: Any, random: Any) -> None:
    """The order in which the jobs of a round are fitted again, into `turn`: urgent first, by one of several measures."""
    how, noise = chance(random), chance(random)
    for i in range(n):
        j = out[i]
        release, weight = float(p.job[j, RELEASE]), float(p.job[j, WEIGHT])
        if how < 0.35:
            key[i] = -weight * 1e6 + release + noise * 40.0 * chance(random)
        elif how < 0.6:
            key[i] = float(p.job[j, LATEST]) + chance(random)
        elif how < 0.8:
            key[i] = release - 24.0 * noise * weight + 10.0 * chance(random)
        else:
            key[i] = chance(random)
        k = i - 1
        while k >= 0 and key[turn[k]] > key[i]:
            turn[k + 1] = turn[k]
            k -= 1
        turn[k + 1] = i


@compiled
def improve(
    p: Any,
    free: Any,
    low: Any,
    starts: Any,
    chosen: Any,
    price: Any,
    by_time: Any,
    random: Any,
    settings: Any,
    room: Any,
) -> Any:
    """Ruin and recreate with annealing (Schrimpf et al. 2000) for a number of rounds. Returns the cost reached.

    `by_time` is the jobs that may move, in the order of their promised begin; `settings` holds rounds, first and last
    temperature, most jobs of a round, and the price of a job that is not placed.
    """
    rounds, hot, cold, most, penalty = int(settings[0]), settings[1], settings[2], int(settings[3]), int(settings[4])
    out, key, turn, old_chosen, old_price = room.out, room.key, room.turn, room.old_chosen, room.old_price
    old_starts, share = room.old_starts, settings[5]
    width = starts.shape[1]
    total = np.int64(0)
    for i in range(by_time.shape[0]):
        j = by_time[i]
        total += price[j] if price[j] >= 0 else penalty
    cooling = math.pow(cold / hot, 1.0 / max(1, rounds))
    heat = hot
    for _round in range(rounds):
        heat *= cooling
        n = torn_out(p, by_time, most, random, out)
        before = np.int64(0)
        for i in range(n):
            j = out[i]
            before += price[j] if price[j] >= 0 else penalty
            old_price[i] = price[j]
            old_chosen[i] = chosen[j]
            if price[j] >= 0:
                for k in range(width):
                    old_starts[i, k] = starts[j, k]
                place(p, free, low, j, p.mode[chosen[j], 0], starts[j], -1)
        tight = chance(random) < share
        sorted_anew(p, n, out, key, turn, random)
        allowed = float(before) - heat * math.log(1.0 - chance(random))
        after = np.int64(0)
        done = 0
        while done < n and after <= allowed:
            j = out[turn[done]]
            done += 1
            price[j] = best_fit(p, free, low, j, starts[j], chosen, room, tight)
            if price[j] >= 0:
                after += price[j]
                place(p, free, low, j, p.mode[chosen[j], 0], starts[j], 1)
            else:
                after += penalty
                chosen[j] = NOT_PLACED
        if after <= allowed:
            total += after - before
            continue
        for i in range(done):
            j = out[turn[i]]
            if price[j] >= 0:
                place(p, free, low, j, p.mode[chosen[j], 0], starts[j], -1)
        for i in range(n):
            j = out[i]
            price[j] = old_price[i]
            chosen[j] = old_chosen[i]
            if price[j] >= 0:
                for k in range(width):
                    starts[j, k] = old_starts[i, k]
                place(p, free, low, j, p.mode[chosen[j], 0], starts[j], 1)
    return total


def compile_all(progress: Callable[[str], Any]) -> None:
    """Compile the core, and that of projects, by planning the smallest problems."""
    from cellwright.schedule.generate import plant
    from cellwright.schedule.read import parse_patterson
    from cellwright.schedule.solve import repair, solve

    progress("  scheduling core\n")
    problem = plant(2)
    repair(problem, solve(problem, rounds=2), now=100)
    progress("  projects\n")
    solve(parse_patterson("3 1 2\n0 0 1 2\n2 1 1 3\n1 2 0", "smallest"), rounds=2)
