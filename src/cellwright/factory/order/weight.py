"""The recipient's weight, with its day. When it changes, dose and endotoxin are judged again before anything is given."""

from decimal import Decimal

from cellwright.factory.order import permission
from cellwright.factory.order.fact import giving
from cellwright.factory.order.figure import past_day, positive
from cellwright.factory.order.state import OrderState
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

MAX_KG = Decimal(500)
"""Heavier is a slip of the unit, not a patient (R044)."""


@command("order.record_weight", "nurse", "physician", "coordinator", "cell_laboratory")
class RecordWeight(Command):
    """Record a weight; lots judged on another one are flagged to be judged again (D17)."""

    order: str
    weight_kg: str
    weighed_on: str

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        weight = positive("weight_kg", self.weight_kg)
        if weight > MAX_KG:
            raise Refusal("not-a-weight", "{kg} kg is not a patient's weight.", rule="R044", kg=self.weight_kg)
        on = past_day("weighed_on", self.weighed_on, world)
        if order.weight_on is not None and on < order.weight_on:
            raise Refusal(
                "older-weight",
                "A weight of {known} is recorded; this one is of {day}.",
                remedy="Record the latest weight.",
                rule="D17",
                known=order.weight_on.isoformat(),
                day=self.weighed_on,
            )
        changed = order.weight_kg is not None and weight != order.weight_kg
        body = giving.Weighed(
            weight_kg=self.weight_kg,
            weighed_on=self.weighed_on,
            recorded_by=by.person,
            rejudge=order.lots if changed else (),
        )
        return Decision(facts=(order.fact(body),))


@command("order.judge_dose", "quality_assurance", "authorised_person")
class JudgeDose(Command):
    """Judge dose and endotoxin of a lot again on the present weight: the specification judges, a person signs."""

    order: str
    lot: str
    role: str
    text: str = ""

    def decide(self, world: World, by: By) -> Decision:
        order = permission.open_order(world, self.order)
        if self.lot not in order.lots or order.weight_kg is None:
            raise Refusal(
                "nothing-to-judge",
                "Order {order} has no lot {lot}, or no weight.",
                remedy="Record the weight first.",
                rule="D17",
                order=self.order,
                lot=self.lot,
            )
        body = giving.DoseJudged(
            lot=self.lot,
            weight_kg=format(order.weight_kg, "f"),
            within=_within(world, self.lot),
            assessor=by.person,
            text=self.text,
        )
        return Decision(facts=(order.fact(body),), sign=(Need(person=by.person, meaning="assessed", role=self.role),))


def _within(world: World, lot: str) -> bool:
    """Whether no test fails at the present weight, beside those that an exceptional supply accepted."""
    # Imported here: quality and release read orders, so that the order room cannot read them while they are loading.
    from cellwright.factory.quality.situation import judgements
    from cellwright.factory.release.state import ReleaseState

    accepted = world.load(ReleaseState, lot).accepted_failures
    return not any(
        judgement.verdict == "fail" and code not in accepted for code, judgement in judgements(world, lot).items()
    )


def judged(order: OrderState, lot: str) -> Refusal | None:
    """Whether the lot's dose stands at the present weight (D17)."""
    if lot in order.rejudge:
        return Refusal(
            "dose-to-be-judged-again",
            "The weight changed since the dose of lot {lot} was judged.",
            remedy="Quality assurance judges dose and endotoxin on the new weight.",
            rule="D17",
            lot=lot,
        )
    if lot in order.dose_refused:
        return Refusal(
            "dose-outside-limits",
            "At {kg} kg the dose or the endotoxin of lot {lot} is outside its limits.",
            remedy="Exceptional supply is decided in the release, not here.",
            rule="D17",
            kg=str(order.weight_kg),
            lot=lot,
        )
    return None
