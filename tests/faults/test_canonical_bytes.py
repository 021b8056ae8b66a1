"""F12: what is hashed is what RFC 8785 says, on thousands of made-up events, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import rfc8785

from cellwright.ledger import Draft
from cellwright.ledger.canonical import Prepared, encode
from cellwright.ledger.event import INTEGER_MAX, decode
from tests.faults.conftest import Count

AT = "2026-03-02T08:12:00.000000Z"
TEXTS = ("", "12.50", "新しい", "\u2028\x7f\x00\x1f", '"\\/\b\f\n\r\t', "𝄞", "é", "x" * 300, "\ufeff", "\ue000\uffff")
NUMBERS = (0, 1, -1, 10, 255, INTEGER_MAX, -INTEGER_MAX, 1 << 32)


def value(random: Random, depth: int = 0) -> Any:
    kind = random.randrange(8 if depth < 4 else 5)
    if kind == 0:
        return random.choice(TEXTS)
    if kind == 1:
        return "".join(
            chr(random.choice((random.randrange(0x20, 0x7F), random.randrange(0xA0, 0xD7FF)))) for _ in range(8)
        )
    if kind == 2:
        return random.choice((*NUMBERS, random.randrange(-INTEGER_MAX, INTEGER_MAX)))
    if kind == 3:
        return random.choice((True, False, None))
    if kind == 4:
        return random.choice(([], {}))
    if kind == 5:
        return [value(random, depth + 1) for _item in range(random.randrange(4))]
    return document(random, depth + 1)


def document(random: Random, depth: int = 0) -> dict[str, Any]:
    keys = ["".join(chr(random.randrange(0x20, 0x7F)) for _ in range(random.randrange(1, 9))) for _key in range(5)]
    return {key: value(random, depth) for key in random.sample(keys, random.randrange(1, 6))}


def draft(random: Random, number: int) -> Draft:
    optional: dict[str, Any] = {
        "claimed_at": AT,
        "source": "scanner 4",
        "reason": random.choice(TEXTS[1:]),
        "claims": {f"bag/{random.randrange(99)}": "coi/1", "bag/a": "coi/2"},
        "releases": {"label/z": "coi/1"},
        "expects": {"container/9": "coi/1", "container/10": "coi/1"},
        "tags": ("coi/1", f"lot/{number}"),
        "zone": "Asia/Shanghai",
        "schema": random.choice(NUMBERS[1:2] + NUMBERS[3:6]),
    }
    chosen = {name: content for name, content in optional.items() if random.random() < 0.5}
    return Draft(stream=f"lot/{number}", type="test.happened", body=document(random), id=f"id-{number}", actor="ann", **chosen)  # fmt: skip


def expected(made: Draft, pos: int, version: int) -> bytes:
    """The same event by the reference implementation: absent and empty optional fields are left out."""
    said = {name: getattr(made, name) for name in Draft.__struct_fields__} | {"at": AT, "pos": pos, "version": version}
    left_out: dict[str, Any] = dict.fromkeys(("claimed_at", "source", "reason"))
    left_out |= {"claims": {}, "releases": {}, "expects": {}, "tags": ()}
    kept = {name: content for name, content in said.items() if name not in left_out or content != left_out[name]}
    return rfc8785.dumps(kept)


@pytest.mark.requirement("R001")
@pytest.mark.parametrize("documents", [2_000, pytest.param(50_000, marks=pytest.mark.long)])
def test_events_are_the_bytes_of_rfc_8785(counted: Count, documents: int) -> None:
    random, same = Random("F12"), 0
    for number in range(documents):
        made = draft(random, number)
        data = Prepared(made).data(AT, number, number % 7)
        assert data == expected(made, number, number % 7)
        assert encode(made.body) == rfc8785.dumps(made.body)
        event = decode(data)
        assert {name: getattr(event, name) for name in Draft.__struct_fields__} == {
            name: getattr(made, name) for name in Draft.__struct_fields__
        }
        same += 1
    counted("F12 events whose bytes are those of RFC 8785", same)
    assert same == documents


@pytest.mark.parametrize(
    "encoder",
    [
        lambda body: json.dumps(body, separators=(",", ":")).encode(),
        lambda body: json.dumps(body, separators=(",", ":"), sort_keys=True).encode(),
        lambda body: json.dumps(body, sort_keys=True, ensure_ascii=False).encode(),
    ],
    ids=["unsorted", "escaped", "spaced"],
)
def test_the_documents_tell_encoders_apart(counted: Count, encoder: Callable[[Any], bytes]) -> None:
    """Near misses of the canonical form differ on a good part of these documents."""
    random = Random("F12")
    bodies = [document(random) for _number in range(300)]
    differ = sum(encoder(body) != rfc8785.dumps(body) for body in bodies)
    counted("F12 documents of 300 on which a wrong encoder is found", differ)
    assert differ > 100
