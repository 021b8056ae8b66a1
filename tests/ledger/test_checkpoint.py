"""Publishing: what is signed is kept, inside and outside, and a head that breaks its word is never signed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.ledger import Draft, Ledger, open_ledger
from cellwright.ledger.checkpoint import (
    COSIGNATURE,
    KEYS_STREAM,
    NOTE,
    Forked,
    Publisher,
    RolledBack,
    keep_cosignatures,
    key_chain,
)
from cellwright.ledger.errors import Unavailable
from cellwright.ledger.event import Head, StoredCheckpoint
from cellwright.ledger.merkle import leaf_hash, root_of
from cellwright.ledger.note import Checkpoint, Note, NoteError, NoteUnsigned, SignatureWrong
from cellwright.ledger.outside import OutsideFolder, PlaceAway
from cellwright.ledger.proof import LeafNodes, consistency_proof
from cellwright.ledger.signing_key import KEY_ROTATED, KeyChain, KeyChainBroken, SigningKey, generate_keys

ORIGIN = "cellwright.example/site-a"
KEYS, LATER_KEYS = generate_keys(ORIGIN), generate_keys(ORIGIN)
CHAIN = KeyChain.genesis(ORIGIN, [str(key.verifier) for key in KEYS])
NOW = datetime(2026, 3, 2, 8, 12, tzinfo=UTC)


class PlainLog:
    """The parts of a ledger that publishing needs, over leaves that a test may rewrite as no ledger would let it."""

    def __init__(self, size: int = 0) -> None:
        self.leaves: list[bytes] = []
        self.kept: list[StoredCheckpoint] = []
        self.grow(size)

    def grow(self, more: int, mark: str = "") -> None:
        self.leaves += [leaf_hash(f"{mark}{len(self.leaves) + n}".encode()) for n in range(more)]

    def head(self) -> Head:
        return Head(len(self.leaves), root_of(self.leaves))

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        return consistency_proof(LeafNodes(self.leaves), old, len(self.leaves) if new is None else new)

    def checkpoints(self, kind: str | None = None) -> list[StoredCheckpoint]:
        return [row for row in self.kept if kind in (None, row.kind)]

    def add_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        self.kept.append(checkpoint)


def publisher(
    log: PlainLog, *places: OutsideFolder, keys: Sequence[SigningKey] = KEYS, chain: KeyChain = CHAIN
) -> Publisher:
    return Publisher(log, keys, chain, places, lambda: NOW)


def place(path: Path) -> OutsideFolder:
    path.mkdir(exist_ok=True)
    return OutsideFolder(path, ORIGIN)


def test_a_checkpoint_is_signed_kept_and_written_outside(tmp_path: Path) -> None:
    log, share, mail = PlainLog(7), place(tmp_path / "share"), place(tmp_path / "mail")
    published = publisher(log, share, mail).publish()
    assert published == Checkpoint(ORIGIN, 7, root_of(log.leaves))
    (row,) = log.kept
    assert (row.size, row.kind, row.at) == (7, NOTE, "2026-03-02T08:12:00.000000Z")
    assert CHAIN.open(row.body) == published
    for kept in (share, mail):
        assert kept.latest() == row.body
        assert kept.history() == [row.body]


def test_nothing_is_signed_twice(tmp_path: Path) -> None:
    log, share = PlainLog(7), place(tmp_path / "share")
    site = publisher(log, share)
    assert site.publish() == site.publish() == publisher(log, share).publish()
    assert len(log.kept) == len(share.history()) == 1
    log.grow(1)
    assert site.publish().size == 8
    assert [CHAIN.open(note).size for note in share.history()] == [7, 8]


def test_an_empty_ledger_has_a_checkpoint_too() -> None:
    assert publisher(PlainLog()).publish().size == 0


@given(size=st.integers(1, 40), altered=st.integers(0, 39), more=st.integers(0, 5), restart=st.booleans())
@settings(deadline=None, max_examples=60)
@pytest.mark.requirement("R003")
def test_a_rewritten_ledger_is_never_signed(size: int, altered: int, more: int, restart: bool) -> None:
    log = PlainLog(size)
    site = publisher(log)
    site.publish()
    log.leaves[altered % size] = leaf_hash(b"rewritten")
    log.grow(more)
    with pytest.raises(Forked, match="altered"):
        (publisher(log) if restart else site).publish()
    assert len(log.kept) == 1


@pytest.mark.requirement("R003")
def test_a_shortened_ledger_is_never_signed() -> None:
    log = PlainLog(9)
    site = publisher(log)
    site.publish()
    log.leaves.pop()
    with pytest.raises(RolledBack, match=r"has 8 events.*had 9"):
        site.publish()
    log.grow(5, "other")
    with pytest.raises(Forked):
        site.publish()


@pytest.mark.requirement("R003")
def test_a_restore_from_an_old_backup_is_noticed_by_a_place_outside(tmp_path: Path) -> None:
    """The backup is consistent in itself, its own checkpoints included: only the place outside knows better."""
    log, share = PlainLog(5), place(tmp_path / "share")
    publisher(log, share).publish()
    backup = PlainLog(5)
    backup.kept = log.kept.copy()
    log.grow(3)
    publisher(log, share).publish()
    with pytest.raises(RolledBack, match=r"has 5 events.*share shows that it had 8"):
        publisher(backup, share).publish()
    backup.grow(9, "another history")
    with pytest.raises(Forked, match="share"):
        publisher(backup, share).publish()
    assert len(backup.kept) == 1
    assert publisher(backup).publish().size == 14  # without the place outside nobody could tell


def test_a_stored_checkpoint_that_was_altered_is_noticed() -> None:
    log = PlainLog(5)
    publisher(log).publish()
    body = log.kept[0].body
    log.kept[0] = StoredCheckpoint(size=5, kind=NOTE, body=body.replace(b"\n5\n", b"\n4\n"), at="")
    with pytest.raises(SignatureWrong):
        publisher(log).publish()


def test_a_place_that_is_away_gets_what_it_lacks_when_it_is_back(tmp_path: Path) -> None:
    log, share, mail = PlainLog(3), place(tmp_path / "share"), place(tmp_path / "mail")
    site = publisher(log, share, mail)
    site.publish()
    (tmp_path / "share").rename(tmp_path / "unplugged")
    for _times in range(3):
        log.grow(2)
        site.publish()
    assert list(site.status().away) == [str(tmp_path / "share")]
    assert "not there" in site.status().away[str(tmp_path / "share")]
    assert [CHAIN.open(note).size for note in mail.history()] == [3, 5, 7, 9]
    (tmp_path / "unplugged").rename(tmp_path / "share")
    site.publish()
    assert site.status().away == {}
    assert share.history() == mail.history()
    assert share.latest() == mail.latest()


def test_a_place_away_from_the_start_is_checked_when_it_comes(tmp_path: Path) -> None:
    log = PlainLog(3)
    late = OutsideFolder(tmp_path / "late", ORIGIN)
    site = publisher(log, late)
    site.publish()
    assert "not there" in site.status().away[str(tmp_path / "late")]
    (tmp_path / "late").mkdir()
    log.grow(1)
    site.publish()
    assert [CHAIN.open(note).size for note in late.history()] == [3, 4]

    longer = PlainLog(10)
    publisher(longer, late := place(tmp_path / "later")).publish()
    (tmp_path / "later").rename(tmp_path / "hidden")
    shorter = publisher(PlainLog(4), late)
    shorter.publish()
    (tmp_path / "hidden").rename(tmp_path / "later")
    with pytest.raises(RolledBack):
        shorter.publish()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    log, share = PlainLog(3), place(tmp_path / "share")
    site = publisher(log, share)
    site.publish()
    folder = next((tmp_path / "share").iterdir())
    (folder / "checkpoints.log").unlink()
    (folder / "checkpoints.log").mkdir()
    log.grow(1)
    assert site.publish().size == 4
    assert "away" in site.status().away[share.name]
    with pytest.raises(PlaceAway):
        share.history()
    (folder / "checkpoint").unlink()
    (folder / "checkpoint").mkdir()
    with pytest.raises(PlaceAway):
        share.latest()


def test_a_note_of_somebody_else_outside_is_neither_trusted_nor_written_over(tmp_path: Path) -> None:
    share, strangers = place(tmp_path / "share"), generate_keys(ORIGIN)
    foreign = KeyChain.genesis(ORIGIN, [str(key.verifier) for key in strangers])
    publisher(PlainLog(50), share, keys=strangers, chain=foreign).publish()
    before = share.latest()
    log = PlainLog(3)
    site = publisher(log, share)
    assert site.publish().size == 3
    assert "did not sign" in site.status().away[share.name]
    assert share.latest() == before


def test_logs_share_a_place_without_meeting(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    origins = ("a.example/x/y", "a.example/x%2Fy", "a.example/../x", "..", "上海.example/一号", "long/" * 50)
    for origin in origins:
        keys = generate_keys("key")
        chain = KeyChain.genesis(origin, [str(key.verifier) for key in keys])
        share = OutsideFolder(tmp_path / "share", origin)
        publisher(PlainLog(2), share, keys=keys, chain=chain).publish()
        assert chain.open(share.latest() or b"").origin == origin
    assert len(list((tmp_path / "share").iterdir())) == len(origins)
    assert [path.name for path in tmp_path.iterdir()] == ["share"]


def test_a_line_torn_by_a_power_loss_costs_only_itself(tmp_path: Path) -> None:
    share = place(tmp_path / "share")
    share.keep(b"one\n", "t1")
    log = next((tmp_path / "share").iterdir()) / "checkpoints.log"
    with log.open("ab") as file:
        file.write(b'{"at": "t2", "no')
    share.keep(b"three\n", "t3")
    assert share.history() == [b"one\n", b"three\n"]
    assert share.latest() == b"three\n"
    assert not [path.name for path in log.parent.iterdir() if path.name.endswith(".new")]


def test_a_new_place_has_nothing(tmp_path: Path) -> None:
    share = place(tmp_path / "share")
    assert share.latest() is None
    assert share.history() == []


def test_keys_that_are_not_in_force_cannot_publish() -> None:
    with pytest.raises(KeyChainBroken):
        publisher(PlainLog(1), keys=LATER_KEYS)
    with pytest.raises(KeyChainBroken):
        publisher(PlainLog(1), keys=KEYS[:1])


@pytest.fixture
def ledger() -> Ledger:
    opened = open_ledger("memory:")
    body = {"origin": ORIGIN, "verifier_keys": [str(key.verifier) for key in KEYS]}
    opened.append([Draft(stream="site/a", type="site.opened", id="genesis", actor="ann", body=body)], {"site/a": 0})
    return opened


def note_on(ledger: Ledger, text: str) -> None:
    ledger.append([Draft(stream="diary", type="diary.written", id=text, actor="ann", body={"text": text})])


def recorder(ledger: Ledger) -> Callable[[dict[str, Any]], int]:
    def record(body: dict[str, Any]) -> int:
        draft = Draft(stream=KEYS_STREAM, type=KEY_ROTATED, id="rotation", actor="ann", reason="yearly", body=body)
        return ledger.append([draft])[0].pos

    return record


def test_a_real_ledger_is_published_and_its_keys_are_changed(ledger: Ledger, tmp_path: Path) -> None:
    share = place(tmp_path / "share")
    site = Publisher(ledger, KEYS, key_chain(ledger), [share])
    note_on(ledger, "before")
    site.rotate(LATER_KEYS, recorder(ledger))
    note_on(ledger, "after")
    last = site.publish()
    assert (last.size, last.root) == (ledger.head().size, ledger.head().root)

    chain = key_chain(ledger, [str(key.verifier) for key in KEYS])  # as an outsider, who knows the first keys
    assert chain == site.chain
    assert chain.current == tuple(key.verifier for key in LATER_KEYS)
    assert [chain.open(note).size for note in share.history()] == [2, 3, 4]
    assert Publisher(ledger, LATER_KEYS, chain, [share]).publish() == last
    with pytest.raises(KeyChainBroken):
        Publisher(ledger, KEYS, chain, [share])


def test_a_ledger_that_names_other_keys_than_known_is_refused(ledger: Ledger) -> None:
    with pytest.raises(KeyChainBroken, match="other keys"):
        key_chain(ledger, [str(key.verifier) for key in LATER_KEYS])
    with pytest.raises(KeyChainBroken, match="no origin"):
        key_chain(open_ledger("memory:"))


def test_keys_introduced_by_an_insider_are_refused(ledger: Ledger) -> None:
    """Somebody who can append, but does not have the keys, names keys of his own."""
    note_on(ledger, "before")
    forged = {"keys": [str(key.verifier) for key in LATER_KEYS], "note": "nothing"}
    recorder(ledger)(forged)
    with pytest.raises(KeyChainBroken, match="event 2"):
        key_chain(ledger)


class Watched(OutsideFolder):
    """A place that says when it was written to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, ORIGIN)
        self.written = threading.Semaphore(0)

    def keep(self, note: bytes, at: str) -> None:
        super().keep(note, at)
        self.written.release()


def test_the_periodic_publisher_follows_the_ledger_and_finishes_at_close(ledger: Ledger, tmp_path: Path) -> None:
    share = Watched(tmp_path)
    site = Publisher(ledger, KEYS, key_chain(ledger), [share])
    site.start(period_s=3600)
    assert share.written.acquire(timeout=30)
    note_on(ledger, "one")
    site.request()
    assert share.written.acquire(timeout=30)
    note_on(ledger, "two")
    site.close()
    assert [CHAIN.open(note).size for note in share.history()] == [1, 2, 3]
    assert site.status().fault is None


class Failing(PlainLog):
    """A log that cannot be read for a while, and says when it was tried."""

    def __init__(self) -> None:
        super().__init__(2)
        self.broken = True
        self.tried = threading.Semaphore(0)

    def head(self) -> Head:
        try:
            if self.broken:
                raise Unavailable("no connection")
            return super().head()
        finally:
            self.tried.release()


def test_the_periodic_publisher_outlives_a_failure_and_says_it() -> None:
    log = Failing()
    site = publisher(log)
    site.start(period_s=3600)
    assert log.tried.acquire(timeout=30)
    site.request()
    assert log.tried.acquire(timeout=30)  # it tried again, so the first failure is on record
    assert site.status().fault == "no connection"
    log.broken = False
    site.close()
    assert len(log.kept) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_periodic_publisher_that_ends_by_a_mistake_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    site = publisher(PlainLog(1))
    with monkeypatch.context() as patched:
        patched.setattr(site, "publish", lambda: 1 // 0)
        site.start(period_s=3600)
        thread = next(thread for thread in threading.enumerate() if thread.name == "checkpoints")
        thread.join(timeout=30)
    assert "ZeroDivisionError" in str(site.status().fault)


def test_close_says_when_the_last_checkpoint_could_not_be_made() -> None:
    site = publisher(Failing())
    with pytest.raises(Unavailable):
        site.close()


def test_cosignatures_are_kept_each_as_a_row() -> None:
    log, witness, stranger = PlainLog(4), generate_keys("w.example", witness=True), generate_keys("x.example")
    publisher(log).publish()
    note = log.kept[0].body
    text = Note.parse(note).text
    lines = "".join(key.sign(text, 1_772_438_401).line for key in (*witness, *stranger)).encode()
    trusted = [key.verifier for key in witness]
    assert keep_cosignatures(log, note, lines, trusted, lambda: NOW) == 2
    rows = log.checkpoints(COSIGNATURE)
    assert [row.size for row in rows] == [4, 4]
    for row, key in zip(rows, witness, strict=True):
        assert Note.parse(row.body).text == text
        assert key.verifier.verify(text, Note.parse(row.body).signatures[0])
    with pytest.raises(NoteUnsigned):
        keep_cosignatures(log, note, lines, [generate_keys("y.example", witness=True)[0].verifier])
    with pytest.raises(NoteUnsigned):
        keep_cosignatures(log, note, lines, [stranger[0].verifier])  # signed, but without a time
    with pytest.raises(NoteError):
        keep_cosignatures(log, note, b"nonsense", trusted)
    with pytest.raises(SignatureWrong):
        keep_cosignatures(log, note, witness[0].sign(Checkpoint(ORIGIN, 3, bytes(32)).text, 1).line.encode(), trusted)
    assert len(log.checkpoints(COSIGNATURE)) == 2
