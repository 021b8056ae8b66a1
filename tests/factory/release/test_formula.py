"""The formula of release: every combination of gates, and that nothing bad ever helps."""

from functools import cache
from itertools import product

import pytest

from cellwright.factory.release.formula import BEST_FIRST, Gates, possible

NAMES = Gates._fields


def stated(g: Gates) -> str:
    """The formula of section 10 with D19 and D20, written once more in full, by hand."""
    may_leave = g.undecided and g.identity and g.donor and g.custody and g.product_gates
    quality_unit = g.record_complete and g.record_review and g.audit_review and g.nonconformances and g.investigations
    certifiable = may_leave and quality_unit and g.specification and g.tests and g.dose
    if certifiable and g.all_arrived:
        return "released"
    if certifiable and g.awaited_acceptable and g.physician_informed:
        return "released_pending_results"
    if may_leave and g.exceptional_items and g.safety:
        return "exceptional_supply"
    return "pending"


@pytest.mark.requirement("R102")
def test_all_combinations_of_the_gates_agree_with_the_formula() -> None:
    seen = dict.fromkeys(BEST_FIRST, 0)
    for bits in product((False, True), repeat=len(NAMES)):
        gates = Gates(*bits)
        outcome = possible(gates)
        assert outcome == stated(gates), gates
        seen[outcome] += 1
    assert sum(seen.values()) == 2 ** len(NAMES)
    assert all(seen.values()), "every outcome occurs"


@cache
def ranks() -> list[int]:
    """The outcome of every combination as its place in BEST_FIRST; bit n of the index is gate n."""
    rank = {outcome: place for place, outcome in enumerate(BEST_FIRST)}
    width = len(NAMES)
    return [rank[possible(Gates(*(bool(index >> n & 1) for n in range(width))))] for index in range(2**width)]


@pytest.mark.parametrize("name", NAMES)
def test_closing_a_gate_never_improves_the_outcome(name: str) -> None:
    """Monotonicity over all combinations: one more failing fact is never good for a lot."""
    bit, found = 1 << NAMES.index(name), ranks()
    assert all(found[index & ~bit] >= found[index] for index in range(len(found)))


@pytest.mark.parametrize("name", ["undecided", "identity", "donor", "custody", "product_gates"])
def test_every_outgoing_path_needs_these(name: str) -> None:
    """D19: intact identity, donor decision, assessed custody and temperature, on every path."""
    bit, found = 1 << NAMES.index(name), ranks()
    assert {found[index] for index in range(len(found)) if not index & bit} == {BEST_FIRST.index("pending")}
