"""Any history of appends, retries, batches and reopenings gives on each backend what plain Python objects give."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cellwright.ledger import Draft, Event, Ledger, LedgerError, SimulatedClock, open_ledger, verify
from tests.postgres_server import PostgresServer

STREAMS = [f"lot/{number}" for number in range(3)]
KEYS = [f"bag/{number}" for number in range(4)]
HOLDERS = ["coi/A", "coi/B"]
START = datetime(2026, 3, 2, tzinfo=UTC)

claims = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(HOLDERS), max_size=2)
few_claims = st.one_of(st.just({}), claims)
plans = st.fixed_dictionaries(
    {
        "stream": st.sampled_from(STREAMS),
        "claims": few_claims,
        "releases": few_claims,
        "expects": few_claims,
        "tags": st.sampled_from([(), ("coi/A",), ("coi/A", "lot/1")]),
    }
)
# How far the caller's expectation lies from the truth: mostly right, sometimes not.
offsets = st.dictionaries(st.sampled_from(STREAMS), st.sampled_from([0, 0, 0, 0, 1, -1]), max_size=2)


def outcome(call: Any) -> list[Event] | tuple[type, dict[str, Any]]:
    """Events, or the refusal with everything it says."""
    try:
        return call()  # type: ignore[no-any-return]
    except LedgerError as error:
        return type(error), vars(error)


class Twins(RuleBasedStateMachine):
    """One history on two ledgers."""

    new_place: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count()
        self.clocks = [SimulatedClock(START), SimulatedClock(START)]
        self.sent: list[tuple[list[Draft], dict[str, int]]] = []

    @initialize()
    def open(self) -> None:
        self.where = type(self).new_place()
        self.oracle = open_ledger("memory:", clock=self.clocks[0])
        self.tested = open_ledger(self.where, clock=self.clocks[1], create=True)

    @property
    def both(self) -> tuple[Ledger, Ledger]:
        return self.oracle, self.tested

    def drafts(self, plans: list[dict[str, Any]]) -> list[Draft]:
        return [Draft(type="t", id=f"id-{next(self.numbers)}", actor="ann", body={"n": 1}, **plan) for plan in plans]

    def expected(self, offsets: dict[str, int]) -> dict[str, int]:
        return {stream: max(0, self.oracle.version(stream) + offset) for stream, offset in offsets.items()}

    @rule(plans=st.lists(plans, min_size=1, max_size=3), offsets=offsets)
    def append(self, plans: list[dict[str, Any]], offsets: dict[str, int]) -> None:
        drafts, expected = self.drafts(plans), self.expected(offsets)
        first, second = (outcome(lambda ledger=ledger: ledger.append(drafts, expected)) for ledger in self.both)
        assert first == second
        self.sent.append((drafts, expected))

    @rule(plans=st.lists(plans, min_size=2, max_size=6), offsets=offsets)
    def append_together(self, plans: list[dict[str, Any]], offsets: dict[str, int]) -> None:
        """Submitted at once, so that they share batches; judged one after the other all the same."""
        appends = [([draft], self.expected(offsets)) for draft in self.drafts(plans)]
        answers = []
        for ledger in self.both:
            futures = [ledger.submit(drafts, expected) for drafts, expected in appends]
            answers.append([outcome(future.result) for future in futures])
        assert answers[0] == answers[1]
        self.sent += appends

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        drafts, expected = data.draw(st.sampled_from(self.sent))
        first, second = (outcome(lambda ledger=ledger: ledger.append(drafts, expected)) for ledger in self.both)
        assert first == second

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), plan=plans)
    def reuse_an_id(self, data: st.DataObject, plan: dict[str, Any]) -> None:
        old = data.draw(st.sampled_from(self.sent))[0][0]
        draft = Draft(type="t", id=old.id, actor="bo", body={}, **plan)
        first, second = (outcome(lambda ledger=ledger: ledger.append([draft])) for ledger in self.both)
        assert first == second

    @rule()
    def reopen(self) -> None:
        self.tested.close()
        self.tested = open_ledger(self.where, clock=self.clocks[1])

    @rule(seconds=st.integers(0, 10_000))
    def pass_time(self, seconds: int) -> None:
        for clock in self.clocks:
            clock.advance(timedelta(seconds=seconds))

    @invariant()
    def same(self) -> None:
        if not hasattr(self, "tested"):
            return
        oracle, tested = self.both
        assert oracle.head() == tested.head()
        assert list(oracle.records()) == list(tested.records())
        assert oracle.claims("") == tested.claims("")
        assert oracle.tagged("coi/A") == tested.tagged("coi/A")
        for stream in STREAMS:
            assert oracle.stream(stream) == tested.stream(stream)
            assert oracle.version(stream) == tested.version(stream)

    def teardown(self) -> None:
        if hasattr(self, "tested"):
            found = verify(self.tested)
            assert found.findings == []
            assert verify(self.oracle).ok
            assert list(self.oracle.store.claim_rows()) == list(self.tested.store.claim_rows())
            self.tested.close()


QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="cellwright-oracle-"))
    yield path
    shutil.rmtree(path)


@pytest.mark.requirement("R001")
def test_sqlite_does_what_the_oracle_does(folder: Path) -> None:
    places = count()

    class Machine(Twins):
        new_place = staticmethod(lambda: str(folder / f"{next(places)}.db"))

    run_state_machine_as_test(
        Machine, settings=settings(deadline=None, max_examples=60, stateful_step_count=25, suppress_health_check=QUIET)
    )


@pytest.mark.postgres
@pytest.mark.requirement("R001")
def test_postgres_does_what_the_oracle_does(postgres: PostgresServer) -> None:
    class Machine(Twins):
        new_place = staticmethod(postgres.new_database)

    run_state_machine_as_test(
        Machine, settings=settings(deadline=None, max_examples=15, stateful_step_count=20, suppress_health_check=QUIET)
    )
