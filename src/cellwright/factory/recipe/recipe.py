"""The file of a recipe: procedure, unit procedures, operations, phases (ISA-88), here called steps.

A step carries everything that its execution, its planning and its simulation need: who, where, with which equipment,
materials and parameters, after which other steps, for how long, what is scanned, made, sampled and signed, and the
instruction in both languages. `ready` is the law of sequence (R042).
"""

from collections.abc import Collection, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from cellwright.factory.definition import (
    ASSUMED,
    Basis,
    Count,
    Definition,
    Entry,
    Flaw,
    Name,
    Path,
    Text,
    Words,
    repeated,
    unknown,
)

Mode = Literal["Automatic", "SemiAutomatic", "Manual"]
"""BatchML Mode enumeration, verbatim (R095)."""
Scan = Literal["container", "material", "label", "equipment", "room", "position", "sample"]
"""What the operator presents to the scanner before or during a step."""
Activity = Literal[
    "receive", "thaw", "wash", "select", "activate", "transduce", "expand", "feed", "sample", "harvest", "formulate",
    "label", "fill", "freeze", "store", "mix", "purify", "filter", "inspect",
]  # fmt: skip
"""What kind of work a step is; execution, simulation and the statistics of a plant ask for it."""
Outcome = Literal["intermediate", "culture", "final_bag", "backup", "retained", "bulk", "waste"]
Meaning = Literal["performed", "verified", "reviewed", "approved", "received", "attested", "assessed"]


class Duration(Entry):
    """How long a step takes. Below the minimum or above the maximum is a deviation at that moment (R050)."""

    min: timedelta
    typical: timedelta
    max: timedelta
    basis: Basis = ASSUMED


class Parameter(Entry):
    """A value that is recorded in a step. Limits are inclusive; a missing limit is open."""

    id: Name
    name: Text
    unit: str
    low: Decimal | None = None
    high: Decimal | None = None
    critical: bool = False
    """A critical value typed by hand is verified by a second person before it is used (R043)."""
    basis: Basis = ASSUMED


class Use(Entry):
    """A quantity of a material, by its item code in the plant's list."""

    code: Name
    quantity: Decimal
    unit: Words


class Output(Entry):
    """Containers that a step makes; each gets an identity, a division code and its parents (R067)."""

    kind: Outcome
    name: Text
    count: Count = 1


class Sample(Entry):
    """A sample drawn in a step: for which tests of the specification, how much, in how many vessels."""

    id: Name
    kind: Name
    """Sampling point as the specification knows it, for example `final_product` or `culture_supernatant`."""
    tests: Annotated[tuple[Name, ...], Meta(min_length=1)]
    volume_ml: Decimal
    vessels: Count = 1
    retained: bool = False


class Step(Entry):
    """One step of the recipe: an ISA-88 phase."""

    id: Name
    activity: Activity
    title: Text
    instruction: Text
    role: Name
    room_class: Name
    duration: Duration
    mode: Mode = "Manual"
    equipment_class: Name | None = None
    after: tuple[Name, ...] = ()
    """Steps that must be complete before this one starts (R042)."""
    hold_max: timedelta | None = None
    """The longest wait between the end of the last step before and the start of this one (R050)."""
    hold_min: timedelta | None = None
    qualification: Name | None = None
    """A qualification the performer needs beside the training for this recipe version (R034)."""
    open_processing: bool = False
    """Whether cells are exposed to the room: then the room must be cleared and hold this patient's material only."""
    parameters: tuple[Parameter, ...] = ()
    materials: tuple[Use, ...] = ()
    scans: tuple[Scan, ...] = ()
    makes: tuple[Output, ...] = ()
    samples: tuple[Sample, ...] = ()
    verified_by_second: bool = False
    signatures: tuple[Meaning, ...] = ("performed",)
    critical: bool = True
    """Whether the step is significant in the sense of 21 CFR 211.188(b): performer and checker are named (R041)."""


class Operation(Entry):
    id: Name
    title: Text
    phases: Annotated[tuple[Step, ...], Meta(min_length=1)]


class UnitProcedure(Entry):
    """What happens in one unit; its state follows the ISA-88 table in `procedure` (R093)."""

    id: Name
    title: Text
    operations: Annotated[tuple[Operation, ...], Meta(min_length=1)]


class Recipe(Definition):
    """A master recipe. A lot is issued from exactly one version, named by its hash (R039)."""

    name: Text
    product: Name
    unit_procedures: Annotated[tuple[UnitProcedure, ...], Meta(min_length=1)]
    process: Basis
    """Where the process is published, if it is; what is not supported there is an assumption."""
    assumptions: tuple[Text, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in the order of the file."""
        return tuple(
            step for unit in self.unit_procedures for operation in unit.operations for step in operation.phases
        )

    def step(self, name: str) -> Step:
        """A step by its id. Raises KeyError if the recipe has none of this name."""
        for step in self.steps:
            if step.id == name:
                return step
        raise KeyError(name)

    def unit_of(self, name: str) -> str:
        """The unit procedure that a step belongs to. Raises KeyError if the recipe has no such step."""
        for unit in self.unit_procedures:
            if any(step.id == name for operation in unit.operations for step in operation.phases):
                return unit.id
        raise KeyError(name)

    def ready(self, done: Collection[str]) -> tuple[Step, ...]:
        """The steps that may start when these are complete: all before them done, they themselves not (R042)."""
        return tuple(s for s in self.steps if s.id not in done and all(before in done for before in s.after))

    @property
    def last(self) -> tuple[Step, ...]:
        """The steps that no other step waits for: the process is complete when they are."""
        waited_for = {before for step in self.steps for before in step.after}
        return tuple(step for step in self.steps if step.id not in waited_for)

    def check(self) -> Iterator[Flaw]:
        placed = tuple(_places(self))
        names = tuple(step.id for _, step in placed)
        for index, name in repeated(names):
            yield Flaw(
                (*placed[index][0], "id"),
                "The step {step} stands here again.",
                expected="each step once in a recipe",
                step=name,
            )
        yield from _repeated_units(self)
        for path, step in placed:
            yield from _sequence(path, step, names)
            yield from _limits(path, step)
        yield from _cycles(placed)


def _places(recipe: Recipe) -> Iterator[tuple[Path, Step]]:
    for u, unit in enumerate(recipe.unit_procedures):
        for o, operation in enumerate(unit.operations):
            for p, step in enumerate(operation.phases):
                yield ("unit_procedures", u, "operations", o, "phases", p), step


def _repeated_units(recipe: Recipe) -> Iterator[Flaw]:
    for index, name in repeated(unit.id for unit in recipe.unit_procedures):
        yield Flaw(
            ("unit_procedures", index, "id"),
            "The unit procedure {unit} stands here again.",
            expected="each unit procedure once in a recipe",
            unit=name,
        )


def _sequence(path: Path, step: Step, names: tuple[str, ...]) -> Iterator[Flaw]:
    for index, before in enumerate(step.after):
        if before == step.id and before:
            yield Flaw(
                (*path, "after", index), "The step {step} waits for itself.", expected="another step", step=before
            )
        elif unknown(before, names):
            yield Flaw(
                (*path, "after", index),
                "The step {step} is not in this recipe.",
                expected="one of: {known}",
                step=before,
                known=", ".join(names),
            )
    for index, before in repeated(step.after):
        yield Flaw((*path, "after", index), "The step {step} is named twice.", expected="each step once", step=before)


def _limits(path: Path, step: Step) -> Iterator[Flaw]:
    took = step.duration
    if not timedelta() <= took.min <= took.typical <= took.max:
        yield Flaw((*path, "duration"), "The duration contradicts itself.", expected="min <= typical <= max")
    if step.hold_min is not None and step.hold_max is not None and step.hold_min > step.hold_max:
        yield Flaw((*path, "hold_min"), "The holding time contradicts itself.", expected="hold_min <= hold_max")
    for index, parameter in enumerate(step.parameters):
        if parameter.low is not None and parameter.high is not None and parameter.low > parameter.high:
            yield Flaw(
                (*path, "parameters", index, "low"),
                "The limits of {parameter} contradict each other.",
                expected="low <= high",
                parameter=parameter.id,
            )
    for kind, ids in (("parameters", step.parameters), ("samples", step.samples)):
        for index, name in repeated(one.id for one in ids):
            yield Flaw((*path, kind, index, "id"), "{name} stands here again.", expected="each id once", name=name)
    if step.verified_by_second and "verified" not in step.signatures:
        yield Flaw(
            (*path, "signatures"),
            "A second person verifies this step, and no signature says so.",
            expected="the meaning `verified` among the signatures",
        )
    for index, use in enumerate(step.materials):
        if use.quantity <= 0 and use.code:
            yield Flaw(
                (*path, "materials", index, "quantity"), "The quantity is {n}.", expected="more than 0", n=use.quantity
            )


def _cycles(placed: tuple[tuple[Path, Step], ...]) -> Iterator[Flaw]:
    """Steps that can never start because some wait for each other in a circle; waiting for oneself is told elsewhere."""
    waits = {step.id: {before for before in step.after if before != step.id} for _, step in placed}
    done: set[str] = set()
    while free := {name for name, before in waits.items() if name not in done and not (before & waits.keys()) - done}:
        done |= free
    stuck = ", ".join(step.id for _, step in placed if step.id not in done)
    for path, step in placed:
        if step.id not in done:
            yield Flaw(
                (*path, "after"),
                "The step {step} can never start, because of a circle among {circle}.",
                expected="an order without circles",
                step=step.id,
                circle=stuck,
            )
