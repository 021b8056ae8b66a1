"""The simulated instruments: each writes the file its real counterpart would write, and the value is read back from it.

Nothing reaches a result that did not go through a file and its parser (R017). The events of a flow file are drawn so
that the gated counts give exactly the percentage asked for; the files say `SIMULATED` in themselves.
"""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from cellwright.cytometry import Dimension, GatingStrategy, Node, Range, Rectangle, encode_fcs, gate_sample, read_fcs
from cellwright.cytometry import fcs as fcs_reader
from cellwright.factory.quality.fact import Derivation
from cellwright.instrument import cell_counter, culture, plate

FLOW_EVENTS = 20_000
"""Events of one flow file (E20)."""
CHANNELS = ("FSC-A", "Viability-A", "CD3-A", "CAR-A", "CD8-A", "CD20-A")
GATES = {
    "cells": ("", {"FSC-A": (20_000.0, 262_144.0)}),
    "living": ("cells", {"Viability-A": (-1e9, 1_000.0)}),
    "cd3_positive": ("living", {"CD3-A": (2_000.0, 1e9)}),
    "car_positive": ("cd3_positive", {"CAR-A": (1_500.0, 1e9)}),
    "cd8_positive": ("cd3_positive", {"CD8-A": (2_000.0, 1e9)}),
    "residual_b_cells": ("living", {"CD3-A": (-1e9, 2_000.0), "CD20-A": (2_000.0, 1e9)}),
}
"""The template of the demonstration's flow panel: gate -> parent, ranges on the raw scale."""
STRATEGY = GatingStrategy(
    {
        name: Node(Rectangle(tuple(Range(Dimension(channel), *bounds) for channel, bounds in ranges.items())), parent)
        for name, (parent, ranges) in GATES.items()
    }
)
RESIDUAL_LIMIT = 5
"""Events in the residual gate below which the demonstration calls it negative [assumption]."""
PARENTS = {"cd3_positive": "living", "car_positive": "cd3_positive", "cd8_positive": "cd3_positive"}


class Reading(NamedTuple):
    """A value as the parser gives it, how it follows from the file, and the numbers behind it."""

    value: str
    derivation: Derivation
    behind: tuple[str, ...] = ()


def flow_file(sample: str, at: datetime, seed: int, percent: dict[str, Decimal], instrument: str) -> bytes:
    """An FCS 3.1 file of 20,000 events with exactly these percentages in the template's gates.

    Args:
        percent: `cd3_positive` of living cells, `car_positive` and `cd8_positive` of CD3-positive ones.
    """
    import numpy as np

    random = np.random.Generator(np.random.PCG64(seed))
    living = FLOW_EVENTS - 400
    cd3 = _share(percent.get("cd3_positive", Decimal(98)), living)
    car = _share(percent.get("car_positive", Decimal(0)), cd3)
    cd8 = _share(percent.get("cd8_positive", Decimal(40)), cd3)
    events = np.empty((FLOW_EVENTS, len(CHANNELS)), np.float32)
    events[:, 0] = random.uniform(60_000, 200_000, FLOW_EVENTS)
    events[:, 5] = random.normal(400.0, 150.0, FLOW_EVENTS).clip(-2_000.0, 1_800.0)
    for column, positive, cut in (
        (1, FLOW_EVENTS - living, 1_000.0),
        (2, cd3, 2_000.0),
        (3, car, 1_500.0),
        (4, cd8, 2_000.0),
    ):
        values = random.normal(cut * 0.2, cut * 0.1, FLOW_EVENTS).clip(-cut, cut * 0.9)
        chosen = slice(living, None) if column == 1 else random.permutation(living if column == 2 else cd3)[:positive]
        values[chosen] = cut * random.lognormal(1.5, 0.4, positive).clip(1.1, 60)
        events[:, column] = values
    # CD3-positive cells come first, so that the permutations of CAR and CD8 above fall inside them.
    order = np.argsort(events[:living, 2] < 2_000.0, kind="stable")
    events[:living, 2] = events[:living, 2][order]
    text = {
        "$SMNO": sample, "$CYT": instrument, "$DATE": at.strftime("%d-%b-%Y").upper(), "$BTIM": at.strftime("%H:%M:%S"),
        "CELLWRIGHT SIMULATED": "not for human use",
    }  # fmt: skip
    return encode_fcs(events, CHANNELS, text=text)


def _share(percent: Decimal, of: int) -> int:
    return int((percent * of / 100).to_integral_value(ROUND_HALF_EVEN))


def flow(data: bytes, population: str) -> Reading:
    """The percentage of a population among its parent, from the file."""
    counts = gate_sample(read_fcs(data), STRATEGY).counts
    if population == "residual_b_cells":
        found = counts[population]
        word = "negative" if found < RESIDUAL_LIMIT else "positive"
        return Reading(word, _template(), (f"{found} of {counts['living']} events",))
    inside, among = counts[population], counts[PARENTS[population]]
    value = (Decimal(100) * inside / among).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    return Reading(str(value), _template(), (f"{inside} of {among} events",))


def _template() -> Derivation:
    gates = {name: f"{parent}{ranges}" for name, (parent, ranges) in GATES.items()}
    return Derivation(parser=fcs_reader.PARSER, parser_version=fcs_reader.VERSION, parameters=gates)


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
