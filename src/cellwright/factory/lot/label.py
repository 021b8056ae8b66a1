"""Labels: printed, read back, applied; then the container may be detached (R068, R090). Every copy is counted (R046)."""

from typing import Literal

from msgspec.structs import replace

from cellwright.factory.lot import labelling, scanning, swap
from cellwright.factory.lot.access import container, known, other_person, workable
from cellwright.factory.lot.fact.container import (
    ContainerDetached,
    LabelApplied,
    LabelDestroyed,
    LabelPrinted,
    LabelRejected,
    LabelVerified,
)
from cellwright.factory.lot.part import Container, Label
from cellwright.factory.lot.quantity import moment
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.case import CaseState
from cellwright.factory.order.pair import PairState
from cellwright.factory.order.scan import Scan, confirmed
from cellwright.factory.people import stamp
from cellwright.factory.portfolio.product import Product
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command
from cellwright.factory.stored_file import FileHash
from cellwright.identifier.scan import Payload, split_symbology

READ_KEPT = 80
"""Characters of a wrong reading that the record keeps."""
Place = Literal["container", "cassette"]


def content(world: World, lot: LotState, found: Container) -> dict[str, str]:
    """What a container's label says, names and numbers of persons excepted (R060, R062, R069)."""
    pair = world.load(PairState, lot.pair) if lot.pair is not None else None
    said = {
        "owner": lot.owner,
        "din": found.din,
        "division": found.division,
        "container": found.container,
        "kind": found.kind,
        "lot": lot.number,
        "product": lot.product,
        "volume_ml": str(found.filled_ml),
        "dose": f"{found.dose}/{lot.doses}" if found.dose is not None else None,
        "legends": ", ".join(pair.legends) if pair is not None else None,
    }
    if found.is_bag:
        product = world.definition(Product, lot.product, lot.product_version)
        said["expires"] = stamp(moment(found.made_at) + product.shelf_life)
        said["store_at_most_c"] = str(product.storage.max_c)
    return {key: value for key, value in said.items() if value}


def current(lot: LotState, name: str, place: Place) -> Label | None:
    """The copy of a container's label that counts: printed, not replaced, not destroyed."""
    copies = (c for c in lot.labels.values() if c.container == name and c.place == place and c.live)
    return next(copies, None)


def _known(lot: LotState, label: str) -> Label:
    try:
        found = lot.labels[label]
    except KeyError:
        raise Refusal("unknown-label", "Lot {lot} has no label {label}.", lot=lot.number, label=label) from None
    if found.superseded:
        raise Refusal(
            "superseded-label",
            "Label {label} was replaced by a newer copy and is void.",
            remedy="Scan the newer copy; destroy this one.",
            rule="R090",
            label=label,
        )
    return found


def _supervised(world: World, number: str, name: str) -> LotState:
    """A lot whose container is labelled anew after an investigation that showed whose it is (D4).

    Raises:
        Refusal: `case-not-of-lot`, or `identity-not-shown` while the investigation has not shown it.
    """
    lot = known(world, number)
    case = world.load(CaseState, name)
    if lot.number not in case.lots:
        raise Refusal("case-not-of-lot", "Case {case} does not touch lot {lot}.", rule="D4", case=name, lot=number)
    if case.identity != "shown" or not case.open:
        raise Refusal(
            "identity-not-shown",
            "The investigation of case {case} did not show the identity.",
            remedy="What cannot be shown to be its owner's is rejected, never labelled anew.",
            rule="D4",
            case=name,
        )
    return lot


def _labelling(world: World, lot: LotState, label: Label) -> None:
    """A label is handled in a lot that is worked on, or under the case it was printed for."""
    if label.case is not None:
        _supervised(world, lot.number, label.case)
    else:
        workable(world, lot.number)


@command("lot.print_label", "operator", "warehouse")
class PrintLabel(Command):
    """Print one copy. Where a copy exists, a reason and quality assurance are needed, and the former copy is void."""

    lot: str
    container: str
    template: str | None = None
    """The version of the label that is wanted; the one in force if not given, and no other is printed (R091)."""
    place: Place = "container"
    reason: str | None = None
    approver: str | None = None
    case: str | None = None
    """The identity case under whose supervision a container is labelled anew, whatever state the lot is in (D4)."""
    role: str = "operator"

    def decide(self, world: World, by: By) -> Decision:
        lot = workable(world, self.lot) if self.case is None else _supervised(world, self.lot, self.case)
        found = container(lot, self.container)
        former = current(lot, found.container, self.place)
        if former is None:
            return Decision(facts=(_printed(world, lot, found, self.template, self.place, by, self.case),))
        if not (self.reason or "").strip() or self.approver is None or self.approver == by.person:
            raise Refusal(
                "reprint-needs-reason",
                "Container {container} has a label; another copy voids it.",
                remedy="Give the reason, and let quality assurance sign beside you.",
                rule="R090",
                container=self.container,
            )
        fact = _printed(
            world, lot, found, self.template, self.place, by, self.case, former=former.label, approver=self.approver
        )
        needs = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.approver, meaning="approved", role="quality_assurance"),
        )
        return Decision(facts=(replace(fact, reason=self.reason),), sign=needs)


@command("lot.print_labels", "operator", "warehouse")
class PrintLabels(Command):
    """Print the first labels of several containers in one go. Each is read back and applied by itself."""

    lot: str
    containers: tuple[str, ...]
    template: str | None = None
    place: Place = "container"

    def decide(self, world: World, by: By) -> Decision:
        lot = workable(world, self.lot)
        known_ones = [name for name in self.containers if current(lot, name, self.place) is not None]
        if known_ones or not self.containers or len(set(self.containers)) != len(self.containers):
            raise Refusal(
                "not-first-labels",
                "These are not the first labels of different containers: {containers}.",
                remedy="Print another copy of one label with its reason; name each container once.",
                rule="R090",
                containers=", ".join(known_ones or self.containers) or "-",
            )
        found = (container(lot, name) for name in self.containers)
        return Decision(facts=tuple(_printed(world, lot, one, self.template, self.place, by) for one in found))


def _printed(
    world: World,
    lot: LotState,
    found: Container,
    template: str | None,
    place: Place,
    by: By,
    case: str | None = None,
    *,
    former: str | None = None,
    approver: str | None = None,
) -> Fact:
    if found.disposition is not None:
        scanning.identified(found)
    serial = world.issue("label")
    planned = labelling.planned(world, lot, found, place, serial, template)
    body = LabelPrinted(
        coi=lot.coi,
        stock=lot.stock,
        label=serial,
        container=found.container,
        content=content(world, lot, found),
        template=planned.template,
        symbols=planned.symbols,
        legends=planned.legends,
        performer=by.person,
        supersedes=former,
        approver=approver,
        place=place,
        case=case,
    )
    return lot.fact(body)


@command("lot.verify_label", "operator", "quality_assurance")
class VerifyLabel(Command):
    """Read the print back. Anything but what was intended is recorded and the copy may not be applied (R069, R090)."""

    lot: str
    label: str
    scan: Scan
    """The symbol with the label's own number."""
    symbols: tuple[Scan, ...] = ()
    """Every other symbol that the reader found on the print."""
    legends: tuple[str, ...] = ()
    """The legends that the person sees on it; no reader reads them."""
    picture_sha256: FileHash | None = None
    """The print as kept with the files."""

    def decide(self, world: World, by: By) -> Decision:
        lot = known(world, self.lot)
        label = _known(lot, self.label)
        _labelling(world, lot, label)
        scans = (self.scan, *self.symbols)
        if scanning.read(world, self.scan, "label").text != label.label:
            stop = swap.stopped(world, lot, by, scans, point="final_label")
        else:
            stop = swap.stopped(world, lot, by, self.symbols, point="final_label")
        if stop is not None:
            return stop
        if label.status != "printed":
            raise Refusal(
                "label-not-fresh",
                "Label {label} is {status}; only a printed one is read back.",
                rule="R090",
                label=label.label,
                status=label.status,
            )
        refusal = self._differs(label, scans) or self._unseen(label)
        if refusal is not None:
            return self._rejected(lot, label, refusal, by)
        body = LabelVerified(
            coi=lot.coi,
            stock=lot.stock,
            label=label.label,
            container=label.container,
            read=split_symbology(self.scan.text.strip()).text,
            verifier=by.person,
            legends=self.legends,
            picture_sha256=self.picture_sha256,
        )
        return Decision(facts=(lot.fact(body),), sign=confirmed(by, "operator", scans))

    def _differs(self, label: Label, scans: tuple[Scan, ...]) -> Refusal | None:
        """Whether the reader found anything else, or less, than what was sent to the printer."""
        wanted = [split_symbology(text) for text in label.symbols or (label.code,)]
        found = [split_symbology(scan.text.strip()) for scan in scans]
        foreign = [one.text for one in found if not any(_says(one, other) for other in wanted)]
        missing = [one.text for one in wanted if not any(_says(other, one) for other in found)]
        if not foreign and not missing:
            return None
        return Refusal(
            "label-not-as-intended",
            "Label {label} reads {scanned}, intended was {intended}.",
            remedy="Destroy this copy and print another.",
            rule="R090",
            label=label.label,
            scanned=", ".join(foreign)[:READ_KEPT] or "-",
            intended=", ".join(missing) or label.code,
        )

    def _unseen(self, label: Label) -> Refusal | None:
        missing = [legend for legend in label.legends if legend not in self.legends]
        if not missing:
            return None
        return Refusal(
            "legend-missing",
            "Label {label} does not bear the legend {legends}.",
            remedy="Destroy this copy and print another; a container without its legends is not used.",
            rule="R069",
            label=label.label,
            legends=", ".join(missing),
        )

    def _rejected(self, lot: LotState, label: Label, why: Refusal, by: By) -> Decision:
        read = why.values.get("scanned") or f"{why.code}: {why.values['legends']}"
        body = LabelRejected(coi=lot.coi, stock=lot.stock, label=label.label, read=str(read), verifier=by.person)
        return Decision(facts=(lot.fact(body),), stop=why)


def _says(one: Payload, intended: Payload) -> bool:
    """Whether a reading is what was intended; a scanner that does not name the symbology is believed."""
    return one.text == intended.text and (intended.symbology is None or one.symbology in (None, intended.symbology))


@command("lot.apply_label", "operator")
class ApplyLabel(Command):
    """Put a verified label where it belongs; a second person sees it done (handover point 10)."""

    lot: str
    container: str
    scan: Scan
    verifier: str

    def decide(self, world: World, by: By) -> Decision:
        lot = known(world, self.lot)
        other_person(by.person, self.verifier, "apply label")
        stop = swap.stopped(world, lot, by, (self.scan,), point="final_label")
        if stop is not None:
            return stop
        found = container(lot, self.container)
        label = _known(lot, scanning.read(world, self.scan, "label").text)
        _labelling(world, lot, label)
        if label.status != "verified":
            raise Refusal(
                "label-not-verified",
                "Label {label} is {status}; only one that was read back can be applied.",
                remedy="Read it back first.",
                rule="R090",
                label=label.label,
                status=label.status,
            )
        if label.container != found.container:
            raise Refusal(
                "label-of-another-container",
                "Label {label} was printed for {other}, not for {container}.",
                remedy="Apply it to the container it was printed for.",
                rule="R090",
                label=label.label,
                other=label.container,
                container=found.container,
            )
        body = LabelApplied(
            coi=lot.coi,
            stock=lot.stock,
            label=label.label,
            container=found.container,
            performer=by.person,
            verifier=self.verifier,
            place=label.place,
        )
        needs = (
            Need(person=by.person, meaning="performed", role="operator"),
            Need(person=self.verifier, meaning="verified", role="operator"),
            *confirmed(by, "operator", (self.scan,)),
        )
        return Decision(facts=(lot.fact(body),), sign=tuple(dict.fromkeys(needs)))


@command("lot.detach", "operator")
class Detach(Command):
    """Separate filled containers from their set; each must bear its own label (R068)."""

    lot: str
    containers: tuple[str, ...]

    def decide(self, world: World, by: By) -> Decision:
        lot = workable(world, self.lot)
        found = tuple(container(lot, name) for name in self.containers)
        for one in found:
            _detachable(one)
        bodies = (
            ContainerDetached(coi=lot.coi, stock=lot.stock, container=one.container, performer=by.person)
            for one in found
        )
        return Decision(facts=tuple(lot.fact(body) for body in bodies))


def _detachable(found: Container) -> None:
    if found.detached:
        raise Refusal("already-detached", "Container {container} is detached.", rule="R068", container=found.container)
    if found.label is None:
        raise Refusal(
            "detach-unlabelled",
            "Container {container} does not bear its own verified label and stays attached.",
            remedy="Print its label, read it back and apply it first.",
            rule="R068",
            container=found.container,
        )


@command("lot.destroy_label", "operator", "warehouse")
class DestroyLabel(Command):
    """Record that a copy which is on nothing was destroyed before a witness (R046)."""

    lot: str
    label: str
    witness: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        lot = known(world, self.lot)
        other_person(by.person, self.witness, "destroy label")
        label = lot.labels.get(self.label)
        if label is None or label.status == "destroyed" or (label.status == "applied" and not label.superseded):
            raise Refusal(
                "label-in-use",
                "Label {label} is not a copy that can be destroyed.",
                remedy="Only copies of this lot that are on nothing, or were replaced, are destroyed.",
                rule="R046",
                label=self.label,
            )
        body = LabelDestroyed(coi=lot.coi, stock=lot.stock, label=self.label, performer=by.person, witness=self.witness)
        needs = (
            Need(person=by.person, meaning="performed", role="operator"),
            Need(person=self.witness, meaning="verified", role="operator"),
        )
        return Decision(facts=(lot.fact(body, reason=self.reason),), sign=needs)


def unreconciled(lot: LotState) -> tuple[str, ...]:
    """Copies that are neither applied nor destroyed: issued = applied + destroyed does not hold while there are any."""
    return tuple(c.label for c in lot.labels.values() if c.status not in ("applied", "destroyed"))
