"""The formula of release over gates (requirements section 10, as domain decisions D19 and D20 correct it).

    released                 ⇔ certifiable ∧ all results arrived
    released_pending_results ⇔ certifiable ∧ what is awaited may be awaited ∧ the physician is informed
    exceptional_supply       ⇔ may leave ∧ all items of R111 or R112 ∧ R113 not violated; never certified
    pending                    otherwise

    may leave   = nothing decided yet ∧ identity intact ∧ donor and infectious status decided ∧ custody and temperature
                  assessed ∧ the product's own gates open
    certifiable = may leave ∧ specification assigned ∧ record complete ∧ record reviewed ∧ audit trail reviewed
                  ∧ nonconformances in order ∧ no open investigation ∧ all tests needed before release pass ∧ dose in range

The authorised signature is the act itself. No gate has a "worse is better" side, so one more failing fact never
improves the outcome.
"""

from typing import Literal, NamedTuple

Possible = Literal["released", "released_pending_results", "exceptional_supply", "pending"]
BEST_FIRST: tuple[Possible, ...] = ("released", "released_pending_results", "exceptional_supply", "pending")


class Gates(NamedTuple):
    """Whether each condition holds. False is "not shown": unknown counts as false."""

    undecided: bool
    identity: bool
    donor: bool
    custody: bool
    product_gates: bool
    specification: bool
    record_complete: bool
    record_review: bool
    audit_review: bool
    nonconformances: bool
    investigations: bool
    tests: bool
    dose: bool
    all_arrived: bool
    awaited_acceptable: bool
    physician_informed: bool
    exceptional_items: bool
    safety: bool


MAY_LEAVE = ("undecided", "identity", "donor", "custody", "product_gates")
CERTIFIABLE = (
    *MAY_LEAVE, "specification", "record_complete", "record_review", "audit_review", "nonconformances",
    "investigations", "tests", "dose",
)  # fmt: skip
NEEDS: dict[Possible, tuple[str, ...]] = {
    "released": (*CERTIFIABLE, "all_arrived"),
    "released_pending_results": (*CERTIFIABLE, "awaited_acceptable", "physician_informed"),
    "exceptional_supply": (*MAY_LEAVE, "exceptional_items", "safety"),
    "pending": (),
}
"""The gates that each outcome takes."""


def holds(gates: Gates, outcome: Possible) -> bool:
    """Whether every gate of an outcome is open."""
    return all(getattr(gates, name) for name in NEEDS[outcome])


def possible(gates: Gates) -> Possible:
    """The best outcome that the gates allow."""
    return next(outcome for outcome in BEST_FIRST if holds(gates, outcome))
