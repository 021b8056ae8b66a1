"""After the decision: suspend, lift, recall one lot or all lots of a material, and tell those who must know."""

from cellwright.factory.lot.access import known
from cellwright.factory.plant.material import MaterialState, made_from, recall
from cellwright.factory.quality.situation import judgements
from cellwright.factory.record import Fact
from cellwright.factory.release.alarm import notifications, stop_and_notify
from cellwright.factory.release.decide import certain, certified
from cellwright.factory.release.dossier import dossier
from cellwright.factory.release.fact import Cause, Notified, Recalled, Suspended, SuspensionLifted
from cellwright.factory.release.finding import called_back
from cellwright.factory.release.review import independent
from cellwright.factory.release.state import ReleaseState, load
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command
from cellwright.factory.stored_file import FileHash

FINAL = frozenset({"recalled", "rejected"})


@command("release.suspend", "quality_assurance", "authorised_person")
class Suspend(Command):
    """Stop a lot wherever it is. Whoever received it is told, with a clock."""

    lot: str
    cause: Cause
    text: str
    role: str = "quality_assurance"

    def decide(self, world: World, by: By) -> Decision:
        lot, release = known(world, self.lot), load(world, self.lot)
        if release.status in (*FINAL, "suspended"):
            raise Refusal(
                "decided-already",
                "Lot {lot} is {status} already.",
                rule="D19",
                lot=self.lot,
                status=release.status,
            )
        if not self.text.strip():
            raise Refusal("reason-missing", "A suspension states its reason.", rule="R004")
        need = Need(person=by.person, meaning="assessed", role=self.role)
        if release.ever_outgoing:
            return Decision(facts=stop_and_notify(world, release, lot, self.cause, self.text), sign=(need,))
        body = Suspended(lot=self.lot, coi=lot.coi, stock=lot.stock, cause=self.cause, text=self.text)
        return Decision(facts=(release.fact(body, reason=self.text),), sign=(need,))


@command("release.lift_suspension", "authorised_person")
class LiftSuspension(Command):
    """Let the former decision hold again, once nothing that led to the suspension stands any more."""

    lot: str
    text: str

    def decide(self, world: World, by: By) -> Decision:
        case = dossier(world, self.lot)
        if case.release.status != "suspended":
            raise Refusal(
                "not-suspended",
                "Lot {lot} is {status}, not suspended.",
                rule="D19",
                lot=self.lot,
                status=case.release.status,
            )
        certain(case)
        standing = [
            code
            for code, judgement in judgements(world, self.lot).items()
            if judgement.verdict == "fail" and code not in case.release.accepted_failures
        ]
        standing += [i.id for i in case.quality.open_investigations]
        if standing:
            raise Refusal(
                "cause-stands",
                "Lot {lot} stays suspended: {causes} stand against it.",
                remedy="Conclude the investigation; if the result is confirmed, reject or recall the lot.",
                rule="R108",
                lot=self.lot,
                causes=", ".join(standing),
            )
        if not self.text.strip():
            raise Refusal("reason-missing", "Lifting a suspension takes a written assessment.", rule="R004")
        independent(case.lot, case.quality, by.person, "assessment")
        body = SuspensionLifted(
            lot=self.lot,
            coi=case.lot.coi,
            stock=case.lot.stock,
            assessor=by.person,
            text=self.text,
            materials=called_back(world, case),
        )
        return Decision(facts=(case.release.fact(body, reason=self.text),), sign=(certified(case, by, "assessed"),))


@command("release.recall", "authorised_person", "quality_assurance")
class Recall(Command):
    """Call one lot back, wherever it is."""

    lot: str
    text: str
    role: str = "authorised_person"

    def decide(self, world: World, by: By) -> Decision:
        release = load(world, known(world, self.lot).number)
        if not release.ever_outgoing or release.status in FINAL:
            raise Refusal(
                "nothing-to-recall",
                "Lot {lot} is {status}: it never left, or its fate is decided.",
                remedy="What never left is suspended or rejected.",
                rule="R108",
                lot=self.lot,
                status=release.status,
            )
        need = Need(person=by.person, meaning="approved", role=self.role)
        return Decision(facts=_recalled(world, release, self.text, by, None), sign=(need,))


@command("release.recall_material", "authorised_person", "quality_assurance")
class RecallMaterial(Command):
    """Call back a lot of material and every lot made with it: what left is recalled, what has not is suspended (R053).

    One decision for all of them, through stock lots that became materials too, and nothing takes any of it from the
    same moment on: none is forgotten between two clicks.
    """

    material: str
    text: str
    role: str = "authorised_person"

    def decide(self, world: World, by: By) -> Decision:
        if not self.text.strip():
            raise Refusal("reason-missing", "A recall states its reason.", rule="R004")
        materials, lots = made_from(world, self.material)
        states = (world.load(MaterialState, name) for name in materials)
        facts = [
            recall(state, self.text, self.text)
            for state in states
            if state.received is not None and state.status != "recalled"
        ]
        for number in lots:
            lot, release = known(world, number), load(world, number)
            if release.status in FINAL:
                continue
            if release.ever_outgoing:
                facts += _recalled(world, release, self.text, by, self.material)
            elif release.status != "suspended":
                body = Suspended(lot=number, coi=lot.coi, stock=lot.stock, cause="recall", text=self.text)
                facts.append(release.fact(body, reason=self.text))
        if not facts:
            raise Refusal(
                "nothing-to-recall",
                "No lot was made with {material}, or all of them are recalled already.",
                rule="R053",
                material=self.material,
            )
        need = Need(person=by.person, meaning="approved", role=self.role)
        return Decision(facts=tuple(facts), sign=(need,))


def _recalled(world: World, release: ReleaseState, text: str, by: By, material: str | None) -> tuple[Fact, ...]:
    lot = known(world, release.lot)
    body = Recalled(lot=lot.number, coi=lot.coi, stock=lot.stock, material=material, text=text, recalled_by=by.person)
    return (release.fact(body, reason=text), *notifications(world, release, lot, "recall", text))


@command("release.notify", "quality_assurance", "authorised_person", "coordinator")
class Notify(Command):
    """Record that somebody was told, which stops the clock of a notification (R108)."""

    lot: str
    notification: str
    reached: str
    """Who was reached, by name of their office: `treating physician, hospital H-2`."""
    how: str
    document_sha256: FileHash | None = None

    def decide(self, world: World, by: By) -> Decision:
        release = load(world, known(world, self.lot).number)
        found = release.notifications.get(self.notification)
        if found is None or not found.open:
            raise Refusal(
                "no-open-notification",
                "Lot {lot} has no open notification {notification}.",
                rule="R108",
                lot=self.lot,
                notification=self.notification,
            )
        body = Notified(
            lot=self.lot,
            notification=self.notification,
            reached=self.reached,
            how=self.how,
            document_sha256=self.document_sha256,
            notified_by=by.person,
        )
        return Decision(facts=(release.fact(body),))
