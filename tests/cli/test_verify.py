"""`cellwright verify`: whatever was done to a site's record is named, with exit code 1."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from cellwright.command.site import INSTALLATION, Site, open_site
from cellwright.factory import people
from cellwright.factory.record import Fact
from cellwright.ledger import Draft, open_ledger
from cellwright.ledger.canonical import encode
from cellwright.ledger.checkpoint import KEYS_STREAM
from cellwright.ledger.signing_key import KEY_ROTATED, generate_keys, save_keys
from tests.cli import small
from tests.cli.small import cellwright
from tests.ledger.test_verify import Editor
from tests.postgres_server import PostgresServer

Found = dict[str, object]


def findings(folder: Path, *arguments: object) -> list[Found]:
    """The findings of the command, whose exit code says whether there are any."""
    done = cellwright("verify", folder, "--json", *arguments)
    said = json.loads(done.stdout)
    assert said["schema"] == "cellwright.verification/1"
    assert said["ok"] == (not said["findings"])
    assert done.exit_code == (0 if said["ok"] else 1)
    found: list[Found] = said["findings"]
    return found


def kinds(folder: Path, *arguments: object) -> set[object]:
    return {finding["kind"] for finding in findings(folder, *arguments)}


@pytest.fixture
def edit(bench: Path) -> Iterator[Editor]:
    """Somebody with the database in hand, past its triggers."""
    editor = Editor(bench / "ledger.db")
    yield editor
    editor._database.close()


@pytest.fixture
def today(bench: Path, tmp_path: Path) -> Path:
    """Today's checkpoint, in the hands of somebody else."""
    held = tmp_path / "today.note"
    shutil.copy(bench / "outside" / small.LATER / "checkpoint", held)
    return held


def lost(bench: Path) -> None:
    """The insider removes the site's own checkpoints outside as well."""
    shutil.rmtree(bench / "outside" / small.LATER)


# --- a sound site ----------------------------------------------------------------------------------------------------


def test_a_sound_site_is_told_with_its_numbers(bench: Path, today: Path) -> None:
    done = cellwright("verify", bench, "--checkpoint", today)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "SIMULATED, NOT FOR HUMAN USE"
    assert lines[1].startswith("cellwright/bench: 23 events, 3 signatures, ")
    assert lines[2].startswith("Checkpoint at 23 events; ")
    assert lines[2].endswith("1 of them yours.")
    assert lines[-1] == "ok"


def test_a_checkpoint_that_is_none_or_of_another_site_is_named_and_not_counted(bench: Path, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.note"
    garbage.write_bytes(b"no note")
    small.build(tmp_path / "other")
    foreign = tmp_path / "other" / "outside" / small.LATER / "checkpoint"
    today = bench / "outside" / small.LATER / "checkpoint"
    arguments = [word for path in (garbage, foreign, today) for word in ("--checkpoint", path)]
    done = cellwright("verify", bench, *arguments)
    assert done.exit_code == 1
    assert ", 1 of them yours." in done.stdout
    assert str(garbage) in done.stdout
    assert str(foreign) in done.stdout


def test_it_reads_beside_whoever_works_and_writes_nothing(bench: Path) -> None:
    before = {path: path.read_bytes() for path in bench.rglob("*") if path.is_file()}
    assert not findings(bench)
    assert {path: path.read_bytes() for path in before} == before
    with open_site(bench) as site:
        site.desk.record([Fact("person/OP-1", people.SignedOut(person="OP-1"))], INSTALLATION)
        assert not findings(bench)


def test_a_change_of_keys_is_followed(bench: Path) -> None:
    keys = generate_keys("cellwright/bench")

    def rotate(site: Site) -> None:
        def record(body: dict[str, object]) -> int:
            draft = Draft(stream=KEYS_STREAM, type=KEY_ROTATED, body=body, id="rotation-1", actor="person/installation")
            return site.ledger.append([draft])[0].pos

        site.publisher.rotate(keys, record)

    small.with_site(bench, rotate)
    assert not findings(bench)
    (bench / "keys" / "checkpoint.keys").unlink()
    save_keys(bench / "keys" / "checkpoint.keys", keys)
    small.with_site(
        bench, lambda site: site.desk.record([Fact("person/OP-1", people.SignedOut(person="OP-1"))], INSTALLATION)
    )
    assert not findings(bench)


@pytest.mark.postgres
def test_a_site_on_postgresql_is_verified_by_folder_and_by_address(tmp_path: Path, postgres: PostgresServer) -> None:
    address = postgres.new_database()
    small.build(tmp_path / "site", ledger=address)
    assert not findings(tmp_path / "site")
    done = cellwright("verify", address, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["unchecked"]


# --- any byte --------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("R003")
@pytest.mark.parametrize("place", range(0, 23, 2))
def test_a_byte_of_an_event_changed(bench: Path, edit: Editor, place: int) -> None:
    """In the bytes alone, then with every hash computed again, then with today's checkpoint in no hand but one's own."""
    data = edit("SELECT data FROM event WHERE pos=?", place)[0][0]
    assert isinstance(data, bytes)
    at = data.index(b'"zone":"') + 9
    edit("UPDATE event SET data=? WHERE pos=?", data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], place)
    edit.rewrite_hashes()
    edit.done()
    assert "checkpoint" in kinds(bench)


COLUMNS = {
    "event": ("pos", "stream", "version", "id", "type", "data", "leaf"),
    "claim": ("key", "value", "taken", "released"),
    "tag": ("tag", "pos"),
    "head": ("size", "frontier", "root", "at"),
    "checkpoint": ("size", "kind", "body", "at"),
}
"""Every column that says something; `head.one` is always 1, `checkpoint.seq` only orders rows."""
SPOILT = (
    "CASE typeof({0}) WHEN 'blob' THEN CAST(substr({0}, 1, length({0}) - 1) || x'00' AS BLOB) "
    "WHEN 'integer' THEN {0} + 1 WHEN 'null' THEN 1 ELSE substr({0}, 1, length({0}) - 2) || '#' END"
)


@pytest.mark.requirement("R003")
@pytest.mark.parametrize(("table", "column"), [(table, column) for table in COLUMNS for column in COLUMNS[table]])
def test_every_column_of_every_table_is_compared(bench: Path, edit: Editor, table: str, column: str) -> None:
    """Spoilt alone, in one row, it is named."""
    edit("PRAGMA ignore_check_constraints=1")
    if table == "tag":
        edit("INSERT INTO tag VALUES ('coi/X', 1)")
    ((before,),) = edit(f"SELECT count(*) FROM {table}")
    key = {"event": "pos", "claim": "key", "tag": "tag", "head": "one", "checkpoint": "seq"}[table]
    edit(f"UPDATE {table} SET {column}={SPOILT.format(column)} WHERE {key}=(SELECT max({key}) FROM {table})")
    assert before
    edit.done()
    assert kinds(bench)


@pytest.mark.parametrize("table", ["claim", "checkpoint"])
def test_a_row_removed_is_named(bench: Path, edit: Editor, table: str) -> None:
    edit(f"DELETE FROM {table}")
    edit.done()
    assert kinds(bench) == {table}


def test_a_checkpoint_altered_in_a_place_outside_is_named(bench: Path) -> None:
    path = bench / "outside" / small.LATER / "checkpoints.log"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([lines[0].replace("bench\\n", "bench\\n1", 1), *lines[1:]]), encoding="utf-8")
    found = findings(bench)
    assert {finding["kind"] for finding in found} == {"checkpoint"}
    assert all("outside" in str(finding["text"]) for finding in found)


def test_a_place_elsewhere_that_is_away_is_said_and_is_no_finding(bench: Path, tmp_path: Path) -> None:
    """A share that is not mounted says nothing of the record; a place in the site's own folder does not go away."""
    file = bench / "site.toml"
    named = json.dumps(["outside", str(tmp_path / "share")])
    file.write_text(file.read_text(encoding="utf-8").replace('places = ["outside"]', f"places = {named}"), "utf-8")
    done = cellwright("verify", bench)
    assert done.exit_code == 0
    assert "Not reached: The outside place" in done.stdout
    (tmp_path / "share").mkdir()
    done = cellwright("verify", bench)
    assert done.exit_code == 0
    assert "holds no checkpoint of this site." in done.stdout
    lost(bench)
    assert kinds(bench) == {"place"}


# --- the insider -----------------------------------------------------------------------------------------------------


def cut(bench: Path, edit: Editor) -> None:
    """The last events away, with everything that speaks of them."""
    for table in ("claim", "tag"):
        column = "taken" if table == "claim" else "pos"
        if edit("SELECT 1 FROM sqlite_schema WHERE name=?", table):
            edit(f"DELETE FROM {table} WHERE {column} >= 18")
    edit("DELETE FROM event WHERE pos >= 18")
    edit("DELETE FROM checkpoint WHERE size > 18")
    edit("UPDATE head SET at=(SELECT json_extract(data, '$.at') FROM event WHERE pos=17)")
    edit.rewrite_hashes()


def rewritten(bench: Path, edit: Editor) -> None:
    """Another name in an event, and everything agrees with itself again."""
    for pos, data in edit("SELECT pos, data FROM event WHERE type='person.enrolled'"):
        assert isinstance(data, bytes)
        edit("UPDATE event SET data=? WHERE pos=?", data.replace(b"(simulated)", b"(SIMULATED)"), pos)
    edit("DELETE FROM checkpoint")
    edit.rewrite_hashes()


def dropped(bench: Path, edit: Editor) -> None:
    """The last signature away, as if nobody had ever signed."""
    edit("DELETE FROM event WHERE pos=22")
    edit("DELETE FROM claim WHERE taken=22")
    edit("DELETE FROM tag WHERE pos=22")
    edit("DELETE FROM checkpoint WHERE size > 22")
    edit("UPDATE head SET at=(SELECT json_extract(data, '$.at') FROM event WHERE pos=21)")
    edit.rewrite_hashes()


@pytest.mark.requirement("R003")
@pytest.mark.parametrize("attack", [cut, rewritten, dropped])
def test_an_insider_who_makes_the_ledger_agree_with_itself_is_found_by_todays_checkpoint(
    bench: Path, edit: Editor, today: Path, attack: Callable[[Path, Editor], None]
) -> None:
    attack(bench, edit)
    edit.done()
    assert "checkpoint" in kinds(bench), "the place outside tells"
    lost(bench)
    assert "checkpoint" in kinds(bench, "--checkpoint", today)


def test_a_missing_signature_is_found_even_without_any_checkpoint(bench: Path, edit: Editor) -> None:
    dropped(bench, edit)
    edit.done()
    lost(bench)
    found = findings(bench)
    assert [finding["kind"] for finding in found] == ["place", "signature"]
    assert "definition.approved lacks a signature" in str(found[1]["text"])


@pytest.mark.requirement("R003")
def test_yesterdays_copy_is_found_by_todays_checkpoint(bench: Path, tmp_path: Path) -> None:
    yesterday = small.copied(bench, tmp_path / "yesterday")

    def work(site: Site) -> None:
        site.desk.record([Fact("person/OP-1", people.SignedOut(person="OP-1"))], INSTALLATION)
        site.publisher.publish()

    small.with_site(bench, work)
    note = bench / "outside" / small.LATER / "checkpoint"
    assert not findings(yesterday)
    found = findings(yesterday, "--checkpoint", note)
    assert "was cut, or is an old copy" in str(found[0]["text"])
    assert not findings(bench, "--checkpoint", note)


@pytest.mark.requirement("R003")
def test_a_whole_site_made_anew_is_found_by_its_keys(bench: Path, tmp_path: Path, today: Path) -> None:
    """Everything rewritten, new keys included: it agrees with itself, and with nothing that others hold."""
    forged = tmp_path / "forged"
    small.build(forged)
    assert not findings(forged)
    assert "checkpoint" in kinds(forged, "--checkpoint", today)
    with open_ledger(bench / "ledger.db", read_only=True) as ledger:
        key = ledger.event(0).body["verifier_keys"][0]
    assert "keys" in kinds(forged, "--key", key)
    assert not findings(bench, "--key", key)


# --- what only the meaning of events shows ---------------------------------------------------------------------------


def changed(edit: Editor, pos: int, change: Callable[[dict[str, object]], None]) -> None:
    """An event said otherwise, in canonical bytes, with the columns that mirror it."""
    data = edit("SELECT data FROM event WHERE pos=?", pos)[0][0]
    said = msgspec.json.decode(data)  # type: ignore[arg-type]
    change(said)
    edit("UPDATE event SET data=? WHERE pos=?", encode(said), pos)
    edit("DELETE FROM checkpoint")
    edit.rewrite_hashes()
    edit.done()


def pos_of(edit: Editor, kind: str) -> int:
    pos = edit("SELECT max(pos) FROM event WHERE type=?", kind)[0][0]
    assert isinstance(pos, int)
    return pos


def other_name(said: dict[str, object]) -> None:
    said["body"]["printed_name"] = "Somebody else"  # type: ignore[index]


def other_file(said: dict[str, object]) -> None:
    said["body"]["sha256"] = "0" * 64  # type: ignore[index]


def other_field(said: dict[str, object]) -> None:
    said["body"]["invented"] = "field"  # type: ignore[index]


def other_reason(said: dict[str, object]) -> None:
    said["reason"] = "written later"


MEANT: tuple[tuple[str, Callable[[dict[str, object]], None], str], ...] = (
    ("signature.applied", other_name, "the printed name is not that of the account"),
    ("definition.approved", other_file, "not beside it in the record"),
    ("definition.approved", other_reason, "not beside it in the record"),
    ("definition.approved", other_field, "its body is not one of"),
)


@pytest.mark.requirement("R027", "R028")
@pytest.mark.parametrize(("kind", "change", "named"), MEANT, ids=[f"{k}-{c.__name__}" for k, c, _ in MEANT])
def test_what_people_signed_cannot_be_changed_even_by_whoever_holds_everything(
    bench: Path, edit: Editor, kind: str, change: Callable[[dict[str, object]], None], named: str
) -> None:
    """No checkpoint is left anywhere; the signatures themselves refute it."""
    changed(edit, pos_of(edit, kind), change)
    lost(bench)
    found = findings(bench)
    assert any(named in str(finding["text"]) for finding in found), found


def test_an_event_written_past_the_law_of_identity_is_named(bench: Path) -> None:
    """A writer of its own that leaves out the claim which the body of its event asks for."""
    enrolled = people.Enrolled(person="OP-9", account="op-9", printed_name="OP-9")
    draft = Draft(
        stream="person/OP-9", type="person.enrolled", body=msgspec.to_builtins(enrolled), id="x-1", actor="person/SEC-1"
    )
    moment = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(0)
    with open_ledger(bench / "ledger.db", clock=lambda: moment) as ledger:
        ledger.append([draft])
    assert "identity" in kinds(bench)


# --- files and what cannot be read -----------------------------------------------------------------------------------


def test_a_file_altered_or_missing_is_named_with_its_event(bench: Path) -> None:
    first, second = [path for path in sorted((bench / "files").rglob("*")) if path.is_file()][:2]
    first.chmod(0o600)
    first.write_bytes(first.read_bytes() + b" ")
    second.unlink()
    found = findings(bench)
    assert [finding["kind"] for finding in found] == ["file", "file"]
    assert all(isinstance(finding["event"], int) for finding in found)


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"no database"), lambda path: path.unlink()])
def test_a_ledger_that_cannot_be_read_is_a_finding(bench: Path, spoil: Callable[[Path], object]) -> None:
    spoil(bench / "ledger.db")
    assert kinds(bench) == {"ledger"}


def test_pages_of_the_database_overwritten_are_a_finding(bench: Path) -> None:
    path = bench / "ledger.db"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name='event'").fetchone()
    data = bytearray(path.read_bytes())
    size = int.from_bytes(data[16:18], "big")
    data[(root - 1) * size : root * size] = b"\xff" * size
    path.write_bytes(bytes(data))
    assert findings(bench)


def test_wrong_use_ends_with_2(bench: Path, tmp_path: Path) -> None:
    assert cellwright("verify", tmp_path).exit_code == 2
    assert cellwright("verify", bench, "--checkpoint", tmp_path / "none").exit_code == 2
