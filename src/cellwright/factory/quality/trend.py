"""Trends of a test over lots: one line for each method and assay version, never joined across a change (R114)."""

from collections.abc import Iterable
from typing import NamedTuple

from cellwright.factory.quality.amount import Amount, amount
from cellwright.factory.quality.part import Result


class Point(NamedTuple):
    """One lot's result on a trend."""

    lot: str
    at: str
    result: str
    value: Amount


class Line(NamedTuple):
    """Points that may be joined: the same test, unit, method, method version and assay version."""

    test: str
    unit: str
    method: str
    method_version: str
    assay_version: str
    points: tuple[Point, ...]


def lines(results: Iterable[tuple[str, Result]], test: str) -> tuple[Line, ...]:
    """The trend lines of a test from (lot, result) pairs, each in order of acquisition, the oldest line first.

    Only results that count are on a trend; words have none. Censored values keep their bound.
    """
    found: dict[tuple[str, str, str, str], list[Point]] = {}
    for lot, result in results:
        value = amount(result.value)
        if result.test != test or not result.valid or value is None:
            continue
        key = (result.unit, result.method, result.method_version, result.assay_version)
        found.setdefault(key, []).append(Point(lot, result.acquired_at, result.id, value))
    made = [Line(test, *key, tuple(sorted(points, key=lambda p: (p.at, p.lot)))) for key, points in found.items()]
    return tuple(sorted(made, key=lambda line: line.points[0].at))
