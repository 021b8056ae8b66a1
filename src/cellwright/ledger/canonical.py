"""The exact bytes of an event: canonical JSON, the one thing that is hashed, signed and kept.

Profile: RFC 8785 (sorted keys, no white space, minimal escapes) restricted to ASCII keys, integers within ±(2**53 - 1)
and no floats, so that a decimal keeps its significant digits as a string and every JSON library agrees on the bytes.
Absent optional fields are left out; so are empty claims, releases, expects and tags.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum
from functools import lru_cache
from types import GenericAlias
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from cellwright.language import _
from cellwright.ledger.errors import BadEvent
from cellwright.ledger.event import DEPTH_MAX, EVENT_BYTES_MAX, INTEGER_MAX, KEYS_MAX, NAME_MAX, Draft

CLOCK_STREAM: Final = "ledger/clock"
"""The stream of the ledger's own events on steps of its clock; no caller may write to it."""

_encode: Final[Callable[[Any], bytes]] = msgspec.json.Encoder(order="sorted").encode
_quote: Final = lru_cache(maxsize=4096)(_encode)
"""The same for texts that come again and again: people and time zones."""
_ASCII: Final = bytes(range(128))
_is_name: Final = re.compile(rf"[!-~](?:[ -~]{{0,{NAME_MAX - 2}}}[!-~])?").fullmatch
_has_foreign_key: Final = re.compile(rb'[\x80-\xff](?:[\x00-\x21\x23-\x5b\x5d-\x7f]|\\.)*":', re.DOTALL).search
"""Whether canonical JSON has a key that is not ASCII: its last such byte, the rest of the string, the colon. Linear."""
_is_time: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z").fullmatch


class _Middle(msgspec.Struct, omit_defaults=True):
    body: dict[str, Any]
    id: str
    claimed_at: str | None = None
    claims: dict[str, str] = {}
    expects: dict[str, str] = {}


class _Tail(msgspec.Struct, omit_defaults=True):
    schema: int
    stream: str
    type: str
    reason: str | None = None
    releases: dict[str, str] = {}
    source: str | None = None
    tags: tuple[str, ...] = ()


_SCALAR: Final[Any] = bool | Annotated[int, msgspec.Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)] | str | None


def _json_type(depth: int) -> Any:
    """JSON of the profile, nested so deep at most. The type doubles with each level, so it is kept shallow."""
    inner = _json_type(depth - 1) if depth else _SCALAR
    return _SCALAR | GenericAlias(list, (inner,)) | GenericAlias(dict, (str, inner))


_Plain: Final = msgspec.defstruct("_Plain", [("body", GenericAlias(dict, (str, _json_type(4))))])


class Prepared:
    """A checked draft, encoded once except for what only the ledger knows: time, position, version.

    Those three stand at fixed places of the sorted keys, so the final bytes are a join, and two drafts say the same
    exactly when their joins with the same time, position and version are equal.
    """

    __slots__ = ("_actor", "_middle", "_tail", "_zone", "draft")

    def __init__(self, draft: Draft, *, own: bool = False) -> None:
        """Raises BadEvent when the draft is outside the profile or its limits. ``own``: the ledger writes it itself."""
        if own or not _surely_sound(draft):
            _check(draft, own)
        plain = _surely_plain(draft.body)
        if not plain:
            _check_value(draft.body, "body", 0)
        try:
            middle = _encode(_Middle(draft.body, draft.id, draft.claimed_at, draft.claims, draft.expects))
            tail = _encode(
                _Tail(draft.schema, draft.stream, draft.type, draft.reason, draft.releases, draft.source, draft.tags)
            )
            actor, zone = _quote(draft.actor), _quote(draft.zone)
        except (TypeError, ValueError, OverflowError) as error:  # lone surrogates, types that are no JSON
            raise BadEvent(_("Event {id} can not be written as JSON: {why}.").format(id=draft.id, why=error)) from error
        self.draft = draft
        self._actor = b'{"actor":' + actor + b',"at":"'
        self._middle = b'",' + middle[1:-1] + b',"pos":'
        self._tail = b"," + tail[1:-1] + b',"version":'
        self._zone = b',"zone":' + zone + b"}"
        if plain and not middle.isascii() and _may_have_foreign_key(middle):
            _check_value(draft.body, "body", 0)
        if len(self._middle) + len(self._tail) > EVENT_BYTES_MAX:
            raise BadEvent(
                _("Event {id} is larger than {limit} bytes. Store the content as a file and keep its hash.").format(
                    id=draft.id, limit=EVENT_BYTES_MAX
                )
            )

    def data(self, at: str, pos: int, version: int) -> bytes:
        """The canonical bytes of the event recorded at this time and place."""
        return b"%b%b%b%d%b%d%b" % (self._actor, at.encode(), self._middle, pos, self._tail, version, self._zone)


def encode(value: Any) -> bytes:
    """Canonical JSON of a value of the profile. Raises BadEvent outside of it."""
    _check_value(value, "", 0)
    try:
        return _encode(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadEvent(_("The value can not be written as JSON: {why}.").format(why=error)) from error


def format_time(moment: datetime) -> str:
    """A UTC time in the ledger's form, whole microseconds: ``2026-03-02T08:12:00.000000Z``."""
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def parse_time(text: str) -> datetime:
    """The inverse of :func:`format_time`. Raises ValueError on any other form."""
    if not _is_time(text):
        raise ValueError(f"not a UTC time with microseconds and Z: {text!r}")
    return datetime.fromisoformat(text)


def _surely_sound(draft: Draft) -> bool:
    """Whether all but the body is as it must be. Quick, for nearly every draft; what it doubts is gone through singly.

    All names are looked at as one text: printable ASCII, shorter together than one may be, and no space beside a joint.
    """
    tags = draft.tags
    if type(tags) is not tuple or type(draft.schema) is not int or not 1 <= draft.schema <= INTEGER_MAX:
        return False
    names: tuple[str, ...] = (draft.stream, draft.type, draft.id, draft.actor, *tags)
    if draft.claims or draft.releases or draft.expects:
        for pairs in (draft.claims, draft.releases, draft.expects):
            if type(pairs) is not dict:
                return False
            names += (*pairs, *pairs.values())
    elif not draft.claims == draft.releases == draft.expects == {}:
        return False
    try:
        text = " ".join(names)
    except TypeError:
        return False
    return (
        text.isascii()
        and text.isprintable()
        and len(text) <= NAME_MAX
        and "  " not in text
        and text[0] != " " != text[-1]
        and CLOCK_STREAM not in text
        and len({*tags}) == len(tags)
        and draft.claimed_at is draft.source is draft.reason is None
        and type(draft.body) is dict
        and _is_zone(draft.zone)
    )


def _check(draft: Draft, own: bool) -> None:
    _check_names(draft, (draft.stream, draft.type, draft.id, draft.actor))
    if (draft.stream == CLOCK_STREAM or draft.id.startswith(CLOCK_STREAM)) and not own:
        raise BadEvent(
            _("{stream} is the ledger's own stream; only the ledger writes to it.").format(stream=CLOCK_STREAM)
        )
    if type(draft.body) is not dict:
        raise BadEvent(_("The body of event {id} is a mapping.").format(id=draft.id))
    if type(draft.schema) is not int or not 1 <= draft.schema <= INTEGER_MAX:
        raise BadEvent(_("The schema of event {id} is a whole number from 1.").format(id=draft.id))
    if draft.zone != "UTC" and not _is_zone(draft.zone):
        raise BadEvent(_("Event {id}: {zone!r} is no IANA time zone (R008).").format(id=draft.id, zone=draft.zone))
    if draft.claimed_at is not None:
        _check_time(draft)
    if type(draft.source or "") is not str or type(draft.reason or "") is not str:
        raise BadEvent(_("Source and reason of event {id} are texts.").format(id=draft.id))
    if draft.tags != () or draft.claims != {} or draft.releases != {} or draft.expects != {}:
        _check_keys(draft)


def _check_names(draft: Draft, names: Iterable[str]) -> None:
    for name in names:
        if type(name) is not str or not _is_name(name):
            raise BadEvent(
                _("Event {id}: {found!r} is not a name of 1 to {limit} printable ASCII characters.").format(
                    id=draft.id, found=name, limit=NAME_MAX
                )
            )


def _check_time(draft: Draft) -> None:
    try:
        parse_time(draft.claimed_at or "")
    except (ValueError, TypeError) as error:
        raise BadEvent(
            _("The claimed time of event {id} is UTC with microseconds and Z, not {found!r} (R007).").format(
                id=draft.id, found=draft.claimed_at
            )
        ) from error


def _check_keys(draft: Draft) -> None:
    if type(draft.tags) is not tuple:
        raise BadEvent(_("The tags of event {id} are a tuple.").format(id=draft.id))
    names: list[str] = list(draft.tags)
    for pairs in (draft.claims, draft.releases, draft.expects):
        if type(pairs) is not dict:
            raise BadEvent(_("Claims, releases and expects of event {id} are mappings.").format(id=draft.id))
        names += pairs
        names += pairs.values()
    if len(names) > KEYS_MAX:
        raise BadEvent(_("Event {id} names more than {limit} claims and tags.").format(id=draft.id, limit=KEYS_MAX))
    _check_names(draft, names)
    if len(draft.tags) > 1 and len(set(draft.tags)) < len(draft.tags):
        raise BadEvent(_("Event {id} names a tag twice.").format(id=draft.id))


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, TypeError, KeyError):
        return False
    return True


def _surely_plain(body: dict[str, Any]) -> bool:
    """Whether a body is of JSON's own types, but for its keys' characters. Quick; what it doubts is gone through singly."""
    try:
        msgspec.convert({"body": body}, _Plain)
    except msgspec.ValidationError:
        return False
    return True


def _may_have_foreign_key(text: bytes) -> bool:
    """Whether canonical JSON has a key that is not ASCII, or may have one. Only the part that is not ASCII is searched."""
    if b"\\" in text:
        return _has_foreign_key(text) is not None
    foreign = text.translate(None, _ASCII)
    last = text.rfind(foreign[-1:])
    end = text.find(b'":', last)  # without escapes a key ends at the first such place behind it
    return _has_foreign_key(text, text.find(foreign[:1]), end + 2 if end >= 0 else len(text)) is not None


def _check_value(value: Any, path: str, depth: int) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise BadEvent(
                _("{path}: whole numbers lie within ±{limit}; write bigger ones as strings.").format(
                    path=path, limit=INTEGER_MAX
                )
            )
    elif kind is dict:
        _check_depth(path, depth)
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                raise BadEvent(_("{path}: key {key!r} is not an ASCII string.").format(path=path, key=key))
            if type(item) is not str:
                _check_value(item, f"{path}.{key}", depth + 1)
    elif kind is list or kind is tuple:
        _check_depth(path, depth)
        for index, item in enumerate(value):
            if type(item) is not str:
                _check_value(item, f"{path}[{index}]", depth + 1)
    elif not (isinstance(value, Enum) and type(value.value) is str):
        raise BadEvent(
            _("{path}: {kind} is not part of the record's JSON; write decimals and times as strings.").format(
                path=path, kind=kind.__name__
            )
        )


def _check_depth(path: str, depth: int) -> None:
    if depth >= DEPTH_MAX:
        raise BadEvent(_("{path}: nested deeper than {limit}.").format(path=path[:80], limit=DEPTH_MAX))
