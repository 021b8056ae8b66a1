"""What lies beside the ledger: keys of persons, rows of checkpoints, places and witnesses; what vanishes is named."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cellwright.command import witnessing
from cellwright.command.site import INSTALLATION, Settings, Site, create
from cellwright.factory.order import subject
from cellwright.factory.record import Fact
from cellwright.ledger import SimulatedClock
from cellwright.ledger.signing_key import generate_keys
from tests.cli.small import cellwright
from tests.ledger.test_verify import Editor

pytestmark = pytest.mark.requirement("R003")


def known(site: Site, name: str) -> None:
    """One more subject, and a checkpoint over the event."""
    assert isinstance(site.clock, SimulatedClock)
    site.clock.advance(timedelta(minutes=1))
    sealed = {"name": subject.Sealed(**site.keys.encrypt_field(name, "Ada Example", "name"))}
    fact = Fact(f"subject/{name}", subject.Registered(subject=name, personal=sealed))
    site.desk.record([fact], INSTALLATION)
    site.publish()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("held") / "site"
    settings = Settings(name="bench", title_en="Bench", title_zh="试验台", simulated=True)
    with create(folder, settings, start=datetime(2026, 3, 2, tzinfo=UTC)) as site:
        keys = witnessing.establish(folder / "witness", "witness.example/bench", site.publisher.chain)
        site.name_witness(f"witness {keys}")
        known(site, "U1")
        known(site, "U2")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "site"))


def found(folder: Path) -> list[tuple[str, str]]:
    said = json.loads(cellwright("verify", folder, "--json").stdout)
    return [(one["kind"], one["text"]) for one in said["findings"]]


def test_a_sound_site_has_no_findings_and_is_only_read(folder: Path) -> None:
    before = (folder / "keys.db").read_bytes()
    assert found(folder) == []
    assert (folder / "keys.db").read_bytes() == before


def changed(folder: Path, sql: str) -> None:
    with sqlite3.connect(folder / "keys.db") as database:
        database.execute(sql)
    database.close()


KEYS: dict[str, Callable[[Path], object]] = {
    "file gone": lambda folder: (folder / "keys.db").unlink(),
    "file empty": lambda folder: (folder / "keys.db").write_bytes(b""),
    "no database": lambda folder: (folder / "keys.db").write_bytes(b"keys" * 2000),
    "opening key gone": lambda folder: (folder / "keys" / "persons.kek").unlink(),
    "index gone": lambda folder: changed(folder, "DELETE FROM secret"),
    "one gone": lambda folder: changed(folder, "DELETE FROM subject_key WHERE subject='U1'"),
    "one altered": lambda folder: changed(folder, "UPDATE subject_key SET wrapped=zeroblob(60) WHERE subject='U1'"),
    "one renamed": lambda folder: changed(folder, "UPDATE subject_key SET subject='U9' WHERE subject='U1'"),
    "called destroyed": lambda folder: changed(folder, "INSERT INTO shredded VALUES('U1')"),
}


@pytest.mark.parametrize("attack", KEYS)
def test_a_key_that_is_gone_or_opens_nothing_is_named(folder: Path, attack: str) -> None:
    KEYS[attack](folder)
    spoilt = (folder / "keys.db").read_bytes() if (folder / "keys.db").exists() else None
    findings = found(folder)
    assert [kind for kind, _ in findings] == ["key"]
    assert "U1" in findings[0][1] or "keys" in findings[0][1]
    assert spoilt == ((folder / "keys.db").read_bytes() if (folder / "keys.db").exists() else None)


ROWS = {
    "newest cosignatures away": "DELETE FROM checkpoint WHERE kind='cosignature' AND size=(SELECT max(size) FROM head)",
    "a cosignature twice": "INSERT INTO checkpoint(size, kind, body, at) SELECT size, kind, body, at FROM checkpoint "
    "WHERE kind='cosignature' LIMIT 1",
    "a note twice": "INSERT INTO checkpoint(size, kind, body, at) SELECT size, kind, body, at FROM checkpoint "
    "WHERE kind='note' LIMIT 1",
    "a note called a cosignature": "UPDATE checkpoint SET kind='cosignature' WHERE seq=1",
    "a note called a time stamp": "UPDATE checkpoint SET kind='timestamp' WHERE seq=1",
    "a cosignature called a note": "UPDATE checkpoint SET kind='note' WHERE seq=2",
    "a cosignature called a time stamp": "UPDATE checkpoint SET kind='timestamp' WHERE seq=2",
    "kept at another time": "UPDATE checkpoint SET at='2020-01-01T00:00:00.000000Z' WHERE seq=2",
    "notes in another order": "UPDATE checkpoint SET seq=99 WHERE seq=1",
    "garbage as a time stamp": "INSERT INTO checkpoint(size, kind, body, at) "
    "VALUES(2, 'timestamp', x'3003020101', '2026-03-02T00:00:00.000000Z')",
}


@pytest.mark.parametrize("attack", ROWS)
def test_a_row_of_the_checkpoint_store_that_does_not_fit_is_named(folder: Path, attack: str) -> None:
    edit = Editor(folder / "ledger.db")
    edit(ROWS[attack])
    edit.done()
    assert {kind for kind, _ in found(folder)} == {"checkpoint"}


def settings(folder: Path, key: str, value: str) -> None:
    file = folder / "site.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("".join(f"{key} = {value}\n" if line.startswith(key) else f"{line}\n" for line in lines), "utf-8")


def test_places_and_witnesses_that_vanished_are_named(folder: Path) -> None:
    shutil.rmtree(folder / "outside")
    assert [kind for kind, _ in found(folder)] == ["place"]
    shutil.rmtree(folder / "witness")
    assert [kind for kind, _ in found(folder)] == ["place", "place"]


def test_places_and_witnesses_taken_out_of_the_settings_are_named(folder: Path) -> None:
    settings(folder, "places", "[]")
    assert [kind for kind, _ in found(folder)] == ["place"]
    settings(folder, "witnesses", "[]")
    assert {kind for kind, _ in found(folder)} == {"place", "checkpoint"}


def test_a_witness_exchanged_for_another_is_named(folder: Path) -> None:
    other = generate_keys("witness.example/bench", witness=True)
    settings(folder, "witnesses", json.dumps(["witness " + " ".join(str(key.verifier) for key in other)]))
    assert {kind for kind, _ in found(folder)} == {"checkpoint"}
