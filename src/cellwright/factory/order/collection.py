"""Collections: scheduled only for an approved order, started before the donor's wristband, recorded donation by donation.

A collection takes one to four days on one chain of identity, each day with its own donation number and containers (D16,
R059, R060). Recording what was collected is never refused for a broken rule; it is recorded beside its nonconformance.
"""

import re
from datetime import timedelta

from cellwright.factory.order import nonconformance, permission, placing, scan
from cellwright.factory.order.case import NOTHING, mismatch
from cellwright.factory.order.fact import material
from cellwright.factory.order.figure import day, moment, past, positive, today
from cellwright.factory.order.pair import PairState
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import Collection, OrderState
from cellwright.factory.order.subject import SubjectState
from cellwright.factory.record import Fact, Immutable
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

MAX_DAYS = 4
"""Longest collection (D16; published range 1 to 4 days)."""
_DIVISION = re.compile(r"00|[A-Z][a-z0]", re.ASCII)


CLOCKS_DIFFER = timedelta(minutes=15)
"""What the clock of a collection site may differ from the system's before a time is questioned. Assumed here."""


@command("order.schedule_collection", "coordinator")
class ScheduleCollection(Command):
    """Agree a collection of one to four days with a site (R071)."""

    order: str
    site: str
    days: tuple[str, ...]

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        if not order.approved:
            raise Refusal(
                "not-approved",
                "Order {order} is not approved.",
                remedy="Approve it first.",
                rule="R071",
                order=self.order,
            )
        product = permission.product_of(world, order)
        for refusal in (placing.approvable(world, order), permission.gated(world, order, product, "collection")):
            if refusal is not None:
                raise refusal
        coi = permission.chain(order)
        _donor_consents(world, order)
        self._check(order)
        name = f"C{len(order.agreed) + 1}"
        body = material.CollectionScheduled(
            coi=coi,
            pair=order.pair,
            collection=name,
            site=self.site,
            days=self.days,
            recollection=order.recollect_for is not None,
        )
        return Decision(facts=(order.fact(body),))

    def _check(self, order: OrderState) -> None:
        days = [day("days", text) for text in self.days]
        if not 1 <= len(days) <= MAX_DAYS or days != sorted(set(days)):
            raise Refusal(
                "collection-days",
                "A collection takes one to {most} different days in order; these are {days}.",
                rule="D16",
                most=MAX_DAYS,
                days=", ".join(self.days) or "-",
            )
        if order.collections and order.recollect_for is None:
            raise Refusal(
                "already-collected",
                "Cells of order {order} have been collected.",
                remedy="After a failed lot a physician and quality assurance decide on a new collection.",
                rule="R059",
                order=order.name,
            )


def _donor_consents(world: World, order: OrderState) -> None:
    pair = world.load(PairState, order.pair)
    if not pair.autologous and not pair.donor_consented:
        raise Refusal(
            "donor-consent-missing",
            "The donor of pair {pair} has not consented.",
            remedy="Record the donor's own consent.",
            rule="R071",
            pair=order.pair,
        )


@command("order.start_collection", "collection_nurse")
class StartCollection(Command):
    """At the donor's side, two people: wristband and chain of identity are read and agree; the collection begins."""

    order: str
    collection: str
    day: int
    wristband: Scan
    coi: Scan
    verifier: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.going_on(world, self.order)
        coi = permission.chain(order)
        _donor_consents(world, order)
        agreed = self._agreed(order)
        pair = world.load(PairState, order.pair)
        donor = world.load(SubjectState, pair.donor)
        read = scan.wristband(self.wristband)
        if read != donor.wristband:
            return mismatch(
                world, by, point="collection_start", expected=donor.wristband or NOTHING, scanned=read, coi=coi,
                key=f"label/{read}", order=order.name, how=self.wristband.how,
            )  # fmt: skip
        read = scan.chain_of_identity(self.coi)
        if read != coi:
            return mismatch(
                world, by, point="collection_start", expected=coi, scanned=read, coi=coi, found=read,
                order=order.name, how=self.coi.how,
            )  # fmt: skip
        body = material.CollectionStarted(
            coi=coi,
            pair=order.pair,
            collection=agreed.name,
            day=self.day,
            donor=material.Wristband(subject=pair.donor, wristband=donor.wristband or ""),
            performer=by.person,
            verifier=self.verifier,
        )
        sign = (
            Need(person=by.person, meaning="performed", role="collection_nurse"),
            Need(person=self.verifier, meaning="verified", role="collection_nurse"),
            *scan.confirmed(by, "collection_nurse", (self.wristband, self.coi)),
        )
        return Decision(facts=(order.fact(body),), sign=sign)

    def _agreed(self, order: OrderState) -> Collection:
        agreed = order.agreed.get(self.collection)
        if agreed is None or not 1 <= self.day <= len(agreed.days):
            raise Refusal(
                "collection-not-scheduled",
                "Day {day} of collection {collection} of order {order} is not scheduled.",
                remedy="Schedule it: approved order, consent and, for a trial, enrolment.",
                rule="R071",
                day=self.day,
                collection=self.collection,
                order=order.name,
            )
        if self.day in agreed.started:
            raise Refusal(
                "collection-started",
                "Day {day} of collection {collection} has begun.",
                rule="R071",
                day=self.day,
                collection=self.collection,
            )
        return agreed


class Filled(Immutable):
    """One container of a donation, and its label read back after it was put on."""

    division: str
    volume_ml: str
    label: Scan
    nucleated_cells: str | None = None
    cd3_cells: str | None = None


@command("order.record_collection", "collection_nurse")
class RecordCollection(Command):
    """Record one donation with its number and containers, every label read back (R060, R090)."""

    order: str
    collection: str
    day: int
    din: Scan
    coi: Scan
    containers: tuple[Filled, ...]
    started_at: str
    ended_at: str
    holder: str
    place: str
    verifier: str
    history: tuple[str, ...] = ()

    def decide(self, world: World, by: By) -> Decision:
        order = permission.known(world, self.order)
        coi = permission.chain(order)
        read = scan.chain_of_identity(self.coi)
        if read != coi:
            return mismatch(
                world, by, point="collection_label", expected=coi, scanned=read, coi=coi, found=read,
                order=order.name, how=self.coi.how,
            )  # fmt: skip
        din = scan.donation(self.din, today(world))
        self._check(world)
        for one in self.containers:
            name = scan.container_name(din, one.division)
            label = scan.label(one.label, "container", today(world))
            if label.text != name or label.coi not in (None, coi):
                return mismatch(
                    world, by, point="collection_label", expected=name, scanned=label.text, coi=coi, found=label.coi,
                    key=f"container/{label.text}", order=order.name, how=one.label.how,
                )  # fmt: skip
        facts = (order.fact(self._body(by, order, coi, din)), *self._nonconformances(world, order, din))
        sign = (
            Need(person=by.person, meaning="performed", role="collection_nurse"),
            Need(person=self.verifier, meaning="verified", role="collection_nurse"),
            *scan.confirmed(by, "collection_nurse", (self.din, self.coi, *(c.label for c in self.containers))),
        )
        return Decision(facts=facts, sign=sign)

    def _check(self, world: World) -> None:
        if past("ended_at", self.ended_at, world.now) < past("started_at", self.started_at, world.now):
            raise Refusal("ends-before-it-begins", "The collection ends before it begins.", rule="R044")
        if not self.containers:
            raise Refusal("no-container", "A donation without a container cannot be recorded.", rule="R060")
        divisions = [c.division for c in self.containers]
        for division in divisions:
            if not _DIVISION.fullmatch(division):
                raise Refusal(
                    "not-a-division",
                    "{division} is not a division code: 00, or a capital with 0 or a small letter.",
                    rule="R067",
                    division=division,
                )
        if len(set(divisions)) != len(divisions) or (len(divisions) > 1 and "00" in divisions):
            raise Refusal(
                "division-twice",
                "The division codes {divisions} do not tell the containers apart.",
                remedy="Give each container of a donation its own code.",
                rule="R067",
                divisions=", ".join(divisions),
            )
        for one in self.containers:
            positive("volume_ml", one.volume_ml)
            for name, figure in (("nucleated_cells", one.nucleated_cells), ("cd3_cells", one.cd3_cells)):
                if figure is not None:
                    positive(name, figure)

    def _body(self, by: By, order: OrderState, coi: str, din: str) -> material.DonationCollected:
        return material.DonationCollected(
            coi=coi,
            pair=order.pair,
            collection=self.collection,
            day=self.day,
            din=din,
            containers=tuple(
                material.Collected(
                    container=scan.container_name(din, one.division),
                    division=one.division,
                    volume_ml=one.volume_ml,
                    nucleated_cells=one.nucleated_cells,
                    cd3_cells=one.cd3_cells,
                )
                for one in self.containers
            ),
            started_at=self.started_at,
            ended_at=self.ended_at,
            holder=self.holder,
            place=self.place,
            performer=by.person,
            verifier=self.verifier,
            history=self.history,
        )

    def _nonconformances(self, world: World, order: OrderState, din: str) -> list[Fact]:
        agreed = order.agreed.get(self.collection)
        containers = tuple(scan.container_name(din, one.division) for one in self.containers)
        found = []
        if agreed is None:
            found.append(("collected-without-schedule", "R071"))
        if agreed is None or self.day not in agreed.started:
            found.append(("collected-without-identity-check", "R064"))
        elif moment("started_at", self.started_at) < moment("started", agreed.started[self.day]) - CLOCKS_DIFFER:
            found.append(("collected-before-identity-check", "R064"))
        if order.withdrawn is not None:
            found.append(("collected-after-the-end", "D22"))
        return nonconformance.raised(world, order, found, containers)


@command("order.decide_recollection", "physician")
class DecideRecollection(Command):
    """After a failed lot: a physician and quality assurance decide to collect again, on the same chain of identity."""

    order: str
    lot: str
    assessor: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        # Imported here: the lot room reads orders, so that the order room cannot read it while both are loading.
        from cellwright.factory.lot.state import LotState

        scan.two_people(by.person, self.assessor)
        order = permission.going_on(world, self.order)
        lot = world.load(LotState, self.lot)
        if lot.order != order.name or lot.status != "terminated":
            raise Refusal(
                "lot-not-failed",
                "Lot {lot} of order {order} has not been terminated.",
                remedy="Terminate the lot first; its record says why.",
                rule="R059",
                lot=self.lot,
                order=self.order,
            )
        body = material.RecollectionDecided(lot=self.lot, physician=by.person, assessor=self.assessor)
        sign = (
            Need(person=by.person, meaning="requested", role="physician"),
            Need(person=self.assessor, meaning="assessed", role="quality_assurance"),
        )
        return Decision(facts=(order.fact(body, reason=self.reason),), sign=sign)
