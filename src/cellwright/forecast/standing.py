"""Where programmes stand today, from the portfolio's own ledger: the forecast starts there, not at what a file once said."""

from collections.abc import Iterable
from datetime import date
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from cellwright.factory.portfolio import status as ledger
from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.product import interval
from cellwright.forecast.prior import Stage
from cellwright.forecast.programme import Programme

STAGE_OF: Final[dict[str, Stage]] = {
    "ind_approved": "phase_1", "phase_1": "phase_1", "phase_1_2": "phase_1", "phase_2": "phase_2",
    "phase_2_3": "phase_2", "phase_3": "phase_3", "nda_submitted": "review", "nda_accepted": "review",
}  # fmt: skip
"""A combined phase is its earlier one: nothing of the later one has been shown."""
End = Literal["approved", "ended"]
ENDS: Final[dict[str, End]] = {
    "conditionally_approved": "approved", "approved": "approved", "withdrawn": "ended", "terminated": "ended",
}  # fmt: skip


class Standing(NamedTuple):
    """Programmes still under way as the ledger knows them, those that have come to an end, and what was changed."""

    programmes: tuple[Programme, ...]
    settled: dict[str, End]
    changed: dict[str, str]
    """Programme to the stage or designation that the ledger says and the file did not."""


def standing(programmes: Iterable[Programme], book: Book, on: date, agency: Literal["NMPA"] = "NMPA") -> Standing:
    """Programmes with their stage and designations as the ledger has them on a day.

    A priority review in effect means that an application is under review, also where no event says when it was accepted.
    What the ledger does not know stays as the file says. The day a stage began stays too while the ledger's dates allow
    it; otherwise the middle of the ledger's interval is used.
    """
    under_way: list[Programme] = []
    settled: dict[str, End] = {}
    changed: dict[str, str] = {}
    for one in programmes:
        said = ledger.status(book, one.ledger, agency, on) if one.ledger else None
        undated = ledger.status(book, one.ledger, agency) if one.ledger else None
        if said is None or undated is None:
            under_way.append(one)
        elif undated.stage in ENDS and said.stage in ENDS:
            settled[one.id] = ENDS[said.stage]
        else:
            found = _moved(one, undated, on)
            if (found.stage, found.designations) != (one.stage, one.designations):
                changed[one.id] = ", ".join((found.stage, *found.designations))
            under_way.append(found)
    while lost := [one for one in under_way if settled.get(one.depends_on) == "ended"]:
        settled |= {one.id: "ended" for one in lost}
        under_way = [one for one in under_way if one.id not in settled]
    return Standing(tuple(under_way), settled, changed)


def _moved(one: Programme, said: ledger.Status, on: date) -> Programme:
    held: tuple[str, ...] = tuple(sorted(d.name for d in said.designations if d.state == "effective"))
    stage: Stage = "review" if "priority_review" in held else STAGE_OF.get(said.stage, one.stage)
    names = held or tuple(sorted(one.designations))
    since = one.since
    if said.since is not None and said.stage in STAGE_OF and STAGE_OF[said.stage] == stage:
        known = interval(said.since)
        if not known.first <= since <= known.last:
            since = known.first + (known.last - known.first) / 2
    return replace(one, stage=stage, designations=names, since=min(since, on))  # type: ignore[type-var]
