"""What a scan during making means: this container, an old label, or somebody else's, which stops everything (R066).

What a label carries is read as what it says it is: the compound symbol of ISBT 128 names donation, division and chain of
identity; a house symbol names the label's own serial, alone or with whose it is (R079, R083).
"""

from typing import NamedTuple

from cellwright.factory.lot.part import Container
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.figure import today
from cellwright.factory.order.scan import Scan, label
from cellwright.factory.rule import Refusal, World
from cellwright.identifier.isbt128.compound import DATA_IDENTIFIER as COMPOUND
from cellwright.identifier.scan import GS1_SYMBOLOGIES, split_symbology


class Read(NamedTuple):
    """What a symbol said: an item or a label's serial, whose it is where it says so, and in which way it said it."""

    text: str
    whose: str | None
    compound: bool


def read(world: World, scan: Scan, kind: str = "container") -> Read:
    """A symbol of a label. Raises Refusal `scan-not-understood` for what is none (R079, R083)."""
    found, payload = label(scan, kind, today(world)), split_symbology(scan.text.strip())
    if payload.symbology in GS1_SYMBOLOGIES:
        raise Refusal(
            "scan-not-understood",
            "{scanned} is not a {kind}: its symbology says that it is trade data of GS1.",
            remedy="Scan the label that is asked for; if it is damaged, open an identity case.",
            rule="R079",
            scanned=payload.text[:80],
            kind=kind,
        )
    return Read(found.text, found.coi, payload.text.startswith(COMPOUND))


def own(lot: LotState, found: Read) -> bool:
    """Whether a label, a container, a sample or the number of this lot reads like this."""
    if found.whose is not None and found.whose != lot.owner:
        return False
    return found.text in lot.labels or found.text in lot.containers or found.text in (*lot.samples, lot.number)


def container(world: World, lot: LotState, scan: Scan) -> Container:
    """The container of this lot that a scan names.

    Raises:
        Refusal: `superseded-label` for a copy that was replaced (R090), `label-not-applied` for one that is on nothing,
            `copy-not-named` where several copies say the same, `not-this-lot` for a code that no container bears.
    """
    found = read(world, scan)
    serial = found.text
    label = lot.labels.get(serial)
    if label is not None and own(lot, found):
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
    if own(lot, found) and serial in lot.containers:
        if found.compound:
            _one_copy(lot, serial)
        return lot.containers[serial]
    raise Refusal(
        "not-this-lot",
        "{scanned} is on no container of lot {lot}.",
        remedy="Scan the container of this lot; if its label is damaged, open an identity case.",
        rule="R066",
        scanned=serial[:80],
        lot=lot.number,
    )


def _one_copy(lot: LotState, name: str) -> None:
    """The compound symbol does not say which copy it is on: where one was replaced, the copy's serial is read (R090)."""
    if any(label.superseded for label in lot.labels.values() if label.container == name):
        raise Refusal(
            "copy-not-named",
            "Container {container} has had more than one label, and this symbol does not say which it is on.",
            remedy="Scan the label's own number beside it.",
            rule="R090",
            container=name,
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
