"""F10: whatever is changed behind the ledger's back is found: at once, or against a checkpoint that others hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import apsw
import psycopg
import pytest

from cellwright.ledger import Head, LedgerError, SimulatedClock, open_ledger, verify
from cellwright.ledger.note import Checkpoint, Note, SignatureType
from cellwright.ledger.signing_key import SigningKey
from tests.faults.conftest import Count
from tests.faults.insider import NAIVE, REWRITES, Edit, Insider, Said, copy_of
from tests.faults.story import START, Story
from tests.postgres_server import PostgresServer, running_server

APPENDS = 130
POSITIONS = [100, pytest.param(10_000, marks=pytest.mark.long)]
KEY = SigningKey.generate("cellwright.example/site", SignatureType.ED25519)


def note(head: Head) -> bytes:
    """A checkpoint as somebody else holds it."""
    text = Checkpoint("cellwright.example/site", head.size, head.root).text
    return Note(text, (KEY.sign(text, 0),)).to_bytes()


def write(where: str | Path) -> list[Head]:
    """Fill a new ledger; the heads it had on its way."""
    clock, story, heads = SimulatedClock(START), Story(Random("F10")), []
    with open_ledger(where, clock=clock, create=True) as ledger:
        for _append in range(APPENDS):
            ledger.append(story.append())
            clock.advance(timedelta(minutes=7))
            heads.append(ledger.head())
    return heads


@pytest.fixture
def genuine(ram: Path) -> tuple[Path, list[Head]]:
    """A closed ledger, and the heads it had on its way."""
    path = ram / "genuine.db"
    heads = write(path)
    assert not Path(f"{path}-wal").exists()
    return path, heads


def found(path: Path, *checkpoints: bytes, deep: bool = False) -> bool:
    """Whether verification, or already the opening, says that something is wrong."""
    try:
        with open_ledger(path, read_only=True) as ledger:
            return not verify(ledger, checkpoints, processes=1, keys=[KEY.verifier], deep=deep).ok
    except LedgerError:
        return True


def places(size: int, count: int, random: Random) -> list[int]:
    return [number % size for number in range(count)] if count > size else sorted(random.sample(range(size), count))


@pytest.mark.requirement("R003")
@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("kind", NAIVE)
def test_every_edit_is_found_without_a_witness(
    genuine: tuple[Path, list[Head]], ram: Path, counted: Count, kind: Edit, positions: int
) -> None:
    path, heads = genuine
    random = Random(kind.__name__)
    assert not found(path, note(heads[-1]))
    missed = []
    for pos in places(heads[-1].size, positions, random):
        edit = Insider(copy_of(path, ram))
        before = edit._database.totalchanges()
        kind(edit, pos, random)
        assert edit._database.totalchanges() > before
        edit.done()
        if not found(ram / "copy.db"):
            missed.append(pos)
    counted(f"F10 edits found of {positions}, {kind.__name__.replace('_', ' ')}", positions - len(missed))
    assert missed == []


@pytest.mark.requirement("R003")
@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("kind", REWRITES)
def test_every_rewrite_is_found_by_a_checkpoint_and_by_nothing_else(
    genuine: tuple[Path, list[Head]],
    ram: Path,
    counted: Count,
    kind: Callable[[list[Said], int], None],
    positions: int,
) -> None:
    """Whoever rewrites everything deceives the ledger itself, and nobody who holds a checkpoint from before."""
    path, heads = genuine
    random = Random(kind.__name__)
    missed, seen_alone = [], []
    for pos in places(heads[-1].size, positions, random):
        edit = Insider(copy_of(path, ram))
        edit.rewrite(lambda story, pos=pos: kind(story, pos))  # type: ignore[misc]
        edit.done()
        if found(ram / "copy.db"):
            seen_alone.append(pos)
        held = random.choice([head for head in heads if head.size > pos])
        if not found(ram / "copy.db", note(held)):
            missed.append(pos)
    counted(f"F10 rewrites found of {positions} by a checkpoint, {kind.__name__.replace('_', ' ')}", positions - len(missed))  # fmt: skip
    assert missed == []
    assert seen_alone == [], "a rewrite that is complete agrees with itself"


@pytest.mark.requirement("R003")
@pytest.mark.parametrize("flips", [400, pytest.param(20_000, marks=pytest.mark.long)])
def test_no_flipped_bit_of_the_file_deceives_anyone(
    genuine: tuple[Path, list[Head]], ram: Path, counted: Count, flips: int
) -> None:
    """A bit anywhere in the file: found, or in a place that says nothing, and then everything reads as before."""
    path, heads = genuine
    whole, before, random = path.read_bytes(), reading(path), Random("flips")
    harmless = 0
    for _flip in range(flips):
        damaged, place = bytearray(whole), random.randrange(len(whole))
        damaged[place] ^= 1 << random.randrange(8)
        (ram / "copy.db").write_bytes(bytes(damaged))
        if not found(ram / "copy.db", note(heads[-1]), deep=True):
            harmless += 1
            assert reading(ram / "copy.db") == before, f"bit in byte {place}"
    counted(f"F10 flipped bits of {flips} found, the others change nothing", flips - harmless)
    assert flips - harmless > 0.5 * flips


def reading(path: Path) -> tuple[Any, ...]:
    with open_ledger(path, read_only=True) as ledger:
        store = ledger.store
        return list(ledger.records()), list(store.claim_rows()), list(store.tags_between(0, 1 << 30)), ledger.head()


@pytest.mark.requirement("R003")
def test_a_checkpoint_from_before_the_change_does_not_cry_wolf(genuine: tuple[Path, list[Head]]) -> None:
    """Every head the ledger ever had is a checkpoint that it keeps."""
    path, heads = genuine
    assert not found(path, *(note(head) for head in heads))
    wrong = Head(heads[50].size, heads[51].root)
    assert found(path, note(wrong))


@pytest.mark.requirement("R003")
def test_yesterdays_copy_is_found_by_todays_checkpoint(ram: Path, counted: Count) -> None:
    """A real copy of the files, taken while the ledger was in use, put back after it had gone on."""
    path, story, caught, unseen = ram / "ledger.db", Story(Random("F10")), 0, 0
    with open_ledger(path, clock=SimulatedClock(START), create=True) as ledger:
        for _day in range(100):
            ledger.append(story.append())
            yesterday = {name: Path(f"{path}{name}").read_bytes() for name in ("", "-wal")}
            ledger.append(story.append())
            today = note(ledger.head())
            for name, data in yesterday.items():
                (ram / f"restored.db{name}").write_bytes(data)
            (ram / "restored.db-shm").unlink(missing_ok=True)
            unseen += not found(ram / "restored.db")
            caught += found(ram / "restored.db", today)
    counted("F10 restored old copies of 100 found by a checkpoint", caught)
    assert caught == 100
    assert unseen == 100


def test_the_harness_knows_a_ledger_that_was_not_touched(genuine: tuple[Path, list[Head]], ram: Path) -> None:
    """Opened by the insider, rewritten as it was, closed: nothing to find. So what is found is the change."""
    path, heads = genuine
    edit = Insider(copy_of(path, ram))
    edit.rewrite(lambda _story: None)
    edit.done()
    assert not found(ram / "copy.db", *(note(head) for head in heads[::10]))


POSTGRES_EDITS = {
    "bytes and the server's own check": (
        "UPDATE ledger.event SET data = convert_to(replace(convert_from(data, 'UTF8'), 'ann', 'eve'), 'UTF8'), "
        "leaf = sha256('\\x00'::bytea || convert_to(replace(convert_from(data, 'UTF8'), 'ann', 'eve'), 'UTF8')) WHERE pos = %s"
    ),
    "column": "UPDATE ledger.event SET type = 'other' WHERE pos = %s",
    "taken out": "DELETE FROM ledger.event WHERE pos = %s",
    "tail cut": "DELETE FROM ledger.event WHERE pos >= %s",
    "tag": "DELETE FROM ledger.tag WHERE pos = %s",
    "head": "UPDATE ledger.head SET size = %s",
}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_server() as running:
        yield running


@pytest.mark.postgres
@pytest.mark.requirement("R003")
def test_a_superuser_of_postgresql_is_found_too(server: PostgresServer, counted: Count) -> None:
    """With triggers switched off for the session; each edit is rolled back after it was looked at."""
    url = server.new_database()
    heads = write(url)
    random, kinds = Random("F10 PostgreSQL"), Counter[str]()
    with psycopg.connect(url, autocommit=True) as admin:
        for name, sql in POSTGRES_EDITS.items():
            for pos in random.sample(range(1, heads[-1].size), 5):
                rows = kept(admin)
                admin.execute("SET session_replication_role = replica")
                admin.execute(sql, (pos,))  # type: ignore[arg-type]
                with open_ledger(url, read_only=True) as ledger:
                    kinds[name] += not verify(ledger, processes=1).ok
                put_back(admin, rows)
        with open_ledger(url, read_only=True) as ledger:
            assert verify(ledger, [note(heads[-1])]).ok
    counted("F10 edits of 30 in PostgreSQL found", kinds.total())
    assert kinds == dict.fromkeys(POSTGRES_EDITS, 5)


def kept(admin: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    return {table: admin.execute(f"SELECT * FROM ledger.{table}").fetchall() for table in ("event", "tag", "head")}  # type: ignore[call-overload]


def put_back(admin: psycopg.Connection[Any], rows: dict[str, list[Any]]) -> None:
    for table, content in rows.items():
        admin.execute(f"DELETE FROM ledger.{table}")  # type: ignore[call-overload]
        places_ = ", ".join(["%s"] * len(content[0]))
        with admin.cursor() as cursor:
            cursor.executemany(f"INSERT INTO ledger.{table} VALUES({places_})", content)  # type: ignore[arg-type]


def test_apsw_is_what_edits(genuine: tuple[Path, list[Head]]) -> None:
    """The triggers that the insider takes away do stop an edit while they are there."""
    database = apsw.Connection(str(genuine[0]))
    with pytest.raises(apsw.ConstraintError):
        database.execute("UPDATE event SET type='other' WHERE pos=5")
    database.close()
