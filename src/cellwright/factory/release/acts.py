"""Release is asked again at each act on the way to the patient (D21): what was in order yesterday may not be today."""

from typing import Literal

from cellwright.factory.quality.judge import Judgement
from cellwright.factory.quality.situation import judgements
from cellwright.factory.release.dossier import Dossier, dossier
from cellwright.factory.release.finding import in_doubt, recalled_material
from cellwright.factory.release.state import ReleaseState, load
from cellwright.factory.rule import Refusal, World

Act = Literal["pack_out", "receipt", "lymphodepletion", "thaw", "infusion"]


def permits(world: World, lot: str, act: str) -> Refusal | None:
    """Why this act may not go on with this lot now, or None if it may.

    The lot is in a status in which it may leave, its identity is not in doubt, and every test still holds at this
    moment, with the recipient's weight of today: only what is awaited, or was accepted in an exceptional supply, may
    be anything else than a pass.
    """
    case = dossier(world, lot)
    return (
        _identity(case, act)
        or _status(case.release, act)
        or recalled_material(world, case)
        or _tests(case, judgements(world, lot), act)
    )


def _identity(case: Dossier, act: str) -> Refusal | None:
    if in_doubt(case.lot, case.order) is None:
        return None
    return Refusal(
        "identity-in-doubt",
        "The identity of lot {lot} is in doubt: no {act}.",
        remedy="Quality assurance investigates and closes the case; nothing goes on before.",
        rule="D4",
        lot=case.lot.number,
        act=act,
    )


def _status(release: ReleaseState, act: str) -> Refusal | None:
    if release.outgoing:
        return None
    code = "not-released" if release.status == "pending" else f"lot-{release.status}"
    return Refusal(
        code,
        "Lot {lot} is {status}: no {act}.",
        remedy="Only an authorised person's decision lets it go on.",
        rule="D21",
        lot=release.lot,
        status=release.status,
        act=act,
    )


def _tests(case: Dossier, found: dict[str, Judgement], act: str) -> Refusal | None:
    for code, judgement in found.items():
        if judgement.verdict == "pass" or code in case.release.accepted_failures:
            continue
        if code in case.release.awaited and judgement.verdict != "fail":
            continue
        return Refusal(
            "no-longer-in-specification",
            "{test} of lot {lot} is {verdict} now ({value} {unit}, {why}): no {act}.",
            remedy="Quality assurance and the physician assess it; a changed weight changes dose and endotoxin per kg.",
            rule="D17",
            test=code,
            lot=case.lot.number,
            verdict=judgement.verdict,
            value=judgement.value or "-",
            unit=judgement.unit,
            why=judgement.why,
            act=act,
        )
    return None


def may_close(world: World, lot: str) -> Refusal | None:
    """Why the case of a lot that left cannot be closed yet: awaited results, investigations, notifications (R107)."""
    release = load(world, lot)
    if release.awaited:
        return Refusal(
            "results-awaited",
            "Results of lot {lot} are awaited: {tests}.",
            remedy="Record and verify them; a lot that was given stays open until then.",
            rule="R107",
            lot=lot,
            tests=", ".join(release.awaited),
        )
    open_ones = [n.id for n in release.open_notifications]
    if open_ones:
        return Refusal(
            "notifications-open",
            "Notifications about lot {lot} are open: {notifications}.",
            remedy="Record who was told, and how.",
            rule="R108",
            lot=lot,
            notifications=", ".join(open_ones),
        )
    running = [i.id for i in dossier(world, lot).quality.open_investigations]
    if running:
        return Refusal(
            "investigation-open",
            "Investigations of lot {lot} are open: {investigations}.",
            remedy="Conclude them with a written conclusion.",
            rule="R051",
            lot=lot,
            investigations=", ".join(running),
        )
    return None


def overdue(world: World, lot: str) -> tuple[str, ...]:
    """What should have happened by now: awaited results and notifications past their time, by name (R107, R108)."""
    release = load(world, lot)
    now = world.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    late = [test for test, due in release.awaited.items() if due < now]
    return (*late, *(n.id for n in release.open_notifications if n.due < now))
