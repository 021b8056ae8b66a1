"""Someone with the database in hand: who edits rows, or rewrites everything so that it agrees with itself (F10)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import apsw
import msgspec

from cellwright.ledger.canonical import encode, format_time, parse_time
from cellwright.ledger.merkle import Frontier

Said = dict[str, Any]
"""What the bytes of an event say."""


class Insider:
    """Opens a copy of a ledger without its triggers; ``done`` puts them back, as if nothing had happened."""

    def __init__(self, path: Path) -> None:
        self._database = apsw.Connection(str(path))
        self._triggers = self("SELECT name, sql FROM sqlite_schema WHERE type='trigger'")
        for name, _sql in self._triggers:
            self(f"DROP TRIGGER {name}")

    def __call__(self, sql: str, *values: Any) -> list[Any]:
        return self._database.execute(sql, values).fetchall()

    def done(self) -> None:
        for _name, sql in self._triggers:
            self(sql)
        self._database.close()

    def rewrite(self, change: Callable[[list[Said]], None]) -> None:
        """Change the story and make everything agree with it: positions, versions, hashes, tags, claims, head."""
        story = [msgspec.json.decode(data) for (data,) in self("SELECT data FROM event ORDER BY pos")]
        change(story)
        versions: dict[str, int] = {}
        live: dict[str, int] = {}
        frontier = Frontier()
        with self._database:
            for table in ("event", "tag", "claim"):
                self(f"DELETE FROM {table}")
            for pos, said in enumerate(story):
                stream = said["stream"]
                said["pos"], said["version"] = pos, versions.get(stream, 0)
                versions[stream] = said["version"] + 1
                data = encode(said)
                leaf = sha256(b"\x00" + data).digest()
                frontier.append(leaf)
                self("INSERT INTO event VALUES(?,?,?,?,?,?,?)", pos, stream, said["version"], said["id"], said["type"], data, leaf)  # fmt: skip
                for tag in said.get("tags", ()):
                    self("INSERT INTO tag VALUES(?,?)", tag, pos)
                for key in said.get("releases", ()):
                    self("UPDATE claim SET released=? WHERE key=? AND taken=?", pos, key, live.pop(key))
                for key, value in said.get("claims", {}).items():
                    self("INSERT INTO claim VALUES(?,?,?,NULL)", key, value, pos)
                    live[key] = pos
            at = story[-1]["at"] if story else ""
            self(
                "UPDATE head SET size=?, frontier=?, root=?, at=?",
                frontier.size, frontier.to_bytes(), frontier.root(), at,
            )  # fmt: skip


def copy_of(path: Path, folder: Path) -> Path:
    """A copy of a closed ledger to work on."""
    target = folder / "copy.db"
    for old in folder.glob("copy.db*"):
        old.unlink()
    shutil.copyfile(path, target)
    return target


Edit = Callable[[Insider, int, Random], None]


def flip_a_bit(edit: Insider, pos: int, random: Random) -> None:
    data = bytearray(edit("SELECT data FROM event WHERE pos=?", pos)[0][0])
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    edit("UPDATE event SET data=? WHERE pos=?", bytes(data), pos)


def say_another_actor(edit: Insider, pos: int, _random: Random) -> None:
    """Good JSON, of the same length, that says somebody else did it."""
    edit("UPDATE event SET data=cast(replace(cast(data AS TEXT), '\"ann\"', '\"eve\"') AS BLOB) WHERE pos=?", pos)


def change_a_column(edit: Insider, pos: int, random: Random) -> None:
    column, value = random.choice((("stream", "lot/other"), ("type", "lot.other"), ("id", "other"), ("version", 9999)))
    edit(f"UPDATE event SET {column}=? WHERE pos=?", value, pos)


def change_a_hash(edit: Insider, pos: int, random: Random) -> None:
    edit("UPDATE event SET leaf=? WHERE pos=?", random.randbytes(32), pos)


def change_bytes_and_hash(edit: Insider, pos: int, random: Random) -> None:
    say_another_actor(edit, pos, random)
    data = edit("SELECT data FROM event WHERE pos=?", pos)[0][0]
    edit("UPDATE event SET leaf=? WHERE pos=?", sha256(b"\x00" + data).digest(), pos)


def take_out(edit: Insider, pos: int, _random: Random) -> None:
    edit("DELETE FROM event WHERE pos=?", pos)


def exchange(edit: Insider, pos: int, random: Random) -> None:
    """Two events change places, with all their columns but the position."""
    size = edit("SELECT size FROM head")[0][0]
    other = random.choice([place for place in range(size) if place != pos])
    edit("UPDATE event SET pos=-1 WHERE pos=?", pos)
    edit("UPDATE event SET pos=? WHERE pos=?", pos, other)
    edit("UPDATE event SET pos=? WHERE pos=-1", other)


def cut_the_tail(edit: Insider, pos: int, _random: Random) -> None:
    edit("DELETE FROM event WHERE pos>=?", pos)


def add_behind_the_head(edit: Insider, pos: int, _random: Random) -> None:
    edit("INSERT INTO event SELECT (SELECT size FROM head), stream, 9999, 'forged', type, data, leaf FROM event WHERE pos=?", pos)  # fmt: skip


def change_the_head(edit: Insider, pos: int, random: Random) -> None:
    column, value = random.choice(
        (
            ("root", random.randbytes(32)),
            ("size", pos),
            ("frontier", random.randbytes(40)),
            ("at", "2020-01-01T00:00:00.000000Z"),
        )
    )
    edit(f"UPDATE head SET {column}=?", value)


def change_a_claim(edit: Insider, pos: int, random: Random) -> None:
    rows = edit("SELECT key, taken FROM claim ORDER BY key, taken")
    key, taken = rows[pos % len(rows)]
    edit(
        random.choice(
            (
                "UPDATE claim SET value='coi/other' WHERE key=? AND taken=?",
                "UPDATE claim SET released=CASE WHEN released IS NULL THEN taken+1 END WHERE key=? AND taken=?",
                "DELETE FROM claim WHERE key=? AND taken=?",
                "UPDATE claim SET key=key || 'x' WHERE key=? AND taken=?",
            )
        ),
        key,
        taken,
    )


def change_a_tag(edit: Insider, pos: int, random: Random) -> None:
    edit(
        random.choice(
            (
                "DELETE FROM tag WHERE pos=?",
                "INSERT INTO tag VALUES('coi/other', ?)",
                "UPDATE tag SET tag='coi/other' WHERE pos=? AND tag LIKE 'coi/%'",
            )
        ),
        pos,
    )


NAIVE: tuple[Edit, ...] = (
    flip_a_bit,
    say_another_actor,
    change_a_column,
    change_a_hash,
    change_bytes_and_hash,
    take_out,
    exchange,
    cut_the_tail,
    add_behind_the_head,
    change_the_head,
    change_a_claim,
    change_a_tag,
)
"""Edits that do not make everything else agree."""


def another_actor(story: list[Said], pos: int) -> None:
    story[pos]["actor"] = "eve"


def another_result(story: list[Said], pos: int) -> None:
    story[pos]["body"] = {"text": "within limits"}


def another_time(story: list[Said], pos: int) -> None:
    """This and all later, by a microsecond: the order stays."""
    for said in story[pos:]:
        said["at"] = format_time(parse_time(said["at"]) + timedelta(microseconds=1))


def never_happened(story: list[Said], pos: int) -> None:
    """Take an event out, and what hangs on the claims it made."""
    gone = story.pop(pos)
    keys = {*gone.get("claims", ()), *gone.get("releases", ())}
    for said in story:
        for field in ("claims", "releases"):
            for key in keys & set(said.get(field, ())):
                del said[field][key]
            if field in said and not said[field]:
                del said[field]


def happened_too(story: list[Said], pos: int) -> None:
    new = {name: value for name, value in story[pos].items() if name not in ("claims", "releases")}
    story.insert(pos, new | {"id": f"forged-{pos}"})


def cut_here(story: list[Said], pos: int) -> None:
    """The ledger as it was when it had ``pos`` events: what a restored old backup is."""
    del story[pos:]


REWRITES: tuple[Callable[[list[Said], int], None], ...] = (
    another_actor,
    another_result,
    another_time,
    never_happened,
    happened_too,
    cut_here,
)
"""Another story, with everything recomputed to agree with it."""
