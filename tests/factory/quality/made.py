"""Specifications and results made for tests; figures are those of the published panels the tests cite."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from cellwright.factory.definition import Basis, Text
from cellwright.factory.quality.calculation import Dose, Recipient
from cellwright.factory.quality.evaluation import Evidence
from cellwright.factory.quality.part import Culture, Result
from cellwright.factory.quality.specification import Alternative, Calculation, Criterion, Specification, WeightBand

TODAY = date(2026, 3, 2)
SHA = "0" * 64


def text(words: str) -> Text:
    return Text(en=words, zh=words)


def criterion(code: str, operator: Any, limit: str = "", unit: str = "", **more: Any) -> Criterion:
    return Criterion(
        code=code, name=text(code), operator=operator, limit=limit, unit=unit, basis=Basis(grade="X"), **more
    )


def alternative(code: str, operator: Any, limit: str, unit: str) -> Alternative:
    return Alternative(code=code, name=text(code), operator=operator, limit=limit, unit=unit)


def specification(*tests: Criterion, **more: Any) -> Specification:
    head: dict[str, Any] = {
        "id": "spec-test",
        "version": "1",
        "name": text("test"),
        "product": "car-t-19",
        "market": "CN",
        "indication": "r/r B-ALL",
        "effective_from": date(2026, 1, 1),
    }
    return Specification(**{**head, **more}, tests=tests)


def result(test: str, value: str, unit: str = "", **more: Any) -> Result:
    head: dict[str, Any] = {
        "id": f"R-{test}",
        "sample": "S-1",
        "sample_kind": "harvest",
        "sampling_point": "harvest",
        "origin": "recomputed",
        "method": "m",
        "method_version": "1",
        "assay_version": "1",
        "instrument": "INS-1",
        "analyst": "QC-1",
        "acquired_at": "2026-03-01T00:00:00.000000Z",
        "recorded_at": "2026-03-01T01:00:00.000000Z",
        "evidence": SHA,
        "status": "verified",
    }
    return Result(**{**head, **more}, test=test, value=value, unit=unit)


def evidence(
    *results: Result,
    cultures: tuple[Culture, ...] = (),
    bags_ml: tuple[str, ...] = ("30",),
    hours: str | None = None,
    weight_kg: str | None = "70",
    weight_on: date | None = TODAY,
) -> Evidence:
    dose = Dose(number=1, volumes_ml=tuple(map(Decimal, bags_ml)), hours=None if hours is None else Decimal(hours))
    weight = None if weight_kg is None else Decimal(weight_kg)
    return Evidence(results, cultures, (dose,), Recipient(weight_kg=weight, weight_on=weight_on), TODAY)


def dose_by_weight() -> Criterion:
    """CTL019 in B-ALL: 0.2 to 5.0e6 per kg up to 50 kg, 0.1 to 2.5e8 above (requirements, section 4)."""
    return criterion(
        "dose",
        "by_weight",
        by_weight=(
            WeightBand(operator="between", unit="cells/kg", low=Decimal("2e5"), high=Decimal("5e6"), up_to_kg=Decimal(50)),
            WeightBand(operator="between", unit="cells", low=Decimal("1e7"), high=Decimal("2.5e8")),
        ),
        calculation=Calculation(
            kind="dose", inputs={"viable_cells_per_ml": "viable_cells", "positive_percent": "car_positive"}
        ),
    )  # fmt: skip


def reported(code: str, unit: str, **more: Any) -> Criterion:
    return criterion(code, "report", unit=unit, **more)


def ari_0001() -> Specification:
    """ARI-0001, Hospital Clinic Barcelona (PMC6319086, Table 2)."""
    return specification(
        criterion("car_positive_cells", ">=", "35000000", "cells"),
        criterion("car_positive", ">=", "20", "%"),
        criterion("cd3", ">=", "70", "%"),
        criterion("viability", ">=", "70", "%"),
        criterion("sterility", "==", "sterile", safety="sterility"),
        criterion("mycoplasma", "==", "absent", safety="mycoplasma"),
        criterion("endotoxin", "<=", "0.5", "EU/mL", safety="endotoxin"),
        criterion("adventitious_viruses", "==", "absent"),
        criterion("copies_per_cell", "<=", "10", "copies/cell"),
        criterion("rcl", "==", "absent", safety="replication_competent_virus"),
        criterion(
            "potency",
            "any_of",
            any_of=(
                alternative("surviving_fraction_1_1", "<", "70", "%"),
                alternative("difference_4_1", ">", "50", "%"),
            ),
        ),
    )


def humanized_cd19() -> Specification:
    """Humanized CD19 CAR-T (PMC12456031, Table 2)."""
    return specification(
        criterion("rcl", "==", "negative", safety="replication_competent_virus"),
        criterion("sterility", "==", "negative", safety="sterility"),
        criterion("mycoplasma", "==", "negative", safety="mycoplasma"),
        criterion("transduction", ">=", "10", "%"),
        criterion("car_copies", ">", "5", "copies/100 ng"),
        criterion("viability", ">", "70", "%"),
        criterion("beads", "<", "100", "per 3e6 cells"),
        criterion("interferon_gamma", ">", "50", "pg/mL"),
        criterion("killing", ">", "50", "%"),
    )


def all_of(figures: Mapping[str, tuple[str, str]]) -> tuple[Result, ...]:
    return tuple(result(test, value, unit) for test, (value, unit) in figures.items())


def culture(test: str, status: Any, **more: Any) -> Culture:
    head: dict[str, Any] = {
        "id": f"C-{test}",
        "sample": "S-1",
        "started_at": "2026-02-20T00:00:00.000000Z",
        "ends_at": "2026-03-06T00:00:00.000000Z",
        "method": "m",
        "method_version": "1",
        "assay_version": "1",
        "instrument": "INC-1",
    }
    return Culture(**{**head, **more}, test=test, status=status)


DAY = timedelta(days=1)
