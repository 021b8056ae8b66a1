"""Simulated raw data to try the assays on: each file says SIMULATED inside, and the numbers are the same for one seed."""

import math
from typing import Final

import numpy as np

STAMP: Final = "SIMULATED, NOT FOR HUMAN USE"


def example_files(seed: int = 1) -> dict[str, str]:
    """Name -> text of a bioassay, droplet counts, a kinetic endotoxin plate and a series of lots."""
    random = np.random.default_rng(seed)
    return {
        "bioassay.txt": _bioassay(random),
        "droplets.csv": _droplets(random),
        "endotoxin.csv": _endotoxin(random),
        "viability.csv": _series(random),
    }


def _bioassay(random: np.random.Generator) -> str:
    """Parallel lines, four doses in steps of 2, five replicates; the test preparation is 1.2 times the standard."""
    rows = ["Replicate " + " ".join(f"{name}{rank}" for name in "ST" for rank in range(1, 5))]
    for number in range(1, 6):
        cells = [
            100 + 30 * math.log(strength * 2**rank) + random.normal(0, 2)
            for strength in (1.0, 1.2)
            for rank in range(4)
        ]
        rows.append(f"Row-{number} " + " ".join(f"{cell:.1f}" for cell in cells))
    stated = {
        "Model": "Parallel lines", "Design": "Completely randomised", "Transformation": "y' = y", "DilutionRatio": "2",
        "Direction": "increasing", "Factor": "100", "ResultOfAssay": STAMP,
    }  # fmt: skip
    return "\n".join([*rows, "", *(f'# {name} "{text}"' for name, text in stated.items())]) + "\n"


def _droplets(random: np.random.Generator) -> str:
    """Two wells of a duplex with 1.6 vector copies per cell: 0.08 and 0.1 copies per droplet."""
    rows = ["exper,replicate,assay,n,k,v,comment"]
    for well in (1, 2):
        for target, mean in (("CAR", 0.08), ("RPP30", 0.1)):
            counted = int(random.integers(17000, 19000))
            positive = int(random.binomial(counted, -math.expm1(-mean)))
            rows.append(f"LOT-1,{well},{target},{counted},{positive},0.85,{STAMP.replace(',', ';')}")
    return "\n".join(rows) + "\n"


def _endotoxin(random: np.random.Generator) -> str:
    """Four standards, silent blanks, a sample below the lowest standard at 1 in 100, its spike of 0.5 EU/mL."""
    rows = ["Well,Role,Sample,Nominal (EU/mL),Dilution,Onset Time (s),Comment"]

    def onset(concentration: float) -> str:
        return f"{10 ** (3.095 - 0.26 * math.log10(concentration) + random.normal(0, 0.002)):.0f}"

    def row(well: str, role: str, sample: str, nominal: str, dilution: int, time: str) -> None:
        rows.append(f"{well},{role},{sample},{nominal},{dilution},{time},{STAMP.replace(',', ';')}")

    for letter, amount in zip("ABCD", ("5", "0.5", "0.05", "0.005"), strict=True):
        for column in (1, 2):
            row(f"{letter}{column}", "Standard", f"{amount} EU/mL", amount, 1, onset(float(amount)))
    for column in (1, 2):
        row(f"E{column}", "Blank", "water", "", 1, "***")
        row(f"F{column}", "Sample", "LOT-1", "", 100, onset(0.012))
        row(f"G{column}", "PPC", "LOT-1", "0.5", 100, onset(0.512))
    return "\n".join(rows) + "\n"


def _series(random: np.random.Generator) -> str:
    """Viability of 40 lots in control."""
    rows = ["lot,value,comment"]
    rows += [f"LOT-{number},{random.normal(91, 1.5):.1f},{STAMP.replace(',', ';')}" for number in range(1, 41)]
    return "\n".join(rows) + "\n"
