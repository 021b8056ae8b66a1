"""Persons' keys: encrypt, find, and destroy so that nothing brings the data back and the ledger still verifies."""

from __future__ import annotations

import multiprocessing
import threading
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.ledger import Draft, open_ledger, subject_keys, verify
from cellwright.ledger.errors import Locked, StorageFull
from cellwright.ledger.files import FolderStore, check_files
from cellwright.ledger.key_encryption import KekRefused, KeyEncryptionKey, SealBroken, SubjectKeyError
from cellwright.ledger.subject_keys import SubjectKeys, SubjectShredded, SubjectUnknown, restore


@pytest.fixture
def kek(tmp_path: Path) -> KeyEncryptionKey:
    return KeyEncryptionKey.create(tmp_path / "kek")


@pytest.fixture
def keys(tmp_path: Path, kek: KeyEncryptionKey) -> Iterator[SubjectKeys]:
    with SubjectKeys(tmp_path / "keys.db", kek, create=True) as opened:
        yield opened


def allowed(_subject: str) -> None:
    return None


@given(text=st.text(max_size=80), subject=st.text("abc/-0123上海", min_size=1, max_size=20))
@settings(deadline=None, max_examples=60)
def test_a_field_comes_back_and_shows_nothing(
    text: str, subject: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("keys")
    with SubjectKeys(folder / "keys.db", KeyEncryptionKey.create(folder / "kek"), create=True) as keys:
        value = keys.encrypt_field(subject, text, "name")
        assert set(value) == {"enc", "n", "c"}
        assert keys.decrypt_field(value, "name") == text
        assert value != keys.encrypt_field(subject, text, "name")  # a fresh nonce: equal texts cannot be seen equal
        if len(text) > 8:
            assert text.encode() not in b64decode(value["c"])
            assert text not in value["n"] + value["c"]


def test_a_field_costs_28_bytes(keys: SubjectKeys) -> None:
    assert len(keys.seal("p1", b"x" * 100, b"")) == 128


def test_an_encrypted_field_cannot_be_moved_or_altered(keys: SubjectKeys) -> None:
    value = keys.encrypt_field("p1", "Wang Fang", "name")
    keys.encrypt_field("p2", "Li Na", "name")
    other = keys.encrypt_field("p1", "+86 10 0000", "phone")
    changed = ("B" if value["c"][0] == "A" else "A") + value["c"][1:]
    for moved, field in (
        ({**value, "enc": "p2"}, "name"),
        (value, "phone"),
        (value, ""),
        ({**value, "n": other["n"]}, "name"),
        ({**value, "c": other["c"]}, "name"),
        ({**value, "c": changed}, "name"),
        ({**value, "c": value["c"][:-4]}, "name"),
        ({**value, "c": ""}, "name"),
        ({**value, "n": ""}, "name"),
        ({**value, "c": "no base64!"}, "name"),
        ({**value, "c": 5}, "name"),
        ({"enc": "p1"}, "name"),
    ):
        with pytest.raises(SealBroken):
            keys.decrypt_field(moved, field)
    with pytest.raises(SubjectUnknown):
        keys.decrypt_field({**value, "enc": "p3"}, "name")


def test_keys_outlive_the_process_and_need_their_kek(tmp_path: Path, kek: KeyEncryptionKey) -> None:
    with SubjectKeys(tmp_path / "keys.db", kek, create=True) as first:
        value = first.encrypt_field("p1", "Wang Fang")
    with SubjectKeys(tmp_path / "keys.db", KeyEncryptionKey.load(tmp_path / "kek")) as second:
        assert second.decrypt_field(value) == "Wang Fang"
    with pytest.raises(KekRefused, match="wrapped under"):
        SubjectKeys(tmp_path / "keys.db", KeyEncryptionKey.create(tmp_path / "kek2"))
    assert (tmp_path / "keys.db").stat().st_mode & 0o777 == 0o600


def test_only_a_file_of_keys_is_opened(tmp_path: Path, kek: KeyEncryptionKey) -> None:
    with pytest.raises(SubjectKeyError, match="no persons' keys"):
        SubjectKeys(tmp_path / "keys.db", kek)
    (tmp_path / "keys.db").write_bytes(b"this is no database, but long enough to be looked at" * 40)
    with pytest.raises(SubjectKeyError):
        SubjectKeys(tmp_path / "keys.db", kek)


def test_the_kek_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    kek = KeyEncryptionKey.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyEncryptionKey.load(path).id == kek.id
    assert path.read_text(encoding="ascii").strip() not in repr(kek)
    with pytest.raises(KekRefused, match="never overwritten"):
        KeyEncryptionKey.create(path)
    path.chmod(0o640)
    with pytest.raises(KekRefused, match="chmod 600"):
        KeyEncryptionKey.load(path)
    path.chmod(0o600)
    for damaged in (b"", b"AAAA\n", b"!" * 44):
        path.write_bytes(damaged)
        with pytest.raises(KekRefused):
            KeyEncryptionKey.load(path)
    with pytest.raises(KekRefused, match="cannot be read"):
        KeyEncryptionKey.load(tmp_path / "none")


def test_wrapped_keys_cannot_be_exchanged(tmp_path: Path, keys: SubjectKeys, kek: KeyEncryptionKey) -> None:
    value = keys.encrypt_field("p1", "Wang Fang")
    keys.encrypt_field("p2", "Li Na")
    keys.close()
    db = apsw.Connection(str(tmp_path / "keys.db"))
    db.execute("UPDATE subject_key SET wrapped=(SELECT wrapped FROM subject_key WHERE subject='p2') WHERE subject='p1'")
    db.close()
    with SubjectKeys(tmp_path / "keys.db", kek) as again, pytest.raises(SealBroken):
        again.decrypt_field(value)


class RetentionRuns(Exception):
    """The caller's own refusal."""


def test_a_key_is_kept_while_the_caller_refuses(keys: SubjectKeys) -> None:
    value = keys.encrypt_field("p1", "Wang Fang")
    asked = []

    def refuse(subject: str) -> Exception:
        asked.append(subject)
        return RetentionRuns("30 years after expiry")

    with pytest.raises(RetentionRuns):
        keys.shred("p1", may_shred=refuse)
    assert asked == ["p1"]
    assert keys.state("p1") == "present"
    assert keys.decrypt_field(value) == "Wang Fang"


def test_a_destroyed_key_is_gone_for_reading_writing_and_finding(keys: SubjectKeys) -> None:
    value, other = keys.encrypt_field("p1", "Wang Fang"), keys.encrypt_field("p2", "Li Na")
    keys.remember("p1", "name", "Wang Fang")
    keys.shred("p1", may_shred=allowed)
    keys.shred("p1", may_shred=allowed)
    assert (keys.state("p1"), keys.state("p2"), keys.state("p3")) == ("shredded", "present", "unknown")
    with pytest.raises(SubjectShredded):
        keys.decrypt_field(value)
    with pytest.raises(SubjectShredded):
        keys.encrypt_field("p1", "Wang Fang")
    with pytest.raises(SubjectShredded):
        keys.remember("p1", "name", "Wang Fang")
    assert keys.find("name", "Wang Fang") == []
    assert keys.decrypt_field(other) == "Li Na"


def test_a_key_never_made_can_be_forbidden(keys: SubjectKeys) -> None:
    assert keys.destroy_again(["p9"]) == 0
    with pytest.raises(SubjectShredded):
        keys.encrypt_field("p9", "anything")


def test_another_process_forgets_a_destroyed_key_too(tmp_path: Path, keys: SubjectKeys, kek: KeyEncryptionKey) -> None:
    """What a second process holds unwrapped in memory must not outlive the destruction in the first."""
    value = keys.encrypt_field("p1", "Wang Fang")
    with SubjectKeys(tmp_path / "keys.db", kek) as second:
        assert second.decrypt_field(value) == "Wang Fang"
        keys.shred("p1", may_shred=allowed)
        with pytest.raises(SubjectShredded):
            second.decrypt_field(value)
        with pytest.raises(SubjectShredded):
            second.encrypt_field("p1", "again")


def test_no_trace_of_a_destroyed_key_is_in_the_file(tmp_path: Path, keys: SubjectKeys) -> None:
    for n in range(50):
        keys.encrypt_field(f"p{n}", "x")
    db = apsw.Connection(str(tmp_path / "keys.db"))
    (wrapped,) = next(iter(db.execute("SELECT wrapped FROM subject_key WHERE subject='p7'")))
    db.close()
    assert wrapped in (tmp_path / "keys.db").read_bytes()
    keys.shred("p7", may_shred=allowed)
    assert wrapped not in (tmp_path / "keys.db").read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("keys.db-")]


def test_a_backup_opens_only_with_its_kek_and_brings_no_destroyed_key_back(
    tmp_path: Path, keys: SubjectKeys, kek: KeyEncryptionKey
) -> None:
    value, other = keys.encrypt_field("p1", "Wang Fang"), keys.encrypt_field("p2", "Li Na")
    keys.remember("p2", "name", "Li Na")
    keys.backup(tmp_path / "copy.db")
    keys.shred("p1", may_shred=allowed)
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    with pytest.raises(SubjectKeyError, match="already"):
        keys.backup(tmp_path / "copy.db")
    with pytest.raises(KekRefused):
        restore(tmp_path / "copy.db", tmp_path / "x.db", KeyEncryptionKey.create(tmp_path / "kek2"), ["p1"])
    with restore(tmp_path / "copy.db", tmp_path / "restored.db", kek, ["p1"]) as restored:
        with pytest.raises(SubjectShredded):
            restored.decrypt_field(value)
        assert restored.decrypt_field(other) == "Li Na"
        assert restored.find("name", "li na") == ["p2"]
    with pytest.raises(SubjectKeyError):
        restore(tmp_path / "none.db", tmp_path / "y.db", kek, [])


def test_a_renewed_kek_makes_old_copies_worthless(tmp_path: Path, keys: SubjectKeys, kek: KeyEncryptionKey) -> None:
    value = keys.encrypt_field("p1", "Wang Fang")
    keys.remember("p1", "name", "Wang Fang")
    with SubjectKeys(tmp_path / "keys.db", kek) as second:
        renewed = KeyEncryptionKey.create(tmp_path / "kek2")
        keys.renew(renewed)
        assert keys.decrypt_field(value) == "Wang Fang"
        assert keys.find("name", "Wang Fang") == ["p1"]
        assert keys.decrypt_field(keys.encrypt_field("p2", "Li Na")) == "Li Na"
        with pytest.raises(KekRefused):
            second.decrypt_field(value)
    with pytest.raises(KekRefused):
        SubjectKeys(tmp_path / "keys.db", kek)
    with SubjectKeys(tmp_path / "keys.db", renewed) as third:
        assert third.decrypt_field(value) == "Wang Fang"
        assert third.find("name", "Wang Fang") == ["p1"]


def test_persons_are_found_by_name_without_the_name_being_stored(tmp_path: Path, keys: SubjectKeys) -> None:
    keys.remember("p1", "name", "Ｗang  Fang ")
    keys.remember("p2", "name", "WANG FANG")
    keys.remember("p2", "name", "WANG FANG")
    keys.remember("p3", "record", "wang fang")
    assert keys.find("name", "wang fang") == ["p1", "p2"]
    assert keys.find("record", "Wang Fang") == ["p3"]
    assert keys.find("name", "Wang F") == []
    assert keys.find("namew", "ang fang") == []
    assert b"fang" not in (tmp_path / "keys.db").read_bytes().lower()


def test_two_indexes_of_the_same_names_differ(tmp_path: Path) -> None:
    """Whoever has one site's index cannot tell who is in another's, nor try names against it without the key."""
    digests = []
    for site in ("a", "b"):
        kek = KeyEncryptionKey.create(tmp_path / f"kek-{site}")
        with SubjectKeys(tmp_path / f"{site}.db", kek, create=True) as keys:
            keys.remember("p1", "name", "Wang Fang")
        db = apsw.Connection(str(tmp_path / f"{site}.db"))
        digests.append(next(iter(db.execute("SELECT digest FROM blind")))[0])
        db.close()
    assert digests[0] != digests[1]


def test_threads_agree_on_one_key(keys: SubjectKeys) -> None:
    values: list[dict[str, str]] = []
    barrier = threading.Barrier(8)

    def work(n: int) -> None:
        barrier.wait()
        values.extend(keys.encrypt_field("p1", f"text {n} {k}") for k in range(20))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {f"text {n} {k}" for n in range(8) for k in range(20)}
    assert {keys.decrypt_field(value) for value in values} == expected


def test_more_persons_than_are_held_in_memory(keys: SubjectKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject_keys, "CACHED_KEYS", 3)
    values = [keys.encrypt_field(f"p{n}", f"text {n}") for n in range(10)]
    assert [keys.decrypt_field(value) for value in values] == [f"text {n}" for n in range(10)]
    assert len(keys._ciphers) == 3


def test_a_key_destroyed_while_it_is_being_made_is_not_made(keys: SubjectKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process destroys the person between this one's look and its writing."""
    with monkeypatch.context() as looking:
        looking.setattr(keys, "state", lambda _subject: "unknown")
        keys.destroy_again(["p1"])
        with pytest.raises(SubjectShredded):
            keys.encrypt_field("p1", "Wang Fang")
    assert keys.state("p1") == "shredded"


def test_a_full_disk_changes_nothing(keys: SubjectKeys) -> None:
    value = keys.encrypt_field("p1", "Wang Fang")
    keys._db.pragma("max_page_count", int(keys._db.pragma("page_count")))

    def fill() -> None:
        for n in range(500):
            keys.encrypt_field(f"q{n}", "x")

    with pytest.raises(StorageFull):
        fill()
    assert keys.decrypt_field(value) == "Wang Fang"
    keys._db.pragma("max_page_count", 10_000)
    assert keys.decrypt_field(keys.encrypt_field("q999", "x")) == "x"


def _encrypt(folder: str, text: str) -> dict[str, str]:
    with SubjectKeys(Path(folder) / "keys.db", KeyEncryptionKey.load(Path(folder) / "kek"), create=True) as keys:
        return keys.encrypt_field("p1", text)


def test_processes_agree_on_one_key(tmp_path: Path, keys: SubjectKeys) -> None:
    texts = [f"text {n}" for n in range(6)]
    with multiprocessing.get_context("forkserver").Pool(2) as pool:
        values = pool.starmap(_encrypt, [(str(tmp_path), text) for text in texts])
    assert [keys.decrypt_field(value) for value in values] == texts


def test_a_file_held_by_another_program_is_said(
    tmp_path: Path, keys: SubjectKeys, kek: KeyEncryptionKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys._db.set_busy_timeout(0)
    other = apsw.Connection(str(tmp_path / "keys.db"))
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Locked):
        keys.shred("p1", may_shred=allowed)
    monkeypatch.setattr(subject_keys, "BUSY_MS", 0)
    with pytest.raises(Locked):
        SubjectKeys(tmp_path / "keys.db", kek)
    other.execute("ROLLBACK")
    other.close()
    keys.shred("p1", may_shred=allowed)
    assert keys.state("p1") == "shredded"


def test_shredding_leaves_the_ledger_and_its_files_verifiable(tmp_path: Path, keys: SubjectKeys) -> None:
    """Fault test F13: the person is gone from everything that can be read; root, proofs and files are as before."""
    store = FolderStore(tmp_path / "files", keys)
    person, scan = "patient/A9999-0001", b"%PDF consent of Wang Fang"
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        ref = store.put(scan, person)
        value = keys.encrypt_field(person, "Wang Fang", "name")
        body = {"name": value, "scan": {"sha256": ref.sha256, "size": ref.size, "subject": ref.subject}}
        ledger.append([Draft(stream="person/1", type="person.named", id="e1", actor="ann", body=body)])
        head = ledger.head()
        assert verify(ledger, processes=1).ok
        keys.shred(person, may_shred=allowed)
        assert ledger.head() == head
        assert verify(ledger, processes=1).ok
        assert check_files(store, [ref]) == []
        recorded = ledger.event(0).body
        with pytest.raises(SubjectShredded):
            keys.decrypt_field(recorded["name"], "name")
        with pytest.raises(SubjectShredded):
            store.get(ref)
        stored = store.open(ref).read()
    for kept in (stored, *(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())):
        assert b"Wang Fang" not in kept
