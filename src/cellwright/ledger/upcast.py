"""Old events in today's form: what was recorded is never rewritten, but read through pure functions.

An event's body has a form, numbered by ``schema`` for each type. When the form changes, the number rises by one and a
function is added that turns a body of the old form into one of the next. Reading applies them in a chain, so the rest of
the program knows only the newest form.

For every form that was ever recorded, one real event is kept byte for byte (a *golden* file, named
``<type>.<schema>.json``); the tests read them all with today's code. See :func:`read_golden`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from cellwright.language import _
from cellwright.ledger.canonical import Prepared
from cellwright.ledger.errors import LedgerError
from cellwright.ledger.event import Draft, Event, decode

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""From a body of one schema to one of the next. Pure: it does not change what it is given."""


class NewerSchema(LedgerError):
    """An event in a form this program does not know: it was recorded by a newer version. Update this installation."""


class Upcasts:
    """The table of upcasters: ``(type, schema)`` -> function to ``schema + 1``.

    Raises:
        ValueError: a chain has a gap, so that some old form would not reach the newest.
    """

    def __init__(self, table: Mapping[tuple[str, int], Upcaster]) -> None:
        self._table: Final = dict(table)
        self._newest: dict[str, int] = {}
        for kind, schema in sorted(self._table):
            if schema != self._newest.get(kind, 1):
                raise ValueError(f"{kind}: no upcaster from schema {self._newest.get(kind, 1)}")
            self._newest[kind] = schema + 1

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self._table)

    def newest(self, kind: str) -> int:
        """The schema that events of a type have now."""
        return self._newest.get(kind, 1)

    def event(self, event: Event) -> Event:
        """The event with its body in the newest form; the same object when it has it already.

        Raises:
            NewerSchema: its form is newer than any known here.
        """
        newest = self._newest.get(event.type, 1)
        if event.schema == newest:
            return event
        if event.schema > newest:
            raise NewerSchema(
                _(
                    "Event {pos} ({type}) has form {schema}; this program knows {newest}. Update this installation."
                ).format(pos=event.pos, type=event.type, schema=event.schema, newest=newest)
            )
        body = event.body
        for schema in range(event.schema, newest):
            body = self._table[event.type, schema](body)
        return msgspec.structs.replace(event, schema=newest, body=body)


class Golden(NamedTuple):
    """A kept event: its exact bytes, and what they say."""

    path: Path
    data: bytes
    event: Event


def golden_name(kind: str, schema: int) -> str:
    """The file name of the golden event of a type and schema."""
    return f"{kind}.{schema}.json"


def read_golden(folder: Path) -> list[Golden]:
    """The golden events in a folder, by name.

    Raises:
        ValueError: a file is not named by what it says, or its bytes are not what the ledger would write for it.
    """
    golden = []
    for path in sorted(folder.glob("*.json")):
        data = path.read_bytes()
        event = decode(data)
        if path.name != golden_name(event.type, event.schema):
            raise ValueError(f"{path} holds {event.type} schema {event.schema}")
        if rewritten(event) != data:
            raise ValueError(f"{path} is not what the ledger writes for this event")
        golden.append(Golden(path, data, event))
    return golden


def without_golden(folder: Path, forms: Collection[tuple[str, int]]) -> list[tuple[str, int]]:
    """Of these types and schemas, those that have no golden file yet."""
    kept = {(golden.event.type, golden.event.schema) for golden in read_golden(folder)}
    return sorted(set(forms) - kept)


def rewritten(event: Event) -> bytes:
    """The canonical bytes of an event as today's code writes them."""
    fields = {name: getattr(event, name) for name in Draft.__struct_fields__}
    return Prepared(Draft(**fields), own=True).data(event.at, event.pos, event.version)
