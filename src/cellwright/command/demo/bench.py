"""The simulated instruments: each writes the file its real counterpart would write, and the value is read back from it.

Nothing reaches a result that did not go through a file and its parser (R017). The events of a flow file are drawn so
that the gated counts give exactly the percentage asked for; the files say `SIMULATED` in themselves.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache, lru_cache
from typing import NamedTuple

from cellwright import shipped
from cellwright.cytometry import fcs as fcs_reader
from cellwright.cytometry import read_fcs
from cellwright.cytometry.analysis import (
    AnalysisRecord,
    ControlFile,
    Evidence,
    InstrumentQc,
    Sheet,
    analyse,
    read_analysis,
    record_bytes,
    record_sha256,
)
from cellwright.cytometry.simulated import Cells, simulated_fcs
from cellwright.factory.quality.fact import Control, Derivation
from cellwright.instrument import cell_counter, culture, plate

FLOW_EVENTS = 20_000
"""Events of one flow file (E20)."""
CONTROL_EVENTS = 2_000
"""Events of a control's file."""
LIVING = 17_000
PARENTS = {"cd3_positive": "living", "car_positive": "cd3_positive", "cd8_positive": "cd3_positive"}
"""Figures of the panel that a file can be asked for -> the population they are a part of."""
PANEL = "flow/car-t-panel.yaml"


class Reading(NamedTuple):
    """A value as the parser gives it, how it follows from the file, and the numbers behind it."""

    value: str
    derivation: Derivation
    behind: tuple[str, ...] = ()
    flaw: str = ""
    controls: Mapping[str, Control] = {}
    """The controls that were bound to it, by the name that specifications use."""
    record: bytes = b""
    """Of the analysis that gave it, where one did; the derivation names its hash."""


class FlowRun(NamedTuple):
    """What the cytometer wrote on one day: the sample's file, its controls' files, and its own check."""

    data: bytes
    fmo: bytes
    unstained: bytes
    check: InstrumentQc


def flow_run(sample: str, at: datetime, seed: int, percent: dict[str, Decimal], instrument: str, check: str) -> FlowRun:
    """FCS 3.1 files of a sample with exactly these percentages in the panel's gates, and of its controls.

    Args:
        percent: `cd3_positive` of living cells, `car_positive` and `cd8_positive` of CD3-positive ones.
        check: SHA-256 of the record of the instrument's own check of that day.
    """
    cd3 = _share(percent.get("cd3_positive", Decimal(98)), LIVING)
    car, cd8 = (_share(percent.get(name, usual), cd3) for name, usual in (("car_positive", 0), ("cd8_positive", 40)))
    cells = Cells(events=FLOW_EVENTS, cd3=cd3, car=car, cd8=cd8, b_cells=min(3, LIVING - cd3), living=LIVING)
    few = Cells(
        events=CONTROL_EVENTS, doublets=20, dead=60, living=1_800, cd3=1_700, car=2, cd8=700, b_cells=0, beads=50
    )
    bare = Cells(events=CONTROL_EVENTS, doublets=0, dead=0, living=0, cd3=0, car=0, cd8=0, b_cells=0, beads=50)
    day = at.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return FlowRun(
        simulated_fcs(cells, seed, sample, at, instrument),
        simulated_fcs(few, seed + 1, f"{sample}-FMO", at, instrument),
        simulated_fcs(bare, seed + 2, f"{sample}-UNSTAINED", at, instrument),
        InstrumentQc(
            cytometer=instrument, performed=day.isoformat(), valid_until=(day + timedelta(days=2)).isoformat(), passed=True,
            sha256=check,
        ),
    )  # fmt: skip


def _share(percent: Decimal | int, of: int) -> int:
    return int((Decimal(percent) * of / 100).to_integral_value(ROUND_HALF_EVEN))


@cache
def _panel() -> Sheet:
    return read_analysis(shipped.content(PANEL))


@lru_cache(maxsize=64)
def _analysed(run: FlowRun) -> AnalysisRecord:
    controls = (
        ControlFile("fmo", read_fcs(run.fmo), "CAR"),
        ControlFile("unstained", read_fcs(run.unstained)),
    )
    return analyse(_panel(), read_fcs(run.data), Evidence(controls=controls, instrument=(run.check,)))


def flow(run: FlowRun, output: str) -> Reading:
    """A figure of the panel from the files, with its interval and the events behind it."""
    record = _analysed(run)
    one = record.output(output)
    controls = {
        c.control: Control(name=c.control, passed=c.status == "passed", value=c.sha256) for c in record.controls
    }
    parameters = {
        "analysis": f"{record.analysis} {record.version}", "analysis_sha256": record.definition_sha256,
        "record_sha256": record_sha256(record), "output": output, "figure": one.value,
        "interval": f"{one.low} to {one.high} with {one.confidence}",
        "warnings": ", ".join(one.warnings),
    } | {f"{c.control} sha256": c.sha256 for c in record.controls}  # fmt: skip
    derivation = Derivation(parser=fcs_reader.PARSER, parser_version=fcs_reader.VERSION, parameters=parameters)
    return Reading(
        one.word or one.value,
        derivation,
        (f"{one.events} of {one.of} events",),
        one.flaw,
        controls,
        record_bytes(record),
    )


def stated(data: bytes) -> tuple[str, datetime]:
    """What a flow file says of itself: its sample, and when it was acquired by the instrument's clock, which runs on UTC."""
    sample = read_fcs(data)
    assert sample.acquired is not None
    return sample.sample_id, sample.acquired[0].replace(tzinfo=UTC)


def counter_file(sample: str, at: datetime, viability: Decimal, viable_e6_per_ml: Decimal, operator: str) -> bytes:
    """A cell counter's export with one count."""
    counted = 2000
    viable = int((viability * counted / 100).to_integral_value(ROUND_HALF_EVEN))
    total = (viable_e6_per_ml * 100 / viability).quantize(Decimal("0.0001")) if viability else Decimal(0)
    local = at.replace(tzinfo=None, second=0, microsecond=0)
    one = cell_counter.CellCount(sample, counted, viable, total, viable_e6_per_ml, viability, local, operator)
    return cell_counter.export([one])


def counted(data: bytes, quantity: str) -> Reading:
    """`viability` in percent, or `viable_cells_per_ml`, from the counter's export."""
    (one,) = cell_counter.read(data)
    derivation = Derivation(
        parser=cell_counter.PARSER, parser_version=cell_counter.VERSION, parameters={"row": one.sample}
    )
    value = one.viability if quantity == "viability" else one.viable_e6_per_ml * 1_000_000
    return Reading(format(value.normalize(), "f"), derivation, (f"{one.viable} of {one.counted} cells",))


def plate_file(
    plate_name: str, sample: str, at: datetime, target: str, value: str, unit: str, instrument: str, operator: str
) -> bytes:
    """A plate reader's table: the sample, its spiked twin and two controls."""
    number, censored = value.lstrip("<>"), value[: len(value) - len(value.lstrip("<>"))]
    words = {"negative": "0", "absent": "0", "positive": "1", "present": "1"}
    amount = Decimal(words.get(number, number))
    wells = [
        plate.Well(plate_name, "A1", "sample", sample, target, amount, censored, unit or "1", instrument, operator, at),
        plate.Well(
            plate_name, "A2", "spiked sample", sample, target, amount + 1, "", unit or "1", instrument, operator, at
        ),
        plate.Well(
            plate_name, "B1", "positive control", "PC", target, Decimal(1), "", unit or "1", instrument, operator, at
        ),
        plate.Well(
            plate_name, "B2", "negative control", "NC", target, Decimal(0), "", unit or "1", instrument, operator, at
        ),
    ]
    return plate.export(wells)


def plated(data: bytes, words: tuple[str, str] | None) -> Reading:
    """The sample's value from the table, as a number or as one of two words (for none and for some)."""
    (one,) = [well for well in plate.read(data, wells=4) if well.role == "sample"]
    derivation = Derivation(parser=plate.PARSER, parser_version=plate.VERSION, parameters={"well": one.well})
    value = f"{one.censored}{one.value}" if words is None else words[bool(one.value)]
    return Reading(value, derivation, (one.well,))


def culture_file(bottle: str, sample: str, loaded: datetime, read: datetime, grown: bool, final: bool) -> bytes:
    """The culture system's export for one bottle on one day."""
    status: culture.Status = "positive" if grown else "negative final" if final else "negative to date"
    day = (read - loaded) // timedelta(days=1)
    return culture.export([culture.CultureReading(bottle, sample, loaded, read, day, status, "CULTURE-1")])


def cultured(data: bytes) -> Reading:
    """What the culture system says of the bottle."""
    (one,) = culture.read(data)
    derivation = Derivation(parser=culture.PARSER, parser_version=culture.VERSION, parameters={"bottle": one.bottle})
    return Reading(one.status, derivation, (f"day {one.day}",))
