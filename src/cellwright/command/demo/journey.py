"""The ordinary way of one patient, strung together from its parts; `story` bends it where something happens."""

from collections.abc import Iterable
from decimal import Decimal

from cellwright.command.demo.course import Acts, Patient
from cellwright.command.demo.giving import Giving
from cellwright.command.demo.making import Figures, Making
from cellwright.command.demo.published import PublishedLot, viable_cells
from cellwright.command.demo.setting import Setting
from cellwright.command.demo.testing import Testing
from cellwright.factory.quality.specification import Specification

CAR_PERCENT = "40.0"
"""Transgene-positive percentage of simulated lots, where nothing else is said [simulated]."""
PENDING = frozenset({"sterility", "mycoplasma", "vector_copies_per_cell"})
"""Tests of the fresh CD20 product whose results come after release, by its published rules (PMC11461191)."""
SIMULATED_CELLS = {
    "CAR-T-19": Decimal("5000000"), "aT19": Decimal("5000000"), "HCAR19": Decimal("20000000"), "ARI-0001": Decimal("60000000"),
}  # fmt: skip
"""Viable cells per kg of body weight in a simulated lot: with 40 % transgene-positive cells inside the dose limits."""
EAL_CELLS = Decimal("40000000000")
"""Viable cells of a simulated EAL lot: 2e9 in each of twenty doses."""


class Way:
    """A patient with everything that acts for them, and the parts of the way in their order."""

    def __init__(self, patient: Patient, setting: Setting, published: PublishedLot | None = None) -> None:
        self.patient = patient
        self.setting = setting
        self.published = published
        patient.codes = setting.codes
        patient.materials = {code: lots[0] for code, lots in setting.materials.items()}
        values = dict(published.results) if published else self._values()
        self.making = Making(patient, setting.plant, self._figures())
        self.testing = Testing(patient, setting.plant, values)
        self.giving = Giving(patient, self.making)

    def _values(self) -> dict[str, str]:
        gene_modified = {"car_positive": CAR_PERCENT, "cd19_transgene_positive": CAR_PERCENT}
        usual = {
            "beads_counted": "20", "cells_examined": "3000000", "viability": "94", "vector_copies_per_cell": "1.2",
        }  # fmt: skip
        return usual if self.patient.product_id == "EAL" else {**gene_modified, **usual}

    def _figures(self) -> Figures:
        if self.published is not None:
            cells = viable_cells(self.published) or self._cells()
            return Figures(cells, Decimal(self.published.viability), self.published.source)
        return Figures(self._cells())

    def _cells(self) -> Decimal:
        if self.patient.product_id == "EAL":
            return EAL_CELLS
        if self.patient.product_id == "CD20-CAR":
            return self._aimed_at()
        return SIMULATED_CELLS[self.patient.product_id] * Decimal(self.patient.weight_kg)

    def _aimed_at(self) -> Decimal:
        """Cells that give exactly the dose the specification aims at."""
        name = self.patient.product().market(self.patient.market)
        assert name is not None
        aim = self.patient.site.desk.definition(Specification, name.specification).test("dose_percent").calculation
        assert aim is not None and aim.target is not None
        weight = Decimal(self.patient.weight_kg) if aim.target_unit == "cells/kg" else Decimal(1)
        return aim.target * weight * 100 / Decimal(CAR_PERCENT)

    # --- parts

    def until_order(self) -> Acts:
        yield from self.patient.registered()
        yield from self.patient.donor_tested()
        yield from self.patient.ordered()

    def until_receipt(self, days: int = 1, bags: int = 1) -> Acts:
        yield from self.until_order()
        yield from self.collected(days, bags)

    def collected(self, days: int = 1, bags: int = 1) -> Acts:
        yield from self.patient.collected(days, bags)
        yield from self.patient.received()

    def until_made(self, days: int = 1, bags: int = 1) -> Acts:
        yield from self.until_receipt(days, bags)
        yield from self.made()

    def made(self) -> Acts:
        yield from self.making.issued()
        yield from self.making.made()

    def tested(self) -> Acts:
        """Everything before release; of the fresh product the cultures of day 10 are negative to date."""
        yield from self.testing.begun()
        self.counted()
        if self.patient.product_id == "CD20-CAR":
            yield from self.testing.measured(PENDING)
            yield from self.testing.verified()
            yield from self.testing.until_day("sterility_day10", 1)
            yield from self.testing.culture_read("sterility_day10")
            return
        yield from self.testing.measured()
        yield from self.testing.verified()
        yield from self.testing.cultured()

    def counted(self) -> None:
        """The concentration in the bags follows from the cells that were filled."""
        volume = sum((bag.volume_ml for bag in self.making.lot.bags), Decimal(0))
        per_ml = self.making.figures.viable_cells / volume
        self.testing.values.setdefault("viable_cells_per_ml", f"{per_ml:.0f}")

    def released(self) -> Acts:
        if self.patient.product_id == "CD20-CAR":
            yield from self.giving.released_pending()
        else:
            yield from self.giving.released()

    def given(self, bags: Iterable[str] | None = None) -> Acts:
        yield from self.giving.delivered(bags)
        if not self.patient.product().fresh:
            yield from self.giving.cleared()
        yield from self.giving.infused()

    def ended(self) -> Acts:
        if self.patient.product_id == "CD20-CAR":
            yield from self.arrived()
        yield from self.giving.ended()

    def arrived(self) -> Acts:
        """The awaited results arrive, pass, and the release is completed."""
        yield from self.awaited()
        yield from self.testing.cultured()
        yield from self.giving.completed()

    def awaited(self) -> Acts:
        """The awaited tests are measured or begun."""
        for code, acceptance, criterion in self.testing.asked():
            if code in PENDING:
                if criterion.method == "automated_culture":
                    yield from self.testing.started(code, criterion)
                else:
                    yield from self.testing.result(code, acceptance, criterion)
        yield from self.testing.verified()

    # --- the whole

    def ordinary(self) -> Acts:
        """From the order to the closed order, with nothing out of the way."""
        yield from self.until_made()
        yield from self.tested()
        yield from self.released()
        yield from self.given()
        yield from self.ended()
