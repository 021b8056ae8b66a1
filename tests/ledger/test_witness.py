"""The witness: it confirms growth, and neither rollback nor fork nor a stranger's word."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.ledger.checkpoint import Forked, RolledBack
from cellwright.ledger.merkle import leaf_hash, root_of
from cellwright.ledger.note import (
    Checkpoint,
    Note,
    NoteMalformed,
    NoteUnsigned,
    SignatureType,
    open_note,
)
from cellwright.ledger.proof import LeafNodes, consistency_proof
from cellwright.ledger.signing_key import KeyChain, KeyChainBroken, SigningKey, generate_keys, rotation
from cellwright.ledger.witness import (
    EVIDENCE_LIMIT,
    OldSizeDiffers,
    Request,
    SeenLonger,
    StateDamaged,
    UnknownLog,
    Witness,
)

ORIGIN = "cellwright.example/site-a"
KEYS = generate_keys(ORIGIN)
CHAIN = KeyChain.genesis(ORIGIN, [str(key.verifier) for key in KEYS])
WITNESS_KEYS = generate_keys("witness.example/w1", witness=True)
NOW = datetime(2026, 3, 2, 8, 12, tzinfo=UTC)
STAMP = int(NOW.timestamp())
HONEST = [leaf_hash(str(n).encode()) for n in range(60)]


def forked(at: int) -> list[bytes]:
    """The log with another event at a place."""
    return [*HONEST[:at], leaf_hash(b"rewritten"), *HONEST[at + 1 :]]


def note(size: int, leaves: list[bytes] = HONEST, keys: tuple[SigningKey, ...] = KEYS, origin: str = ORIGIN) -> bytes:
    text = Checkpoint(origin, size, root_of(leaves[:size])).text
    return Note(text, tuple(key.sign(text, STAMP) for key in keys)).to_bytes()


def growth(old: int, new: int, leaves: list[bytes] = HONEST) -> Request:
    return Request(old, tuple(consistency_proof(LeafNodes(leaves), old, new)), note(new, leaves))


def witness(folder: Path) -> Witness:
    return Witness(WITNESS_KEYS, folder, lambda: NOW)


@pytest.fixture
def watching(tmp_path: Path) -> Witness:
    ready = witness(tmp_path / "memory")
    ready.trust(CHAIN)
    return ready


def test_growth_is_cosigned(watching: Witness) -> None:
    assert watching.seen(ORIGIN) is None
    for old, new in ((0, 7), (7, 7), (7, 8), (8, 60)):
        lines = watching.add_checkpoint(growth(old, new))
        text = Note.parse(note(new)).text
        opened = open_note(f"{text}\n".encode() + lines, watching.keys)
        assert set(opened.signatures) == set(watching.keys)
        assert {signature.timestamp for signature in opened.signatures.values()} == {STAMP}
        assert watching.seen(ORIGIN) == Checkpoint(ORIGIN, new, root_of(HONEST[:new]))
    assert [key.type for key in watching.keys] == [
        SignatureType.COSIGNATURE_ED25519,
        SignatureType.COSIGNATURE_ML_DSA_44,
    ]


def test_the_memory_outlives_the_process(watching: Witness, tmp_path: Path) -> None:
    watching.add_checkpoint(growth(0, 20))
    again = witness(tmp_path / "memory")
    again.trust(CHAIN)
    assert again.seen(ORIGIN) == Checkpoint(ORIGIN, 20, root_of(HONEST[:20]))
    with pytest.raises(RolledBack):
        again.add_checkpoint(growth(0, 19))


@pytest.mark.requirement("R003")
def test_a_rollback_is_refused(watching: Witness) -> None:
    watching.add_checkpoint(growth(0, 20))
    with pytest.raises(SeenLonger) as caught:
        watching.add_checkpoint(growth(0, 19))
    assert caught.value.size == 20
    with pytest.raises(OldSizeDiffers) as differs:
        watching.add_checkpoint(growth(19, 30))
    assert differs.value.size == 20
    with pytest.raises(NoteMalformed, match="greater"):
        watching.add_checkpoint(Request(20, (), note(19)))
    assert watching.seen(ORIGIN) == Checkpoint(ORIGIN, 20, root_of(HONEST[:20]))


@pytest.mark.requirement("R003")
@given(old=st.integers(1, 59), more=st.integers(0, 20), at=st.integers(0, 58), proof_of_fork=st.booleans())
@settings(deadline=None, max_examples=60)
def test_a_fork_is_refused_and_kept_as_evidence(old: int, more: int, at: int, proof_of_fork: bool) -> None:
    new, at = min(old + more, 60), at % old
    with TemporaryDirectory() as folder:
        watching = witness(Path(folder))
        watching.trust(CHAIN)
        watching.add_checkpoint(growth(0, old))
        leaves = forked(at) if proof_of_fork else HONEST
        forgery = Request(old, tuple(consistency_proof(LeafNodes(leaves), old, new)), note(new, forked(at)))
        with pytest.raises(Forked):
            watching.add_checkpoint(forgery)
        assert watching.seen(ORIGIN) == Checkpoint(ORIGIN, old, root_of(HONEST[:old]))
        evidence = next(path for path in Path(folder).iterdir() if path.suffix == ".evidence")
        case = json.loads(evidence.read_text(encoding="utf-8"))
        assert (case["seen"], case["note"]) == (note_text(watching, folder), forgery.note.decode())


def note_text(watching: Witness, folder: str) -> str:
    state = next(path for path in Path(folder).iterdir() if path.suffix == ".json")
    return str(json.loads(state.read_text(encoding="utf-8"))["note"])


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 60), st.sampled_from([None, 3, 15])), max_size=12))
@settings(deadline=None, max_examples=40)
def test_what_a_witness_cosigns_is_always_one_growing_log(
    attempts: list[tuple[int, int, int | None]],
) -> None:
    """Against a model: of whatever is submitted, the accepted checkpoints are prefixes of each other."""
    with TemporaryDirectory() as folder:
        watching = witness(Path(folder))
        watching.trust(CHAIN)
        accepted: list[tuple[int, bytes]] = []
        for old, new, fork in attempts:
            leaves = HONEST if fork is None else forked(fork)
            size = accepted[-1][0] if accepted else 0
            start = size if old % 2 else min(old, new)
            if start > new:
                continue
            try:
                watching.add_checkpoint(growth(start, new, leaves))
            except (SeenLonger, OldSizeDiffers, Forked):
                continue
            accepted.append((new, root_of(leaves[:new])))
        sizes = [size for size, _root in accepted]
        assert sizes == sorted(sizes)
        for size, root in accepted:
            histories = [leaves for leaves in (HONEST, forked(3), forked(15)) if root_of(leaves[:size]) == root]
            last_size, last_root = accepted[-1]
            assert any(root_of(leaves[:last_size]) == last_root for leaves in histories)


def test_only_the_logs_own_word_counts(watching: Witness) -> None:
    strangers = generate_keys(ORIGIN)
    for keys in (strangers, KEYS[:1], KEYS[1:]):
        with pytest.raises(NoteUnsigned):
            watching.add_checkpoint(Request(0, (), note(5, keys=keys)))
    with pytest.raises(UnknownLog):
        watching.add_checkpoint(Request(0, (), note(5, origin="cellwright.example/site-b")))
    with pytest.raises(NoteMalformed):
        watching.add_checkpoint(Request(0, (), b"nonsense"))
    assert watching.seen(ORIGIN) is None


def test_a_first_checkpoint_has_no_proof(watching: Witness) -> None:
    with pytest.raises(Forked):
        watching.add_checkpoint(Request(0, (HONEST[0],), note(5)))


def test_the_keys_of_a_log_change_only_by_its_own_word(watching: Witness) -> None:
    watching.add_checkpoint(growth(0, 10))
    later = generate_keys(ORIGIN)
    body = rotation(CHAIN, KEYS, later, STAMP)
    with pytest.raises(KeyChainBroken):
        watching.follow(ORIGIN, {**body, "keys": [str(key.verifier) for key in generate_keys(ORIGIN)]}, 10)
    watching.follow(ORIGIN, body, 10)
    proof = tuple(consistency_proof(LeafNodes(HONEST), 10, 11))
    with pytest.raises(NoteUnsigned):
        watching.add_checkpoint(Request(10, proof, note(11)))
    watching.add_checkpoint(Request(10, proof, note(11, keys=later)))
    watching.trust(CHAIN)  # knowing the first keys is no contradiction
    with pytest.raises(Forked, match="other keys"):
        watching.trust(KeyChain.genesis(ORIGIN, [str(key.verifier) for key in later]))


def test_a_lost_or_damaged_memory_is_never_a_fresh_start(watching: Witness, tmp_path: Path) -> None:
    watching.add_checkpoint(growth(0, 20))
    (state,) = (path for path in (tmp_path / "memory").iterdir() if path.suffix == ".json")
    whole = state.read_bytes()
    for damaged in (
        b"",
        whole[:-30],
        b"{}",
        b"[]",
        whole.replace(b"\\n20\\n", b"\\n10\\n"),
        whole.replace(b"/site-a", b"/site-c"),
    ):
        state.write_bytes(damaged)
        with pytest.raises(StateDamaged):
            watching.add_checkpoint(growth(20, 21))
        with pytest.raises(StateDamaged):
            watching.trust(CHAIN)
    state.unlink()
    with pytest.raises(UnknownLog):
        watching.add_checkpoint(growth(0, 21))


def test_a_memory_put_in_the_place_of_anothers_is_noticed(watching: Witness, tmp_path: Path) -> None:
    other = KeyChain("cellwright.example/site-b", CHAIN.sets)
    watching.trust(other)
    first, second = sorted(path for path in (tmp_path / "memory").iterdir() if path.suffix == ".json")
    second.write_bytes(first.read_bytes())
    with pytest.raises(StateDamaged, match="another log"):
        watching.seen(other.origin)


def test_logs_are_remembered_apart(watching: Witness) -> None:
    other = generate_keys("cellwright.example/site-b")
    chain = KeyChain.genesis("cellwright.example/site-b", [str(key.verifier) for key in other])
    watching.trust(chain)
    watching.add_checkpoint(growth(0, 20))
    watching.add_checkpoint(Request(0, (), note(3, keys=other, origin=chain.origin)))
    assert [seen.size for origin in (ORIGIN, chain.origin) if (seen := watching.seen(origin))] == [20, 3]


def test_the_stated_time_never_goes_back(tmp_path: Path) -> None:
    times = iter([NOW, NOW.replace(year=2025), NOW.replace(year=2027)])
    watching = Witness(WITNESS_KEYS, tmp_path, lambda: next(times))
    watching.trust(CHAIN)
    text = Note.parse(note(5)).text
    stamps = []
    for old in (0, 5, 5):
        lines = watching.add_checkpoint(growth(old, 5))
        stamps.append(Note.parse(f"{text}\n".encode() + lines).signatures[0].timestamp)
    assert stamps == [STAMP, STAMP, int(NOW.replace(year=2027).timestamp())]


def test_of_two_requests_at_once_only_one_history_is_cosigned(watching: Witness) -> None:
    watching.add_checkpoint(growth(0, 10))
    requests = [growth(10, 40), growth(10, 40, [*HONEST[:10], leaf_hash(b"other"), *HONEST[11:]])] * 4
    barrier, answers = threading.Barrier(len(requests)), list[int]()

    def send(request: Request) -> None:
        barrier.wait()
        answers.append(watching.answer(request.to_bytes()).status)

    threads = [threading.Thread(target=send, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 7


def test_evidence_cannot_fill_the_disk(watching: Witness, tmp_path: Path) -> None:
    watching.add_checkpoint(growth(0, 10))
    forgery = replace(growth(10, 20), proof=())
    with pytest.raises(Forked):
        watching.add_checkpoint(forgery)
    (evidence,) = (path for path in (tmp_path / "memory").iterdir() if path.suffix == ".evidence")
    with evidence.open("ab") as file:
        file.write(b"x" * EVIDENCE_LIMIT)
    size = evidence.stat().st_size
    with pytest.raises(Forked):
        watching.add_checkpoint(forgery)
    assert evidence.stat().st_size == size


def test_answers_over_http_are_those_of_the_specification(watching: Witness, tmp_path: Path) -> None:
    first = watching.answer(growth(0, 10).to_bytes())
    assert (first.status, first.body.count(b"\n")) == (200, 2)
    wrong = watching.answer(growth(5, 20).to_bytes())
    assert (wrong.status, wrong.body, wrong.content_type) == (409, b"10\n", "text/x.tlog.size")
    shorter = watching.answer(growth(0, 5).to_bytes())
    assert (shorter.status, shorter.body, shorter.content_type) == (409, b"10\n", "text/x.tlog.size")
    assert watching.answer(Request(10, (), note(10, forked(2))).to_bytes()).status == 409
    assert watching.answer(replace(growth(10, 20), proof=()).to_bytes()).status == 422
    assert watching.answer(Request(10, (), note(9)).to_bytes()).status == 400
    assert watching.answer(b"nonsense").status == 400
    assert watching.answer(Request(10, (), note(12, keys=generate_keys(ORIGIN))).to_bytes()).status == 403
    assert watching.answer(Request(0, (), note(12, origin="else.example")).to_bytes()).status == 404


# The request in the text of C2SP tlog-witness.
SPEC_REQUEST = (
    "old 20852014\n"
    "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
    "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
    "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
    "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
    "\n"
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
).encode()


def test_the_request_of_the_specification_is_read_and_written() -> None:
    request = Request.parse(SPEC_REQUEST)
    assert (request.old, len(request.proof)) == (20_852_014, 4)
    assert Checkpoint.parse(Note.parse(request.note).text).size == 20_852_163
    assert request.to_bytes() == SPEC_REQUEST
    own = growth(3, 5)
    assert Request.parse(own.to_bytes()) == own


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"old 5\n",
        b"old 05\n\nnote",
        b"old -1\n\nnote",
        b"old  5\n\nnote",
        b"new 5\n\nnote",
        b"old 5\nA\n\nnote",
        b"old 5\nAAAA AAAA\n\nnote",
        b"old 5\n" + b"AAAA\n" * 64 + b"\nnote",
        b"old 99999999999999999999\n\nnote",
        b"old 5\n\n" + b"x" * 300_000,
    ],
)
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(NoteMalformed):
        Request.parse(data)
