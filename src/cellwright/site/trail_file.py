"""The audit trail as a file: every field of every event, with what it takes to find and prove it again (R011).

JSON is one document; CSV has one row per event, nested fields as JSON. Reading either gives the same events, byte for
byte: `leaf` is the hash under which the event stands in the ledger's tree.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from cellwright.ledger import Record
from cellwright.ledger.merkle import leaf_hash

SCHEMA: Final = "cellwright.audit-trail.v1"
MARK: Final = "SIMULATED, NOT FOR HUMAN USE"
COLUMNS: Final = (
    "pos", "at", "actor", "type", "schema", "stream", "version", "id", "zone", "claimed_at", "source", "reason",
    "claims", "expects", "releases", "tags", "body", "leaf",
)  # fmt: skip
NESTED: Final = frozenset({"claims", "expects", "releases", "tags", "body"})
WHOLE: Final = frozenset({"pos", "schema", "version"})


class Heading(NamedTuple):
    """What stands over the events: where they are from, what was asked for, and the record they were read from.

    `size` and `root` are of the record that was searched, `record` is how many events there were: more than `size` only
    where the tables had not followed in time, and `note` says so then.
    """

    site: str
    asked: Mapping[str, str]
    exported_at: str
    exported_by: str
    size: int
    root: str
    record: int
    simulated: bool

    @property
    def note(self) -> str:
        """Said where the file does not cover the whole record; empty otherwise."""
        return "" if self.size >= self.record else f"not up to date, up to position {self.size - 1}"


def _plain(record: Record) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(record.data)
    return {**said, "leaf": record.leaf.hex()}


def as_json(heading: Heading, records: Iterable[Record]) -> str:
    """One JSON document."""
    said = {"schema": SCHEMA, **heading._asdict(), "events": [_plain(record) for record in records]}
    if heading.note:
        said["note"] = heading.note
    if heading.simulated:
        said["mark"] = MARK
    return json.dumps(said, ensure_ascii=False, indent=1)


def as_csv(heading: Heading, records: Iterable[Record]) -> str:
    """A table; the heading stands in the first lines, each beginning with `#`."""
    out = io.StringIO()
    for name, value in heading._asdict().items():
        said = json.dumps(value, ensure_ascii=False)
        out.write(f"# {name}: {said}\n")
    for said in (heading.note, MARK if heading.simulated else ""):
        if said:
            out.write(f"# {said}\n")
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    table.writeheader()
    for record in records:
        row = _plain(record)
        table.writerow({c: _cell(c, row.get(c)) for c in COLUMNS})
    return out.getvalue()


def _cell(column: str, value: Any) -> Any:
    if column in NESTED:
        return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return value


class NotATrail(ValueError):
    """The file is not an exported audit trail, or its events are not what their hashes say."""


def read_json(text: str) -> list[dict[str, Any]]:
    """The events of an exported document, each checked against its hash. Raises NotATrail."""
    said = json.loads(text)
    if not isinstance(said, dict) or said.get("schema") != SCHEMA:
        raise NotATrail(f"schema is not {SCHEMA}")
    return _checked(said["events"])


def read_csv(text: str) -> list[dict[str, Any]]:
    """The events of an exported table, each checked against its hash. Raises NotATrail."""
    rows = csv.DictReader(io.StringIO("".join(line for line in text.splitlines(keepends=True) if line[:1] != "#")))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise NotATrail("the columns are not those of an audit trail")
    return _checked([{c: _value(c, v) for c, v in row.items() if v != ""} for row in rows])


def _value(column: str, text: str) -> Any:
    if column in NESTED:
        return json.loads(text)
    return int(text) if column in WHOLE else text


def _checked(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    from cellwright.ledger.canonical import encode

    for event in events:
        said = {key: value for key, value in event.items() if key != "leaf"}
        if leaf_hash(encode(said)).hex() != event["leaf"]:
            raise NotATrail(f"event {event['pos']} is not what its hash says")
    return list(events)
