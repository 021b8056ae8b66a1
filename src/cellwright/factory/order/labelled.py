"""From a scanned label to the container it is on, for what an order holds outside its lots."""

from collections.abc import Iterable
from typing import NamedTuple

from cellwright.factory.order.fact.shipping import Consigned
from cellwright.factory.order.figure import today
from cellwright.factory.order.scan import Label, Scan, label
from cellwright.factory.order.state import OrderState
from cellwright.factory.rule import Refusal, World
from cellwright.identifier.isbt128.compound import DATA_IDENTIFIER as COMPOUND
from cellwright.identifier.scan import split_symbology


class Found(NamedTuple):
    """A container of the order, and the chain of identity if the label said it."""

    container: str
    coi: str | None


class Stranger(Exception):
    """A scanned label is on nothing that was expected here. The caller turns it into the hard stop of its point.

    Attributes:
        scan: the scan.
        read: the item it names.
        found: whose it is, where the label says so.
    """

    def __init__(self, scan: Scan, read: str, found: str | None = None) -> None:
        super().__init__(read)
        self.scan, self.read, self.found = scan, read, found


def of_order(world: World, order: OrderState, one: Scan, among: Iterable[str] | None = None) -> Found:
    """The container of this order that a scan names.

    Args:
        among: only these are expected here; every container of the order and of its lots if not given.

    Raises:
        Stranger: it is on nothing of this order, or not among the expected, or names another chain of identity.
        Refusal `superseded-label`: the copy was replaced by a newer one; `copy-not-named`: the symbol does not say which
            copy it is on (R090).
    """
    read = label(one, "container", today(world))
    name = _held(world, order, read, one) or _in_lots(world, order, read.text)
    if name is None or (among is not None and name not in frozenset(among)):
        raise Stranger(one, read.text, read.coi if read.coi != order.coi else None)
    if read.coi is not None and read.coi != order.coi:
        raise Stranger(one, read.text, read.coi)
    return Found(name, read.coi)


def of_consignment(world: World, items: Iterable[Consigned], one: Scan) -> Found:
    """The container of a consignment that a scan names. Raises as `of_order`."""
    stranger: Stranger | None = None
    for item in items:
        try:
            return of_order(world, world.load(OrderState, item.order), one, item.containers)
        except Stranger as other:
            stranger = other
    assert stranger is not None, "a consignment has at least one item"
    raise stranger


def _held(world: World, order: OrderState, read: Label, one: Scan) -> str | None:
    """The container that the order itself holds under this reading.

    What was labelled anew is known by its new label's serial alone; a compound symbol names a container of a lot only
    while every copy of its label is good, since it does not say which copy it is on (R090).
    """
    for name, container in order.containers.items():
        if container.label == read.text:
            return name
    found = order.containers.get(read.text)
    if found is None:
        return None
    if found.label is not None:
        raise _void(read.text)
    if found.lot is not None and split_symbology(one.text.strip()).text.startswith(COMPOUND):
        from cellwright.factory.lot.state import LotState

        copies = world.load(LotState, found.lot).labels.values()
        if any(copy.superseded for copy in copies if copy.container == read.text):
            raise Refusal(
                "copy-not-named",
                "Container {container} has had more than one label, and this symbol does not say which it is on.",
                remedy="Scan the label's own number beside it.",
                rule="R090",
                container=read.text,
            )
    return read.text


def _void(label: str) -> Refusal:
    return Refusal(
        "superseded-label",
        "Label {label} was replaced by a newer copy and is void.",
        remedy="Scan the newer copy; destroy this one.",
        rule="R090",
        label=label,
    )


def _in_lots(world: World, order: OrderState, text: str) -> str | None:
    # Imported here: the lot room reads orders, so that the order room cannot read it while both are loading.
    from cellwright.factory.lot.state import LotState

    for number in order.lots:
        lot = world.load(LotState, number)
        if lot.coi != order.coi:
            continue
        if text in lot.containers:
            return text
        copy = lot.labels.get(text)
        if copy is None:
            continue
        if copy.superseded:
            raise _void(text)
        return copy.container
    return None
