"""Thaw and infusion: the thaw clock, the one administration of a bag, what was given and what was left (D15, R119).

Starting is a request and is refused when a rule stands against it. What was thawed or given is always recorded, beside
a nonconformance where a rule was broken; only somebody else's bag is never recorded as given to this patient, but in
the identity case that its scan opens.
"""

from datetime import timedelta
from decimal import Decimal

from cellwright.factory import people
from cellwright.factory.order import bedside, labelled, nonconformance, permission, prior_product, scan
from cellwright.factory.order.case import NOTHING, mismatch
from cellwright.factory.order.fact import giving
from cellwright.factory.order.figure import decimal, moment, out_of_order, past
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import ContainerState, OrderState
from cellwright.factory.people import stamp
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

VOLUME_TOLERANCE = Decimal("0.10")
"""Share of the bag's volume by which given and left may differ from what it held; a site decision, assumed here."""


RECORDED_WITHIN = timedelta(minutes=30)
"""How long after the use window an end inside it may be recorded without a question; a site decision, assumed here."""


def _stopped(
    world: World, by: By, order: OrderState, stranger: labelled.Stranger, given: str | None = None
) -> Decision:
    return mismatch(
        world,
        by,
        point="bedside",
        expected=order.coi or NOTHING,
        scanned=stranger.read,
        coi=order.coi,
        found=stranger.found,
        key=f"container/{stranger.read}",
        order=order.name,
        how=stranger.scan.how,
        given_already=given,
        more_lots=order.lots,
    )


@command("order.thaw", "cell_laboratory", "nurse")
class Thaw(Command):
    """Thaw a bag whose identity was just checked; its use window runs from here (R119)."""

    order: str
    bag: Scan

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        try:
            name = bedside.own_bag(world, order, self.bag)
        except labelled.Stranger as stranger:
            return _stopped(world, by, order, stranger)
        bag = order.containers[name]
        for refusal in (
            bedside.checked(world, name, bag, "thaw"),
            bedside.givable(world, order, name, bag, "thaw"),
        ):
            if refusal is not None:
                raise refusal
        fact = order.fact(_thawed(world, by, order, name, bag, stamp(world.now)))
        return Decision(facts=(fact,), sign=scan.confirmed(by, _handling(world, by), (self.bag,)))


def _handling(world: World, by: By) -> str:
    """The role in which somebody thaws; a second person who read what was typed signs in the same."""
    return "cell_laboratory" if people.load(world, by.person).holds("cell_laboratory", world.now) else "nurse"


def _thawed(world: World, by: By, order: OrderState, name: str, bag: ContainerState, at: str) -> giving.Thawed:
    window = permission.product_of(world, order).use_window_after_thaw
    assert window is not None, "a frozen product has a use window; its file is checked"
    return giving.Thawed(
        coi=permission.chain(order),
        bag=name,
        lot=bag.lot or "",
        thawed_at=at,
        use_before=stamp(moment("thawed_at", at) + window),
        performer=by.person,
    )


@command("order.record_thaw", "cell_laboratory", "nurse")
class RecordThaw(Command):
    """Record that a bag was thawed, when the system could not be asked: the clock runs from the claimed time (D7, D8)."""

    order: str
    bag: Scan
    thawed_at: str
    reason: str
    role: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        at = past("thawed_at", self.thawed_at, world.now)
        try:
            name = bedside.own_bag(world, order, self.bag)
        except labelled.Stranger as stranger:
            return _stopped(world, by, order, stranger, given=f"thawed at {self.thawed_at}")
        bag = order.containers[name]
        if bag.status not in ("received", "quarantined", "accepted") or permission.product_of(world, order).fresh:
            raise Refusal(
                "bag-not-ready",
                "Bag {bag} is {status}; {stage} waits for a bag that is {wanted}.",
                remedy="Receive and accept the bag; thaw it before it is infused.",
                rule="R073",
                bag=name,
                status=bag.status,
                stage="thaw",
                wanted="accepted",
            )
        found = [("thawed-before-recorded", "R119")]
        came = None if bag.received_at is None else moment("received_at", bag.received_at)
        if came is not None and out_of_order("received_at", came, "thawed_at", at):
            found.append(("thawed-before-receipt", "R119"))
        if bedside.checked(world, name, bag, "thaw") is not None:
            found.append(("thawed-without-identity-check", "R073"))
        stands = bedside.givable(world, order, name, bag, "thaw")
        if stands is not None:
            found.append((f"thawed-although-{stands.code}", stands.rule))
        fact = order.fact(
            _thawed(world, by, order, name, bag, stamp(at)), reason=self.reason, claimed_at=self.thawed_at
        )
        facts = (fact, *nonconformance.raised(world, order, found, (name,)))
        sign = (
            Need(person=by.person, meaning="attested", role=self.role),
            *scan.confirmed(by, self.role, (self.bag,)),
        )
        return Decision(facts=facts, sign=sign)


@command("order.start_infusion", "nurse", "physician")
class StartInfusion(Command):
    """Begin the one administration of a bag whose identity was just checked again (R073)."""

    order: str
    bag: Scan
    role: str
    verifier: str
    verifier_role: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        try:
            name = bedside.own_bag(world, order, self.bag)
        except labelled.Stranger as stranger:
            return _stopped(world, by, order, stranger)
        bag = order.containers[name]
        for refusal in (
            bedside.checked(world, name, bag, "infusion"),
            bedside.givable(world, order, name, bag, "infusion"),
            self._planned(world, order, bag),
        ):
            if refusal is not None:
                raise refusal
        body = giving.InfusionStarted(
            coi=permission.chain(order),
            pair=order.pair,
            bag=name,
            container=name,
            lot=bag.lot or "",
            dose=bag.dose,
            started_at=stamp(world.now),
            performer=by.person,
            verifier=self.verifier,
        )
        sign = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.verifier, meaning="verified", role=self.verifier_role),
            *scan.confirmed(by, self.role, (self.bag,)),
        )
        return Decision(facts=(order.fact(body),), sign=sign)

    def _planned(self, world: World, order: OrderState, bag: ContainerState) -> Refusal | None:
        plan = permission.product_of(world, order).doses.plan
        given = {i.dose for i in order.infusions if not i.voided}
        if bag.dose in given or len(given) < plan:
            return None
        return Refusal(
            "doses-given",
            "All {plan} planned doses of order {order} have been given.",
            rule="D15",
            plan=plan,
            order=order.name,
        )


@command("order.record_infusion", "nurse", "physician")
class RecordInfusion(Command):
    """Record what was given of a bag and what was left, measured; a rule that was broken is recorded beside it (D7)."""

    order: str
    bag: Scan
    volume_given_ml: str
    remainder_ml: str
    ended_at: str
    role: str
    verifier: str
    verifier_role: str
    why: str = ""
    """Why it stopped midway, where it did."""
    started_at: str | None = None
    """Only where no start was recorded."""

    def decide(self, world: World, by: By) -> Decision:
        order = permission.known(world, self.order)
        given, left = decimal("volume_given_ml", self.volume_given_ml), decimal("remainder_ml", self.remainder_ml)
        ended = past("ended_at", self.ended_at, world.now)
        if given < 0 or left < 0:
            raise Refusal("negative-volume", "A volume cannot be below zero.", rule="R044")
        try:
            name = bedside.own_bag(world, order, self.bag)
        except labelled.Stranger as stranger:
            return _stopped(world, by, order, stranger, given=f"{self.volume_given_ml} mL infused")
        bag = order.containers[name]
        running = next((i for i in order.infusions if i.bag == name and not i.voided), None)
        if running is not None and running.ended_at is not None:
            raise Refusal(
                "infusion-recorded",
                "The infusion of bag {bag} is recorded.",
                remedy="Quality assurance corrects a record by an assessed nonconformance, never by a second record.",
                rule="D15",
                bag=name,
            )
        started = running.started_at if running is not None else self.started_at or self.ended_at
        begun = past("started_at", started, world.now)
        facts: list[Fact] = []
        found = _broken(world, order, name, bag, given, left)
        if out_of_order("started_at", begun, "ended_at", ended):
            found.append(("ended-before-its-start", "R008"))
        thawed = None if bag.thawed_at is None else moment("thawed_at", bag.thawed_at)
        if thawed is not None and out_of_order("thawed_at", thawed, "started_at", begun):
            found.append(("started-before-its-thaw", "R119"))
        if bag.use_before is not None:
            window = moment("use_before", bag.use_before)
            if ended > window:
                found.append(("use-window-exceeded", "R119"))
            elif world.now > window + RECORDED_WITHIN:
                found.append(("use-window-by-claimed-time", "R119"))
        if running is None:
            facts.append(order.fact(self._unstarted(by, order, name, bag), claimed_at=self.started_at))
            found.append(("given-without-start", "R073"))
            stands = bedside.givable(world, order, name, bag, "infusion")
            if stands is not None:
                found.append((f"given-although-{stands.code}", stands.rule))
        facts.append(order.fact(self._infused(by, order, name, bag, left)))
        facts += nonconformance.raised(world, order, found, (name,))
        if given > 0:
            facts += prior_product.told(world, order, self.ended_at)
        sign = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.verifier, meaning="verified", role=self.verifier_role),
            *scan.confirmed(by, self.role, (self.bag,)),
        )
        return Decision(facts=tuple(facts), sign=sign)

    def _unstarted(self, by: By, order: OrderState, name: str, bag: ContainerState) -> giving.AdministrationRecorded:
        return giving.AdministrationRecorded(
            coi=permission.chain(order),
            pair=order.pair,
            bag=name,
            container=name,
            lot=bag.lot or "",
            dose=bag.dose,
            started_at=self.started_at or self.ended_at,
            performer=by.person,
        )

    def _infused(self, by: By, order: OrderState, name: str, bag: ContainerState, left: Decimal) -> giving.Infused:
        return giving.Infused(
            coi=permission.chain(order),
            bag=name,
            lot=bag.lot or "",
            dose=bag.dose,
            volume_given_ml=self.volume_given_ml,
            remainder_ml=self.remainder_ml,
            ended_at=self.ended_at,
            stopped_early=left > 0,
            performer=by.person,
            verifier=self.verifier,
            why=self.why,
        )


def _broken(
    world: World, order: OrderState, name: str, bag: ContainerState, given: Decimal, left: Decimal
) -> list[tuple[str, str]]:
    """Codes and rules of what does not agree with what was recorded."""
    found = []
    if abs(given + left - bag.volume_ml) > bag.volume_ml * VOLUME_TOLERANCE:
        found.append(("volume-does-not-reconcile", "D15"))
    if order.withdrawn is not None:
        found.append(("given-after-the-end", "D22"))
    if order.in_doubt:
        found.append(("given-in-doubt", "R066"))
    stands = permission.released(world, bag.lot or "", "infusion")
    if stands is not None:
        found.append((f"given-although-{stands.code}", stands.rule))
    return found


@command("order.void_administration", "physician", "nurse")
class VoidAdministration(Command):
    """An administration was begun and nothing of the bag was given: it ends with a reason and two signatures (D3)."""

    order: str
    bag: str
    reason: str
    role: str
    assessor: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        running = next((i for i in order.infusions if i.bag == self.bag and not i.voided), None)
        if running is None or running.ended_at is not None:
            raise Refusal(
                "nothing-to-void",
                "No administration of bag {bag} is under way.",
                remedy="What was given stays recorded as given.",
                rule="D3",
                bag=self.bag,
            )
        body = giving.AdministrationVoided(
            coi=permission.chain(order), bag=self.bag, performer=by.person, assessor=self.assessor
        )
        sign = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.assessor, meaning="verified", role="quality_assurance"),
        )
        return Decision(facts=(order.fact(body, reason=self.reason),), sign=sign)
