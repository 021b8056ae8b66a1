"""Files of the record: durable before they are named, found when missing or altered, and unreadable without the key."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.ledger import files
from cellwright.ledger.errors import StorageFull, Unavailable
from cellwright.ledger.files import (
    SEALED,
    FileAltered,
    FileMissing,
    FileRef,
    FileRefused,
    FolderStore,
    check_files,
)
from cellwright.ledger.key_encryption import KeyEncryptionKey
from cellwright.ledger.subject_keys import SubjectKeys

NAME = sha256(b"flow data").hexdigest()


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[SubjectKeys]:
    with SubjectKeys(tmp_path / "keys.db", KeyEncryptionKey.create(tmp_path / "kek"), create=True) as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path, keys: SubjectKeys) -> FolderStore:
    return FolderStore(tmp_path / "files", keys)


def damage(store: FolderStore, ref: FileRef, data: bytes) -> None:
    path = store.path(ref)
    path.chmod(0o644)
    path.write_bytes(data)


def test_a_file_is_kept_under_its_hash(store: FolderStore, tmp_path: Path) -> None:
    ref = store.put(b"flow data")
    assert ref == FileRef(NAME, 9)
    assert store.path(ref) == tmp_path / "files" / NAME[:2] / NAME[2:4] / NAME
    assert store.get(ref) == b"flow data"
    assert store.exists(ref)
    with store.open(ref) as file:
        assert file.read() == b"flow data"
    assert store.put(b"flow data") == ref
    assert [path.name for path in store.path(ref).parent.iterdir()] == [NAME]
    assert store.path(ref).stat().st_mode & 0o222 == 0


@given(data=st.binary(max_size=2000), subject=st.none() | st.sampled_from(["p1", "p2"]))
@settings(deadline=None, max_examples=40)
def test_what_is_put_comes_back(data: bytes, subject: str | None, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("files")
    with SubjectKeys(folder / "keys.db", KeyEncryptionKey.create(folder / "kek"), create=True) as keys:
        store = FolderStore(folder / "files", keys)
        ref = store.put(data, subject)
        assert store.get(ref) == data
        assert ref.subject == subject
        assert check_files(store, [ref]) == []


def test_a_file_about_a_person_leaves_no_trace_of_its_content(store: FolderStore, tmp_path: Path) -> None:
    """Neither the content nor its hash, which would recognise the file for ever, may be outside the encryption."""
    content = b"consent of Wang Fang"
    ref, again = store.put(content, "p1"), store.put(content, "p1")
    assert ref != again  # nor can it be seen that two files are equal
    digest = sha256(content)
    for path in tmp_path.rglob("*"):
        assert digest.hexdigest() not in path.name
        if path.is_file():
            assert content not in path.read_bytes()
            assert digest.digest() not in path.read_bytes()
    assert store.open(ref).read().startswith(SEALED)
    assert ref.size == len(SEALED) + 28 + 32 + len(content)


def test_a_missing_file_is_a_finding(store: FolderStore) -> None:
    ref = store.put(b"flow data")
    other = store.put(b"image")
    store.path(ref).unlink()
    assert not store.exists(ref)
    with pytest.raises(FileMissing, match=NAME):
        store.get(ref)
    (finding,) = check_files(store, [other, ref, ref])
    assert (finding.kind, finding.ref) == ("missing", ref)
    assert NAME in finding.text


@pytest.mark.parametrize("subject", [None, "p1"])
def test_an_altered_file_is_a_finding_and_never_read(store: FolderStore, subject: str | None) -> None:
    ref = store.put(b"flow data", subject)
    whole = store.open(ref).read()
    for at in (0, len(whole) // 2, len(whole) - 1):
        damage(store, ref, whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(FileAltered):
            store.get(ref)
        assert [finding.kind for finding in check_files(store, [ref])] == ["altered"]
    for wrong in (b"", whole[:-1], whole + b"\0"):
        damage(store, ref, wrong)
        with pytest.raises(FileAltered):
            store.get(ref)
        assert [finding.kind for finding in check_files(store, [ref])] == ["altered"]
    damage(store, ref, whole)
    assert check_files(store, [ref]) == []


def test_a_damaged_file_is_mended_when_it_is_put_again(store: FolderStore) -> None:
    ref = store.put(b"flow data")
    damage(store, ref, b"rust")
    assert store.put(b"flow data") == ref
    assert store.get(ref) == b"flow data"


def test_a_file_that_the_disk_cannot_read_is_a_finding(store: FolderStore) -> None:
    ref = store.put(b"flow data")
    store.path(ref).unlink()
    store.path(ref).mkdir()
    assert [finding.kind for finding in check_files(store, [ref])] == ["unreadable"]


def test_one_persons_file_does_not_open_as_anothers(store: FolderStore) -> None:
    ref = store.put(b"scan", "p1")
    store.put(b"scan", "p2")
    for forged in (FileRef(ref.sha256, ref.size, "p2"), FileRef(ref.sha256, ref.size, "p3")):
        with pytest.raises(files.LedgerError):
            store.get(forged)
    plain = store.put(b"about nobody")
    with pytest.raises(FileAltered):
        store.get(FileRef(plain.sha256, plain.size, "p1"))


def test_what_was_sealed_with_another_hash_is_refused(store: FolderStore, keys: SubjectKeys) -> None:
    """Somebody who holds the key, and not the record, wraps another content."""
    forged = SEALED + keys.seal("p1", bytes(32) + b"another scan", SEALED)
    ref = store.put(forged)
    with pytest.raises(FileAltered):
        store.get(FileRef(ref.sha256, ref.size, "p1"))


def test_without_keys_nothing_personal_is_stored_or_read(store: FolderStore, tmp_path: Path) -> None:
    ref, bare = store.put(b"scan", "p1"), FolderStore(tmp_path / "files")
    with pytest.raises(FileRefused):
        bare.put(b"scan", "p1")
    with pytest.raises(FileRefused):
        bare.get(ref)
    assert check_files(bare, [ref]) == []  # to verify needs no key


def test_a_file_that_is_too_large_is_refused(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FILE_LIMIT", 10)
    with pytest.raises(FileRefused, match="limit"):
        store.put(b"x" * 11)


def test_file_and_folders_are_flushed_before_put_returns(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order that survives a power cut: content, then the name, then every folder that is new."""
    steps: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace

    def sync(handle: int) -> None:
        steps.append("sync " + Path(f"/proc/self/fd/{handle}").readlink().name)
        real_sync(handle)

    def replace(path: Path, target: Path) -> Path:
        steps.append("rename")
        return real_replace(path, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    store.put(b"flow data")
    temporary = steps[3].removeprefix("sync ")
    assert temporary.startswith(f".{NAME}")
    folders = [f"sync {tmp_path.name}", "sync files", f"sync {NAME[:2]}"]
    assert steps[: len(folders) + 3] == [*folders, f"sync {temporary}", "rename", f"sync {NAME[2:4]}"]
    steps.clear()
    store.put(b"flow data")
    assert steps == [f"sync {NAME[2:4]}"]


def test_folders_that_somebody_left_unflushed_are_flushed(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program killed between making a folder and flushing its name leaves a folder that a power cut can still take."""
    (tmp_path / "files" / NAME[:2] / NAME[2:4]).mkdir(parents=True)
    flushed: list[str] = []
    real_sync = os.fsync

    def sync(handle: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real_sync(handle)

    monkeypatch.setattr(os, "fsync", sync)
    store.put(b"flow data")
    assert set(flushed) >= {NAME[2:4], NAME[:2], "files", tmp_path.name}
    flushed.clear()
    store.put(b"other data")
    assert "files" not in flushed[3:], "what this store has flushed once stays"


@pytest.mark.parametrize(("code", "kind"), [(errno.ENOSPC, StorageFull), (errno.EIO, Unavailable)])
@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_disk_that_fails_leaves_nothing_half(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception], call: str
) -> None:
    store.put(b"before")  # so that the folders' own flushing is not what fails

    def fail(*_args: object) -> int:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as failing:
        failing.setattr(Path if call == "replace" else os, call, fail)
        with pytest.raises(kind, match="not kept"):
            store.put(b"before and after")
    ref = FileRef(sha256(b"before and after").hexdigest(), 16)
    assert not store.exists(ref)
    folder = store.path(ref).parent
    assert not folder.exists() or not [path for path in folder.iterdir() if path.name.endswith(".new")]
    assert store.get(store.put(b"before and after")) == b"before and after"


def test_a_reference_travels_in_an_event() -> None:
    plain, personal = FileRef(NAME, 9), FileRef(NAME, 9, "p1")
    assert msgspec.to_builtins(plain) == {"sha256": NAME, "size": 9}
    for ref in (plain, personal):
        assert msgspec.convert(msgspec.to_builtins(ref), FileRef) == ref


@pytest.mark.parametrize("address", ["", NAME.upper(), NAME[:-1], "../" + NAME[3:], NAME[:-1] + "g"])
def test_a_reference_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        FileRef(address, 9)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"sha256": address, "size": 9}, FileRef)
    with pytest.raises(ValueError, match="bytes"):
        FileRef(NAME, -1)
