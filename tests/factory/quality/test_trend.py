"""A change of assay begins a new trend line."""

import pytest

from cellwright.factory.quality.trend import lines
from tests.factory.quality.made import result


@pytest.mark.requirement("R114")
def test_a_trend_does_not_join_assay_versions() -> None:
    """Kymriah's viability assay changed in 2019-2020: the points before and after are no one series."""
    made = [
        (f"L-{day}", result("viability", str(80 + day), "%", acquired_at=f"2026-03-{day:02d}", assay_version=version))
        for day, version in ((3, "1"), (1, "1"), (2, "1"), (4, "2"), (5, "2"))
    ]
    other = ("L-6", result("viability", "70", "%", acquired_at="2026-03-06", assay_version="1", method_version="2"))
    found = lines([*made, other], "viability")
    assert [(line.method_version, line.assay_version) for line in found] == [("1", "1"), ("1", "2"), ("2", "1")]
    assert [[p.lot for p in line.points] for line in found] == [["L-1", "L-2", "L-3"], ["L-4", "L-5"], ["L-6"]]


def test_only_what_counts_and_is_a_number_is_on_a_trend() -> None:
    made = [
        ("L-1", result("endotoxin", "<0.05", "EU/mL")),
        ("L-2", result("endotoxin", "0.2", "EU/mL", status="invalidated")),
        ("L-3", result("endotoxin", "negative")),
        ("L-4", result("endotoxin", "0.2", "EU/kg")),
        ("L-5", result("viability", "90", "%")),
    ]
    found = lines(made, "endotoxin")
    assert [(line.unit, [str(p.value) for p in line.points]) for line in found] == [
        ("EU/mL", ["<0.05"]),
        ("EU/kg", ["0.2"]),
    ]
