"""Old forms of events: read in a chain, never rewritten; one real event of each form is kept for ever."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from cellwright.ledger import Event
from cellwright.ledger.checkpoint import KEYS_STREAM
from cellwright.ledger.merkle import leaf_hash
from cellwright.ledger.note import SignatureType
from cellwright.ledger.sequencer import CLOCK_STEPPED
from cellwright.ledger.signing_key import KEY_ROTATED, KeyChain, SigningKey
from cellwright.ledger.upcast import (
    NewerSchema,
    Upcasts,
    golden_name,
    read_golden,
    rewritten,
    without_golden,
)

GOLDEN = Path(__file__).parent / "golden"
FORMS = {(CLOCK_STEPPED, 1), (KEY_ROTATED, 1)}
"""Every form of the events that the ledger itself writes or reads."""


def event(schema: int = 1, kind: str = "lot.weighed", **body: Any) -> Event:
    return Event(
        stream="lot/1",
        type=kind,
        body=body,
        id="e1",
        actor="ann",
        schema=schema,
        pos=7,
        version=3,
        at="2026-03-02T08:12:00.000000Z",
    )


def with_unit(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "unit": "g"}


def renamed(body: dict[str, Any]) -> dict[str, Any]:
    return {"mass": body["weight"], "unit": body["unit"]}


UPCASTS = Upcasts({("lot.weighed", 2): renamed, ("lot.weighed", 1): with_unit})


def test_an_old_event_is_read_in_todays_form() -> None:
    for old in (event(1, weight="12.50"), event(2, weight="12.50", unit="g"), event(3, mass="12.50", unit="g")):
        before = copy.deepcopy(old)
        now = UPCASTS.event(old)
        assert now == event(3, mass="12.50", unit="g")
        assert old == before
    assert UPCASTS.newest("lot.weighed") == 3
    assert set(UPCASTS) == {("lot.weighed", 1), ("lot.weighed", 2)}


def test_an_event_in_its_newest_form_is_passed_through() -> None:
    new, other = event(3, mass="1", unit="g"), event(1, "lot.opened")
    assert UPCASTS.event(new) is new
    assert UPCASTS.event(other) is other
    assert UPCASTS.newest("lot.opened") == 1


def test_an_event_of_a_newer_program_is_refused() -> None:
    with pytest.raises(NewerSchema, match=r"lot.weighed.*form 4.*knows 3"):
        UPCASTS.event(event(4))
    with pytest.raises(NewerSchema):
        UPCASTS.event(event(2, "lot.opened"))


@pytest.mark.parametrize("schemas", [[2], [1, 3], [0, 1], [1, 2, 4]])
def test_a_chain_with_a_gap_is_refused(schemas: list[int]) -> None:
    with pytest.raises(ValueError, match="no upcaster"):
        Upcasts({("lot.weighed", schema): with_unit for schema in schemas})


def test_golden_events_are_what_the_ledger_writes() -> None:
    golden = read_golden(GOLDEN)
    assert {(kept.event.type, kept.event.schema) for kept in golden} == FORMS
    assert without_golden(GOLDEN, FORMS) == []
    for kept in golden:
        assert rewritten(kept.event) == kept.data
        assert Upcasts({}).event(kept.event).body == kept.event.body


def test_the_golden_bytes_have_not_moved() -> None:
    """Their leaf hashes, so that no later change of a golden file passes unseen."""
    assert {kept.path.name: leaf_hash(kept.data).hex() for kept in read_golden(GOLDEN)} == LEAVES


def test_the_golden_change_of_keys_still_holds() -> None:
    """Fold it: the chain of keys must accept today what was signed then."""
    kept = next(kept.event for kept in read_golden(GOLDEN) if kept.event.type == KEY_ROTATED)
    assert kept.stream == KEYS_STREAM
    old, new = (
        [
            str(SigningKey(ORIGIN, kind, seed).verifier)
            for kind in (SignatureType.ED25519, SignatureType.COSIGNATURE_ML_DSA_44)
        ]
        for seed in (bytes(range(32)), bytes(range(32, 64)))
    )
    chain = KeyChain.genesis(ORIGIN, old).rotated(kept.body, kept.pos)
    assert [str(key) for key in chain.current] == new


def test_a_golden_file_that_is_not_what_it_says_is_refused(tmp_path: Path) -> None:
    data = rewritten(event(1, weight="12.50"))
    (tmp_path / golden_name("lot.weighed", 1)).write_bytes(data)
    assert [kept.event for kept in read_golden(tmp_path)] == [event(1, weight="12.50")]
    assert without_golden(tmp_path, {("lot.weighed", 1), ("lot.weighed", 2)}) == [("lot.weighed", 2)]
    (tmp_path / golden_name("lot.weighed", 1)).write_bytes(data.replace(b":", b": "))
    with pytest.raises(ValueError, match="not what the ledger writes"):
        read_golden(tmp_path)
    (tmp_path / golden_name("lot.weighed", 1)).write_bytes(data + b"\n")
    with pytest.raises(ValueError, match="not what the ledger writes"):
        read_golden(tmp_path)
    (tmp_path / golden_name("lot.weighed", 1)).rename(tmp_path / golden_name("lot.weighed", 2))
    with pytest.raises(ValueError, match="holds"):
        read_golden(tmp_path)


ORIGIN = "cellwright.example/golden"
LEAVES = {
    "ledger.clock_stepped.1.json": "d929ed29af74243d4a3c478fde07cae016140665e494de961e304f38c9b325ae",
    "ledger.key_rotated.1.json": "53409e58c88b4b0c7606c15cc97ef73339a0a3958ea863bec0f59eb5d2e23a68",
}
