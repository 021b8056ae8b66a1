"""A simulated CAR-T sample on a simulated cytometer, for tutorials, tests and the demonstration. Not for human use.

Events are drawn with known populations and spilled over, written as an instrument would write them, and labelled as
simulated inside the file. With `clear` populations no event lies on the wrong side of a bound of the panel's gates, so the
gated counts are exactly those asked for; otherwise populations overlap as they do in life, and the labels tell which is which.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from cellwright.cytometry.compensation import Spillover, to_keyword
from cellwright.cytometry.fcs import Channel
from cellwright.cytometry.fcs_write import encode_fcs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Columns = dict[str, NDArray[np.float32]]
    Labels = dict[str, NDArray[np.bool_]]

SPILLOVER: Final = Spillover(
    ("FL1-A", "FL2-A", "FL3-A", "FL4-A", "FL5-A", "FL6-A", "FL7-A"),
    (
        (1.0, 0.12, 0.02, 0.0, 0.0, 0.0, 0.0),
        (0.04, 1.0, 0.15, 0.0, 0.0, 0.01, 0.0),
        (0.0, 0.03, 1.0, 0.06, 0.0, 0.0, 0.0),
        (0.0, 0.0, 0.01, 1.0, 0.18, 0.0, 0.0),
        (0.0, 0.0, 0.0, 0.05, 1.0, 0.02, 0.04),
        (0.01, 0.0, 0.0, 0.0, 0.01, 1.0, 0.0),
        (0.0, 0.0, 0.02, 0.0, 0.03, 0.0, 1.0),
    ),
)
"""Made up, of the size that neighbouring dyes have."""
STAINS: Final = {
    "FSC-A": "", "FSC-H": "", "SSC-A": "", "FL1-A": "Viability", "FL2-A": "CD45", "FL3-A": "CD3", "FL4-A": "CAR",
    "FL5-A": "CD8", "FL6-A": "CD20", "FL7-A": "CD4", "Time": "",
}  # fmt: skip
"""Channel -> marker of the panel."""
BOUND: Final = 1_500.0
"""The bound between negative and positive that `clear` events keep away from, on every marker."""
TOP: Final = 262_144.0
MARKER: Final = "CELLWRIGHT SIMULATED"


@dataclass(frozen=True, slots=True)
class Cells:
    """What a sample is made of, in numbers of events.

    Attributes:
        events: in all; what is none of the others is debris.
        doublets: pairs of cells that pass as one.
        dead: single cells that take up the viability dye.
        living: single living cells, all CD45-positive.
        cd3, car, cd8: CD3-positive among the living; CAR- and CD8-positive among those; the rest of those is CD4-positive.
        b_cells: CD20-positive, CD3-negative among the living.
        beads: counting beads.
    """

    events: int = 20_000
    doublets: int = 300
    dead: int = 800
    living: int = 17_000
    cd3: int = 16_500
    car: int = 6_600
    cd8: int = 6_000
    b_cells: int = 8
    beads: int = 1_000

    def __post_init__(self) -> None:
        fits = self.doublets + self.dead + self.living + self.beads <= self.events
        inside = self.cd3 + self.b_cells <= self.living and max(self.car, self.cd8) <= self.cd3
        if not fits or not inside or min(self.doublets, self.dead, self.car, self.cd8, self.b_cells, self.beads) < 0:
            raise ValueError(f"{self} does not add up")


def draw(cells: Cells, seed: int, *, clear: bool = True) -> tuple["Columns", "Labels"]:
    """Events in the order of acquisition.

    Returns:
        Values by channel, and by population which events belong to it: `doublet`, `dead`, `living`, `cd3`, `car`, `cd8`,
        `b_cell`, `bead`, `debris`.
    """
    import numpy as np

    random = np.random.Generator(np.random.PCG64(seed))
    labels = _labels(cells, random)
    total = cells.events
    # Beads carry every colour, as counting beads do; their scatter sets them apart.
    positive = {
        "FL1-A": labels["dead"] | labels["bead"],
        "FL2-A": labels["living"] | labels["dead"] | labels["doublet"] | labels["bead"],
        "FL3-A": labels["cd3"] | labels["bead"],
        "FL4-A": labels["car"] | labels["bead"],
        "FL5-A": labels["cd8"] | labels["bead"],
        "FL6-A": labels["b_cell"] | labels["bead"],
        "FL7-A": (labels["cd3"] & ~labels["cd8"]) | labels["bead"],
    }
    light = np.empty((total, len(positive)))
    for n, mask in enumerate(positive.values()):
        strong = BOUND * random.lognormal(2.2, 0.45, total)
        weak = random.normal(120, 160, total)
        if clear:
            strong, weak = np.maximum(strong, 1.2 * BOUND), np.minimum(weak, 0.8 * BOUND)
        light[:, n] = np.where(mask, np.minimum(strong, 0.9 * TOP), weak)
    seen = light @ np.array(SPILLOVER.matrix)
    columns = _scatter(labels, random, clear=clear) | dict(zip(SPILLOVER.detectors, seen.T, strict=True))
    columns["Time"] = np.sort(random.uniform(0, 6000, total))
    order = random.permutation(total)
    shuffled = {name: columns[name] if name == "Time" else columns[name][order] for name in STAINS}
    kept = {name: values.astype(np.float32) for name, values in shuffled.items()}
    return kept, {name: mask[order] for name, mask in labels.items()}


def simulated_fcs(cells: Cells, seed: int, sample: str, at: datetime, cytometer: str) -> bytes:
    """The bytes of an FCS 3.1 file that says of itself that it is simulated.

    Args:
        at: when it was acquired, by the instrument's clock.
    """
    columns, _labels = draw(cells, seed)
    return encode(columns, sample, at, cytometer)


def encode(columns: "Columns", sample: str, at: datetime, cytometer: str) -> bytes:
    """Drawn events as the bytes of an FCS 3.1 file that says of itself that it is simulated."""
    channels = [
        Channel(name, stain=stain, range=TOP, step=0.01 if name == "Time" else 1.0) for name, stain in STAINS.items()
    ]
    text = {
        "$SMNO": sample, "$CYT": cytometer, "$DATE": at.strftime("%d-%b-%Y").upper(), "$BTIM": at.strftime("%H:%M:%S"),
        "$ETIM": at.strftime("%H:%M:%S"), "$SPILLOVER": to_keyword(SPILLOVER), MARKER: "not for human use",
    }  # fmt: skip
    return encode_fcs([columns[name] for name in STAINS], channels, text=text)


def _labels(cells: Cells, random: "np.random.Generator") -> "Labels":
    """Populations as blocks of events; inside of the living, subsets chosen by chance."""
    import numpy as np

    labels, at = {}, 0
    debris = cells.events - cells.doublets - cells.dead - cells.living - cells.beads
    sizes = {
        "living": cells.living,
        "dead": cells.dead,
        "doublet": cells.doublets,
        "bead": cells.beads,
        "debris": debris,
    }
    for name, size in sizes.items():
        labels[name] = np.zeros(cells.events, np.bool_)
        labels[name][at : at + size] = True
        at += size
    for name, begin, among, size in (
        ("cd3", 0, cells.cd3, cells.cd3),
        ("car", 0, cells.cd3, cells.car),
        ("cd8", 0, cells.cd3, cells.cd8),
        ("b_cell", cells.cd3, cells.living - cells.cd3, cells.b_cells),
    ):
        labels[name] = np.zeros(cells.events, np.bool_)
        labels[name][begin + random.permutation(among)[:size]] = True
    return labels


def _scatter(labels: "Labels", random: "np.random.Generator", *, clear: bool) -> dict[str, "NDArray[np.float64]"]:
    import numpy as np

    total = len(labels["living"])
    height = np.where(labels["debris"], random.normal(18_000, 5_000, total), random.normal(90_000, 11_000, total))
    height = np.where(labels["bead"], random.normal(35_000, 1_500, total), height)
    side = np.where(labels["debris"], random.normal(15_000, 6_000, total), random.normal(42_000, 9_000, total))
    side = np.where(labels["bead"], random.normal(180_000, 5_000, total), side)
    if clear:
        height = np.where(labels["debris"], height.clip(2_000, 40_000), height)
        height = np.where(labels["living"] | labels["dead"] | labels["doublet"], height.clip(60_000, 120_000), height)
        side = np.where(labels["bead"], side.clip(150_000, 230_000), side.clip(2_000, 110_000))
    wide = np.where(labels["doublet"], random.normal(1.75, 0.06, total), random.normal(1.05, 0.02, total))
    if clear:
        wide = np.where(labels["doublet"], wide.clip(1.55, 2.0), wide.clip(0.97, 1.13))
    return {"FSC-A": height * wide, "FSC-H": height, "SSC-A": side}
