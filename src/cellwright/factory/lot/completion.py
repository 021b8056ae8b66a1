"""Completing a step: an observation, always recordable; whatever was wrong with it is recorded beside it (D7, R041)."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from msgspec import field

from cellwright.factory import people
from cellwright.factory.lot import readiness
from cellwright.factory.lot.access import other_person, unlocked
from cellwright.factory.lot.fact.step import Hold, NotTaken, Reading, StepCompleted
from cellwright.factory.lot.issue import recipe_of
from cellwright.factory.lot.nonconformance import Finding, recorded
from cellwright.factory.lot.part import StepState
from cellwright.factory.lot.procedure import ended
from cellwright.factory.lot.quantity import duration, iso, moment
from cellwright.factory.lot.reading import Measured, judged, outside, parameter_of
from cellwright.factory.lot.state import LotState
from cellwright.factory.lot.step import Entry, late, planned, under_way
from cellwright.factory.recipe.recipe import Recipe, Step
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

BY_QUALITY = frozenset({"approved", "reviewed", "assessed"})
"""Meanings that quality assurance signs; the others are signed in the step's own role."""


@command("lot.complete_step", "operator")
class CompleteStep(Command):
    """Record that a running step is done. Critical values come one by one (`lot.take_reading`), at most one with this."""

    lot: str
    step: str
    readings: tuple[Measured, ...] = ()
    not_taken: dict[str, str] = field(default_factory=dict)
    """Readings that were missed, each with the reason; recorded as nonconformances."""
    verifier: str | None = None
    signers: dict[str, str] = field(default_factory=dict)
    """Who gives the further signatures the step asks for, by meaning."""

    def decide(self, world: World, by: By) -> Decision:
        lot = unlocked(world, self.lot)
        state = under_way(lot, self.step)
        recipe = recipe_of(world, lot)
        step = planned(recipe, self.step)
        self._one_at_a_time(step)
        if state.performer != by.person:
            raise Refusal(
                "not-the-performer",
                "Step {step} is performed by {performer}.",
                remedy="Take the step over first; nobody completes another's work.",
                rule="R041",
                step=self.step,
                performer=state.performer,
            )
        needs = signatures(step, by.person, self.verifier, self.signers)
        done = Done(
            performer=by.person,
            verifier=self.verifier,
            readings=tuple(judged(world, step, measured) for measured in self.readings),
            not_taken=self.not_taken,
            at=world.now,
        )
        all_there(step, state, done)
        facts = completed(lot, recipe, step, done)
        return Decision(facts=(*facts, *recorded(lot, found(world, lot, step, state, done))), sign=needs)

    def _one_at_a_time(self, step: Step) -> None:
        critical = [m.parameter for m in self.readings if parameter_of(step, m.parameter).critical]
        if len(critical) > 1:
            raise Refusal(
                "several-critical-interactions",
                "{parameters} are critical; each is recorded when it happens, not together.",
                remedy="Record each value when it is read.",
                rule="R006",
                parameters=", ".join(critical),
            )


class Done(NamedTuple):
    """A step as it was done, by whom, and with which values."""

    performer: str
    verifier: str | None
    readings: tuple[Reading, ...]
    not_taken: dict[str, str]
    at: datetime
    """When it was over: now, or the time a sheet claims."""


def signatures(step: Step, performer: str, verifier: str | None, signers: dict[str, str]) -> tuple[Need, ...]:
    """The signatures a step asks for; performer and verifier are two people (R041, D10).

    Raises:
        Refusal: `verifier-missing` or `signer-missing`; `same-person-twice`.
    """
    if verifier is None and (step.verified_by_second or step.mode == "Automatic"):
        raise Refusal(
            "verifier-missing",
            "Step {step} is verified by a second person.",
            remedy="Name the person who verified it.",
            rule="R041",
            step=step.id,
        )
    needs = [Need(person=performer, meaning="performed", role=step.role)]
    if verifier is not None:
        other_person(performer, verifier, step.id)
        needs.append(Need(person=verifier, meaning="verified", role=step.role))
    for meaning in step.signatures:
        if meaning in ("performed", "verified"):
            continue
        if meaning not in signers:
            raise Refusal(
                "signer-missing",
                "Step {step} also needs the signature: {meaning}.",
                rule="R041",
                step=step.id,
                meaning=meaning,
            )
        role = "quality_assurance" if meaning in BY_QUALITY else step.role
        needs.append(Need(person=signers[meaning], meaning=meaning, role=role))
    return tuple(needs)


def all_there(step: Step, state: StepState, done: Done) -> None:
    """Raises Refusal `reading-missing` while a value is neither recorded nor said, with a reason, to have been missed."""
    there = {r.parameter for r in done.readings} | set(state.readings)
    missing = [p.id for p in step.parameters if p.id not in there and not done.not_taken.get(p.id, "").strip()]
    if missing:
        raise Refusal(
            "reading-missing",
            "Step {step} is not complete without {parameters}.",
            remedy="Record the values, or say why they were not taken; that becomes a nonconformance.",
            rule="R040",
            step=step.id,
            parameters=", ".join(missing),
        )


def completed(lot: LotState, recipe: Recipe, step: Step, done: Done, entry: Entry | None = None) -> tuple[Fact, ...]:
    """The facts of a step's end: the step with the waits it starts, and its unit procedure where it was the last."""
    body = StepCompleted(
        step=step.id,
        performer=done.performer,
        verifier=done.verifier,
        readings=done.readings,
        not_taken=tuple(NotTaken(parameter=name, why=why) for name, why in sorted(done.not_taken.items())),
        late_entry=entry is not None,
        holds=tuple(_holds(recipe, step)),
    )
    return (late(lot, body, entry), *ended(lot, recipe, recipe.unit_of(step.id), lot.done | {step.id}))


def _holds(recipe: Recipe, step: Step) -> Iterator[Hold]:
    for following in recipe.steps:
        if step.id in following.after and (following.hold_min is not None or following.hold_max is not None):
            yield Hold(
                step=following.id,
                after=following.after,
                least=iso(following.hold_min),
                most=iso(following.hold_max),
            )


def found(world: World, lot: LotState, step: Step, state: StepState, done: Done) -> Iterator[Finding]:
    """What was wrong with a step that is done: nothing of it keeps the step from being recorded (D7)."""
    yield from (f for r in done.readings if (f := outside(step, r)) is not None)
    yield from _missed(step, done.not_taken)
    yield from _took(step, state, done.at)
    for person in (done.performer, done.verifier):
        if person is not None:
            yield from readiness.of_person(people.load(world, person), lot, step, done.at)
    yield from readiness.of_equipment(world, lot, step, state.equipment, done.at)
    yield from _not_used(step, state)
    yield from _not_made(lot, step)
    if lot.in_doubt:
        refusal = Refusal(
            "done-in-doubt", "Step {step} went on while an identity case was open.", rule="R066", step=step.id
        )
        yield Finding(refusal, "critical", step=step.id)


def _missed(step: Step, not_taken: dict[str, str]) -> Iterator[Finding]:
    for name, why in not_taken.items():
        refusal = Refusal(
            "reading-not-taken",
            "{parameter} was not taken: {why}",
            rule="R040",
            parameter=name,
            why=why,
        )
        yield Finding(refusal, "major" if parameter_of(step, name).critical else "minor", step=step.id)


def _took(step: Step, state: StepState, end: datetime) -> Iterator[Finding]:
    """Whether a step took as long as the recipe says; the limits themselves are within (R050)."""
    if state.duration_min is None or state.duration_max is None:
        return
    took = end - moment(state.started)
    if duration(state.duration_min) <= took <= duration(state.duration_max):
        return
    refusal = Refusal(
        "duration-outside-limits",
        "Step {step} took {took}; the limits are {least} to {most}.",
        rule="R050",
        step=step.id,
        took=iso(took),
        least=state.duration_min,
        most=state.duration_max,
    )
    yield Finding(refusal, "minor", step=step.id)


def _not_used(step: Step, state: StepState) -> Iterator[Finding]:
    added = {addition.code for addition in state.additions}
    missing = [use.code for use in step.materials if use.code not in added]
    if missing:
        refusal = Refusal(
            "material-not-recorded",
            "Step {step} records no addition of {codes}.",
            rule="R040",
            step=step.id,
            codes=", ".join(missing),
        )
        yield Finding(refusal, "major", step=step.id)


def _not_made(lot: LotState, step: Step) -> Iterator[Finding]:
    """Containers and samples the recipe asks for, against what the record holds (R067)."""
    for output in step.makes:
        made = sum(c.step == step.id and c.kind == output.kind for c in lot.containers.values())
        if made != output.count:
            refusal = Refusal(
                "count-differs",
                "Step {step} makes {wanted} of kind {kind}; {made} are recorded.",
                rule="R067",
                step=step.id,
                wanted=output.count,
                kind=output.kind,
                made=made,
            )
            yield Finding(refusal, "minor", step=step.id)
    for sample in step.samples:
        if not any(s.step == step.id and s.kind == sample.kind for s in lot.samples.values()):
            refusal = Refusal(
                "sample-not-drawn",
                "Step {step} records no sample of kind {kind}.",
                rule="R040",
                step=step.id,
                kind=sample.kind,
            )
            yield Finding(refusal, "major", step=step.id)
