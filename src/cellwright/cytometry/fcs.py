"""FCS 3.1 list-mode files with 32-bit floats: reading and writing (ISAC Data File Standard for Flow Cytometry, 3.1).

What this page reads it reads strictly: offsets, counts and lengths must agree, or there are no events at all. Other
data types and versions are refused by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PARSER: Final = "cellwright.cytometry.fcs"
VERSION: Final = "1"
HEADER_BYTES: Final = 58
TEXT_MAX: Final = 1 << 20
"""Bytes of the TEXT segment at most."""
DELIMITER: Final = "\x0c"


class FcsError(ValueError):
    """A file that is not a sound FCS 3.1 float file: what is wrong, and what was expected."""


@dataclass(frozen=True, slots=True)
class FcsFile:
    """A data set: its keywords, its channels, and its events.

    Attributes:
        text: keywords in capitals with their values.
        channels: short names ($PnN) in order.
        events: shape (events, channels), 32-bit floats.
    """

    text: Mapping[str, str]
    channels: tuple[str, ...]
    events: "NDArray[np.float32]"

    def channel(self, name: str) -> "NDArray[np.float32]":
        """The values of one channel, shape (events,). Raises FcsError if the file has no such channel."""
        try:
            return self.events[:, self.channels.index(name)]
        except ValueError:
            raise FcsError(f"no channel {name!r}; the file has {', '.join(self.channels)}") from None


def read_fcs(data: bytes) -> FcsFile:
    """A data set from the bytes of a file.

    Raises:
        FcsError: the bytes are not a sound FCS 3.1 file of 32-bit floats in list mode.
    """
    import numpy as np

    text_begin, text_end, data_begin, data_end = _header(data)
    text = _keywords(data[text_begin : text_end + 1])
    begin, end = _number(text, "$BEGINDATA"), _number(text, "$ENDDATA")
    if (data_begin, data_end) not in ((begin, end), (0, 0)):
        raise FcsError(f"HEADER puts the data at {data_begin}-{data_end}, TEXT at {begin}-{end}")
    for key, wanted in (("$MODE", "L"), ("$DATATYPE", "F"), ("$NEXTDATA", "0")):
        if text.get(key) != wanted:
            raise FcsError(f"{key} is {text.get(key)!r}, expected {wanted!r}")
    order = {"1,2,3,4": "<f4", "4,3,2,1": ">f4"}.get(text.get("$BYTEORD", ""))
    if order is None:
        raise FcsError(f"$BYTEORD is {text.get('$BYTEORD')!r}, expected 1,2,3,4 or 4,3,2,1")
    parameters, total = _number(text, "$PAR"), _number(text, "$TOT")
    channels = tuple(text.get(f"$P{n}N", "") for n in range(1, parameters + 1))
    if parameters < 1 or "" in channels or len(set(channels)) != parameters:
        raise FcsError(f"{parameters} parameters, but their names are {channels}")
    for n in range(1, parameters + 1):
        if text.get(f"$P{n}B") != "32":
            raise FcsError(f"$P{n}B is {text.get(f'$P{n}B')!r}, expected '32'")
    if end - begin + 1 != total * parameters * 4 or end >= len(data):
        raise FcsError(f"{total} events of {parameters} floats do not fill the data segment {begin}-{end}")
    events = np.frombuffer(data, order, total * parameters, begin).reshape(total, parameters)
    return FcsFile(text, channels, events.astype(np.float32, copy=False))


def write_fcs(channels: tuple[str, ...], events: "NDArray[np.float32]", keywords: Mapping[str, str]) -> bytes:
    """The bytes of an FCS 3.1 file.

    Args:
        channels: short names in order.
        events: shape (events, channels).
        keywords: further keywords, such as `$SMNO`, `$DATE`, `$BTIM`, `$CYT`; keys in capitals.

    Raises:
        FcsError: shapes disagree, or a value holds the delimiter.
    """
    total, parameters = events.shape
    if parameters != len(channels):
        raise FcsError(f"{len(channels)} channel names for {parameters} columns")
    body = events.astype("<f4").tobytes()
    text = {
        "$BEGINANALYSIS": "0", "$ENDANALYSIS": "0", "$BEGINSTEXT": "0", "$ENDSTEXT": "0", "$BYTEORD": "1,2,3,4",
        "$DATATYPE": "F", "$MODE": "L", "$NEXTDATA": "0", "$PAR": str(parameters), "$TOT": str(total),
    }  # fmt: skip
    for n, name in enumerate(channels, 1):
        text |= {f"$P{n}N": name, f"$P{n}B": "32", f"$P{n}E": "0,0", f"$P{n}R": "262144"}
    text |= keywords
    for key, value in text.items():
        if DELIMITER in key + value or not value:
            raise FcsError(f"keyword {key}: the value {value!r} cannot be stored")
    begin = HEADER_BYTES + len(_joined(text | {"$BEGINDATA": "0" * 12, "$ENDDATA": "0" * 12}))
    place = {"$BEGINDATA": f"{begin:012d}", "$ENDDATA": f"{begin + len(body) - 1:012d}"}
    segment = _joined(text | place)
    in_header = (begin, begin + len(body) - 1) if begin + len(body) <= 99_999_999 else (0, 0)
    offsets = (HEADER_BYTES, HEADER_BYTES + len(segment) - 1, *in_header, 0, 0)
    header = "FCS3.1    " + "".join(f"{offset:8d}" for offset in offsets)
    return header.encode() + segment + body


def _joined(text: Mapping[str, str]) -> bytes:
    return (DELIMITER + "".join(f"{k}{DELIMITER}{v}{DELIMITER}" for k, v in text.items())).encode()


def _header(data: bytes) -> tuple[int, int, int, int]:
    if len(data) < HEADER_BYTES or data[:6] not in (b"FCS3.1", b"FCS3.0"):
        raise FcsError(f"not an FCS 3.0 or 3.1 file: it begins with {data[:6]!r}")
    try:
        offsets = [int(data[n : n + 8]) for n in range(10, 42, 8)]
    except ValueError:
        raise FcsError(f"the HEADER's offsets are no numbers: {data[10:42]!r}") from None
    text_begin, text_end = offsets[0], offsets[1]
    if not HEADER_BYTES <= text_begin < text_end < len(data) or text_end - text_begin > TEXT_MAX:
        raise FcsError(f"the TEXT segment {text_begin}-{text_end} does not lie in a file of {len(data)} bytes")
    return text_begin, text_end, offsets[2], offsets[3]


def _keywords(segment: bytes) -> dict[str, str]:
    try:
        text = segment.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FcsError(f"the TEXT segment is not UTF-8: {error.reason}") from None
    delimiter = text[0]
    parts = text[1:].rstrip("\r\n ").removesuffix(delimiter).split(delimiter)
    if len(parts) % 2:
        raise FcsError("the TEXT segment has a keyword without a value")
    found: dict[str, str] = {}
    for key, value in zip(parts[::2], parts[1::2], strict=True):
        name = key.strip().upper()
        if name in found:
            raise FcsError(f"keyword {name} stands twice")
        found[name] = value.strip()
    return found


def _number(text: Mapping[str, str], key: str) -> int:
    try:
        value = int(text[key])
    except (KeyError, ValueError):
        raise FcsError(f"{key} is {text.get(key)!r}, expected a number") from None
    if value < 0:
        raise FcsError(f"{key} is {value}, expected a number from 0")
    return value
