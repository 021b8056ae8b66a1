"""Appends made up from a seed, and the judgement of a ledger that came back after a fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from cellwright.ledger import Draft, LedgerError, SimulatedClock, open_ledger, verify
from cellwright.ledger.merkle import leaf_hash, root_of

START: Final = datetime(2026, 3, 2, 8, 12, tzinfo=UTC)
AFTERWARDS: Final = "after-the-fault"
Answers = Mapping[str, bytes]
"""Event id -> the bytes that the ledger answered with."""


@dataclass
class Story:
    """Appends of 1 to 4 events on five lots, with tags, bags that are taken and given back, and long and short bodies."""

    random: Random
    prefix: str = ""
    count: int = 0
    held: dict[str, str] = field(default_factory=dict)

    def append(self) -> list[Draft]:
        """The next append; it is right if every one before it was written."""
        number, random = self.count, self.random
        self.count += 1
        drafts = []
        for part in range(random.choice((1, 1, 1, 2, 4))):
            owner = f"coi/{random.randrange(4)}"
            fields: dict[str, Any] = {}
            if random.random() < 0.4:
                key = f"bag/{self.prefix}{number}.{part}"
                fields["claims"] = {key: owner}
            if self.held and random.random() < 0.3:
                given = random.choice(sorted(self.held))
                fields["releases"] = {given: self.held.pop(given)}
            self.held |= fields.get("claims", {})
            body = {"n": number, "text": "x" * random.choice((0, 40, 200, 3000))}
            drafts.append(
                Draft(
                    stream=f"lot/{random.randrange(5)}",
                    type="lot.step_done",
                    body=body,
                    id=f"{self.prefix}{number}.{part}",
                    actor="ann",
                    tags=(owner, "product/aT19"),
                    **fields,
                )
            )
        return drafts


def judge(
    path: Path, tried: Sequence[Sequence[Draft]], answers: Answers, *, create: bool = True, deep: bool = True
) -> list[str]:
    """What is wrong with a ledger after a fault: opened as after a restart, read, verified, and written to again.

    Args:
        tried: every append that a client handed in, answered or not.
        answers: what clients were told; all of it must be there.

    Returns:
        Faults in words, each beginning with its kind: unreadable, lost, foreign, partial, corrupt, stuck.
    """
    try:
        ledger = open_ledger(path, clock=SimulatedClock(START), create=create)
    except LedgerError as error:
        return [f"unreadable: {error!r}"]
    try:
        with ledger:
            faults = _compare(list(ledger.records()), ledger.head().size, ledger.head().root, tried, answers)
            faults += [f"corrupt: {finding}" for finding in verify(ledger, processes=1, deep=deep).findings]
            event = ledger.append([Draft(stream="after", type="test.after", body={}, id=AFTERWARDS, actor="ann")])[0]
            if event.pos != ledger.head().size - 1:
                faults.append("stuck: the append after the fault did not arrive")
            return faults
    except LedgerError as error:
        return [f"stuck: {error!r}"]
    except Exception as error:  # noqa: BLE001 - whatever a broken file provokes is a fault of it
        return [f"corrupt: {error!r}"]


def _compare(
    records: Sequence[Any], size: int, root: bytes, tried: Sequence[Sequence[Draft]], answers: Answers
) -> list[str]:
    faults = []
    found: dict[str, bytes] = {}
    for pos, record in enumerate(records):
        if type(record.data) is not bytes or record.leaf != leaf_hash(record.data):
            faults.append(f"corrupt: position {pos}")
            continue
        event = record.event
        if record.pos != pos or event.pos != pos:
            faults.append(f"corrupt: position {pos}")
        if event.id in found:
            faults.append(f"corrupt: {event.id} twice")
        found[event.id] = record.data
    if len(records) != size or root_of(record.leaf for record in records) != root:
        faults.append("corrupt: root and head")
    faults += [f"lost: {name}" for name, data in answers.items() if found.get(name) != data]
    known = {AFTERWARDS}
    for drafts in tried:
        ids = [draft.id for draft in drafts]
        known.update(ids)
        if len({name in found for name in ids}) > 1:
            faults.append(f"partial: {ids}")
    faults += [f"foreign: {name}" for name in found if name not in known and not name.startswith("ledger/clock")]
    return faults
