"""What the status of a lot could be now, and everything that is missing for more: a pure question, asked at any time."""

from datetime import timedelta
from typing import NamedTuple

from cellwright.factory.quality import situation
from cellwright.factory.quality.evaluation import evaluate
from cellwright.factory.quality.judge import Judgement
from cellwright.factory.release import finding
from cellwright.factory.release.dossier import dossier
from cellwright.factory.release.fact import Law
from cellwright.factory.release.finding import Missing
from cellwright.factory.release.formula import NEEDS, Gates, Possible, possible
from cellwright.factory.rule import World

LAWS: dict[str, Law] = {"EU": "eu", "US": "us"}
"""Markets with a known exceptional path. For others none was found, so there is none."""


class Assessment(NamedTuple):
    """The best status the lot could get now, and what is missing, gate by gate."""

    lot: str
    possible: Possible
    gates: Gates
    findings: tuple[Missing, ...]
    judgements: dict[str, Judgement]
    awaited: dict[str, timedelta]
    """Tests that may come after release, and how long after."""
    law: Law | None

    def missing(self, outcome: Possible) -> tuple[Missing, ...]:
        """What stands between the lot and this status."""
        return tuple(one for one in self.findings if one.gate in NEEDS[outcome])


def assess(world: World, number: str) -> Assessment:
    """Everything that is known for and against releasing a lot at this moment."""
    case = dossier(world, number)
    assigned = situation.specification(world, case.quality)
    judgements: dict[str, Judgement] = {}
    if assigned is not None:
        judgements = evaluate(assigned, situation.evidence(world, case.lot, case.quality))
    market = case.product.market(case.quality.specification.market) if case.quality.specification else None
    awaited = dict(finding.may_be_awaited(case.product, assigned, judgements))
    law = LAWS.get(market.code) if market is not None else None
    findings = (
        *finding.standing(world, case),
        *finding.record(case),
        *finding.tests(case, assigned, judgements),
        *finding.dose(case, assigned, judgements),
        *finding.awaiting(case, assigned, judgements, awaited),
        *finding.items(case, law, market),
        *finding.safety(case, assigned, judgements, awaited),
    )
    closed = {one.gate for one in findings}
    gates = Gates(**{name: name not in closed for name in Gates._fields})
    return Assessment(number, possible(gates), gates, findings, judgements, awaited, law)
