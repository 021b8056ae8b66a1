"""The site's own numbers: issued in blocks reserved in the ledger, so that no two processes give the same.

Uniqueness never rests on this: every identifier is claimed in the ledger when it is used. A crash leaves a gap, which
is no harm; numbers say nothing but who they name.
"""

import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from cellwright.factory.record import Body, event, write
from cellwright.factory.rule import Seen, State
from cellwright.identifier.house import LabelSerial, LotNumber, SampleNumber, ShipperNumber
from cellwright.identifier.isbt128.check_character import check_character
from cellwright.identifier.isbt128.facility import FacilityNumber
from cellwright.identifier.issuer import ChainOfIdentityIssuer, DonationNumberIssuer, HouseNumberIssuer, Issuer
from cellwright.identifier.text import Identifier
from cellwright.ledger import Conflict, Draft, Ledger

BLOCK: Final = 200
"""Numbers reserved at once."""
LETTERS: Final = {
    "bag": "B", "case": "K", "container": "C", "nonconformance": "N", "order": "O", "pair": "R", "plate": "W", "shipment": "H",
    "sheet": "D", "subject": "U", "well": "E",
}  # fmt: skip
"""First letter of the numbers that no type of `identifier` stands for; built like them: FIN, year, count, check."""


@event("issuer.block_reserved")
class BlockReserved(Body):
    """Numbers `first` to `first + count - 1` of a kind and year are given by one process."""

    kind: str
    year: int
    first: int
    count: int


class Counter(State):
    """How far the numbers of one kind and year are reserved."""

    room: ClassVar[str] = "issuer"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.next = 0

    def apply(self, body: Body, seen: Seen) -> None:
        if isinstance(body, BlockReserved):
            self.next = body.first + body.count


def new_event_id() -> UUID:
    """A UUIDv7 (RFC 9562): milliseconds since 1970 and 74 random bits, so that ids sort by time."""
    milliseconds, random = time.time_ns() // 1_000_000, secrets.randbits(74)
    number = milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    return UUID(int=number)


class Issuing:
    """Gives identifiers of every kind for one site. Safe to share between threads."""

    def __init__(self, ledger: Ledger, facility: FacilityNumber, zone: str, new_id: Callable[[], UUID]) -> None:
        self._ledger = ledger
        self._facility = facility
        self._zone = zone
        self._new_id = new_id
        self._blocks: dict[tuple[str, int], range] = {}
        self._lock = threading.Lock()
        self._issuers: dict[str, Issuer[Identifier]] = {
            "coi": ChainOfIdentityIssuer(facility),
            "din": DonationNumberIssuer(facility),
            "lot": HouseNumberIssuer(LotNumber, facility),
            "sample": HouseNumberIssuer(SampleNumber, facility),
            "label": HouseNumberIssuer(LabelSerial, facility),
            "shipper": HouseNumberIssuer(ShipperNumber, facility),
        }

    def next(self, kind: str, now: datetime) -> str:
        """The next identifier of a kind in the year of `now`.

        Raises:
            KeyError: there is no such kind.
            IdentifierError: the year's numbers are used up.
        """
        with self._lock:
            number = self._number(kind, now.year)
        issuer = self._issuers.get(kind)
        if issuer is not None:
            return str(issuer.issue(now.year, number))
        body = f"{LETTERS[kind]}{self._facility}{now.year % 100:02d}{number:07d}"
        return body + check_character(body)

    def _number(self, kind: str, year: int) -> int:
        block = self._blocks.get((kind, year))
        if not block:
            block = self._reserve(kind, year)
        self._blocks[kind, year] = block[1:]
        return block[0]

    def _reserve(self, kind: str, year: int) -> range:
        stream = f"issuer/{kind}-{year}"
        while True:
            events = self._ledger.stream(stream)
            first = int(events[-1].body["first"]) + int(events[-1].body["count"]) if events else 0
            body = BlockReserved(kind=kind, year=year, first=first, count=BLOCK)
            draft = Draft(
                stream=stream,
                type=body.type,
                body=write(body),
                id=str(self._new_id()),
                actor="service/issuer",
                zone=self._zone,
            )
            try:
                self._ledger.append([draft], {stream: len(events)})
            except Conflict:
                continue
            return range(first, first + BLOCK)
