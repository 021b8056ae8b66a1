"""F13: a person's key is destroyed. What was recorded about this person can be read nowhere; all that was hashed stays.

Nowhere: not in the ledger, its snapshots, files and exports, not in copies made before, not with keys from a backup.
"""

from __future__ import annotations

import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from cellwright.ledger import Draft, Event, Ledger, SimulatedClock, open_ledger, verify
from cellwright.ledger.files import FileRef, FolderStore, check_files
from cellwright.ledger.key_encryption import KekRefused, KeyEncryptionKey
from cellwright.ledger.note import Checkpoint, Note, SignatureType
from cellwright.ledger.signing_key import SigningKey
from cellwright.ledger.subject_keys import SubjectKeys, SubjectShredded, restore
from tests.faults.conftest import Count
from tests.faults.story import START

PERSONS: Final = 40
GONE: Final = range(0, PERSONS, 2)
KEY: Final = SigningKey.generate("cellwright.example/site", SignatureType.ED25519)


def subject(number: int) -> str:
    return f"patient/A9999-{number:04}"


def name(number: int) -> str:
    return f"Wáng Fāng the {number:04}th"


class LastBody:
    """A projection that keeps what it last read, encrypted as it came."""

    name = "last body/1"

    def initial(self) -> dict[str, Any]:
        return {}

    def evolve(self, state: dict[str, Any], event: Event) -> dict[str, Any]:
        return state | event.body

    def dump(self, state: dict[str, Any]) -> bytes:
        return msgspec.json.encode(state)

    def load(self, data: bytes) -> dict[str, Any]:
        return msgspec.json.decode(data, type=dict[str, Any])


@dataclass
class Site:
    """A small site on disk: ledger, files, keys; and what was copied from it before the keys were destroyed."""

    folder: Path
    ledger: Ledger
    keys: SubjectKeys
    kek: KeyEncryptionKey
    files: list[FileRef]
    held: bytes

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.folder / "files", self.keys)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    kek = KeyEncryptionKey.create(tmp_path / "kek")
    with (
        SubjectKeys(tmp_path / "keys.db", kek, create=True) as keys,
        open_ledger(tmp_path / "ledger.db", clock=SimulatedClock(START), create=True) as ledger,
    ):
        store, files = FolderStore(tmp_path / "files", keys), []
        for number in range(PERSONS):
            person = subject(number)
            keys.remember(person, "name", name(number))
            files.append(store.put(f"consent of {name(number)}".encode() * 20, person))
            body = {"name": keys.encrypt_field(person, name(number), "name"), "scan": files[-1].sha256}
            draft = {"type": "subject.named", "actor": "ann", "body": body, "tags": (f"coi/{number}",)}
            ledger.append([Draft(stream=f"subject/{number}", id=f"{number}.{part}", **draft) for part in range(110)])
            ledger.fold(f"subject/{number}", LastBody())
        head = ledger.head()
        text = Checkpoint("cellwright.example/site", head.size, head.root).text
        made = Site(tmp_path, ledger, keys, kek, files, Note(text, (KEY.sign(text, 0),)).to_bytes())
        copy_out(made)
        yield made


def copy_out(site: Site) -> None:
    """What a site has of itself outside: a copy of the ledger in use, an export, a copy of the files, of the keys."""
    backup = site.folder / "backup"
    backup.mkdir()
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{site.ledger.where}{suffix}", backup / f"ledger.db{suffix}")
    with (site.folder / "export.jsonl").open("wb") as export:
        export.writelines(record.data + b"\n" for record in site.ledger.records())
    shutil.copytree(site.folder / "files", backup / "files")
    site.keys.backup(backup / "keys.db")


def readings(site: Site, keys: SubjectKeys, number: int) -> dict[str, Callable[[], object]]:
    """Every way to a person's name, by what it is read from."""
    stream, folder = f"subject/{number}", site.folder
    snapshot = site.ledger.store.snapshot(stream, LastBody.name)
    assert snapshot is not None
    with (folder / "export.jsonl").open("rb") as export:
        exported = next(event for line in export if (event := msgspec.json.decode(line))["stream"] == stream)
    with open_ledger(folder / "backup" / "ledger.db", read_only=True) as copy:
        copied = copy.stream(stream)[0]
    tagged = site.ledger.tagged(f"coi/{number}")[-1]
    bodies = {
        "event": site.ledger.stream(stream)[0].body,
        "event by tag": tagged.body,
        "snapshot": LastBody().load(snapshot.state),
        "export": exported["body"],
        "copy of the ledger": copied.body,
    }
    ways: dict[str, Callable[[], object]] = {
        way: lambda body=body: keys.decrypt_field(body["name"], "name") for way, body in bodies.items()
    }
    ref = site.files[number]
    for way, place in (("file", folder / "files"), ("copy of the file", folder / "backup" / "files")):
        ways[way] = lambda place=place: FolderStore(place, keys).get(ref).decode()
    return ways


def readable(site: Site, keys: SubjectKeys, number: int) -> set[str]:
    """The ways on which the person's name comes out."""
    found = set()
    for way, read in readings(site, keys, number).items():
        try:
            assert name(number) in str(read())
        except SubjectShredded:
            continue
        found.add(way)
    return found


def destroy(site: Site) -> list[str]:
    gone = [subject(number) for number in GONE]
    for person in gone:
        site.keys.shred(person, may_shred=lambda _person: None)
    return gone


def test_before_everything_can_be_read(site: Site, counted: Count) -> None:
    ways = [readable(site, site.keys, number) for number in range(PERSONS)]
    assert all(way == ways[0] for way in ways)
    assert len(ways[0]) == 7
    counted("F13 ways to read a person before", sum(map(len, ways)))


def test_a_destroyed_key_closes_every_way(site: Site, counted: Count) -> None:
    before = site.ledger.head()
    gone = destroy(site)
    closed = 0
    restored = restore(site.folder / "backup" / "keys.db", site.folder / "restored.db", site.kek, gone)
    with restored:
        for number in range(PERSONS):
            for keys in (site.keys, restored):
                ways = readable(site, keys, number)
                if number in GONE:
                    assert ways == set()
                    assert keys.find("name", name(number)) == []
                    closed += 7
                else:
                    assert len(ways) == 7
                    assert keys.find("name", name(number)) == [subject(number)]
    counted("F13 ways to read a destroyed person, all closed", closed)
    assert closed == 2 * 7 * len(GONE)
    assert site.ledger.head() == before
    assert verify(site.ledger, [site.held], keys=[KEY.verifier], folds=[LastBody()]).findings == []
    assert check_files(site.store, site.files) == []
    with open_ledger(site.folder / "backup" / "ledger.db", read_only=True) as copy:
        assert verify(copy, [site.held], keys=[KEY.verifier]).ok


def test_no_plain_word_is_in_any_file(site: Site, counted: Count) -> None:
    """Not before the destruction either: neither names nor their hashes are the address of anything."""
    destroy(site)
    texts = [name(number) for number in range(PERSONS)]
    forms = [text.encode() for text in texts] + [b64encode(text.encode())[:-4] for text in texts]
    files = [path for path in site.folder.rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes()
        assert not any(form in content for form in forms), path
    counted("F13 files searched for plain words", len(files))
    assert len(files) > 2 * PERSONS


def test_a_renewed_key_makes_the_old_backup_worthless(site: Site) -> None:
    destroy(site)
    new = KeyEncryptionKey.create(site.folder / "kek.2")
    site.keys.renew(new)
    (site.folder / "kek").unlink()
    with pytest.raises(KekRefused), SubjectKeys(site.folder / "backup" / "keys.db", new) as old:
        old.decrypt_field(site.ledger.stream("subject/0")[0].body["name"], "name")
    assert len(readable(site, site.keys, 1)) == 7
    assert readable(site, site.keys, 0) == set()


def test_the_harness_finds_a_restore_that_forgets_the_list(site: Site, counted: Count) -> None:
    """The old backup with the old key, opened by hand: every way is open again. That is what `restore` prevents."""
    destroy(site)
    with SubjectKeys(site.folder / "backup" / "keys.db", site.kek) as careless:
        found = sum(len(readable(site, careless, number)) for number in GONE)
    counted("F13 ways found open after a careless restore", found)
    assert found == 7 * len(GONE)
