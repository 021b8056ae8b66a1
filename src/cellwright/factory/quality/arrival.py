"""Results that were awaited at release and now stand in the record (R107)."""

from msgspec.structs import replace

from cellwright.factory.lot.state import LotState
from cellwright.factory.quality.evaluation import evaluate
from cellwright.factory.quality.file import QualityState
from cellwright.factory.quality.judge import Judgement
from cellwright.factory.quality.situation import evidence, specification
from cellwright.factory.record import Fact
from cellwright.factory.release import state as release
from cellwright.factory.release.fact import AwaitedResultArrived
from cellwright.factory.rule import World


def arrived(world: World, lot: LotState, quality: QualityState, verified: tuple[str, ...]) -> tuple[Fact, ...]:
    """The facts that awaited tests have arrived, once these results are verified.

    What fails has arrived too; the lot was stopped when it was recorded. What proves nothing has not.
    """
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
                lot=lot.number,
                coi=lot.coi,
                stock=lot.stock,
                test=test,
                result=", ".join(found[test].results),
                verdict=found[test].verdict,
            )
        )
        for test in released.awaited
        if test in found and found[test].verdict in ("pass", "fail") and _concluded(found[test], verified)
    )


def _concluded(found: Judgement, verified: tuple[str, ...]) -> bool:
    """Whether the judgement rests on results, one of which was verified just now."""
    return any(result in verified for result in found.results)
