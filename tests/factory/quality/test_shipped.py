"""The specifications that ship: the published lots pass them, and figures just outside do not."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import cellwright
from cellwright.factory.definition import read
from cellwright.factory.quality.evaluation import evaluate
from cellwright.factory.quality.part import Result
from cellwright.factory.quality.specification import Acceptance, Criterion, Specification
from tests.factory.quality.made import evidence, result

FOLDER = Path(cellwright.__path__[0]) / "shipped" / "specification"
FILES = sorted(FOLDER.glob("*.yaml"))


def shipped(name: str) -> Specification:
    return read(Specification, (FOLDER / name).read_text(encoding="utf-8"), name)


def complying(limit: Acceptance) -> str:
    """A value that just complies, for tests whose figures were published as complying only."""
    if limit.operator in ("<", ">"):
        step = Decimal("0.1") if limit.operator == ">" else Decimal("-0.1")
        return str(Decimal(limit.limit) + step)
    return str(limit.low) if limit.operator == "between" else limit.limit


def made(spec: Specification, figures: Mapping[str, tuple[str, str]]) -> tuple[Result, ...]:
    """One verified result for each measured test, with its controls, on its sample; figures override what complies."""
    results = []
    for test in spec.tests:
        if test.calculation is not None:
            continue
        for one in test.any_of or (test,):
            value, unit = figures.get(one.code, (complying(one), one.unit))
            controls = dict.fromkeys((*test.controls, *one.controls), "passed")
            results.append(_result(test, one.code, value, unit, controls))
    return tuple(results)


def _result(test: Criterion, code: str, value: str, unit: str, controls: dict[str, str]) -> Result:
    return result(
        code, value, unit, controls=controls, method=test.method, method_version=test.method_version,
        sample_kind=test.sample_kind, sampling_point=test.sampling_point, sample=f"S-{test.sample_kind}",
    )  # fmt: skip


def lots(shared_data: Path, index: int) -> list[dict[str, Any]]:
    file = shared_data / "quality" / "release_specs" / "specs.json"
    found: dict[str, dict[str, Any]] = json.loads(file.read_text(), parse_float=str, parse_int=str)[index]["batches"]
    return list(found.values())


@pytest.mark.requirement("R100")
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_shipped_specification_reads_and_speaks_both_languages(path: Path) -> None:
    spec = shipped(path.name)
    assert spec.market
    for language in ("en", "zh"):
        assert len(list(spec.sentences(language))) == len(spec.tests)  # type: ignore[arg-type]


def ari(figures: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """The published CAR+ cells as a concentration in one millilitre: cells = concentration x CAR % / 100."""
    viable = Decimal(figures["cells"]) * 100 / Decimal(figures["CAR%"])
    return {
        "viable_cells_per_ml": (str(viable.quantize(Decimal(1))), "cells/mL"),
        "car_positive": (figures["CAR%"], "%"),
        "cd3_positive": (figures["CD3%"], "%"),
        "viability": (figures["viability"], "%"),
        "vector_copies_per_cell": (figures["VCN"], "copies/cell"),
        "potency_survival_1_1": (figures["potency_a"], "%"),
        "potency_difference_4_1": (figures["potency_b"], "%"),
    }


@pytest.mark.requirement("R101")
def test_the_three_published_ari_0001_lots_pass(shared_data: Path) -> None:
    spec = shipped("ari-0001-eu.yaml")
    for figures in lots(shared_data, 0):
        found = evaluate(spec, evidence(*made(spec, ari(figures)), bags_ml=("1",), weight_kg="70"))
        assert {j.verdict for j in found.values()} == {"pass"}, found


def test_the_three_published_humanized_cd19_lots_pass(shared_data: Path) -> None:
    spec = shipped("hcar19-in.yaml")
    for figures in lots(shared_data, 1):
        given = {
            "viable_cells_per_ml": ("5e6", "cells/mL"),
            "car_positive": (figures["TE"], "%"),
            "viability": (figures["viability"], "%"),
            "beads_counted": (figures["beads"], "beads"),
            "cells_examined": ("3000000", "cells"),
        }
        found = evaluate(spec, evidence(*made(spec, given), bags_ml=("30",), weight_kg="30"))
        assert {j.verdict for j in found.values()} == {"pass"}, found


@pytest.mark.parametrize(
    ("code", "value", "verdict"),
    [
        ("viability", "69.9", "fail"),
        ("car_positive", "19.9", "fail"),
        ("endotoxin", "0.51", "fail"),
        ("endotoxin", "<1", "not_shown_to_comply"),
        ("mycoplasma", "present", "fail"),
    ],
)
def test_a_figure_outside_the_ari_0001_panel_does_not_pass(code: str, value: str, verdict: str) -> None:
    spec = shipped("ari-0001-eu.yaml")
    unit = spec.test(code).unit
    results = made(spec, {code: (value, unit), "viable_cells_per_ml": ("5e6", "cells/mL")} | {code: (value, unit)})
    found = evaluate(spec, evidence(*results, bags_ml=("30",), weight_kg="30"))
    assert found[code].verdict == verdict
