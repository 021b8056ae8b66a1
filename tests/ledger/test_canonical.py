"""The exact bytes of an event: they are RFC 8785 on the profile, and nothing outside the profile gets in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.ledger import BadEvent, Draft, Record
from cellwright.ledger.canonical import Prepared, encode, format_time, parse_time
from cellwright.ledger.event import DEPTH_MAX, EVENT_BYTES_MAX, INTEGER_MAX, KEYS_MAX, NAME_MAX

Make = Callable[..., Draft]
AT = "2026-03-02T08:12:00.000000Z"

keys = st.text(st.characters(max_codepoint=127), max_size=8)
integers = st.integers(-INTEGER_MAX, INTEGER_MAX)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
bodies = st.dictionaries(keys, values, max_size=5)
names = st.from_regex(r"[!-~]([ -~]{0,20}[!-~])?", fullmatch=True)
pairs = st.dictionaries(names, names, max_size=3)


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    return Draft(
        stream=draw(names),
        type=draw(names),
        id=draw(names),
        actor=draw(names),
        body=draw(bodies),
        schema=draw(st.integers(1, INTEGER_MAX)),
        zone=draw(st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin"])),
        claimed_at=draw(st.none() | st.just("2026-03-02T08:00:00.123456Z")),
        source=draw(st.none() | texts),
        reason=draw(st.none() | texts),
        claims=draw(pairs),
        releases=draw(pairs),
        expects=draw(pairs),
        tags=tuple(draw(st.lists(names, max_size=3, unique=True))),
    )


def meaning(draft: Draft, pos: int, version: int) -> dict[str, Any]:
    """What the bytes must say, written down without our own encoder."""
    said = {name: getattr(draft, name) for name in Draft.__struct_fields__} | {"pos": pos, "version": version, "at": AT}
    return {name: value for name, value in said.items() if value not in (None, {}, ()) or name == "body"}


@settings(deadline=None, max_examples=400)
@given(drafts(), st.integers(0, INTEGER_MAX), st.integers(0, INTEGER_MAX))
def test_the_bytes_are_those_of_rfc_8785(draft: Draft, pos: int, version: int) -> None:
    data = Prepared(draft).data(AT, pos, version)
    assert data == rfc8785.dumps(meaning(draft, pos, version))
    event = Record(pos, data, sha256(b"\x00" + data).digest()).event
    assert (event.pos, event.version, event.at) == (pos, version, AT)
    assert all(getattr(event, name) == getattr(draft, name) for name in Draft.__struct_fields__)


@settings(deadline=None, max_examples=400)
@given(values)
def test_any_value_of_the_profile_is_encoded_as_rfc_8785_says(value: Any) -> None:
    assert encode(value) == rfc8785.dumps(value)


def test_every_control_character_and_escape() -> None:
    text = "".join(map(chr, range(0x20))) + '"\\/\x7f\u2028\u2029é新\U0001f9ec'
    assert encode({"text": text}) == rfc8785.dumps({"text": text})


def test_a_known_event_has_known_bytes() -> None:
    """Written out by hand, so that a stranger's implementation can be held against it."""
    draft = Draft(
        stream="lot/CW-1", type="lot.bag_filled", id="0195", actor="user/ann", zone="Asia/Shanghai",
        body={"volume_ml": "12.50", "parts": [1, True, None]}, claims={"bag/1": "coi/A"}, tags=("coi/A",),
    )  # fmt: skip
    assert Prepared(draft).data(AT, 7, 2).decode() == (
        '{"actor":"user/ann","at":"2026-03-02T08:12:00.000000Z","body":{"parts":[1,true,null],"volume_ml":"12.50"},'
        '"claims":{"bag/1":"coi/A"},"id":"0195","pos":7,"schema":1,"stream":"lot/CW-1","tags":["coi/A"],'
        '"type":"lot.bag_filled","version":2,"zone":"Asia/Shanghai"}'
    )


class Colour(StrEnum):
    RED = "red"


def test_enumerations_are_their_text_and_tuples_are_lists(make: Make) -> None:
    data = Prepared(make(body={"colour": Colour.RED, "pair": (1, ("a", Colour.RED))})).data(AT, 0, 0)
    assert json.loads(data)["body"] == {"colour": "red", "pair": [1, ["a", "red"]]}


class Odd:
    """Nothing JSON knows."""

    def __repr__(self) -> str:  # without an address: the test's name must be the same in every process
        return "Odd()"


OUTSIDE = [
    1.0,
    float("nan"),
    2**53,
    -(2**53),
    2**70,
    Decimal("12.5"),
    datetime(2026, 1, 1, tzinfo=UTC),
    b"x",
    {1: "x"},
    {"é": "x"},
    {"a": {"b": [0.5]}},
    Odd(),
    object,
    "\ud800",
]


@pytest.mark.parametrize("value", OUTSIDE, ids=repr)
def test_what_is_outside_the_profile_is_refused(make: Make, value: Any) -> None:
    for body in ({"v": value}, {"v": [value]}, {"v": {"w": (value,)}}):
        with pytest.raises(BadEvent):
            Prepared(make(body=body))
    with pytest.raises(BadEvent):
        encode(value)


def test_a_refusal_names_the_place(make: Make) -> None:
    with pytest.raises(BadEvent, match=r"body\.steps\[1\]\.volume"):
        Prepared(make(body={"steps": [{"volume": "1"}, {"volume": 1.5}]}))


def nested(levels: int) -> dict[str, Any]:
    return {"a": nested(levels - 1)} if levels > 1 else {}


def test_limits(make: Make) -> None:
    Prepared(make(body=nested(DEPTH_MAX)))
    with pytest.raises(BadEvent):
        Prepared(make(body=nested(DEPTH_MAX + 1)))
    Prepared(make("x" * NAME_MAX))
    with pytest.raises(BadEvent):
        Prepared(make("x" * (NAME_MAX + 1)))
    with pytest.raises(BadEvent):
        Prepared(make(body={"text": "x" * EVENT_BYTES_MAX}))
    many = {f"bag/{number}": "coi/A" for number in range(KEYS_MAX // 2 + 1)}
    with pytest.raises(BadEvent):
        Prepared(make(claims=many))


@pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", "é", "a\tb", "a\x7f", None, 5])
@pytest.mark.parametrize("field", ["stream", "type", "id", "actor", "tags", "claims", "releases", "expects"])
def test_names_are_printable_ascii(make: Make, field: str, name: Any) -> None:
    given: dict[str, Any] = {"tags": (name,), "claims": {"k": name}, "releases": {name: "v"}, "expects": {"k": name}}
    fields = {field: given.get(field, name)}
    with pytest.raises(BadEvent):
        Prepared(make(**({"stream": "lot/1"} | fields)))


@pytest.mark.parametrize(
    "fields",
    [
        {"body": []},
        {"body": None},
        {"schema": 0},
        {"schema": True},
        {"schema": "1"},
        {"tags": ["coi/A"]},
        {"tags": "coi/A"},
        {"tags": ("a", "a")},
        {"claims": None},
        {"claims": [("a", "b")]},
        {"source": 5},
        {"reason": 5},
        {"source": Odd()},
        {"reason": "\ud800"},
    ],
    ids=repr,
)
def test_malformed_drafts_are_refused(make: Make, fields: dict[str, Any]) -> None:
    with pytest.raises(BadEvent):
        Prepared(make(**fields))


@pytest.mark.requirement("R008")
def test_zones_are_those_of_iana(make: Make) -> None:
    Prepared(make(zone="Asia/Shanghai"))
    for zone in ("Mars/Olympus", "", "../etc/passwd", "+08:00", None, 8):
        with pytest.raises(BadEvent):
            Prepared(make(zone=zone))


@pytest.mark.requirement("R007")
def test_a_claimed_time_is_utc_with_microseconds(make: Make) -> None:
    Prepared(make(claimed_at="2026-03-02T08:12:00.000000Z"))
    for text in (
        "2026-03-02T08:12:00Z",
        "2026-03-02T08:12:00.000000+00:00",
        "2026-13-02T08:12:00.000000Z",
        "now",
        "",
        5,
    ):
        with pytest.raises(BadEvent):
            Prepared(make(claimed_at=text))


def test_times_go_there_and_back() -> None:
    moment = datetime(2026, 3, 2, 8, 12, 0, 5, tzinfo=UTC)
    assert format_time(moment) == "2026-03-02T08:12:00.000005Z"
    assert parse_time(format_time(moment)) == moment


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(keys | texts, values | st.floats() | st.integers(), max_size=4))
def test_the_quick_check_never_lets_through_what_the_thorough_one_refuses(body: dict[str, Any]) -> None:
    def refused(check: Callable[[], object]) -> bool:
        try:
            check()
        except BadEvent:
            return True
        return False

    draft = Draft(stream="s", type="t", id="i", actor="a", body=body)
    assert refused(lambda: Prepared(draft)) == refused(lambda: encode(body))
