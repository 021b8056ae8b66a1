"""What every reader gives: where the bytes came from, what was measured, and what was odd about the file.

Numbers are decimals exactly as written; a binary number of a workbook is taken at its shortest exact decimal form. A
value that the instrument did not give is None, never 0. Whatever a column held that has no field of its own is kept in
`others` by the column's name, as written.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import msgspec

Sign = Literal["", "<", ">"]
Kind = Literal["encoding", "decimal comma", "layout", "inconsistent", "incomplete", "instrument", "time"]
"""What a warning is about; `inconsistent` values contradict each other, as after an edit by hand."""


class Warned(msgspec.Struct, frozen=True):
    """Something odd that was met in reading and did not stop it.

    Attributes:
        kind: what it is about, stable over versions.
        place: line, row or well.
        text: for a person.
    """

    kind: Kind
    place: str
    text: str


class CellCounting(msgspec.Struct, frozen=True, tag="cell count"):
    """One count.

    Attributes:
        at: time of the analysis, ISO 8601; without offset where the instrument writes no zone.
        counted, viable: cells counted, and seen alive.
        total_e6_per_ml, viable_e6_per_ml, dead_e6_per_ml: 1e6 cells per millilitre of undiluted sample.
        viability: percent, as printed.
        diameter_um, viable_diameter_um: means in micrometres.
    """

    sample: str
    at: str = ""
    operator: str = ""
    counted: Decimal | None = None
    viable: Decimal | None = None
    total_e6_per_ml: Decimal | None = None
    viable_e6_per_ml: Decimal | None = None
    dead_e6_per_ml: Decimal | None = None
    viability: Decimal | None = None
    diameter_um: Decimal | None = None
    viable_diameter_um: Decimal | None = None
    circularity: Decimal | None = None
    dilution: Decimal | None = None
    cell_type: str = ""
    others: Mapping[str, str] = {}


class PcrWell(msgspec.Struct, frozen=True, tag="qpcr well"):
    """One target in one well of a quantitative PCR.

    Attributes:
        task: as the instrument names it: `STANDARD`, `UNKNOWN`, `NTC` …
        cycle: quantification cycle; None if undetermined.
        quantity: of a standard as assigned, of a sample as the instrument computed it.
        curves: name -> reading of each cycle from the first: `Rn`, `dRn`, the reporter dye, `passive reference`.
    """

    well: str
    sample: str
    target: str
    task: str
    reporter: str = ""
    quencher: str = ""
    cycle: Decimal | None = None
    omitted: bool = False
    quantity: Decimal | None = None
    threshold: Decimal | None = None
    baseline_start: Decimal | None = None
    baseline_end: Decimal | None = None
    curves: Mapping[str, tuple[float, ...]] = {}
    others: Mapping[str, str] = {}


class PartitionWell(msgspec.Struct, frozen=True, tag="dpcr well"):
    """One target in one well of a digital PCR.

    Attributes:
        role: as the instrument names it, such as `Sample`, `NTC`.
        positive, negative: partitions.
        per_ul: copies per microlitre of reaction, as printed.
        interval_percent: half width of the printed interval, percent of `per_ul`.
        volume_ul: of all partitions of a well, where the file says it.
        partition_nl: of one partition, where the file or the maker's software says it.
    """

    well: str
    sample: str
    target: str
    positive: int
    negative: int
    role: str = ""
    plate: str = ""
    per_ul: Decimal | None = None
    interval_percent: Decimal | None = None
    threshold: Decimal | None = None
    volume_ul: Decimal | None = None
    partition_nl: Decimal | None = None
    others: Mapping[str, str] = {}


class EndotoxinWell(msgspec.Struct, frozen=True, tag="endotoxin well"):
    """One well of a kinetic endotoxin plate, or one channel of a cartridge.

    Attributes:
        role: what stands in it.
        nominal: EU/mL of a standard, or of the spike.
        onset_s: seconds until the reaction; None if there was none in the time of the run.
        value, censored: EU/mL as printed, undiluted sample.
        recovery: of the spike, percent, as printed.
    """

    well: str
    role: Literal["standard", "sample", "spiked sample", "negative control"]
    sample: str
    nominal: Decimal | None = None
    onset_s: Decimal | None = None
    dilution: Decimal | None = None
    value: Decimal | None = None
    censored: Sign = ""
    recovery: Decimal | None = None
    at: str = ""
    operator: str = ""
    others: Mapping[str, str] = {}


class CultureBottle(msgspec.Struct, frozen=True, tag="culture bottle"):
    """What an automated culture system says of one bottle.

    Attributes:
        loaded, read: when, ISO 8601.
        detected_h: hours until growth was detected; None without growth.
    """

    bottle: str
    sample: str
    status: Literal["negative to date", "negative final", "positive", "invalid"]
    loaded: str
    read: str
    detected_h: Decimal | None = None
    medium: str = ""
    instrument: str = ""
    others: Mapping[str, str] = {}


class PlateValue(msgspec.Struct, frozen=True, tag="plate value"):
    """One value of a well, of any plate method."""

    well: str
    role: str
    sample: str
    target: str
    value: Decimal
    censored: Sign
    unit: str
    plate: str = ""
    at: str = ""
    operator: str = ""
    instrument: str = ""


class Figure(msgspec.Struct, frozen=True):
    """A named quantity of a file that another project's reader took apart; number or text."""

    name: str
    number: Decimal | None
    text: str
    unit: str = ""


class Figures(msgspec.Struct, frozen=True, tag="figures"):
    """What a foreign reader found for one sample, under that reader's own names."""

    sample: str
    well: str
    at: str
    operator: str
    figures: tuple[Figure, ...]
    series: Mapping[str, tuple[float | None, ...]] = {}


Measurement = CellCounting | PcrWell | PartitionWell | EndotoxinWell | CultureBottle | PlateValue | Figures


class Reading(msgspec.Struct, frozen=True):
    """A file that was read.

    Attributes:
        format: stable name of the format, such as `vi-cell-xr`.
        instrument: maker and model.
        reader, version: which program read it (R017).
        proven: whether this reader was ever tried on a real file of this instrument.
        sha256, size: of the bytes.
        serial_number, software, operator, at: of the whole file, where it says them.
        header: what else the head of the file says.
    """

    format: str
    instrument: str
    reader: str
    version: str
    proven: bool
    sha256: str
    size: int
    measurements: tuple[Measurement, ...]
    warnings: tuple[Warned, ...] = ()
    serial_number: str = ""
    software: str = ""
    operator: str = ""
    at: str = ""
    header: Mapping[str, str] = {}
