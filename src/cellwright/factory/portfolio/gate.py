"""Gates: may an act of a product go on, given what is known? (D13)

A gate whose condition is unknown stays shut, and says that it is unknown rather than unmet (Law 6). Whether a condition
holds is found out by the rooms that own it: the order for consent, enrolment and infusions, the trial for eligibility.
"""

from collections.abc import Mapping

import msgspec

from cellwright.factory.portfolio.product import Act, Gate, Product
from cellwright.factory.record import Immutable
from cellwright.factory.rule import Refusal


class Facts(Immutable):
    """What is known about an order when a gate is asked; None is unknown."""

    legal_basis: bool | None = None
    """The product has a legal basis in the order's market."""
    eligibility: bool | None = None
    consent: bool | None = None
    enrolment: bool | None = None
    """Enrolled, or not in need of it because the legal basis is no trial."""
    donor_status: bool | None = None
    """The donor's status allows processing (R070)."""
    infused: Mapping[str, bool | None] = msgspec.field(default_factory=dict)
    """Product to whether its infusion in this recipient is recorded or attested."""

    def of(self, gate: Gate) -> bool | None:
        """Whether what a gate waits for holds."""
        match gate.needs:
            case "prior_product_infused":
                return self.infused.get(gate.product or "")
            case "legal_basis":
                return self.legal_basis
            case "eligibility":
                return self.eligibility
            case "consent":
                return self.consent
            case "enrolment":
                return self.enrolment
            case "donor_status":
                return self.donor_status


class Opening(Immutable):
    """The answer of a product's gates to an act: open only if nothing is unmet and nothing is unknown."""

    product: str
    act: Act
    unmet: tuple[Gate, ...]
    unknown: tuple[Gate, ...]

    @property
    def open(self) -> bool | None:
        """True, False, or None if only unknown conditions stand in the way."""
        if self.unmet:
            return False
        return None if self.unknown else True

    @property
    def refusal(self) -> Refusal | None:
        """Why the act may not go on, or None."""
        if self.unmet:
            return Refusal(
                "gate-closed",
                "{act} of {product} waits for {needs}.",
                remedy="It opens when that is recorded.",
                rule="D13",
                act=self.act,
                product=self.product,
                needs=_words(self.unmet),
            )
        if self.unknown:
            return Refusal(
                "gate-unknown",
                "{act} of {product} depends on {needs}, which is not known.",
                remedy="Find it out and record it; unknown does not open a gate.",
                rule="D13",
                act=self.act,
                product=self.product,
                needs=_words(self.unknown),
            )
        return None


def gate(product: Product, act: Act, facts: Facts) -> Opening:
    """Ask all gates of a product that stand before an act."""
    asked = [(one, facts.of(one)) for one in product.gates if one.act == act]
    return Opening(
        product=product.id,
        act=act,
        unmet=tuple(one for one, holds in asked if holds is False),
        unknown=tuple(one for one, holds in asked if holds is None),
    )


def _words(gates: tuple[Gate, ...]) -> str:
    return ", ".join(f"{one.needs}({one.product})" if one.product else one.needs for one in gates)
