"""Division codes: which part of a donation a container holds (ISBT 128 ST-001 2.4.3).

`A0` to `Z0` are the divisions of a donation, `Aa` to `Zz` their subdivisions; a donation has room for 702 containers.
"""

from collections.abc import Iterable, Iterator
from string import ascii_lowercase, ascii_uppercase

from cellwright.factory.lot.state import LotState
from cellwright.factory.order.pair import PairState
from cellwright.factory.rule import Refusal, World

CODES = tuple(first + second for second in "0" + ascii_lowercase for first in ascii_uppercase)


def free(taken: Iterable[str], din: str) -> Iterator[str]:
    """The codes of a donation that nothing has yet, in order.

    Raises:
        Refusal: `divisions-exhausted` when there are no more.
    """
    used = frozenset(taken)
    yield from (code for code in CODES if code not in used)
    raise Refusal(
        "divisions-exhausted",
        "Donation {din} has no division code left.",
        remedy="Pool the rest under a donation number of its own.",
        rule="R067",
        din=din,
    )


def taken(world: World, lot: LotState, din: str) -> frozenset[str]:
    """The codes of a donation that the pair's lots have given or received. The claim on the name is the last word."""
    lots = [lot]
    if lot.pair is not None:
        chains = world.load(PairState, lot.pair).coi
        names = dict.fromkeys(n for coi in chains for n in world.streams(f"coi/{coi}", "lot") if n != lot.name)
        lots += [world.load(LotState, name) for name in names]
    prefix = f"{din}-"
    containers = (name for one in lots for name in one.containers)
    return frozenset(name.removeprefix(prefix) for name in containers if name.startswith(prefix))
