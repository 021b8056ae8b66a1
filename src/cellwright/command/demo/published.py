"""Published figures of released lots, with their sources; what is not printed there is simulated around them.

ARI-0001: PMC6319086, Table 2 (validation batches). HCAR19: PMC12456031, Table 2. Targets of the other products follow
from their specifications and are simulated.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple


class PublishedLot(NamedTuple):
    """One published lot.

    Attributes:
        name: as the paper calls it.
        product: our product id.
        source: where the figures stand.
        viability: percent.
        car_cells: CAR-positive cells of the lot; None where the paper has none.
        results: test code -> value as printed.
    """

    name: str
    product: str
    source: str
    viability: str
    car_cells: str | None
    results: Mapping[str, str]


def _ari(name: str, cells: str, car: str, cd3: str, viability: str, copies: str, a: str, b: str) -> PublishedLot:
    results = {
        "car_positive": car, "cd3_positive": cd3, "viability": viability, "vector_copies_per_cell": copies,
        "potency_survival_1_1": a, "potency_difference_4_1": b,
    }  # fmt: skip
    return PublishedLot(name, "ARI-0001", "PMC6319086 Table 2", viability, cells, results)


def _hcar19(name: str, car: str, viability: str, beads: str) -> PublishedLot:
    results = {
        "car_positive": car, "viability": viability, "beads_counted": beads, "cells_examined": "3000000",
    }  # fmt: skip
    return PublishedLot(f"HCAR19 {name}", "HCAR19", "PMC12456031 Table 2", viability, None, results)


PUBLISHED: Final = (
    _ari("ARI0001/01", "1495000000", "26.0", "97.9", "97.9", "1.45", "14.9", "90.9"),
    _ari("ARI0001/02", "1746000000", "41.9", "98.6", "98.1", "2.32", "40.4", "64.6"),
    _ari("ARI0001/03", "1340000000", "39.7", "98.6", "98.0", "2.51", "43.0", "67.0"),
    _hcar19("1", "23", "91", "0"),
    _hcar19("2", "33", "96.3", "57"),
    _hcar19("3", "30", "94", "16"),
)
"""The six lots of the demonstration's story; the papers released all of them."""


def viable_cells(lot: PublishedLot) -> Decimal | None:
    """Viable cells that go with the published CAR-positive cells and percentage (derived: cells over fraction)."""
    if lot.car_cells is None:
        return None
    return Decimal(lot.car_cells) * 100 / Decimal(lot.results["car_positive"])
