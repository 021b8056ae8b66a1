"""What every backend must do alike. The suite runs on each of them; the one in memory is the oracle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256

import pytest

from cellwright.ledger import (
    BadEvent,
    ClaimTaken,
    Closed,
    Conflict,
    Draft,
    Event,
    HardStop,
    IdReused,
    Ledger,
    SimulatedClock,
    StoredCheckpoint,
)
from cellwright.ledger.merkle import EMPTY_ROOT, leaf_hash, root_of
from cellwright.ledger.proof import verify_consistency, verify_inclusion

Make = Callable[..., Draft]


def test_an_empty_ledger(ledger: Ledger) -> None:
    assert ledger.head().size == 0
    assert ledger.head().root == EMPTY_ROOT
    assert list(ledger.read()) == []
    assert ledger.stream("lot/CW-1") == []
    assert ledger.version("lot/CW-1") == 0
    assert ledger.tagged("coi/A") == []
    assert ledger.by_id("id") is None
    assert ledger.claim("bag/1") is None
    assert ledger.claims("") == []
    with pytest.raises(IndexError):
        ledger.event(0)


@pytest.mark.requirement("R001")
def test_an_append_is_numbered_stamped_and_kept_as_it_is(ledger: Ledger, make: Make) -> None:
    drafts = [
        make("lot/1", body={"volume_ml": "12.50", "note": "新\n\"x\"", "parts": [1, None, True, {"z": 1, "a": []}]},
             tags=("coi/A", "lot/1"), zone="Asia/Shanghai", claimed_at="2026-03-02T08:00:00.000000Z",
             source="scanner-4", reason="late entry", schema=3),
        make("lot/2"),
        make("lot/1"),
    ]  # fmt: skip
    events = ledger.append(drafts)
    assert [(event.pos, event.stream, event.version) for event in events] == [
        (0, "lot/1", 0),
        (1, "lot/2", 0),
        (2, "lot/1", 1),
    ]
    assert {event.at for event in events} == {"2026-03-02T08:12:00.000000Z"}
    for event, sent in zip(events, drafts, strict=True):
        assert all(getattr(event, name) == getattr(sent, name) for name in Draft.__struct_fields__)
    assert list(ledger.read()) == events
    assert ledger.stream("lot/1") == [events[0], events[2]]
    assert ledger.stream("lot/1", start=1) == [events[2]]
    assert ledger.version("lot/1") == 2
    assert ledger.event(1) == events[1]
    assert ledger.by_id(drafts[1].id) == events[1]
    assert ledger.tagged("coi/A") == ledger.tagged("lot/1") == [events[0]]
    assert ledger.tagged("coi/A", after=0) == []


def test_head_is_the_merkle_tree_over_the_stored_bytes(ledger: Ledger, make: Make) -> None:
    for size in range(1, 12):
        ledger.append([make(f"lot/{size % 3}")])
        records = list(ledger.records())
        assert [record.pos for record in records] == list(range(size))
        assert [record.leaf for record in records] == [sha256(b"\x00" + record.data).digest() for record in records]
        assert (ledger.head().size, ledger.head().root) == (size, root_of(record.leaf for record in records))


def test_proofs_hold_against_the_head(ledger: Ledger, make: Make) -> None:
    ledger.append([make() for _number in range(300)])
    old = ledger.head()
    ledger.append([make() for _number in range(417)])
    new = ledger.head()
    for pos in (0, 1, 255, 256, 299, 716):
        leaf = leaf_hash(next(ledger.records(pos, pos + 1)).data)
        assert verify_inclusion(leaf, pos, new.size, ledger.inclusion_proof(pos), new.root)
    assert verify_consistency(old.size, new.size, old.root, new.root, ledger.consistency_proof(old.size))


def test_reading_a_range(ledger: Ledger, make: Make) -> None:
    ledger.append([make() for _number in range(10)])
    assert [event.pos for event in ledger.read(3, 6)] == [3, 4, 5]
    assert [event.pos for event in ledger.read(8, 50)] == [8, 9]
    assert list(ledger.read(10)) == []


def test_expected_versions_of_streams_written_and_read(ledger: Ledger, make: Make) -> None:
    ledger.append([make("lot/1")], {"lot/1": 0, "user/ann": 0})
    ledger.append([make("user/ann")])
    with pytest.raises(Conflict) as refused:
        ledger.append([make("lot/1")], {"lot/1": 1, "user/ann": 0})
    assert (refused.value.stream, refused.value.expected, refused.value.actual) == ("user/ann", 0, 1)
    assert ledger.head().size == 2
    assert ledger.append([make("lot/1")], {"lot/1": 1, "user/ann": 1})[0].version == 1


def test_an_expectation_too_high_is_a_conflict(ledger: Ledger, make: Make) -> None:
    with pytest.raises(Conflict):
        ledger.append([make("lot/1")], {"lot/1": 4})
    assert ledger.head().size == 0


def test_one_append_is_all_or_nothing(ledger: Ledger, make: Make) -> None:
    ledger.append([make(claims={"bag/1": "coi/A"})])
    with pytest.raises(ClaimTaken):
        ledger.append(
            [make("lot/9", claims={"bag/2": "coi/B"}, tags=("coi/B",)), make("lot/9", claims={"bag/1": "coi/B"})]
        )
    assert ledger.head().size == 1
    assert ledger.version("lot/9") == 0
    assert ledger.claim("bag/2") is None
    assert ledger.tagged("coi/B") == []
    ledger.append([make("lot/9", claims={"bag/2": "coi/B"})], {"lot/9": 0})


def test_a_claim_lives_until_released(ledger: Ledger, make: Make) -> None:
    ledger.append([make(claims={"bag/1": "coi/A", "position/F1/3": "coi/A"})])
    taken = ledger.claim("bag/1")
    assert taken is not None
    assert (taken.key, taken.value, taken.pos) == ("bag/1", "coi/A", 0)
    with pytest.raises(ClaimTaken) as refused:
        ledger.append([make(claims={"bag/1": "coi/B"})])
    assert (refused.value.key, refused.value.value, refused.value.pos) == ("bag/1", "coi/A", 0)
    ledger.append([make(releases={"bag/1": "coi/A"})])
    assert ledger.claim("bag/1") is None
    assert [claim.key for claim in ledger.claims("")] == ["position/F1/3"]
    ledger.append([make(claims={"bag/1": "coi/B"})])
    assert [(claim.key, claim.value, claim.pos) for claim in ledger.claims("bag/")] == [("bag/1", "coi/B", 2)]


def test_the_same_holder_can_not_claim_twice(ledger: Ledger, make: Make) -> None:
    ledger.append([make(claims={"bag/1": "coi/A"})])
    with pytest.raises(ClaimTaken):
        ledger.append([make(claims={"bag/1": "coi/A"})])


@pytest.mark.parametrize("field", ["expects", "releases"])
def test_a_wrong_or_dead_claim_is_a_hard_stop(ledger: Ledger, make: Make, field: str) -> None:
    with pytest.raises(HardStop) as stopped:
        ledger.append([make(**{field: {"bag/1": "coi/A"}})])
    assert (stopped.value.key, stopped.value.expected, stopped.value.found) == ("bag/1", "coi/A", None)
    ledger.append([make(claims={"bag/1": "coi/B"})])
    with pytest.raises(HardStop) as stopped:
        ledger.append([make(**{field: {"bag/1": "coi/A"}})])
    assert stopped.value.found == "coi/B"
    ledger.append([make(releases={"bag/1": "coi/B"})])
    with pytest.raises(HardStop):
        ledger.append([make(**{field: {"bag/1": "coi/B"}})])
    assert ledger.head().size == 2


def test_order_within_a_draft_and_between_drafts(ledger: Ledger, make: Make) -> None:
    """Expects see the state before their draft; releases come before claims; earlier drafts count."""
    ledger.append(
        [
            make(claims={"bag/1": "coi/A"}),
            make(expects={"bag/1": "coi/A"}, releases={"bag/1": "coi/A"}, claims={"bag/1": "coi/B"}),
            make(expects={"bag/1": "coi/B"}),
            make(releases={"bag/1": "coi/B"}),
            make(claims={"bag/1": "coi/C"}),
        ]
    )
    assert [(claim.value, claim.pos) for claim in ledger.claims("bag/1")] == [("coi/C", 4)]
    with pytest.raises(HardStop):
        ledger.append([make(claims={"bag/2": "coi/A"}, expects={"bag/2": "coi/A"})])


@pytest.mark.requirement("R001")
def test_the_same_append_again_gets_the_same_answer(ledger: Ledger, make: Make, clock: SimulatedClock) -> None:
    drafts = [make("lot/1", claims={"bag/1": "coi/A"}, tags=("coi/A",)), make("lot/2")]
    first = ledger.append(drafts, {"lot/1": 0})
    ledger.append([make("lot/1")])
    clock.advance(timedelta(hours=1))
    assert ledger.append(drafts, {"lot/1": 0}) == first
    assert ledger.append(drafts) == first
    assert ledger.head().size == 3


def test_an_id_never_stands_for_two_contents(ledger: Ledger, make: Make) -> None:
    one = make("lot/1", body={"a": 1})
    ledger.append([one, make("lot/1", id="second")])
    for other in (
        [make("lot/1", id=one.id, body={"a": 2})],
        [make("lot/2", id=one.id, body={"a": 1})],
        [make("lot/1", id=one.id, body={"a": 1}, tags=("x",))],
        [one, make("lot/1")],
        [make("lot/1"), one],
    ):
        with pytest.raises(IdReused) as refused:
            ledger.append(other)
        assert refused.value.id == one.id
    assert ledger.head().size == 2


def test_two_drafts_with_one_id_are_refused(ledger: Ledger, make: Make) -> None:
    with pytest.raises(BadEvent):
        ledger.append([make(id="same"), make(id="same")])


def test_the_ledgers_own_stream_is_not_for_callers(ledger: Ledger, make: Make) -> None:
    for bad in (make("ledger/clock"), make(id="ledger/clock/0")):
        with pytest.raises(BadEvent):
            ledger.append([bad])


def test_submissions_keep_their_order(ledger: Ledger, make: Make) -> None:
    futures = [ledger.submit([make(f"lot/{number % 7}")]) for number in range(200)]
    assert [future.result(30)[0].pos for future in futures] == list(range(200))


def test_a_refused_submission_fails_its_future_alone(ledger: Ledger, make: Make) -> None:
    good, bad = ledger.submit([make("lot/1")]), ledger.submit([make("lot/1")], {"lot/1": 5})
    assert good.result(30)[0].pos == 0
    assert isinstance(bad.exception(30), Conflict)
    assert ledger.submit([make("lot/1")]).result(30)[0].pos == 1


def test_many_threads_leave_no_gap_and_one_winner(ledger: Ledger, make: Make) -> None:
    """16 threads append to 4 streams with expected versions, and fight for 20 bags."""
    won: list[str] = []

    def work(worker: int) -> None:
        for number in range(20):
            stream = f"lot/{number % 4}"
            while True:
                try:
                    ledger.append([make(stream, tags=(f"worker/{worker}",))], {stream: ledger.version(stream)})
                    break
                except Conflict:
                    continue
            try:
                ledger.append([make(f"bag-of/{worker}", claims={f"bag/{number}": f"coi/{worker}"})])
                won.append(f"bag/{number}")
            except ClaimTaken:
                pass

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    events = list(ledger.read())
    assert len(events) == 16 * 20 + 20 == ledger.head().size
    assert sorted(won) == sorted(f"bag/{number}" for number in range(20))
    for number in range(4):
        assert [event.version for event in ledger.stream(f"lot/{number}")] == list(range(80))
    assert ledger.head().root == root_of(record.leaf for record in ledger.records())
    for worker in range(16):
        assert len(ledger.tagged(f"worker/{worker}")) == 20


def test_a_reader_in_another_thread_sees_what_was_answered(ledger: Ledger, make: Make) -> None:
    seen: list[Event | None] = []
    for number in range(30):
        event = ledger.append([make(id=f"e{number}")])[0]
        reader = threading.Thread(target=lambda pos=event.pos: seen.append(ledger.event(pos)))
        reader.start()
        reader.join()
        assert seen[-1] == event


@pytest.mark.requirement("R005")
def test_all_values_of_a_record_stay_readable_in_order(ledger: Ledger, make: Make, clock: SimulatedClock) -> None:
    """A value changed three times shows four values, with times and actors."""
    for number, actor in enumerate(("ann", "bo", "cy", "di")):
        ledger.append(
            [make("lot/1", body={"volume_ml": f"{number}.0"}, actor=actor, reason="corrected")], {"lot/1": number}
        )
        clock.advance(timedelta(minutes=1))
    history = ledger.stream("lot/1")
    assert [event.body["volume_ml"] for event in history] == ["0.0", "1.0", "2.0", "3.0"]
    assert [event.actor for event in history] == ["ann", "bo", "cy", "di"]
    assert [event.at[11:16] for event in history] == ["08:12", "08:13", "08:14", "08:15"]


def test_checkpoints_are_kept_in_order(ledger: Ledger) -> None:
    rows = [
        StoredCheckpoint(1, "note", b"a", "t"),
        StoredCheckpoint(1, "cosignature", b"b", "t"),
        StoredCheckpoint(2, "note", b"c", "t"),
    ]
    for row in rows:
        ledger.add_checkpoint(row)
    assert ledger.checkpoints() == rows
    assert ledger.checkpoints("note") == [rows[0], rows[2]]


def test_a_closed_ledger_says_so(ledger: Ledger, make: Make) -> None:
    ledger.append([make()])
    ledger.close()
    with pytest.raises(Closed):
        ledger.append([make()])
    ledger.close()
