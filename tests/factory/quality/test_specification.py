"""The specification as a definition: every contradiction of a file is named at its line, and limits can be read aloud."""

import re
from typing import Any

import pytest

from cellwright.factory.definition import read
from cellwright.factory.notation import Broken
from cellwright.factory.quality.specification import Specification, sentence
from cellwright.factory.quality.wording import REASONS, VERDICTS
from tests.factory.quality.made import ari_0001, dose_by_weight

HEAD = """\
id: S-1
version: "1"
name: {en: Test, zh: 测试}
product: P-1
market: CN
indication: any
effective_from: 2026-01-01
tests:
"""
VIABILITY = """\
  - code: viability
    name: {en: Viability, zh: 活率}
    operator: ">="
    limit: "70"
    unit: "%"
    basis: {grade: X}
"""


def spec(tests: str) -> Specification:
    return read(Specification, HEAD + tests, "s.yaml")


def test_a_plain_file_reads() -> None:
    found = spec(VIABILITY)
    assert found.test("viability").limit == "70"
    assert len(found.sha256) == 64
    assert found.measured() == {"viability"}
    with pytest.raises(KeyError):
        found.test("other")


WRONG: dict[str, tuple[str, str]] = {
    "no number": (VIABILITY.replace('"70"', "much"), "no number to compare with"),
    "nothing to compare": (VIABILITY.replace('">="', '"=="').replace('    limit: "70"\n', ""), "nothing to compare"),
    "limit of between": (VIABILITY.replace('">="', "between"), "takes no limit"),
    "range elsewhere": (VIABILITY + '    low: "1"\n', "belong to operator between"),
    "one end": (VIABILITY.replace('">="', "between").replace('limit: "70"', 'low: "1"'), "lacks an end"),
    "turned range": (
        VIABILITY.replace('">="', "between").replace('limit: "70"', 'low: "2"\n    high: "1"'),
        "is above high",
    ),
    "pending without due": (VIABILITY + "    required: pending_allowed\n", "no due time"),
    "listed twice": (VIABILITY + VIABILITY, "listed twice"),
    "interim of nothing": (VIABILITY + "    interim: other\n", "cannot be referred to"),
    "interim of itself": (VIABILITY + "    interim: viability\n", "cannot be referred to"),
    "no alternatives": (VIABILITY.replace('">="', "any_of").replace('    limit: "70"\n', ""), "belong together"),
    "no bands": (VIABILITY.replace('">="', "by_weight").replace('    limit: "70"\n', ""), "belong together"),
    "unknown input": (
        VIABILITY + "    calculation: {kind: dose, inputs: {viable_cells_per_ml: other}}\n",
        "cannot be referred to",
    ),
    "wrong role": (VIABILITY + "    calculation: {kind: dose, inputs: {endotoxin_per_ml: x}}\n", "was given"),
    "target missing": (
        VIABILITY + "    calculation: {kind: dose_percent_of_target, inputs: {viable_cells_per_ml: x}}\n",
        "belong to dose_percent_of_target",
    ),
    "per missing": (
        VIABILITY + "    calculation: {kind: count_per_cells, inputs: {counted: x, cells_examined: y}}\n",
        "per belongs to",
    ),
    "unit not given": (
        VIABILITY + "    calculation: {kind: dose, inputs: {viable_cells_per_ml: x}}\n",
        "does not give %",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_contradiction_is_named(name: str) -> None:
    tests, words = WRONG[name]
    with pytest.raises(Broken) as caught:
        spec(tests)
    assert any(words in str(problem) for problem in caught.value.problems), caught.value
    assert all(problem.line > 1 for problem in caught.value.problems)


def test_an_input_is_reported_in_the_unit_its_role_takes() -> None:
    endotoxin = VIABILITY.replace("viability", "endotoxin").replace('"%"', "EU/kg")
    per_kg = (
        VIABILITY.replace('"%"', "EU/kg/h")
        + "    calculation: {kind: endotoxin_per_kg_hour, inputs: {endotoxin_per_ml: endotoxin}}\n"
    )
    with pytest.raises(Broken, match="which is reported in EU/kg"):
        spec(endotoxin + per_kg)


@pytest.mark.parametrize(
    "bands",
    [
        "[{operator: '<', limit: '5', unit: cells, up_to_kg: '50'}]",
        "[{operator: '<', limit: '5', unit: cells}, {operator: '<', limit: '5', unit: cells}]",
        (
            "[{operator: '<', limit: '5', unit: cells, up_to_kg: '50'},"
            " {operator: '<', limit: '5', unit: cells, up_to_kg: '40'}, {operator: '<', limit: '5', unit: cells}]"
        ),
        "[{operator: report, unit: cells}]",
    ],
)
def test_weight_bands_cover_every_weight_once(bands: str) -> None:
    tests = VIABILITY.replace('">="', "by_weight").replace('limit: "70"', f"by_weight: {bands}")
    with pytest.raises(Broken):
        spec(tests)


@pytest.mark.requirement("R105")
def test_limits_are_read_aloud_for_the_second_person() -> None:
    """A published report contains a minimum dose that contradicts itself: entries are checked as rendered sentences."""
    assert sentence(dose_by_weight(), "en") == (
        "≤ 50 kg: 200000 – 5000000 cells/kg; > 50 kg: 10000000 – 250000000 cells"
    )
    said = list(ari_0001().sentences("zh"))
    assert "car_positive: ≥ 20 %" in said
    assert any(s.startswith("potency: ") and " 或 " in s for s in said)


def test_every_word_of_a_judgement_has_its_sentence() -> None:
    """The modules that judge use only words that can be shown to a person in both languages."""
    from pathlib import Path

    import cellwright.factory.quality as package

    folder = Path(package.__path__[0])
    used: set[str] = set()
    for name in ("judge", "evaluation", "calculation"):
        text = (folder / f"{name}.py").read_text(encoding="utf-8")
        used |= set(re.findall(r'"([a-z]+(?:-[a-z0-9]+)+)"', text))
    from cellwright.factory.quality.result import FLAWS

    unknown: set[Any] = (used | FLAWS) - set(REASONS) - {""}
    assert unknown == set()
    assert len(VERDICTS) == 6
