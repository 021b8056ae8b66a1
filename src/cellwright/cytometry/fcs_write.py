"""FCS files written: list mode, all channels of one type (FCS 3.1, or 2.0 and 3.0 where asked)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal

from cellwright.cytometry.fault import FcsError
from cellwright.cytometry.fcs import Channel
from cellwright.cytometry.layout import HEADER_BYTES

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

DELIMITERS: Final = "\x0c|\x1e/\\~"
PLACE_MAX: Final = 99_999_999
WIDTHS: Final = {"F": (32,), "D": (64,), "I": (8, 16, 32)}

_OWN: Final = re.compile(
    r"\$(BEGIN|END)(DATA|STEXT|ANALYSIS)|\$(BYTEORD|DATATYPE|MODE|PAR|TOT|TIMESTEP|UNICODE)|\$P\d+([NSBERGD]|DATATYPE)"
)

Version = Literal["2.0", "3.0", "3.1"]
DataType = Literal["F", "D", "I"]
Order = Literal["little", "big"]


def write_fcs(
    target: str | Path | IO[bytes],
    columns: NDArray[Any] | Sequence[NDArray[Any]],
    channels: Sequence[Channel | str],
    *,
    version: Version = "3.1",
    text: Mapping[str, str] | None = None,
    datatype: DataType = "F",
    byteorder: Order = "little",
) -> None:
    """Write a file.

    Args:
        target: a path, or a file open for writing bytes.
        columns: shape (events, channels), or one array per channel.
        channels: what each column is; a name stands for a linear channel.
        text: further keywords, such as `$SMNO`, `$DATE`, `$BTIM`, `$CYT`. Those that say how the events lie in the file
            are the writer's own: they are passed over here, so that the text of a file that was read can be given.
        datatype: F and D for floats of 32 and 64 bits, I for unsigned integers of each channel's `bits`.

    Raises:
        FcsError: shapes disagree, a value cannot be stored exactly as an integer, or no delimiter is left for the text.
        OSError: the target cannot be written.
    """
    parts = _parts(columns, channels, version, text or {}, datatype, byteorder)
    if isinstance(target, (str, Path)):
        with Path(target).open("wb") as file:
            file.writelines(parts)
    else:
        target.writelines(parts)


def encode_fcs(
    columns: NDArray[Any] | Sequence[NDArray[Any]],
    channels: Sequence[Channel | str],
    *,
    version: Version = "3.1",
    text: Mapping[str, str] | None = None,
    datatype: DataType = "F",
    byteorder: Order = "little",
) -> bytes:
    """The bytes of a file. Arguments and errors as of `write_fcs`."""
    return b"".join(_parts(columns, channels, version, text or {}, datatype, byteorder))


def _parts(
    columns: NDArray[Any] | Sequence[NDArray[Any]],
    channels: Sequence[Channel | str],
    version: str,
    text: Mapping[str, str],
    datatype: DataType,
    byteorder: Order,
) -> tuple[bytes, bytes]:
    described = [_channel(one, datatype) for one in channels]
    names = [channel.name for channel in described]
    if not names or "" in names or len(set(names)) != len(names):
        raise FcsError(f"channel names are missing or stand twice: {names}")
    body, events = _body(columns, described, datatype, byteorder)
    keywords = _keywords(described, events, datatype, byteorder)
    given = {key.strip().upper(): value for key, value in text.items()}
    keywords |= {key: value for key, value in given.items() if not _OWN.fullmatch(key)}
    delimiter = _delimiter(keywords)
    segment, begin = _segment(keywords, delimiter, len(body))
    end = begin + len(body) - 1 if body else begin
    in_header = (begin, end) if end <= PLACE_MAX else (0, 0)
    if version == "2.0" and end > PLACE_MAX:
        raise FcsError("FCS 2.0 holds files of up to 100 million bytes")
    offsets = (HEADER_BYTES, HEADER_BYTES + len(segment) - 1, *in_header, 0, 0)
    return f"FCS{version}    ".encode() + b"".join(b"%8d" % offset for offset in offsets) + segment, body


def _channel(one: Channel | str, datatype: DataType) -> Channel:
    channel = Channel(one) if isinstance(one, str) else one
    bits = channel.bits if datatype == "I" else WIDTHS[datatype][0]
    if bits not in WIDTHS[datatype]:
        raise FcsError(f"channel {channel.name} has {bits} bits, expected one of {WIDTHS[datatype]}")
    if datatype != "I" and channel.decades:
        raise FcsError(f"channel {channel.name} is logarithmic, which floats cannot be")
    return Channel(
        channel.name, channel.stain, bits, channel.range, channel.gain, channel.decades, channel.log_zero, channel.step
    )


def _body(
    columns: NDArray[Any] | Sequence[NDArray[Any]], channels: list[Channel], datatype: DataType, byteorder: Order
) -> tuple[bytes, int]:
    import numpy as np

    each = (
        list(columns.T) if isinstance(columns, np.ndarray) and columns.ndim == 2 else [np.asarray(c) for c in columns]
    )
    if len(each) != len(channels) or any(one.shape != each[0].shape or one.ndim != 1 for one in each):
        raise FcsError(f"{len(channels)} channels for columns of shapes {[one.shape for one in each]}")
    sign = {"little": "<", "big": ">"}[byteorder]
    kind = {"F": "f", "D": "f", "I": "u"}[datatype]
    table = np.empty(len(each[0]), [(f"c{n}", f"{sign}{kind}{c.bits // 8}") for n, c in enumerate(channels)])
    for n, (one, channel) in enumerate(zip(each, channels, strict=True)):
        if datatype == "I":
            _whole(one, channel)
        with np.errstate(over="ignore"):
            table[f"c{n}"] = one
        if datatype == "F" and np.any(np.isinf(table[f"c{n}"]) & np.isfinite(one)):
            raise FcsError(f"channel {channel.name} has values too large for 32 bits; write it with datatype D")
    return table.tobytes(), len(table)


def _whole(values: NDArray[Any], channel: Channel) -> None:
    import numpy as np

    top = min(2.0**channel.bits, 2.0 ** max(1, (int(channel.range) - 1).bit_length()) if channel.range >= 1 else 0)
    if len(values) and not (np.all(values >= 0) and np.all(values < top) and np.all(values == np.floor(values))):
        raise FcsError(f"channel {channel.name} has values that are no whole numbers from 0 to below {top:g}")


def _keywords(channels: list[Channel], events: int, datatype: DataType, byteorder: Order) -> dict[str, str]:
    width = max(channel.bits for channel in channels) // 8 if datatype == "I" else 4
    order = [str(n) for n in range(1, max(width, 4) + 1)]
    keywords = {
        "$BEGINANALYSIS": "0", "$ENDANALYSIS": "0", "$BEGINSTEXT": "0", "$ENDSTEXT": "0",
        "$BYTEORD": ",".join(order if byteorder == "little" else order[::-1]),
        "$DATATYPE": datatype, "$MODE": "L", "$NEXTDATA": "0", "$PAR": str(len(channels)), "$TOT": str(events),
    }  # fmt: skip
    for n, channel in enumerate(channels, 1):
        keywords |= {
            f"$P{n}N": channel.name,
            f"$P{n}B": str(channel.bits),
            f"$P{n}E": f"{channel.decades:g},{channel.log_zero:g}" if channel.decades else "0,0",
            f"$P{n}R": f"{channel.range:.17g}",
        }
        if channel.stain:
            keywords[f"$P{n}S"] = channel.stain
        if channel.gain != 1:
            keywords[f"$P{n}G"] = repr(channel.gain)
        if channel.step != 1:
            keywords["$TIMESTEP"] = repr(channel.step)
    return keywords


def _delimiter(keywords: Mapping[str, str]) -> str:
    """One that stands in no value; then nothing has to be escaped, which some readers do not undo."""
    for key, value in keywords.items():
        if not key.isascii() or not value.strip():
            raise FcsError(f"keyword {key!r}: the value {value!r} cannot be stored")
    used = set().union(*keywords, *keywords.values())
    for delimiter in DELIMITERS:
        if delimiter not in used:
            return delimiter
    raise FcsError("the keywords use every character that may separate them")


def _segment(keywords: dict[str, str], delimiter: str, size: int) -> tuple[bytes, int]:
    """The TEXT segment, and where the data begin after it."""

    def joined(begin: int) -> bytes:
        end = begin + size - 1 if size else begin
        places = {"$BEGINDATA": f"{begin:012d}", "$ENDDATA": f"{end:012d}"}
        return (delimiter + "".join(f"{k}{delimiter}{v}{delimiter}" for k, v in (keywords | places).items())).encode()

    begin = HEADER_BYTES + len(joined(0))
    return joined(begin), begin
