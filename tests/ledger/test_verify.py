"""Verification finds what was changed, names the first bad event, and is not deceived by a ledger that agrees with itself."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from cellwright.ledger import Draft, Event, Head, Ledger, SimulatedClock, Tampered, open_ledger
from cellwright.ledger.canonical import encode
from cellwright.ledger.merkle import Frontier, leaf_hash, root_of
from cellwright.ledger.note import Checkpoint, Note, SignatureType
from cellwright.ledger.scan import CHUNK, scan
from cellwright.ledger.share import Share
from cellwright.ledger.signing_key import SigningKey
from cellwright.ledger.sqlite import SQLiteReader
from cellwright.ledger.verify import _shares, verify

Make = Callable[..., Draft]
EVENTS = 2 * CHUNK + 37


def fill(ledger: Ledger, make: Make, clock: SimulatedClock, events: int = EVENTS) -> None:
    """Events on ten streams, each with two tags; every third takes a bag and the next one releases it."""
    drafts = []
    for number in range(events):
        fields: dict[str, object] = {"tags": (f"coi/{number % 7}", "product/aT19")}
        if number % 3 == 0:
            fields["claims"] = {f"bag/{number % 30}": f"coi/{number % 7}"}
        if number % 3 == 1:
            fields["releases"] = {f"bag/{(number - 1) % 30}": f"coi/{(number - 1) % 7}"}
        if number % 3 == 1 and number % 2:
            fields["expects"] = {f"bag/{(number - 1) % 30}": f"coi/{(number - 1) % 7}"}
        drafts.append(make(f"lot/{number % 10}", **fields))
    for start in range(0, events, 50):
        ledger.append(drafts[start : start + 50])
        clock.advance(timedelta(seconds=1))


KEY = SigningKey.generate("cellwright.example/site", SignatureType.ED25519)


def note(head: Head) -> bytes:
    """A signed checkpoint."""
    text = Checkpoint("cellwright.example/site", head.size, head.root).text
    return Note(text, (KEY.sign(text, 0),)).to_bytes()


@pytest.fixture
def path(tmp_path: Path, make: Make, clock: SimulatedClock) -> Path:
    """A filled and closed SQLite ledger."""
    where = tmp_path / "ledger.db"
    with open_ledger(where, clock=clock, create=True) as ledger:
        fill(ledger, make, clock)
    return where


class Editor:
    """Someone with the file in hand who knows SQL: takes the triggers away, edits, and puts them back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.reopen()
        self._triggers = self._database.execute("SELECT name, sql FROM sqlite_schema WHERE type='trigger'").fetchall()
        for name, _sql in self._triggers:
            self._database.execute(f"DROP TRIGGER {name}")

    def reopen(self) -> None:
        """Read the schema anew."""
        self._database = sqlite3.connect(self._path, isolation_level=None)

    def __call__(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        return self._database.execute(sql, values).fetchall()

    def rewrite_hashes(self) -> None:
        """Make the whole file agree with itself again, as an insider with time would."""
        frontier = Frontier()
        for pos, data in self("SELECT pos, data FROM event ORDER BY pos"):
            assert isinstance(data, bytes)
            leaf = sha256(b"\x00" + data).digest()
            self("UPDATE event SET leaf=? WHERE pos=?", leaf, pos)
            frontier.append(leaf)
        self("UPDATE head SET size=?, frontier=?, root=?", frontier.size, frontier.to_bytes(), frontier.root())

    def done(self) -> None:
        for _name, sql in self._triggers:
            self._database.execute(sql)
        self._database.close()


@pytest.fixture
def edit(path: Path) -> Iterator[Editor]:
    editor = Editor(path)
    yield editor
    editor._database.close()


def check(path: Path, *checkpoints: bytes) -> list[tuple[str, int | None]]:
    with open_ledger(path, read_only=True) as ledger:
        found = verify(ledger, checkpoints, processes=1)
        assert found.ok == (not found.findings)
        return [(finding.kind, finding.pos) for finding in found.findings]


def test_a_sound_ledger(ledger: Ledger, make: Make, clock: SimulatedClock) -> None:
    assert verify(ledger).ok
    fill(ledger, make, clock)
    held = note(ledger.head())
    ledger.append([make() for _number in range(100)])
    found = verify(ledger, [held, note(ledger.head())])
    assert found.findings == []
    assert found.ok
    assert found.size == EVENTS + 100
    assert found.root == ledger.head().root == root_of(record.leaf for record in ledger.records())


def test_checkpoints_of_every_size(ledger: Ledger, make: Make, clock: SimulatedClock) -> None:
    """A checkpoint at any size, chunk edges included, agrees; with one bit of its root wrong it does not."""
    fill(ledger, make, clock)
    leaves = [record.leaf for record in ledger.records()]
    sizes = [0, 1, 2, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, EVENTS - 1, EVENTS]
    heads = [Head(size, root_of(leaves[:size])) for size in sizes]
    assert verify(ledger, [note(head) for head in heads]).ok
    for head in heads[1:]:
        wrong = Head(head.size, bytes([head.root[0] ^ 1]) + head.root[1:])
        assert [finding.kind for finding in verify(ledger, [note(wrong)]).findings] == ["checkpoint"]


def test_the_signature_counts_when_keys_are_given(ledger: Ledger, make: Make) -> None:
    ledger.append([make()])
    other = SigningKey.generate("cellwright.example/site", SignatureType.ED25519)
    held = note(ledger.head())
    assert verify(ledger, [held], keys=[KEY.verifier]).ok
    assert [finding.kind for finding in verify(ledger, [held], keys=[other.verifier]).findings] == ["checkpoint"]


def test_a_note_that_is_none(ledger: Ledger) -> None:
    assert [finding.kind for finding in verify(ledger, [b"nonsense"]).findings] == ["checkpoint"]


@pytest.mark.requirement("R003")
@pytest.mark.parametrize("column", ["stream", "version", "id", "type", "data", "leaf"])
@pytest.mark.parametrize("pos", [0, CHUNK - 1, CHUNK, EVENTS - 1])
def test_a_changed_column_is_named(path: Path, edit: Editor, column: str, pos: int) -> None:
    if column == "data":
        edit("UPDATE event SET data=cast(replace(cast(data AS TEXT), 'ann', 'bob') AS BLOB) WHERE pos=?", pos)
    elif column == "leaf":
        edit("UPDATE event SET leaf=zeroblob(32) WHERE pos=?", pos)
    elif column == "version":
        edit("UPDATE event SET version=999 WHERE pos=?", pos)
    else:
        edit(f"UPDATE event SET {column}='other' WHERE pos=?", pos)
    edit.done()
    assert ({"data": "leaf", "leaf": "leaf"}.get(column, "column"), pos) in check(path)[:2]


@pytest.mark.requirement("R003")
def test_bytes_that_are_no_event(path: Path, edit: Editor) -> None:
    edit("UPDATE event SET data=x'7b7d' WHERE pos=70")
    edit.done()
    assert [finding for finding in check(path) if finding[1] == 70][:2] == [("leaf", 70), ("bytes", 70)]


@pytest.mark.requirement("R003")
def test_a_dropped_row_is_named(path: Path, edit: Editor) -> None:
    edit("DELETE FROM event WHERE pos=300")
    edit.done()
    assert ("gap", 300) in check(path)[:2]


@pytest.mark.requirement("R003")
def test_swapped_rows_are_named(path: Path, edit: Editor) -> None:
    edit("UPDATE event SET pos=-1 WHERE pos=40")
    edit("UPDATE event SET pos=40 WHERE pos=41")
    edit("UPDATE event SET pos=41 WHERE pos=-1")
    edit.done()
    found = check(path)
    assert [finding for finding in found if finding[0] == "column"] == [("column", 40), ("column", 41)]


@pytest.mark.requirement("R003")
def test_a_cut_tail_needs_the_head_to_lie(path: Path, edit: Editor) -> None:
    edit("DELETE FROM event WHERE pos>=500")
    edit.done()
    assert ("gap", 500) in check(path)


@pytest.mark.requirement("R003")
def test_an_event_beyond_the_head(path: Path, edit: Editor) -> None:
    edit(
        "INSERT INTO event SELECT pos+1, stream, version+100, 'new', type, data, leaf FROM event WHERE pos=?",
        EVENTS - 1,
    )
    edit.done()
    assert ("head", EVENTS) in check(path)


@pytest.mark.requirement("R003")
@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("UPDATE head SET root=zeroblob(32)", "head"),
        ("UPDATE head SET frontier=cast(substr(frontier, 1, 8) || zeroblob(length(frontier) - 8) AS BLOB)", "head"),
        ("UPDATE head SET at='2020-01-01T00:00:00.000000Z'", "head"),
        ("DELETE FROM tag WHERE pos=5", "tag"),
        ("INSERT INTO tag VALUES('coi/other', 5)", "tag"),
        ("UPDATE tag SET tag='coi/other' WHERE pos=300 AND tag LIKE 'coi/%'", "tag"),
        ("UPDATE claim SET value='coi/other' WHERE taken=30", "claim"),
        ("UPDATE claim SET released=NULL WHERE taken=30", "claim"),
        ("DELETE FROM claim WHERE taken=30", "claim"),
        ("INSERT INTO claim VALUES('bag/new', 'coi/1', 5, NULL)", "claim"),
        ("INSERT INTO tag VALUES('coi/other', 1000000)", "tag"),
        ("INSERT INTO tag VALUES('coi/other', -1)", "tag"),
        ("INSERT INTO claim VALUES('bag/new', 'coi/1', 1000000, NULL)", "claim"),
        ("INSERT INTO claim VALUES('bag/new', 'coi/1', -1, NULL)", "claim"),
        ("INSERT INTO snapshot VALUES('lot/1', 'lot/1', 9, 1000000, x'00')", "snapshot"),
        ("INSERT INTO event SELECT -1, stream, 9000, 'new', type, data, leaf FROM event WHERE pos=5", "head"),
    ],
)
def test_a_changed_index_is_found(path: Path, edit: Editor, sql: str, kind: str) -> None:
    edit(sql)
    edit.done()
    assert kind in {finding[0] for finding in check(path)}


@pytest.mark.requirement("R003")
def test_a_live_claim_ended_by_an_event_that_does_not_exist(tmp_path: Path, make: Make, clock: SimulatedClock) -> None:
    path = tmp_path / "ledger.db"
    with open_ledger(path, clock=clock, create=True) as ledger:
        ledger.append([make(claims={"bag/1": "coi/A"}), make()])
    edit = Editor(path)
    edit("UPDATE claim SET released=2")
    edit.done()
    assert check(path) == [("claim", 2)]


@pytest.mark.requirement("R003")
def test_only_a_checkpoint_kept_elsewhere_finds_a_full_rewrite(path: Path, edit: Editor) -> None:
    size, root = edit("SELECT size, root FROM head")[0]
    held = note(Head(size, root))  # type: ignore[arg-type]
    edit("UPDATE event SET data=cast(replace(cast(data AS TEXT), 'ann', 'bob') AS BLOB) WHERE pos=100")
    edit.rewrite_hashes()
    edit.done()
    assert check(path) == []
    assert check(path, held) == [("checkpoint", None)]


@pytest.mark.requirement("R003")
def test_only_a_checkpoint_kept_elsewhere_finds_a_clean_cut(tmp_path: Path, make: Make, clock: SimulatedClock) -> None:
    """The same ledger, shorter: what a silent restore of an old backup looks like."""
    with open_ledger(tmp_path / "old.db", clock=clock, create=True) as ledger:
        fill(ledger, make, clock, 100)
    copy = (tmp_path / "old.db").read_bytes()
    with open_ledger(tmp_path / "old.db", clock=clock) as ledger:
        ledger.append([make() for _number in range(100)])
        held = note(ledger.head())
    (tmp_path / "restored.db").write_bytes(copy)
    assert check(tmp_path / "restored.db") == []
    assert check(tmp_path / "restored.db", held) == [("checkpoint", 100)]


def test_rewritten_claims_still_break_the_law(path: Path, edit: Editor) -> None:
    """Two live holders of one bag, hashes made to agree: the replay of the claims sees it."""
    rows = edit("SELECT pos, data FROM event WHERE pos IN (0, 1)")
    for pos, data in rows:
        assert isinstance(data, bytes)
        said = msgspec.json.decode(data)
        said.pop("releases", None)
        said.pop("expects", None)
        said["claims"] = {"bag/X": f"coi/{pos}"}
        edit("UPDATE event SET data=? WHERE pos=?", encode(said), pos)
    edit.rewrite_hashes()
    edit.done()
    assert ("claim", 1) in check(path)


def test_rewritten_versions_and_times_still_break_the_law(path: Path, edit: Editor) -> None:
    for pos, field, value in ((25, "version", 777), (200, "at", "2020-01-01T00:00:00.000000Z")):
        data = edit("SELECT data FROM event WHERE pos=?", pos)[0][0]
        assert isinstance(data, bytes)
        edit("UPDATE event SET data=? WHERE pos=?", encode(msgspec.json.decode(data) | {field: value}), pos)
    edit("UPDATE event SET version=777 WHERE pos=25")
    edit.rewrite_hashes()
    edit.done()
    found = check(path)
    assert ("version", 25) in found
    assert ("time", 200) in found


def test_incremental_verification_reads_only_what_is_new(
    path: Path, edit: Editor, make: Make, clock: SimulatedClock
) -> None:
    edit.done()
    with open_ledger(path, clock=clock) as ledger:
        ledger.append([make(claims={"bag/old": "coi/1"})])
        first = verify(ledger, processes=1)
        ledger.append([make(tags=("coi/new",), releases={"bag/old": "coi/1"}, claims={"bag/new": "coi/2"})])
        ledger.append([make("lot/3", tags=("coi/new",)) for _number in range(60)])
        later = verify(ledger, [note(ledger.head()), note(first.head)], since=first.head)
        assert later.findings == []
        assert later.head == ledger.head()
        assert verify(ledger, since=later.head).ok
        wrong = Head(first.size, leaf_hash(b""))
        assert "head" in {finding.kind for finding in verify(ledger, since=wrong).findings}
        longer = Head(first.size + 1000, first.root)
        assert "head" in {finding.kind for finding in verify(ledger, since=longer).findings}


def test_incremental_verification_finds_a_fault_in_the_new_part(path: Path, edit: Editor) -> None:
    leaves = [row[0] for row in edit("SELECT leaf FROM event ORDER BY pos LIMIT 300")]
    since = Head(300, root_of(leaves))  # type: ignore[arg-type]
    edit("UPDATE event SET type='other' WHERE pos=400")
    edit("UPDATE claim SET value='coi/other' WHERE taken=330")
    edit.done()
    with open_ledger(path, read_only=True) as ledger:
        found = [(finding.kind, finding.pos) for finding in verify(ledger, since=since).findings]
    assert found == [("claim", 330), ("column", 400)]


def test_a_missing_or_altered_trigger_is_found_and_stops_the_start(path: Path, edit: Editor) -> None:
    edit.done()
    database = sqlite3.connect(path, isolation_level=None)
    with open_ledger(path, read_only=True) as ledger:
        database.execute("DROP TRIGGER event_delete")
        assert [finding.kind for finding in verify(ledger).findings] == ["schema"]
    database.close()
    with pytest.raises(Tampered):
        open_ledger(path)


def test_a_broken_index_is_found_by_the_deep_check(path: Path, edit: Editor) -> None:
    """An entry taken out of the index hides an event from who looks for its id; row and hashes stay right."""
    edit("PRAGMA writable_schema=ON")
    root = edit("SELECT rootpage FROM sqlite_schema WHERE name='sqlite_autoindex_event_1'")[0][0]
    size = edit("PRAGMA page_size")[0][0]
    edit.done()
    assert isinstance(root, int)
    assert isinstance(size, int)
    whole = bytearray(path.read_bytes())
    at = whole.rindex(b"id-", (root - 1) * size, root * size)
    whole[at : at + 3] = b"xx-"
    path.write_bytes(bytes(whole))
    assert check(path) == []
    with open_ledger(path, read_only=True) as ledger:
        assert "index" in {finding.kind for finding in verify(ledger, deep=True).findings}


def test_a_value_that_the_tables_types_forbid_is_found(path: Path, edit: Editor) -> None:
    """A damaged page can give a null where there must be bytes; verification names it and goes on."""
    edit("PRAGMA writable_schema=ON")
    edit("UPDATE sqlite_schema SET sql=replace(sql, 'BLOB    NOT NULL,', 'BLOB            ,') WHERE name='event'")
    edit.reopen()
    edit("UPDATE event SET data=NULL WHERE pos=300")
    edit("PRAGMA writable_schema=ON")
    edit("UPDATE sqlite_schema SET sql=replace(sql, 'BLOB            ,', 'BLOB    NOT NULL,') WHERE name='event'")
    edit.done()
    found = check(path)
    assert ("bytes", 300) in found
    assert ("leaf", 300) in found


@pytest.mark.requirement("R003")
@pytest.mark.parametrize(
    ("sql", "kind", "pos"),
    [
        (
            "UPDATE event SET data=cast(substr(data, 1, 10) || x'b1' || substr(data, 12) AS BLOB) WHERE pos=300",
            "leaf",
            300,
        ),
        ("UPDATE event SET stream=cast(x'6c6f742fff' AS TEXT) WHERE pos=300", "column", 300),
        ("UPDATE tag SET tag=cast(x'ff' AS TEXT) WHERE pos=300 AND tag LIKE 'coi/%'", "tag", None),
        ("UPDATE claim SET value=cast(x'ff' AS TEXT) WHERE taken=30", "claim", None),
    ],
)
def test_text_that_is_no_text_is_found(path: Path, edit: Editor, sql: str, kind: str, pos: int | None) -> None:
    """One flipped bit can make UTF-8 of no meaning: verification names it and goes on, reading says Tampered."""
    edit(sql)
    edit.done()
    assert (kind, pos) in check(path)
    with open_ledger(path, read_only=True) as ledger, pytest.raises(Tampered):
        read_all(ledger)


def read_all(ledger: Ledger) -> None:
    list(ledger.read())
    list(ledger.store.rows(0, EVENTS))
    list(ledger.store.tags_between(0, EVENTS))
    list(ledger.store.claim_rows())


def test_shares_cover_everything_once() -> None:
    for start, stop, processes in ((0, 100_000, 2), (5, 100_003, 3), (99_999, 200_000, 4), (0, 10, 2), (7, 7, 2)):
        shares = _shares("x.db", start, stop, [start + 1], processes)
        covered = [pos for share in shares for pos in range(share.start, share.stop)]
        assert covered == list(range(start, stop))
        assert len(shares) <= processes


def test_another_process_finds_the_same(path: Path, edit: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    edit("UPDATE event SET type='other' WHERE pos=400")
    edit.done()
    alone = check(path)
    monkeypatch.setattr(sys.modules["cellwright.ledger.verify"], "ALONE_BELOW", 1)
    with open_ledger(path, read_only=True) as ledger:
        together = verify(ledger, processes=2)
    assert [(finding.kind, finding.pos) for finding in together.findings] == alone == [("column", 400)]


def test_a_stretch_survives_the_way_between_processes(path: Path, edit: Editor) -> None:
    edit.done()
    stretch = scan(SQLiteReader(path), 0, EVENTS, [100])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(stretch), type=type(stretch)) == stretch
    share = Share("x", 0, 5, [3])
    assert msgspec.json.decode(msgspec.json.encode(share), type=Share) == share


class Count:
    """A fold that counts events and keeps the last actor."""

    name = "count/1"

    def initial(self) -> tuple[int, str]:
        return 0, ""

    def evolve(self, state: tuple[int, str], event: Event) -> tuple[int, str]:
        return state[0] + 1, event.actor

    def dump(self, state: tuple[int, str]) -> bytes:
        return msgspec.json.encode(state)

    def load(self, data: bytes) -> tuple[int, str]:
        return msgspec.json.decode(data, type=tuple[int, str])


def test_snapshots_are_used_and_verified(ledger: Ledger, make: Make) -> None:
    fold = Count()
    ledger.append([make("equipment/BSC-04") for _number in range(250)])
    assert ledger.fold("equipment/BSC-04", fold) == (250, "ann")
    kept = ledger.store.snapshot("equipment/BSC-04", "count/1")
    assert kept is not None
    assert (kept.version, kept.pos) == (250, 249)
    ledger.append([make("equipment/BSC-04", actor="bo")])
    assert ledger.fold("equipment/BSC-04", fold) == (251, "bo")
    assert ledger.store.snapshot("equipment/BSC-04", "count/1") == kept
    assert verify(ledger, folds=[fold]).ok


def test_a_wrong_snapshot_is_found(tmp_path: Path, make: Make, clock: SimulatedClock) -> None:
    fold = Count()
    with open_ledger(tmp_path / "ledger.db", clock=clock, create=True) as ledger:
        ledger.append([make("equipment/BSC-04") for _number in range(250)])
        ledger.fold("equipment/BSC-04", fold)
    with sqlite3.connect(tmp_path / "ledger.db") as database:
        database.execute("UPDATE snapshot SET state=x'5b372c22657665225d'")
    database.close()
    with open_ledger(tmp_path / "ledger.db", clock=clock) as ledger:
        assert [finding.kind for finding in verify(ledger, folds=[fold]).findings] == ["snapshot"]
        assert verify(ledger).ok
