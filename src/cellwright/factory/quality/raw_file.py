"""What a raw file says of itself against what was asked: another sample, or another time, stops everything (D18)."""

from datetime import UTC, datetime, timedelta

from cellwright.factory.lot.state import LotState
from cellwright.factory.order.case import mismatch
from cellwright.factory.order.scan import SEPARATOR
from cellwright.factory.quality.fact import RawFile
from cellwright.factory.quality.sample import drawn
from cellwright.factory.rule import By, Decision, World

CLOCKS_APART = timedelta(minutes=2)
"""How far the time in a file may lie from the time requested, and after the site's own. Site decision."""


def disagreement(
    world: World, by: By, lot: LotState, sample: str, file: RawFile, asked: str | None = None
) -> Decision | None:
    """The hard stop at the point `raw_file`, or None if the file is of this sample and of a time that can be.

    Args:
        sample: the sample the request names.
        file: what the file states of itself.
        asked: when the measurement was made by the request or worksheet; None where only now is asked for.
    """
    named = file.sample.strip()
    serial = named.partition(SEPARATOR)[0]
    own = {sample, f"{sample}{SEPARATOR}{lot.coi or f'stock/{lot.stock}'}"}
    if named not in own:
        return _stop(world, by, lot, sample, named, f"sample/{serial}")
    if _possible(world, lot, sample, file.acquired_at, asked):
        return None
    return _stop(world, by, lot, f"{sample} {asked or 'now'}", f"{named} {file.acquired_at}", None)


def _possible(world: World, lot: LotState, sample: str, stated: str, asked: str | None) -> bool:
    """Whether the stated time lies after the draw, not after now, and near the time asked for."""
    said, wanted = moment(stated), moment(asked) if asked is not None else None
    taken = moment(drawn(lot, sample).drawn_at)
    if said is None or taken is None or (asked is not None and wanted is None):
        return False
    near = wanted is None or abs(said - wanted) <= CLOCKS_APART
    return near and taken - CLOCKS_APART <= said <= world.now + CLOCKS_APART


def moment(text: str) -> datetime | None:
    """A time with its offset, as UTC; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None


def _stop(world: World, by: By, lot: LotState, expected: str, scanned: str, key: str | None) -> Decision:
    return mismatch(
        world, by, point="raw_file", expected=expected, scanned=scanned, coi=lot.coi, key=key, lot=lot.number,
        order=lot.order,
    )  # fmt: skip
