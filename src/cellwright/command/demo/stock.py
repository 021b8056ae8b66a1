"""The antibody MIL62: one stock lot of some litres, made by its recipe, tested and released, and nobody's in particular (D2).

Process, volumes and results are simulated; nothing of the real ones is published. Every claim of the lot carries
`stock/…`: a patient's container scanned on its way is somebody else's, and stops the work like any other.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from cellwright.command.demo.course import Acts, Patient, body
from cellwright.command.demo.giving import Giving
from cellwright.command.demo.making import Doing, Figures, Making
from cellwright.command.demo.setting import Setting
from cellwright.command.demo.testing import Testing
from cellwright.factory.lot.issue import IssueLot
from cellwright.factory.quality.specifying import AssignSpecification

PRODUCT: Final = "MIL62"
MARKET: Final = "CN"
VOLUMES_ML: Final = {"culture": Decimal(5_000), "bulk": Decimal(40_000)}
"""Seed culture and drug substance [assumption]."""
RESULTS: Final = {"protein": "25.1", "purity_sec": "99.2", "potency_adcc": "98", "endotoxin": "0.1"}
"""Values of the simulated lot."""


class StockMaking(Making):
    """Making that begins from a bank and ends in a drug substance; no patient's cells come in."""

    def issued(self) -> Acts:
        issue = IssueLot(stock=PRODUCT.lower(), product=PRODUCT, checked_by="QA-2")
        outcome = yield from self.patient.do(issue, "PL-1")
        self.patient.lot = body(outcome, "lot.issued")["lot"]

    def begun(self) -> Doing:
        self.current = ()
        yield from ()

    def volumes(self, kinds: Sequence[str], total: Decimal) -> list[Decimal]:
        return [VOLUMES_ML[kind] for kind in kinds]


class StockLot:
    """The stock lot of the demonstration, from its issue to its release."""

    def __init__(self, patient: Patient, setting: Setting) -> None:
        self.patient = patient
        patient.codes = setting.codes
        patient.materials = {code: lots[0] for code, lots in setting.materials.items()}
        self.making = StockMaking(patient, setting.plant, Figures(Decimal(0), Decimal("97.5")))
        self.testing = Testing(patient, setting.plant, RESULTS)
        self.giving = Giving(patient, self.making)

    def made(self) -> Acts:
        """The whole way of the lot."""
        yield from self.making.issued()
        yield from self.making.made()
        assign = AssignSpecification(lot=self.patient.lot, market=MARKET)
        yield from self.patient.do(assign, "QA-3")
        yield from self.testing.taken_over_all()
        yield from self.testing.measured()
        yield from self.testing.verified()
        yield from self.testing.cultured()
        yield from self.giving.released()
