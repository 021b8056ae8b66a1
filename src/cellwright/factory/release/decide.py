"""The decision: release in full, with results pending, or rejection. Certified only by the authorised person (R035)."""

from datetime import timedelta

from cellwright.factory.people import stamp
from cellwright.factory.release.assessment import Assessment, assess
from cellwright.factory.release.dossier import Dossier, dossier, leaves
from cellwright.factory.release.fact import Awaited, Completed, Judged, Path, Rejected, Released
from cellwright.factory.release.finding import in_doubt
from cellwright.factory.release.formula import Possible, holds
from cellwright.factory.release.review import independent
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

OUTCOME: dict[Path, Possible] = {"full": "released", "pending_results": "released_pending_results"}


def certain(case: Dossier) -> None:
    """Raises Refusal `identity-in-doubt`: no outgoing path has a way around it, not even the exceptional one (D19)."""
    doubt = in_doubt(case.lot, case.order)
    if doubt is not None:
        raise doubt


def allowed(found: Assessment, outcome: Possible) -> None:
    """Raises Refusal `not-releasable`, naming everything that is missing for this outcome (R102)."""
    if holds(found.gates, outcome):
        return
    missing = found.missing(outcome)
    raise Refusal(
        "not-releasable",
        "Lot {lot} cannot become {outcome}; missing: {missing}.",
        remedy="Settle what is missing; the assessment lists each item with its reason.",
        rule=missing[0].why.rule,
        lot=found.lot,
        outcome=outcome,
        missing=", ".join(m.short for m in missing),
    )


def judged(found: Assessment) -> tuple[Judged, ...]:
    """The judgements as they stand, for the record of the decision."""
    return tuple(
        Judged(test=j.code, verdict=j.verdict, value=j.value, unit=j.unit, why=j.why) for j in found.judgements.values()
    )


def certified(case: Dossier, by: By, meaning: str = "released") -> Need:
    """The authorised person's signature, bound to the whole record of making and testing."""
    hashes = tuple(leaf.hex() for leaf in leaves(case.lot, case.quality))
    return Need(person=by.person, meaning=meaning, role="authorised_person", leaves=hashes)


@command("release.release", "authorised_person")
class Release(Command):
    """Certify the lot for its market: in full, or while named results are awaited."""

    lot: str
    path: Path = "full"

    def decide(self, world: World, by: By) -> Decision:
        case, found = dossier(world, self.lot), assess(world, self.lot)
        certain(case)
        allowed(found, OUTCOME[self.path])
        independent(case.lot, case.quality, by.person, "release")
        if self.path == "pending_results" and found.gates.all_arrived:
            raise Refusal(
                "nothing-awaited",
                "All results of lot {lot} have arrived.",
                remedy="Release it in full.",
                rule="R106",
                lot=self.lot,
            )
        assigned = case.quality.specification
        assert assigned is not None, "the gate `specification` is open"
        body = Released(
            lot=self.lot,
            coi=case.lot.coi,
            stock=case.lot.stock,
            path=self.path,
            market=assigned.market,
            specification=assigned.specification,
            version=assigned.version,
            judgements=judged(found),
            awaited=_awaited(world, found.awaited) if self.path == "pending_results" else (),
            releaser=by.person,
        )
        return Decision(facts=(case.release.fact(body),), sign=(certified(case, by),))


def _awaited(world: World, tests: dict[str, timedelta]) -> tuple[Awaited, ...]:
    return tuple(Awaited(test=test, due=stamp(world.now + within)) for test, within in tests.items())


@command("release.complete", "authorised_person")
class Complete(Command):
    """The second step of a release with results pending: all of them have arrived and pass (R107)."""

    lot: str

    def decide(self, world: World, by: By) -> Decision:
        case, found = dossier(world, self.lot), assess(world, self.lot)
        certain(case)
        if case.release.status != "released_pending_results":
            raise Refusal(
                "not-pending-results",
                "Lot {lot} is {status}; only a lot released with results pending is completed.",
                rule="R107",
                lot=self.lot,
                status=case.release.status,
            )
        open_tests = sorted(set(case.release.awaited) | {j.code for j in found.judgements.values() if _open(j.verdict, j.why)})  # fmt: skip
        if open_tests or case.quality.open_investigations:
            raise Refusal(
                "results-awaited",
                "Results of lot {lot} are awaited, or do not pass: {tests}.",
                remedy="Record and verify them.",
                rule="R107",
                lot=self.lot,
                tests=", ".join(open_tests) or "-",
            )
        independent(case.lot, case.quality, by.person, "release")
        body = Completed(lot=self.lot, coi=case.lot.coi, stock=case.lot.stock, releaser=by.person)
        return Decision(facts=(case.release.fact(body),), sign=(certified(case, by),))


def _open(verdict: str, why: str) -> bool:
    return verdict != "pass" or why == "negative-to-date"


@command("release.reject", "authorised_person")
class Reject(Command):
    """Reject the lot. A person's signed decision; nothing else rejects (D19)."""

    lot: str
    cause: str

    def decide(self, world: World, by: By) -> Decision:
        case = dossier(world, self.lot)
        if case.release.status in ("rejected", "recalled"):
            raise Refusal(
                "decided-already",
                "Lot {lot} is {status} already.",
                rule="D19",
                lot=self.lot,
                status=case.release.status,
            )
        if case.release.ever_outgoing and case.release.status != "suspended":
            raise Refusal(
                "left-already",
                "Lot {lot} is {status} and may have left.",
                remedy="Suspend or recall it.",
                rule="D19",
                lot=self.lot,
                status=case.release.status,
            )
        if not self.cause.strip():
            raise Refusal("reason-missing", "A rejection states its reason.", rule="R004")
        independent(case.lot, case.quality, by.person, "rejection")
        body = Rejected(lot=self.lot, coi=case.lot.coi, stock=case.lot.stock, cause=self.cause, rejected_by=by.person)
        return Decision(facts=(case.release.fact(body, reason=self.cause),), sign=(certified(case, by, "rejected"),))
