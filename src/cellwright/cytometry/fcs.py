"""FCS list-mode files, versions 2.0 to 3.2, read where they lie (ISAC Data File Standard for Flow Cytometry).

A file is mapped, not loaded: reading one costs its TEXT segment, and events are copied when they are asked for. What a
file contradicts itself in is refused with `FcsError`, or repaired and listed in `FcsFile.repairs`.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cellwright.cytometry import compensation, events
from cellwright.cytometry.acquired import acquired
from cellwright.cytometry.compensation import Spillover
from cellwright.cytometry.fault import FcsError, GateError, Repair
from cellwright.cytometry.keywords import TEXT_MAX, Keywords, merge, parse
from cellwright.cytometry.layout import Buffer, Layout, header, layout, number

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

PARSER: Final = "cellwright.cytometry.fcs"
VERSION: Final = "3"
DATA_SETS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Channel:
    """A parameter as the file describes it.

    Attributes:
        name: short name ($PnN), unique in the file.
        stain: long name ($PnS), empty if there is none.
        bits: width of a stored value ($PnB).
        range: number of values, or the largest one ($PnR).
        gain: amplifier gain ($PnG); a scaled value is the stored one divided by it.
        decades: of a logarithmic amplifier ($PnE), 0 for a linear one.
        log_zero: the scaled value at stored 0 of a logarithmic amplifier.
        step: seconds per unit of the time channel ($TIMESTEP), else 1; a gain of such a channel is not applied.
    """

    name: str
    stain: str = ""
    bits: int = 32
    range: float = 262144.0
    gain: float = 1.0
    decades: float = 0.0
    log_zero: float = 0.0
    step: float = 1.0

    @property
    def linear(self) -> bool:
        """Whether scaled values are the stored ones."""
        return self.decades == 0 and self.step == 1 and self.gain == 1

    def scale(self, values: NDArray[np.floating | np.integer]) -> NDArray[np.float64]:
        """Stored values on the scale of the light, in double precision (FCS 3.1, 3.2.20; Gating-ML 2.0, 5.1)."""
        import numpy as np

        scaled = values.astype(np.float64)
        if self.step != 1:
            scaled *= self.step
            return scaled
        if self.decades:
            np.power(10.0, self.decades * scaled / self.range, out=scaled)
            scaled *= self.log_zero
        if self.gain != 1:
            scaled /= self.gain
        return scaled


class FcsFile:
    """A data set of a file: its keywords, its channels, and its events on demand.

    Attributes:
        version: such as "3.1".
        text: keyword in capitals -> value.
        channels: in the order of the file.
        events: how many there are.
        repairs: what the file contradicts itself in, and how it was understood.
        spillover: the file's own matrix, or None.
    """

    def __init__(self, data: Buffer, version: str, text: Keywords, place: Layout, repairs: list[Repair]) -> None:
        self._data = data
        self._layout = place
        self.version = version
        self.text = text
        self.channels = _channels(text, place, repairs)
        self.events = place.events
        self._index = {channel.name: n for n, channel in enumerate(self.channels)}
        self.spillover: Spillover | None = _spillover(text, self.channels, repairs)
        self.repairs = tuple(repairs)

    def __repr__(self) -> str:
        return f"FcsFile(FCS{self.version}, {self.events} events, {', '.join(self._index)})"

    @cached_property
    def sha256(self) -> str:
        """Of the whole file, in hexadecimal."""
        return hashlib.sha256(self._data).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return len(self._data)

    @property
    def sample_id(self) -> str:
        """The sample's own identifier, from $SMNO, SAMPLE ID or TUBE NAME; empty if the file states none."""
        return next((self.text[key] for key in ("$SMNO", "SAMPLE ID", "TUBE NAME") if self.text.get(key)), "")

    @property
    def cytometer(self) -> str:
        """The instrument ($CYT), empty if the file states none."""
        return self.text.get("$CYT", "")

    @cached_property
    def acquired(self) -> tuple[datetime, datetime] | None:
        """Begin and end by the instrument's clock, without a zone unless the file states one; None if not stated."""
        return acquired(self.text)

    def index(self, name: str) -> int:
        """Where a channel stands, from 0. Raises FcsError if the file has none of that name."""
        try:
            return self._index[name]
        except KeyError:
            raise FcsError(f"no channel {name!r}; the file has {', '.join(self._index)}") from None

    def channel(self, name: str) -> Channel:
        """A channel by its name. Raises FcsError if the file has none of that name."""
        return self.channels[self.index(name)]

    def kind(self, name: str) -> str:
        """The type of a channel's stored values as numpy calls it, such as `uint16` or `float32`."""
        return events.native(self._layout.fields[self.index(name)]).name

    def raw(self, name: str) -> NDArray[Any]:
        """Stored values of a channel at their own width, shape (events,): unsigned integers exactly, or floats."""
        return events.raw(self._data, self._layout, self.index(name))

    def column(self, name: str, *, scaled: bool = False) -> NDArray[np.float32]:
        """Values of a channel in single precision, contiguous, shape (events,).

        Args:
            scaled: after gain, logarithmic amplifier and time step.
        """
        import numpy as np

        channel = self.channel(name)
        if scaled and not channel.linear:
            return channel.scale(self.raw(name)).astype(np.float32)
        return self.columns((name,))[:, 0]

    def columns(self, names: Sequence[str] | None = None, *, scaled: bool = False) -> NDArray[np.float32]:
        """Values of channels in single precision, column-major, shape (events, channels); of all channels by default."""
        wanted = range(len(self.channels)) if names is None else [self.index(name) for name in names]
        table = events.columns(self._data, self._layout, list(wanted))
        if scaled:
            for column, n in zip(table.T, wanted, strict=True):
                if not self.channels[n].linear:
                    column[:] = self.channels[n].scale(events.raw(self._data, self._layout, n))
        return table

    def block(self, name: str, begin: int, end: int) -> NDArray[Any]:
        """Stored values of the events from `begin` to before `end`, as `raw` gives them."""
        return events.raw(self._data, self._layout, self.index(name), begin, end)

    def gather(self, name: str, begin: int, chosen: NDArray[np.integer]) -> NDArray[Any]:
        """Stored values of some events, counted from the event `begin`, as `raw` gives them."""
        return events.gather(self._data, self._layout, self.index(name), begin, chosen)

    def rows(self, begin: int, chosen: NDArray[np.integer]) -> NDArray[Any] | None:
        """Stored values of some events of all channels, shape (events, channels); None where channels are not alike."""
        return events.rows(self._data, self._layout, begin, chosen)

    def fill(self, channels: Sequence[int], begin: int, out: NDArray[np.float32]) -> None:
        """Write stored values of channels, of the events from `begin` on, into `out`, shape (channels, events)."""
        events.fill(self._data, self._layout, channels, begin, out)

    def parts(self) -> list[tuple[int, int]]:
        """First and past-the-last events of parts that threads may take."""
        return events.split(self.events, self._layout.stride)


def read_fcs(source: str | Path | bytes, *, data_set: int = 0, strict: bool = False) -> FcsFile:
    """A data set of a file.

    Args:
        source: a path, or the bytes of a file.
        data_set: which one, from 0, of a file that holds several.
        strict: refuse what would need a repair.

    Raises:
        FcsError: the bytes are no sound FCS file, or it has no such data set.
        OSError: the path cannot be read.
    """
    data = _mapped(source)
    for number_, (base, repairs) in enumerate(_bases(data)):
        if number_ == data_set:
            return _read(data, base, repairs, strict=strict)
    raise FcsError(f"the file has no data set {data_set}")


def read_fcs_all(source: str | Path | bytes, *, strict: bool = False) -> tuple[FcsFile, ...]:
    """Every data set of a file, in its order. Raises as `read_fcs`."""
    data = _mapped(source)
    return tuple(_read(data, base, repairs, strict=strict) for base, repairs in _bases(data))


def _mapped(source: str | Path | bytes) -> Buffer:
    if isinstance(source, bytes):
        return memoryview(source)
    with Path(source).open("rb") as file:
        try:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError:
            raise FcsError("the file is empty") from None


def _bases(data: Buffer) -> Iterator[tuple[int, list[Repair]]]:
    """Where each data set begins, with what had to be repaired to find it. A chain of $NEXTDATA only goes forward."""
    base, found = 0, 0
    repairs: list[Repair] = []
    while found < DATA_SETS_MAX:
        following, note = _following(data, base)
        yield base, repairs + ([note] if note else [])
        if not following:
            return
        base, found, repairs = base + following, found + 1, []
    raise FcsError(f"more than {DATA_SETS_MAX} data sets in one file")


def _following(data: Buffer, base: int) -> tuple[int, Repair | None]:
    head = header(data, base, [])
    text = parse(bytes(data[base + head.text[0] : base + head.text[1] + 1][:TEXT_MAX]), [])
    try:
        following = number(text, "$NEXTDATA") or 0
    except FcsError as fault:
        return 0, Repair("next-data", f"{fault}; taken as the last data set")
    if not following:
        return 0, None
    if following <= head.text[1] or base + following >= len(data) or bytes(data[base + following :][:3]) != b"FCS":
        return 0, Repair("next-data", f"$NEXTDATA is {following}, where no data set begins; taken as the last one")
    return following, None


def _read(data: Buffer, base: int, repairs: list[Repair], *, strict: bool) -> FcsFile:
    head = header(data, base, repairs)
    begin, end = base + head.text[0], base + head.text[1] + 1
    if end - begin > TEXT_MAX:
        raise FcsError(f"a TEXT segment of {end - begin} bytes")
    segment = bytes(data[begin:end])
    if segment[-1:] != segment[:1] and bytes(data[end : end + 1]) == segment[:1]:
        repairs.append(Repair("text-end", "the TEXT segment ends one byte after the place that the HEADER states"))
        segment += segment[:1]
    text = _supplemented(data, base, head.text, parse(segment, repairs), repairs)
    place = layout(data, base, head, text, repairs)
    file = FcsFile(data, head.version[3:], text, place, repairs)
    if strict and file.repairs:
        raise FcsError("; ".join(repair.text for repair in file.repairs))
    return file


def _supplemented(data: Buffer, base: int, primary: tuple[int, int], text: Keywords, repairs: list[Repair]) -> Keywords:
    try:
        begin, end = number(text, "$BEGINSTEXT") or 0, number(text, "$ENDSTEXT") or 0
    except FcsError as fault:
        repairs.append(Repair("supplement", f"{fault}; the supplemental TEXT is not read"))
        return text
    if not begin or (begin, end) == primary:
        return text
    if not (0 < begin < end < begin + TEXT_MAX and base + end < len(data)):
        repairs.append(Repair("supplement", f"the supplemental TEXT {begin}-{end} is not in the file; it is not read"))
        return text
    try:
        return merge(text, bytes(data[base + begin : base + end + 1]), repairs)
    except FcsError as fault:
        repairs.append(Repair("supplement", f"{fault}; the supplemental TEXT is not read"))
        return text


def _channels(text: Keywords, place: Layout, repairs: list[Repair]) -> tuple[Channel, ...]:
    names: set[str] = set()
    channels = []
    for n, stored in enumerate(place.fields, 1):
        name = _name(text, n, names, repairs)
        names.add(name)
        decades, log_zero = _amplifier(text, n, stored.kind, repairs)
        channels.append(
            Channel(
                name=name,
                stain=text.get(f"$P{n}S", ""),
                bits=8 * stored.width,
                range=_positive(text, f"$P{n}R", repairs, 0.0),
                gain=_positive(text, f"$P{n}G", repairs, 1.0),
                decades=decades,
                log_zero=log_zero,
                step=_positive(text, "$TIMESTEP", repairs, 1.0) if name.strip().lower() == "time" else 1.0,
            )
        )
    return tuple(channels)


def _name(text: Keywords, n: int, names: set[str], repairs: list[Repair]) -> str:
    name = text.get(f"$P{n}N", "")
    if not name:
        name = text.get(f"$P{n}S", "") or f"P{n}"
        repairs.append(Repair("channel-name", f"$P{n}N is missing; the channel is called {name}"))
    if name in names:
        number_ = next(k for k in range(2, len(names) + 3) if f"{name} ({k})" not in names)
        repairs.append(Repair("channel-name", f"$P{n}N is {name} again; the channel is called {name} ({number_})"))
        name = f"{name} ({number_})"
    return name


def _amplifier(text: Keywords, n: int, kind: str, repairs: list[Repair]) -> tuple[float, float]:
    """Decades and the value at zero of $PnE; a stated zero of a logarithmic amplifier means 1 (FCS 3.1, 3.2.20)."""
    value = text.get(f"$P{n}E", "0,0")
    try:
        decades, zero = (float(part) for part in value.split(","))
        if not (0 <= decades < 300 and 0 <= zero < 1e30):
            raise ValueError(value)
    except ValueError:
        repairs.append(Repair("amplifier", f"$P{n}E is {value[:40]!r}, taken as linear"))
        return 0.0, 0.0
    if not decades:
        return 0.0, 0.0
    if kind != "I" or not _positive(text, f"$P{n}R", [], 0.0):
        repairs.append(Repair("amplifier", f"$P{n}E is {value[:40]!r} for floats, which are linear; not applied"))
        return 0.0, 0.0
    return decades, zero or 1.0


def _positive(text: Keywords, key: str, repairs: list[Repair], default: float) -> float:
    value = text.get(key, "")
    if not value:
        return default
    try:
        read = float(value)
        if not 0 < read < 1e300:
            raise ValueError(value)
    except ValueError:
        if value.strip("0.") or default != 1:
            repairs.append(Repair("number", f"{key} is {value[:40]!r}, taken as {default:g}"))
        return default
    return read


def _spillover(text: Keywords, channels: tuple[Channel, ...], repairs: list[Repair]) -> Spillover | None:
    names = [channel.name for channel in channels]
    key = next((key for key in ("$SPILLOVER", "SPILLOVER", "$SPILL", "SPILL") if text.get(key)), None)
    try:
        if key is None:
            return compensation.from_percent_keywords(text, names)
        return _named(compensation.from_keyword(text[key]), names)
    except GateError as fault:
        repairs.append(Repair("spillover", f"{key or '$DFC'}: {fault}; taken as no matrix"))
        return None


def _named(spillover: Spillover, names: list[str]) -> Spillover:
    """The matrix with channel names where the file wrote channel numbers."""
    if all(name in names for name in spillover.detectors):
        return spillover
    numbers = [int(name) if name.isdecimal() else 0 for name in spillover.detectors]
    if all(1 <= n <= len(names) for n in numbers):
        return Spillover(tuple(names[n - 1] for n in numbers), spillover.matrix)
    missing = [name for name in spillover.detectors if name not in names]
    raise GateError(f"the file has no channels {', '.join(missing)}")
