"""Results that were awaited at release and now stand in the record (R107)."""

from msgspec.structs import replace

from cellwright.factory.lot.state import LotState
from cellwright.factory.quality.evaluation import evaluate
from cellwright.factory.quality.file import QualityState
from cellwright.factory.quality.situation import evidence, specification
from cellwright.factory.record import Fact
from cellwright.factory.release import state as release
from cellwright.factory.release.fact import AwaitedResultArrived
from cellwright.factory.rule import World


def arrived(world: World, lot: LotState, quality: QualityState, verified: tuple[str, ...]) -> tuple[Fact, ...]:
    """The facts that awaited tests have arrived, once these results are verified: only those that pass then."""
    released = release.load(world, lot.number)
    assigned = specification(world, quality)
    if not released.awaited or assigned is None:
        return ()
    now = evidence(world, lot, quality)
    results = tuple(replace(r, status="verified") if r.id in verified else r for r in now.results)
    found = evaluate(assigned, now._replace(results=results))
    return tuple(
        released.fact(
            AwaitedResultArrived(
                lot=lot.number, coi=lot.coi, stock=lot.stock, test=test, result=", ".join(found[test].results)
            )
        )
        for test in released.awaited
        if test in found and found[test].verdict == "pass" and found[test].results
    )
