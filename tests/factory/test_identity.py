"""The law of identity: every identifier of every fact says what it claims, and the store's keys follow from it."""

import re
from typing import Annotated, get_type_hints

import pytest

import cellwright.factory.register  # noqa: F401 - fills the register with every room
from cellwright.factory import identity
from cellwright.factory.identity import EXPECTS, NAMES, RELEASES, SELF, TAKES, Coi, OwnerMissing, Pair, Stock, binding
from cellwright.factory.record import REGISTER, Body, Immutable, Part

IDENTIFIER = re.compile(
    r"^(.*_)?(account|bag|coi|container|din|equipment|label|lot|material|nonce|order|pair|person|position|product|room"
    r"|sample|seal|shipment|shipper|subject|well)s?$"
)


class Side(Part):
    coi: Coi
    container: Annotated[str, EXPECTS("container")]


class Filled(Body):
    coi: Coi
    pair: Pair
    bag: Annotated[str, TAKES("container")]
    parents: tuple[Annotated[str, EXPECTS("container")], ...] = ()
    position: Annotated[str, RELEASES("position")] | None = None
    wrong: Annotated[str, NAMES("container")] = ""
    others: tuple[Side, ...] = ()


class Used(Body):
    stock: Stock
    material: Annotated[str, EXPECTS("material")]


class Opened(Body):
    person: Annotated[str, SELF("person")]
    account: Annotated[str, TAKES("account")]


class Ownerless(Body):
    bag: Annotated[str, TAKES("container")]


def test_binding_follows_the_declaration() -> None:
    body = Filled(
        coi="C1",
        pair="P1",
        bag="B1",
        parents=("X1", "X2"),
        position="F1/3",
        wrong="Z",
        others=(Side(coi="C2", container="Y"),),
    )
    bound = binding("lot/L1", body)
    assert bound.claims == {"container/B1": "C1"}
    assert bound.expects == {"coi/C1": "pair/P1", "container/X1": "C1", "container/X2": "C1", "container/Y": "C2"}
    assert bound.releases == {"position/F1/3": "C1"}
    assert set(bound.tags) == {"lot/L1", "coi/C1", "coi/C2", "pair/P1"}


def test_stock_and_self_own_too() -> None:
    assert binding("lot/L1", Used(stock="vector", material="V-7")).expects == {"material/V-7": "stock/vector"}
    assert binding("person/OP-1", Opened(person="OP-1", account="op")).claims == {"account/op": "person/OP-1"}


def test_an_item_without_owner_is_an_error_of_programming() -> None:
    with pytest.raises(OwnerMissing):
        binding("lot/L1", Ownerless(bag="B1"))


def _bodies() -> list[type[Immutable]]:
    found: dict[type[Immutable], None] = {}

    def walk(kind: type[Immutable]) -> None:
        found[kind] = None
        for field in identity.fields(kind):
            if field.part is not None:
                walk(field.part)

    for body in REGISTER.values():
        walk(body)
    return list(found)


@pytest.mark.requirement("R066")
@pytest.mark.parametrize("body", _bodies(), ids=lambda b: b.__name__)
def test_every_identifier_of_every_fact_says_what_it_does(body: type[Immutable]) -> None:
    known = {field.name for field in identity.fields(body)}
    silent = [n for n in get_type_hints(body) if IDENTIFIER.match(n) and n not in known and n not in ("type", "schema")]
    assert not silent, f"{body.__name__}: {silent} are named like identifiers and do not say what they claim"
