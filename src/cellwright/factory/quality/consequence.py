"""What a result sets in motion in the same decision: an investigation, and after release a stop and its alarms."""

from cellwright.factory.lot.state import LotState
from cellwright.factory.quality.evaluation import Evidence, evaluate
from cellwright.factory.quality.fact import InvestigationOpened
from cellwright.factory.quality.file import QualityState
from cellwright.factory.quality.judge import Judgement
from cellwright.factory.quality.part import Result
from cellwright.factory.quality.situation import evidence, specification, with_results
from cellwright.factory.quality.specification import Specification
from cellwright.factory.record import Fact
from cellwright.factory.release import state as release
from cellwright.factory.release.alarm import stop_and_notify
from cellwright.factory.rule import World


def failing(found: dict[str, Judgement]) -> dict[str, Judgement]:
    """The tests that are out of specification."""
    return {code: judgement for code, judgement in found.items() if judgement.verdict == "fail"}


def of_results(world: World, lot: LotState, quality: QualityState, new: tuple[Result, ...]) -> tuple[Fact, ...]:
    """What new results set in motion: an investigation for each test that fails now and did not before (R109), and for
    a lot that was allowed to leave the stop and the notifications with their clocks (R108)."""
    assigned = specification(world, quality)
    if assigned is None:
        return ()
    now = evidence(world, lot, quality)
    return _opened(world, lot, quality, failing(evaluate(assigned, now)), _after(assigned, now, new))


def of_specification(world: World, lot: LotState, quality: QualityState, assigned: Specification) -> tuple[Fact, ...]:
    """What judging the results that are there already by a newly assigned specification sets in motion."""
    return _opened(world, lot, quality, {}, _after(assigned, evidence(world, lot, quality), ()))


def _after(assigned: Specification, now: Evidence, new: tuple[Result, ...]) -> dict[str, Judgement]:
    return failing(evaluate(assigned, with_results(now, new)))


def _opened(
    world: World, lot: LotState, quality: QualityState, before: dict[str, Judgement], after: dict[str, Judgement]
) -> tuple[Fact, ...]:
    investigated = {i.test for i in quality.open_investigations}
    fresh = {code: j for code, j in after.items() if code not in before and code not in investigated}
    if not fresh:
        return ()
    released = release.load(world, lot.number)
    start = len(quality.investigations) + 1
    opened = tuple(
        quality.fact(
            InvestigationOpened(
                lot=lot.number,
                investigation=f"{lot.number}-OOS{number:02d}",
                test=code,
                results=judgement.results,
                value=judgement.value,
                unit=judgement.unit,
                after_release=released.ever_outgoing,
            )
        )
        for number, (code, judgement) in enumerate(fresh.items(), start)
    )
    if not released.ever_outgoing:
        return opened
    text = ", ".join(f"{code}: {j.value} {j.unit}".rstrip() for code, j in fresh.items())
    results = tuple(dict.fromkeys(r for j in fresh.values() for r in j.results))
    return (*opened, *stop_and_notify(world, released, lot, "result", text, results))
