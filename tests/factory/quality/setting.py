"""A laboratory for tests: lots with samples and bags as their facts say, people, an instrument, a specification."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cellwright.factory import people
from cellwright.factory.definition import ASSUMED, Text
from cellwright.factory.lot.fact import container, life
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.fact import giving, placing
from cellwright.factory.order.pair import ChainAllocated, DonorStatusDecided, Formed
from cellwright.factory.order.scan import Scan
from cellwright.factory.plant.equipment import EquipmentQualified, EquipmentRegistered
from cellwright.factory.portfolio.product import Band, Doses, Market, Pending, Product, ReleasePolicy, Storage
from cellwright.factory.quality.fact import Control, Derivation, RawFile
from cellwright.factory.quality.file import QualityState
from cellwright.factory.quality.laboratory import Qualify
from cellwright.factory.quality.result import AttestResult, RecordResult, VerifyResults
from cellwright.factory.quality.sample import ReceiveSample
from cellwright.factory.quality.specification import Calculation, Specification
from cellwright.factory.quality.specifying import AssignSpecification
from cellwright.factory.record import Body, Fact
from cellwright.factory.release.state import ReleaseState
from cellwright.factory.rule import Decision, Refusal
from tests.factory.quality.made import criterion, dose_by_weight, reported, specification
from tests.factory.world import FakeWorld

FAR = "2030-01-01T00:00:00.000000Z"
DAY = timedelta(days=1)
TEXT = Text(en="Test", zh="测试")


def panel() -> Specification:
    """A small panel with every kind of test: figures, words, calculated values, results that may come later."""
    return specification(
        criterion("viability", ">=", "70", "%", controls=("unstained",)),
        reported("viable_cells", "cells/mL"),
        criterion("car_positive", ">=", "10", "%"),
        criterion("endotoxin", "<=", "3.5", "EU/mL", safety="endotoxin"),
        criterion(
            "endotoxin_per_kg", "<=", "5", "EU/kg/h", safety="endotoxin",
            calculation=Calculation(kind="endotoxin_per_kg_hour", inputs={"endotoxin_per_ml": "endotoxin"}),
        ),
        dose_by_weight(),
        criterion("sterility_in_process", "==", "negative", negative_to_date=True, safety="sterility"),
        criterion(
            "sterility", "==", "negative", required="pending_allowed", due=16 * DAY, interim="sterility_in_process",
            safety="sterility",
        ),
        criterion("mycoplasma", "==", "absent", safety="mycoplasma"),
        criterion("copies_per_cell", "<", "5", "copies/cell", required="pending_allowed", due=21 * DAY),
        id="s1",
        product="p1",
    )  # fmt: skip


GOOD = {
    "viability": ("92", "%"),
    "viable_cells": ("5e6", "cells/mL"),
    "car_positive": ("40", "%"),
    "endotoxin": ("0.05", "EU/mL"),
    "mycoplasma": ("absent", ""),
    "sterility_in_process": ("negative", ""),
    "sterility": ("negative", ""),
    "copies_per_cell": ("1.2", "copies/cell"),
}
"""30 mL, 40 % CAR+, 5e6 per mL: 6.0e7 CAR+ cells, 2.4e6 per kg at 25 kg."""


def product(market: str = "EU", basis: str = "authorised", *pending: str, name: str = "p1") -> Product:
    storage = Storage(max_c=Decimal(-150), basis=ASSUMED)
    allowed = tuple(Pending(test=test, due=14 * DAY, interim_required=test == "sterility") for test in pending)
    return Product(
        id=name, version="1", name=TEXT, modality="car_t", unit="patient_lot", autologous=True, gene_modified=True,
        recipe="r1", recipe_version="1",
        doses=Doses(plan=1, bands=(Band(minimum=Decimal(1), unit="cells", basis=ASSUMED),), basis=ASSUMED),
        gates=(), markets=(Market(code=market, legal_basis=basis, specification="s1", basis=ASSUMED),),  # type: ignore[arg-type]
        release_policy=ReleasePolicy(pending_allowed=allowed, basis=ASSUMED), storage=storage,
        use_window_after_thaw=timedelta(minutes=30), shelf_life=timedelta(days=270), logistics=ASSUMED,
    )  # fmt: skip


@contextmanager
def refused(*codes: str) -> Iterator[Refusal]:
    """The block ends in a refusal with one of these codes; the refusal is handed out filled afterwards."""
    seen = Refusal("", "")
    with pytest.raises(Refusal) as caught:
        yield seen
    assert caught.value.code in codes, f"refused with {caught.value.code}: {caught.value}"
    assert str(caught.value), "every refusal can be read"
    seen.code, seen.text, seen.values = caught.value.code, caught.value.text, caught.value.values


class Laboratory(FakeWorld):
    """A world with a laboratory that is ready, and verbs that do the ordinary thing."""

    def __init__(self, made: Product | None = None, spec: Specification | None = None) -> None:
        super().__init__()
        self.define("s1", spec or panel())
        self.define("p1", made or product())
        for name in ("QC-1", "QC-2", "QC-3"):
            self.person(name, "analyst")
        for name in ("QA-1", "QA-2"):
            self.person(name, "quality_assurance")
        for name in ("AP-1", "AP-2"):
            self.person(name, "authorised_person", qualified=("authorised_person",))
        self.person("OP-1", "operator")
        self.person("DR-1", "physician")
        self.equip("INS-1")
        self.files = 0
        self.do(Qualify(laboratory="bench", tests=("appearance", "viability"), until="2026-12-31", document_sha256="0" * 64),
                "QA-1")  # fmt: skip

    def say(self, stream: str, *bodies: Body) -> None:
        self.record(Fact(stream, body) for body in bodies)

    def equip(self, name: str, until: str = FAR) -> None:
        self.say(
            f"equipment/{name}",
            EquipmentRegistered(equipment_class="flow_cytometer", place="QC", qualification_every="P365D"),
            EquipmentQualified(document="IQ-1", until=until),
        )

    # --- lots
    def patient(self, n: int = 1, weight: str | None = "25", market: str = "EU", donor: str = "eligible") -> str:
        """A lot with two samples and one bag of 30 mL, its record complete; answers the lot's number."""
        pair, order, lot, coi = f"PAIR-{n}", f"ORD-{n}", f"L-{n}", self.issue("coi")
        self.say(
            f"pair/{pair}",
            Formed(pair=pair, donor=f"SUB-{n}", recipient=f"SUB-{n}"),
            DonorStatusDecided(pair=pair, status=donor, legends=("autologous_use_only",), assessor="QA-1"),  # type: ignore[arg-type]
            ChainAllocated(pair=pair, coi=coi, order=order),
        )
        self.say(
            f"order/{order}",
            placing.Placed(pair=pair, product="p1", product_version="1", market=market, basis="authorised",
                           prescriber="DR-1", hospital="H"),
            placing.CoiAllocated(pair=pair, coi=coi, verifier="CO-1"),
        )  # fmt: skip
        if weight is not None:
            self.weigh(lot, weight)
        self.make(lot, coi, pair=pair, order=order, market=market)
        return lot

    def make(self, lot: str, coi: str, *, pair: str, order: str, market: str) -> None:
        made = (
            container.Made(container=f"{lot}-CULTURE", kind="culture", volume_ml="40"),
            container.Made(container=f"{lot}-BAG", kind="final_bag", volume_ml="30", viable_cells="150000000"),
        )
        self.say(
            f"lot/{lot}",
            life.LotIssued(coi=coi, lot=lot, product="p1", product_version="1", recipe="r1", recipe_version="1",
                           recipe_sha256="a" * 64, issued_by="PL-1", checked_by="QA-2", pair=pair, order=order,
                           market=market),
            container.MaterialTransferred(coi=coi, transfer="process", sources=(), made=made, performer="OP-1", verifier="OP-2"),
            *(
                container.SampleDrawn(coi=coi, sample=f"{lot}-S{i}", kind="harvest", tests=(),
                                      container=f"{lot}-CULTURE", volume_ml="1", performer="OP-1", step="harvest")
                for i in (1, 2)
            ),
            life.LotCompleted(labels_issued=2, labels_applied=2, labels_destroyed=0, bags_filled=1, performer="OP-1",
                              verifier="OP-2"),
        )  # fmt: skip

    def weigh(self, lot: str, kg: str) -> None:
        order = f"ORD-{lot.rpartition('-')[2]}"
        day = self.now.date().isoformat()
        self.say(f"order/{order}", giving.Weighed(weight_kg=kg, weighed_on=day, recorded_by="NU-1"))

    def lot(self, number: str) -> LotState:
        return self.load(LotState, number)

    def quality(self, lot: str) -> QualityState:
        return self.load(QualityState, lot)

    def release(self, lot: str) -> ReleaseState:
        return self.load(ReleaseState, lot)

    # --- the laboratory's day
    def receive(self, lot: str, *samples: str, scan: str | None = None) -> Decision | None:
        decision = None
        for sample in samples or (f"{lot}-S1", f"{lot}-S2"):
            decision = self.do(
                ReceiveSample(lot=lot, sample=sample, scan=Scan(text=scan or sample), handed_over_by="OP-1",
                              handed_over_role="operator", condition="intact", temperature_c="4.0"),
                "QC-1",
            )  # fmt: skip
        return decision

    def recording(self, lot: str, test: str, value: str, unit: str = "", **more: Any) -> RecordResult:
        self.files += 1
        at = people.stamp(self.now)
        sample = more.pop("sample", f"{lot}-S1")
        file = RawFile(sha256=f"{self.files:064x}", name=f"{self.files}.fcs", sample=sample, acquired_at=at)
        head: dict[str, Any] = {
            "file": file,
            "derivation": Derivation(parser="fcs", parser_version="1", parameters={"gate": "t1"}),
            "acquired_at": at,
            "method": "m",
            "method_version": "1",
            "assay_version": "1",
            "instrument": "INS-1",
            "controls": (Control(name="unstained", passed=True),) if test == "viability" else (),
        }
        return RecordResult(lot=lot, test=test, value=value, unit=unit, sample=sample, **{**head, **more})

    def record_result(self, lot: str, test: str, value: str, unit: str = "", *, by: str = "QC-1", **more: Any) -> str:
        """Record a result; answers its name."""
        self.do(self.recording(lot, test, value, unit, **more), by)
        return next(reversed(self.quality(lot).results))

    def attesting(self, lot: str, test: str, value: str, unit: str = "", **more: Any) -> AttestResult:
        head: dict[str, Any] = {
            "document_sha256": "d" * 64, "document": "report 7, 2026-03-01", "laboratory": "bench", "method": "m",
            "method_version": "1", "assay_version": "1", "instrument": "visual", "analyst": "QC-2",
            "acquired_at": people.stamp(self.now),
        }  # fmt: skip
        return AttestResult(lot=lot, test=test, value=value, unit=unit, sample=f"{lot}-S1", **{**head, **more})

    def verify(self, lot: str, *results: str, by: str = "QC-2") -> None:
        self.do(VerifyResults(lot=lot, results=results), by)

    def tested(self, lot: str, without: Iterable[str] = (), **changed: tuple[str, str]) -> None:
        """Assign, receive, record, verify: the whole panel, but for what is left out or changed."""
        self.do(AssignSpecification(lot=lot), "QA-1")
        self.receive(lot)
        figures = {test: f for test, f in {**GOOD, **changed}.items() if test not in set(without)}
        names = [self.record_result(lot, test, value, unit) for test, (value, unit) in figures.items()]
        self.verify(lot, *names)
