"""Golden events: one stored event of every type and schema, kept byte for byte, so that no later program forgets a form.

`python -m tools.golden` adds a line for each form that has none yet and never touches a line that is there. A golden
event has a value in every field, so that a field renamed, removed or narrowed is noticed by the test that reads it.
"""

import hashlib
import sys
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import inspect

from cellwright.factory.identity import binding
from cellwright.factory.record import Body, read, write
from cellwright.ledger.canonical import Prepared
from cellwright.ledger.event import Draft, Event, decode
from tools.events import register

FILE: Final = Path(__file__).parent.parent / "tests" / "factory" / "golden" / "events.jsonl"
AT: Final = "2026-03-02T08:12:00.000000Z"
VERSION: Final = 0

# What a text looks like, by the words in its field's name; the first that fits.
LIKE: Final = (
    (("sha256", "contents", "leaves"), hashlib.sha256(b"golden").hexdigest()),
    (("coi",), "CHA999926000001"),
    (("din",), "A9999-2026-000001"),
    (("zone",), "Asia/Shanghai"),
    (("hold", "every", "duration", "validity", "least", "most"), "PT4H"),
    (("at", "since", "until", "from", "due", "began", "ended", "started", "completed", "expiry", "seen"), AT),
    (("date", "on", "day", "birth", "expires"), "2026-03-02"),
    (("person", "by", "performer", "verifier", "assessor", "operator", "analyst", "author", "witness"), "OP-1"),
    (("quantity", "value", "low", "high", "volume", "ml", "cells", "kg", "count", "weight", "percent", "limit"), "1.5"),
)


def kept() -> dict[tuple[str, int], bytes]:
    """The golden events by type and schema, as they stand in the file."""
    if not FILE.is_file():
        return {}
    found: dict[tuple[str, int], bytes] = {}
    for line in FILE.read_bytes().splitlines():
        event = decode(line)
        assert (event.type, event.schema) not in found, f"{event.type} schema {event.schema} stands twice"
        found[event.type, event.schema] = line
    return found


def sample(kind: type[Body]) -> Body:
    """A body with a value in every field, none of them the default."""
    body: Body = msgspec.convert(_struct(inspect.type_info(kind)), kind)
    return body


def _struct(info: Any) -> dict[str, Any]:
    return {field.encode_name: _value(field.type, field.name, field.default) for field in info.fields}


def _value(info: Any, name: str, default: Any) -> Any:
    match info:
        case inspect.StructType():
            return _struct(info)
        case inspect.StrType():
            text = _text(name)
            return text if text != default else f"{text}-2"
        case inspect.BoolType():
            return default is not True
        case inspect.IntType():
            return 2 if default != 2 else 3
        case inspect.LiteralType():
            return next(value for value in info.values if value != default)
        case inspect.UnionType():
            return _value(next(t for t in info.types if not isinstance(t, inspect.NoneType)), name, default)
        case inspect.VarTupleType() | inspect.ListType():
            return [_value(info.item_type, name, msgspec.NODEFAULT)]
        case inspect.TupleType():
            return [_value(item, name, msgspec.NODEFAULT) for item in info.item_types]
        case inspect.DictType():
            return {"en" if name == "title" else "first": _value(info.value_type, name, msgspec.NODEFAULT)}
        case _:
            raise TypeError(f"{name}: {info} has no place in the body of an event")


def _text(name: str) -> str:
    words = name.split("_")
    return next((text for like, text in LIKE if any(word in like for word in words)), f"{name.replace('_', '-')}-1")


def event_bytes(kind: type[Body], pos: int) -> bytes:
    """The bytes of an event with a sample body, as the ledger stores it at this position."""
    body, stream = sample(kind), f"{kind.type.partition('.')[0]}/golden"
    assert read(kind.type, kind.schema, write(body)) == body
    bound = binding(stream, body)
    name = hashlib.sha256(f"{kind.type} {kind.schema}".encode()).digest()[:16]
    draft = Draft(
        stream=stream,
        type=kind.type,
        schema=kind.schema,
        body=write(body),
        id=str(UUID(bytes=name, version=4)),
        actor="person/OP-1",
        zone="Asia/Shanghai",
        claims=bound.claims,
        expects=bound.expects,
        releases=bound.releases,
        tags=bound.tags,
    )
    return Prepared(draft).data(AT, pos, VERSION)


def forms() -> dict[tuple[str, int], type[Body]]:
    """Every form that this program writes."""
    return register()


def rewritten(event: Event) -> bytes:
    """The bytes that today's program stores for what it read in an event."""
    body = write(read(event.type, event.schema, event.body))
    fields = {name: getattr(event, name) for name in Draft.__struct_fields__} | {"body": body}
    return Prepared(Draft(**fields)).data(event.at, event.pos, event.version)


def main() -> int:
    """Add what is missing."""
    have = kept()
    missing = [kind for form, kind in forms().items() if form not in have]
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with FILE.open("ab") as file:
        for pos, kind in enumerate(missing, len(have)):
            file.write(event_bytes(kind, pos) + b"\n")
    print(f"golden      {len(have)} kept, {len(missing)} added")
    return 0


if __name__ == "__main__":
    sys.exit(main())
