"""What a scan during making means: this container, an old label, or somebody else's, which stops everything (R066)."""

from cellwright.factory.lot.part import Container
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.scan import SEPARATOR, Scan, item
from cellwright.factory.rule import Refusal


def own(lot: LotState, text: str) -> bool:
    """Whether a label, a container or a sample of this lot reads like this."""
    serial, _, whose = text.partition(SEPARATOR)
    if whose and whose != lot.owner:
        return False
    return serial in lot.labels or serial in lot.containers or serial in lot.samples


def container(lot: LotState, scan: Scan) -> Container:
    """The container of this lot that a scan names.

    Raises:
        Refusal: `superseded-label` for a copy that was replaced (R090), `label-not-applied` for one that is on nothing,
            `not-this-lot` for a code that no container of this lot bears.
    """
    text = item(scan, "container")
    serial = text.partition(SEPARATOR)[0]
    label = lot.labels.get(serial)
    if label is not None and own(lot, text):
        if label.superseded:
            raise Refusal(
                "superseded-label",
                "Label {label} was replaced by a newer copy and is void.",
                remedy="Scan the newer copy; destroy this one.",
                rule="R090",
                label=serial,
            )
        if label.status != "applied":
            raise Refusal(
                "label-not-applied",
                "Label {label} is {status}; it is on no container.",
                remedy="Verify and apply it first.",
                rule="R068",
                label=serial,
                status=label.status,
            )
        return lot.containers[label.container]
    if own(lot, text) and serial in lot.containers:
        return lot.containers[serial]
    raise Refusal(
        "not-this-lot",
        "{scanned} is on no container of lot {lot}.",
        remedy="Scan the container of this lot; if its label is damaged, open an identity case.",
        rule="R066",
        scanned=text[:80],
        lot=lot.number,
    )


def identified(found: Container) -> Container:
    """A container whose contents may be processed: it bears its own label (R068) and still exists.

    Raises:
        Refusal: `container-unlabelled`, or `container-gone` once it has a final disposition.
    """
    if found.disposition is not None:
        raise Refusal(
            "container-gone",
            "Container {container} is {disposition}.",
            rule="R074",
            container=found.container,
            disposition=found.disposition,
        )
    if found.label is None and found.parents:
        raise Refusal(
            "container-unlabelled",
            "Container {container} does not bear its own verified label.",
            remedy="Print, scan back and apply its label first.",
            rule="R068",
            container=found.container,
        )
    return found
