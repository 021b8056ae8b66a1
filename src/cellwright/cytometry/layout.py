"""Where the segments of an FCS data set lie, and how one event is stored: HEADER, offsets, types (FCS 3.1, section 3).

Every length is compared with the bytes that are there before anything is allocated. Where HEADER and TEXT disagree, the
one that fits the number of events exactly is used and said so; where both fit or none does, there are no events.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from cellwright.cytometry.fault import FcsError, Repair

HEADER_BYTES: Final = 58
VERSIONS: Final = ("FCS2.0", "FCS3.0", "FCS3.1", "FCS3.2")
CHANNELS_MAX: Final = 10_000
_NUMBER: Final = re.compile(r"\s*\+?(\d{1,18})\s*")

Kind = Literal["I", "F", "D"]
Buffer = memoryview


@dataclass(frozen=True, slots=True)
class Header:
    """Offsets of the HEADER from the start of its data set, last byte included; 0 and 0 where they are not said."""

    version: str
    text: tuple[int, int]
    data: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Field:
    """How one channel lies in the bytes of an event.

    Attributes:
        kind: I for unsigned integers, F and D for IEEE floats of 4 and 8 bytes.
        offset: bytes from the start of the event.
        width: bytes.
        mask: of integers, the bits that count ($PnR); 0 where all do.
    """

    kind: Kind
    offset: int
    width: int
    mask: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the events are.

    Attributes:
        begin: first byte of the first event, from the start of the file.
        order: byte order of integers and floats, `<` or `>`.
    """

    begin: int
    events: int
    stride: int
    order: Literal["<", ">"]
    fields: tuple[Field, ...]


def header(data: Buffer, base: int, repairs: list[Repair]) -> Header:
    """The HEADER of the data set that starts at `base`.

    Raises:
        FcsError: it is no FCS file, or no place of a TEXT segment can be read.
    """
    head = bytes(data[base : base + HEADER_BYTES])
    version = head[:6].decode("latin-1")
    if version not in VERSIONS:
        raise FcsError(f"not an FCS file of version 2.0 to 3.2: it begins with {head[:6]!r}")
    if len(head) < HEADER_BYTES:
        raise FcsError(f"the HEADER ends after {len(head)} of {HEADER_BYTES} bytes")
    offsets = [_offset(head[n : n + 8], n, repairs) for n in range(10, 42, 8)]
    if offsets[0] < HEADER_BYTES or offsets[1] <= offsets[0] or base + offsets[1] >= len(data):
        raise FcsError(f"the TEXT segment {offsets[0]}-{offsets[1]} is not in a file of {len(data)} bytes")
    return Header(version, (offsets[0], offsets[1]), (offsets[2], offsets[3]))


def _offset(field: bytes, place: int, repairs: list[Repair]) -> int:
    text = field.decode("latin-1").strip(" \0")
    if text.isascii() and text.isdigit():
        return int(text)
    if text:
        repairs.append(Repair("header-offset", f"the HEADER has {field!r} at byte {place}, taken as not said"))
    return 0


def number(text: Mapping[str, str], key: str) -> int | None:
    """A whole number from 0, or None if the keyword is not there.

    Raises:
        FcsError: the value is something else.
    """
    value = text.get(key)
    if value is None:
        return None
    match = _NUMBER.fullmatch(value)
    if match is None:
        raise FcsError(f"{key} is {value[:40]!r}, expected a whole number")
    return int(match[1])


def needed(text: Mapping[str, str], key: str) -> int:
    """A whole number from 0 that must be there. Raises FcsError."""
    value = number(text, key)
    if value is None:
        raise FcsError(f"keyword {key} is missing")
    return value


def layout(data: Buffer, base: int, head: Header, text: Mapping[str, str], repairs: list[Repair]) -> Layout:
    """Where the events lie and how.

    Raises:
        FcsError: a mode, type, width or byte order that is not read, or offsets that fit no number of events.
    """
    if text.get("$MODE", "L").upper() != "L":
        raise FcsError(f"$MODE is {text['$MODE']!r}, and only list mode (L) holds events")
    channels = needed(text, "$PAR")
    if not 1 <= channels <= min(CHANNELS_MAX, len(text)):
        raise FcsError(f"$PAR is {channels}, but the TEXT segment does not describe so many channels")
    fields, stride = _fields(text, channels, repairs)
    order = _order(text.get("$BYTEORD", ""), max(field.width for field in fields))
    begin, events = _segment(data, base, head, text, stride, repairs)
    return Layout(base + begin, events, stride, order, fields)


def _fields(text: Mapping[str, str], channels: int, repairs: list[Repair]) -> tuple[tuple[Field, ...], int]:
    fields, place = [], 0
    for n in range(1, channels + 1):
        kind = text.get(f"$P{n}DATATYPE", text.get("$DATATYPE", "")).upper()
        if kind not in ("I", "F", "D"):
            raise FcsError(_no_type(kind, n))
        width = {"F": 4, "D": 8}.get(kind) or _width(text, n)
        bits = text.get(f"$P{n}B", "")
        if kind != "I" and bits != str(8 * width):
            repairs.append(Repair("bits", f"$P{n}B is {bits[:20]!r} for type {kind}, read with {8 * width} bits"))
        mask = _mask(text, n, width, repairs) if kind == "I" else 0
        fields.append(Field("I" if kind == "I" else "F" if kind == "F" else "D", place, width, mask))
        place += width
    return tuple(fields), place


def _no_type(kind: str, n: int) -> str:
    if kind == "A":
        return f"channel {n} holds its values as text ($DATATYPE A), which is not read: export the file as floats"
    return f"data type {kind!r} of channel {n} is not read: I, F and D are"


def _width(text: Mapping[str, str], n: int) -> int:
    bits = needed(text, f"$P{n}B")
    if bits not in (8, 16, 24, 32, 64):
        raise FcsError(
            f"$P{n}B is {bits}: integers of 8, 16, 24, 32 and 64 bits are read, not values packed into other widths"
        )
    return bits // 8


def _mask(text: Mapping[str, str], n: int, width: int, repairs: list[Repair]) -> int:
    """$PnR says how many values there are; bits above them carry no signal and are cut off (FCS 3.1, 3.2.20)."""
    try:
        values = int(float(text.get(f"$P{n}R", "")))
    except (ValueError, OverflowError):
        values = 0
    if values < 1:
        repairs.append(Repair("range", f"$P{n}R is {text.get(f'$P{n}R', '')[:20]!r}, so all bits are taken"))
        return 0
    used = max(1, (values - 1).bit_length())
    return 0 if used >= 8 * width else (1 << used) - 1


def _order(value: str, width: int) -> Literal["<", ">"]:
    try:
        order = [int(part) for part in value.split(",")]
    except ValueError:
        order = []
    if order == sorted(order) and order[:1] == [1]:
        return "<"
    if order and order == sorted(order, reverse=True) and order[-1] == 1:
        return ">"
    if width == 1:
        return "<"
    raise FcsError(f"$BYTEORD is {value[:40]!r}, expected ascending or descending numbers such as 1,2,3,4")


def _segment(
    data: Buffer, base: int, head: Header, text: Mapping[str, str], stride: int, repairs: list[Repair]
) -> tuple[int, int]:
    """First byte of the events from the start of the data set, and how many events there are."""
    begin, end = number(text, "$BEGINDATA"), number(text, "$ENDDATA")
    stated = (begin, end) if begin and end else None
    in_header = head.data if head.data[0] else None
    places = [place for place in (stated, in_header) if place]
    total = number(text, "$TOT")
    if total == 0:
        return _none(places, stride)
    if not places:
        raise FcsError("neither HEADER nor TEXT says where the data are")
    if total is None:
        return _counted(len(data) - base, head, places, stride, repairs)
    size = total * stride
    sound = [place for place in places if _free(place[0], size, head) and base + place[0] + size <= len(data)]
    if not sound:
        first, last = places[0]
        raise FcsError(
            f"{total} events of {stride} bytes from byte {first} do not fit: {_told(first, last, base, head, data)}"
        )
    exact = [place for place in sound if place[1] - place[0] + 1 == size]
    if len({place[0] for place in exact}) > 1:
        raise FcsError(f"HEADER puts the data at {in_header}, TEXT at {stated}, and both fit {total} events")
    if exact:
        if len(set(places)) > 1:
            repairs.append(
                Repair("offsets", f"HEADER puts the data at {in_header}, TEXT at {stated}; used {exact[0]}, which fits")
            )
        return exact[0][0], total
    return _nearly(sound, total, stride, repairs), total


def _free(first: int, size: int, head: Header) -> bool:
    """Whether bytes lie beside the HEADER and the TEXT segment, neither of which can be events."""
    return first >= HEADER_BYTES and not (first <= head.text[1] and head.text[0] < first + size)


def _none(places: list[tuple[int, int]], stride: int) -> tuple[int, int]:
    """No events, as $TOT says; a segment long enough for one speaks against it."""
    for first, last in places:
        if last - first + 1 >= max(stride, 2):
            raise FcsError(f"$TOT is 0, but the data segment {first}-{last} holds {last - first + 1} bytes")
    return HEADER_BYTES, 0


def _told(first: int, last: int, base: int, head: Header, data: Buffer) -> str:
    if not _free(first, last - first + 1, head):
        return f"the segment {first}-{last} reaches into the HEADER or the TEXT segment {head.text[0]}-{head.text[1]}"
    return f"the segment ends at {last}, the file after {len(data) - base} bytes"


def _nearly(sound: list[tuple[int, int]], total: int, stride: int, repairs: list[Repair]) -> int:
    """Segments whose last byte is not where the events end: one off, or longer by less than an event."""
    size = total * stride
    near = [place for place in sound if -1 <= place[1] - place[0] + 1 - size < max(stride, 2)]
    if not near or len({place[0] for place in near}) > 1:
        raise FcsError(
            f"the data segments {sound} do not hold {total} events of {stride} bytes, which are {size} bytes"
        )
    first, last = near[0]
    extra = last - first + 1 - size
    code = "off-by-one" if abs(extra) == 1 else "spare-bytes"
    repairs.append(Repair(code, f"the data segment {first}-{last} is {extra:+d} bytes against {total} events"))
    return first


def _counted(
    size: int, head: Header, places: list[tuple[int, int]], stride: int, repairs: list[Repair]
) -> tuple[int, int]:
    """FCS 2.0 may leave $TOT out: then the segment says how many events there are."""
    first, last = places[0]
    if len(set(places)) > 1 or not (first <= last < size and _free(first, last - first + 1, head)):
        raise FcsError(f"$TOT is missing, and the data segments {places} do not tell the number of events")
    events, rest = divmod(last - first + 1, stride)
    if rest == 1 or rest == stride - 1:
        events += rest == stride - 1 and first + (events + 1) * stride <= size
        repairs.append(Repair("off-by-one", f"the data segment {first}-{last} is one byte off whole events"))
    elif rest:
        raise FcsError(f"$TOT is missing, and {last - first + 1} bytes are no whole number of events of {stride} bytes")
    repairs.append(Repair("total", f"$TOT is missing; the data segment holds {events} events"))
    return first, events
