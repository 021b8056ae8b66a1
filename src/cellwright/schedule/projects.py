"""One project under scarce resources (RCPSP): the compiled search for its shortest makespan.

A plan is a list of activities, each set as early as its predecessors and resources allow (serial schedule generation,
Kelley 1963). A change of the list is decoded, then justified to the right and to the left (Valls, Ballestin and
Quintanilla 2005), and kept or not by annealing. Lists are renumbered by their starts, so that a list and its plan agree.
"""

import math
from collections import namedtuple
from typing import Any

import numpy as np

from cellwright.compiling import compiled
from cellwright.schedule.kernels import chance

Project = namedtuple(
    "Project",
    (
        "duration",  # int64 [tasks]
        "demand",  # int64 [tasks, resources]
        "capacity",  # int64 [resources]
        "before",  # int64 [arcs]: predecessors, task by task
        "before_at",  # int64 [tasks + 1]: where those of a task begin
        "after",  # int64 [arcs]: successors
        "after_at",  # int64 [tasks + 1]
        "tail",  # int64 [tasks]: longest path from a task's start to the end
    ),
)

Desk = namedtuple("Desk", ("order", "trial", "start", "kept", "best", "free", "place", "bucket", "backward", "mark"))
"""What the search writes into: lists, starts, the profile [horizon, resources], places in a list, counting buckets."""


@compiled
def earliest_in(p: Any, free: Any, task: int, t: Any, horizon: Any) -> Any:
    """The first time from t on at which a task's resources are left for its duration."""
    length, kinds = p.duration[task], p.capacity.shape[0]
    run = np.int64(0)
    at = t
    while run < length:
        enough = True
        for r in range(kinds):
            if free[at, r] < p.demand[task, r]:
                enough = False
        if enough:
            run += 1
        else:
            run = np.int64(0)
        at += 1
        if at >= horizon:
            break
    return at - run


@compiled
def decode(p: Any, free: Any, order: Any, start: Any, forward: bool) -> Any:
    """Set the tasks of a list one by one as early as possible; backwards with successors for predecessors.

    Returns the makespan.
    """
    horizon, kinds = free.shape[0], p.capacity.shape[0]
    top = np.int64(0)
    used = np.int64(0)
    for i in range(order.shape[0]):
        task = order[i]
        t = np.int64(0)
        if forward:
            for a in range(p.before_at[task], p.before_at[task + 1]):
                t = max(t, start[p.before[a]] + p.duration[p.before[a]])
        else:
            for a in range(p.after_at[task], p.after_at[task + 1]):
                t = max(t, start[p.after[a]] + p.duration[p.after[a]])
        stop = min(horizon, max(top, t) + p.duration[task] + 1)
        while used < stop:
            for r in range(kinds):
                free[used, r] = p.capacity[r]
            used += 1
        if p.duration[task] > 0:
            t = earliest_in(p, free, task, t, stop)
        start[task] = t
        end = t + p.duration[task]
        for at in range(t, end):
            for r in range(kinds):
                free[at, r] -= p.demand[task, r]
        top = max(top, end)
    return top


@compiled
def sort_by(key: Any, order: Any, out: Any, bucket: Any, top: Any) -> None:
    """Tasks of `order` by rising key (0 to top), stable, into `out` (counting sort)."""
    for t in range(top + 2):
        bucket[t] = 0
    for i in range(order.shape[0]):
        bucket[key[order[i]] + 1] += 1
    for t in range(top + 1):
        bucket[t + 1] += bucket[t]
    for i in range(order.shape[0]):
        task = order[i]
        out[bucket[key[task]]] = task
        bucket[key[task]] += 1


@compiled
def justified(p: Any, desk: Any, order: Any, start: Any, makespan: Any) -> Any:
    """Right and left justification of a plan; `order` becomes the list of the plan that results. Returns its makespan."""
    n = order.shape[0]
    key = desk.place
    for task in range(n):
        key[task] = makespan - (start[task] + p.duration[task])
    sort_by(key, order, desk.backward, desk.bucket, makespan)
    # zero-length tasks may tie with those they precede: predecessors behind their successors, by a stable pass
    settle_order(p, desk.backward, desk.mark, False)
    found = decode(p, desk.free, desk.backward, start, False)
    for task in range(n):
        key[task] = found - (start[task] + p.duration[task])
    sort_by(key, desk.backward, order, desk.bucket, found)
    settle_order(p, order, desk.mark, True)
    return decode(p, desk.free, order, start, True)


@compiled
def settle_order(p: Any, order: Any, mark: Any, forward: bool) -> None:
    """Bring a list into an order of precedence by moving tasks back only where ties have put them too early."""
    n = order.shape[0]
    for i in range(n):
        mark[order[i]] = i
    for i in range(n):
        task = order[i]
        last = -1
        if forward:
            for a in range(p.before_at[task], p.before_at[task + 1]):
                last = max(last, mark[p.before[a]])
        else:
            for a in range(p.after_at[task], p.after_at[task + 1]):
                last = max(last, mark[p.after[a]])
        while last > i:
            for k in range(i, last):
                order[k] = order[k + 1]
                mark[order[k]] = k
            order[last] = task
            mark[task] = last
            task = order[i]
            last = -1
            if forward:
                for a in range(p.before_at[task], p.before_at[task + 1]):
                    last = max(last, mark[p.before[a]])
            else:
                for a in range(p.after_at[task], p.after_at[task + 1]):
                    last = max(last, mark[p.after[a]])


@compiled
def moved(p: Any, order: Any, trial: Any, place: Any, random: Any, reach: int) -> None:
    """A neighbour of a list: a task moved within what precedence leaves, with the tasks that stand in its way."""
    n = order.shape[0]
    for i in range(n):
        trial[i] = order[i]
        place[order[i]] = i
    i = int(chance(random) * n)
    task = order[i]
    first, last = 0, n - 1
    for a in range(p.before_at[task], p.before_at[task + 1]):
        first = max(first, place[p.before[a]] + 1)
    for a in range(p.after_at[task], p.after_at[task + 1]):
        last = min(last, place[p.after[a]] - 1)
    first, last = max(first, i - reach), min(last, i + reach)
    if last <= first:
        return
    to = first + int(chance(random) * (last - first + 1))
    if to < i:
        for k in range(i, to, -1):
            trial[k] = trial[k - 1]
    else:
        for k in range(i, to):
            trial[k] = trial[k + 1]
    trial[to] = task


@compiled
def anneal(p: Any, desk: Any, random: Any, settings: Any) -> Any:
    """Rounds of annealing from the list in `desk.order`; the best starts go into `desk.best`. Returns their makespan.

    `settings`: rounds, first and last temperature, most moves of a round, the bound at which it ends, the makespan of
    `desk.best` (0 for none), the makespan of the list.
    """
    rounds, hot, cold, moves = int(settings[0]), settings[1], settings[2], int(settings[3])
    bound, best, now = np.int64(settings[4]), np.int64(settings[5]), np.int64(settings[6])
    n = desk.order.shape[0]
    cooling = math.pow(cold / hot, 1.0 / max(1, rounds))
    heat = hot
    for _round in range(rounds):
        heat *= cooling
        if best <= bound and best > 0:
            break
        count = 1 + int(chance(random) * moves)
        moved(p, desk.order, desk.trial, desk.place, random, n)
        for _more in range(count - 1):
            for i in range(n):
                desk.kept[i] = desk.trial[i]
            moved(p, desk.kept, desk.trial, desk.place, random, n)
        found = decode(p, desk.free, desk.trial, desk.start, True)
        allowed = float(now) - heat * math.log(1.0 - chance(random))
        if float(found) > allowed + 0.03 * float(now):
            continue
        found = justified(p, desk, desk.trial, desk.start, found)
        if float(found) <= allowed:
            now = found
            for i in range(n):
                desk.order[i] = desk.trial[i]
            if found < best or best <= 0:
                best = found
                for task in range(n):
                    desk.best[task] = desk.start[task]
    settings[5], settings[6] = best, now
    return best
