"""Nonconformances of an order: what was done otherwise than the rules say is recorded, and waits for assessment (D7)."""

from collections.abc import Iterable

from cellwright.factory.order import permission
from cellwright.factory.order.fact import giving
from cellwright.factory.order.state import OrderState
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


def raised(
    world: World, order: OrderState, found: Iterable[tuple[str, str]], containers: tuple[str, ...] = (), **values: str
) -> list[Fact]:
    """The facts for codes found, each with the rule that was broken."""
    return [
        order.fact(
            giving.NonconformanceRaised(
                nonconformance=world.issue("nonconformance"), code=code, rule=rule, found=values, containers=containers
            )
        )
        for code, rule in found
    ]


def unassessed(order: OrderState) -> Refusal | None:
    """The nonconformances of an order that nobody has judged yet; they stand before whatever follows."""
    waiting = sorted(name for name, status in order.nonconformances.items() if status == "open")
    if not waiting:
        return None
    return Refusal(
        "nonconformance-open",
        "Nonconformances of order {order} are not assessed: {nonconformances}.",
        remedy="Quality assurance assesses them.",
        rule="D7",
        order=order.name,
        nonconformances=", ".join(waiting),
    )


@command("order.assess_nonconformance", "quality_assurance")
class AssessNonconformance(Command):
    """Judge how grave a nonconformance is, and what follows."""

    order: str
    nonconformance: str
    severity: giving.Severity
    text: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.known(world, self.order)
        if self.nonconformance not in order.nonconformances:
            raise Refusal(
                "unknown-nonconformance",
                "Order {order} has no nonconformance {nonconformance}.",
                rule="D7",
                order=self.order,
                nonconformance=self.nonconformance,
            )
        body = giving.NonconformanceAssessed(
            nonconformance=self.nonconformance, severity=self.severity, text=self.text, assessor=by.person
        )
        sign = (Need(person=by.person, meaning="assessed", role="quality_assurance"),)
        return Decision(facts=(order.fact(body),), sign=sign)
