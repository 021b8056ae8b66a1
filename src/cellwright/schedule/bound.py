"""Lower bounds of the sum of weighted times, so that a gap can be stated.

Two relaxations, the better of which counts: every job alone on empty resources (critical path through calendars), and
every row alone, with work that may be interrupted and spread (mean busy time, Goemans 1997: highest weight over work
first is its optimum, for any capacity over time).
"""

import heapq
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellwright.schedule import kernels, layout
from cellwright.schedule.search import fresh
from cellwright.schedule.tables import Array, Laid


@dataclass(frozen=True)
class Alone:
    """Every job on empty resources: earliest starts and end in its cheapest mode, and what that costs; -1 where none."""

    starts: Array
    """[jobs, width]"""
    ends: Array
    cost: Array
    template: Array


def alone(laid: Laid) -> Alone:
    """Each job by itself. Tasks of one job may meet here, which makes the bound weaker and never wrong."""
    tables = laid.tables
    apart = tables._replace(template=tables.template.copy())
    apart.template[:, 4] = 0
    state = fresh(laid, 1, kernels)
    count = len(laid.problem.jobs)
    starts, ends = np.zeros((count, laid.width), np.int64), np.full(count, -1, np.int64)
    cost, template = np.full(count, -1, np.int64), np.zeros(count, np.int64)
    for j in range(count):
        job = tables.job[j]
        for m in range(job[layout.FIRST_MODE], job[layout.FIRST_MODE] + job[layout.MODES]):
            which, price, within = (int(value) for value in tables.mode[m])
            spare, latest = state.room.spare, int(min(layout.NO_LIMIT, job[layout.RELEASE] + within))
            end = int(
                kernels.fit(
                    apart, state.free, state.low, j, which, latest, spare, state.room.earliest, state.room.blocking
                )
            )
            if end < 0:
                continue
            late = max(0, end - int(job[layout.DUE]))
            value = (
                int(job[layout.WEIGHT]) * (end - int(job[layout.RELEASE])) + int(job[layout.LATE_WEIGHT]) * late + price
            )
            if cost[j] < 0 or value < cost[j]:
                cost[j], ends[j], template[j] = value, end, which
                starts[j] = spare[: laid.width]
    return Alone(starts, ends, cost, template)


def lower_bound(laid: Laid) -> int | None:
    """The best of the bounds; None where some job cannot even be done alone."""
    if not laid.problem.jobs:
        return 0
    each = alone(laid)
    if (each.cost < 0).any():
        return None
    best = int(each.cost.sum())
    if (laid.tables.job[:, layout.MODES] == 1).all() and len(laid.way_of) == len(laid.tables.task):
        for row in range(len(laid.labels)):
            best = max(best, mean_busy_time(laid, each, row))
    return best


@dataclass(frozen=True)
class Piece:
    """Work of a job on a row: from when on it may be done, how much, and the least time from its end to the job's end."""

    release: int
    work: int
    length: int
    tail: int


def pieces(laid: Laid, each: Alone, j: int, row: int, tails: list[int]) -> list[Piece]:
    """The tasks and holds of a job that use a row; a hold counts for its shortest length."""
    tables, template = laid.tables, laid.tables.template[each.template[j]]
    first, found = int(template[0]), []
    pinned = tables.job[j, layout.PINNED] == 1
    for k in range(int(template[1])):
        if pinned and tables.pin[j, k] >= 0:
            continue
        option = tables.option[tables.task[first + k, 0]]
        for demand in tables.demand[option[1] : option[2]]:
            if demand[0] == row and demand[4] == 1 and option[0] > 0:
                length = int(option[0])
                found.append(Piece(int(each.starts[j, k]), length * int(demand[1]), length, tails[k] - length))
    if pinned:
        return found
    for hold in tables.hold[template[2] : template[3]]:
        if hold[0] == row:
            a, b = int(hold[2]), int(hold[3])
            length = span(laid, int(each.template[j]), a, b)
            last = int(tables.option[tables.task[first + b, 0], 0])
            found.append(Piece(int(each.starts[j, a]), length * int(hold[1]), length, tails[b] - last))
    return found


def tails_of(laid: Laid, template: int) -> list[int]:
    """For each task the longest path from its start to the job's end."""
    tables = laid.tables
    first, count = (int(value) for value in tables.template[template, :2])
    length = [int(tables.option[tables.task[first + k, 0], 0]) for k in range(count)]
    tails = list(length)
    for k in range(count - 1, -1, -1):
        for a in range(tables.task[first + k, 2], tables.task[first + k, 3]):
            before, least = int(tables.arc[a, 0]), int(tables.arc[a, 1])
            tails[before] = max(tails[before], length[before] + least + tails[k])
    return tails


def span(laid: Laid, template: int, a: int, b: int) -> int:
    """The least time from the start of one task to the end of another."""
    tables = laid.tables
    first = int(tables.template[template, 0])
    length = [int(tables.option[tables.task[first + k, 0], 0]) for k in range(b + 1)]
    far = [-layout.NO_LIMIT] * (b + 1)
    far[a] = 0
    for k in range(a + 1, b + 1):
        for arc in range(tables.task[first + k, 2], tables.task[first + k, 3]):
            before, least = int(tables.arc[arc, 0]), int(tables.arc[arc, 1])
            if far[before] > -layout.NO_LIMIT:
                far[k] = max(far[k], far[before] + length[before] + least)
    return max(length[a], far[b] + length[b])


def mean_busy_time(laid: Laid, each: Alone, row: int) -> int:
    """The bound of one row, with every other job at its cost alone.

    A job ends no earlier than the mean busy time of each of its pieces + half its length + its tail; these are averaged
    by work, so that all pieces of a job have the same urgency.
    """
    job = laid.tables.job
    tails = {t: tails_of(laid, t) for t in set(each.template.tolist())}
    constant, rest = 0.0, 0
    todo: list[tuple[int, float, float, float]] = []
    for j in range(len(job)):
        weight = int(job[j, layout.WEIGHT])
        own = pieces(laid, each, j, row, tails[int(each.template[j])]) if weight else []
        total = sum(piece.work for piece in own)
        if not total:
            rest += int(each.cost[j])
            continue
        constant += int(laid.tables.mode[job[j, layout.FIRST_MODE], 1]) - weight * int(job[j, layout.RELEASE])
        constant += int(job[j, layout.LATE_WEIGHT]) * max(0, int(each.ends[j] - job[j, layout.DUE]))
        for piece in own:
            share = piece.work / total
            constant += weight * share * (piece.length / 2 + piece.tail)
            todo.append((piece.release, weight / total, float(piece.work), weight * share / piece.work))
    if not todo:
        return 0
    return math.ceil(constant + rest + _busy(todo, laid.free[row].tolist()) - 1e-6)


def _busy(todo: list[tuple[int, float, float, float]], line: list[int]) -> float:
    """The least sum of weight x mean busy time of (release, urgency, work, weight of a unit of work)."""
    todo = sorted(todo)
    waiting: list[list[Any]] = []
    total, i, t = 0.0, 0, 0
    while i < len(todo) or waiting:
        if not waiting and t < todo[i][0]:
            t = todo[i][0]
        while i < len(todo) and todo[i][0] <= t:
            heapq.heappush(waiting, [-todo[i][1], i, todo[i][2], todo[i][3]])
            i += 1
        left = float(line[t]) if t < len(line) else math.inf
        while waiting and left > 0:
            amount = min(left, waiting[0][2])
            total += waiting[0][3] * amount * (t + 0.5)
            left -= amount
            waiting[0][2] -= amount
            if waiting[0][2] <= 0:
                heapq.heappop(waiting)
        t += 1
    return total
