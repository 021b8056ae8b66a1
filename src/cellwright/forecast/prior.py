"""Priors: published chances and durations from the first trial to approval, with their sources, and what follows per stage.

A prior gives a chance for each stage or takes the shape of another one's. Where the overall rate it publishes is not the
product of those stages, every stage is raised to the same power, `p_i ** (ln overall / ln product)`: this keeps chances
between 0 and 1, their order, and gives the published product exactly.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import log, prod
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cellwright.factory.definition import Basis, Count, Definition, Entry, Flaw, Name, Text, read, repeated
from cellwright.language import N_

Stage = Literal["phase_1", "phase_2", "phase_3", "review"]
STAGES: tuple[Stage, ...] = ("phase_1", "phase_2", "phase_3", "review")
"""Stages in order; leaving the last one with success is approval."""


class ByStage(Entry):
    """A number for each stage."""

    phase_1: Decimal
    phase_2: Decimal
    phase_3: Decimal
    review: Decimal

    @property
    def values(self) -> tuple[float, float, float, float]:
        return (float(self.phase_1), float(self.phase_2), float(self.phase_3), float(self.review))


def _fields(by: ByStage) -> tuple[Decimal, ...]:
    return (by.phase_1, by.phase_2, by.phase_3, by.review)


class Rate(Entry):
    """A published chance from the start of phase 1 to approval, for a class of drugs."""

    kind: Name = msgspec.field(name="class")
    rate: Decimal
    basis: Basis


class Prior(Entry):
    """One publication's chances and durations (years), and its weight in the mixture."""

    id: Name
    name: Text
    overall: Annotated[tuple[Rate, ...], Meta(min_length=1)]
    years: ByStage
    years_basis: Basis
    weight: Decimal
    effective_n: Count
    """How many observations a stage's chance is worth when it is carried over to these programmes (Beta)."""
    basis: Basis
    stages: ByStage | None = None
    stages_basis: Basis | None = None
    shape_of: Name = ""


class Spread(Entry):
    """Standard deviation of the logarithm of a stage's duration."""

    value: Decimal
    basis: Basis


class Designation(Entry):
    """What a designation does: factors on times. Chances stay: published rates hold designated drugs already."""

    id: Name
    basis: Basis
    trial_time: Decimal = Decimal(1)
    review_time: Decimal = Decimal(1)


class Priors(Definition):
    """The file of all priors."""

    priors: Annotated[tuple[Prior, ...], Meta(min_length=1)]
    weights_basis: Basis
    spread: Spread
    designations: tuple[Designation, ...] = ()

    def check(self) -> Iterator[Flaw]:
        names = [prior.id for prior in self.priors]
        for index, name in repeated(names):
            yield Flaw(("priors", index, "id"), "{name} stands here again.", expected="each once", name=name)
        for index, prior in enumerate(self.priors):
            if (prior.stages is None) == (prior.shape_of == ""):
                what = N_("A prior has stages of its own, or the shape of another.")
                yield Flaw(("priors", index, "stages"), what, expected="one of the two")
            if prior.shape_of and self._stages_of(prior.shape_of) is None:
                what = N_("{name} has no stages to lend.")
                yield Flaw(("priors", index, "shape_of"), what, expected="a prior with stages", name=prior.shape_of)
            shares = [rate.rate for rate in prior.overall] + list(_fields(prior.stages) if prior.stages else ())
            if not all(0 < share <= 1 for share in shares) or not 0 <= prior.weight <= 1:
                yield Flaw(("priors", index, "overall"), "A chance is outside its range.", expected="above 0, up to 1")
            if not all(years > 0 for years in _fields(prior.years)):
                yield Flaw(("priors", index, "years"), "A duration is not above zero.", expected="years above 0")
            if "all" not in [rate.kind for rate in prior.overall]:
                yield Flaw(("priors", index, "overall"), "The class `all` is missing.", expected="a rate for all")

    def _stages_of(self, name: str) -> ByStage | None:
        return next((prior.stages for prior in self.priors if prior.id == name), None)

    def get(self, name: str) -> Prior:
        """A prior by id. Raises KeyError."""
        found = next((prior for prior in self.priors if prior.id == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def overall(self, prior: Prior, classes: tuple[str, ...]) -> Rate:
        """The rate of the first class that the prior knows, else of all."""
        known = {rate.kind: rate for rate in prior.overall}
        return next(known[one] for one in (*classes, "all") if one in known)

    def chances(self, prior: Prior, classes: tuple[str, ...]) -> tuple[float, ...]:
        """The chance of each stage for a class of drugs; their product is the published overall rate.

        The prior's own stages are used unchanged where their product rounds to the published rate.
        """
        shape = prior.stages or self._stages_of(prior.shape_of)
        assert shape is not None, "a checked file has stages for every prior"
        overall = self.overall(prior, classes)
        product = prod(shape.values)
        places = Decimal(overall.rate).as_tuple().exponent
        assert isinstance(places, int)
        if prior.stages is not None and round(product, -places) == float(overall.rate):
            return shape.values
        power = log(float(overall.rate)) / log(product)
        return tuple(value**power for value in shape.values)

    def weights(self) -> Mapping[str, float]:
        """The weight of each prior in the mixture, adding up to one."""
        total = float(sum(prior.weight for prior in self.priors))
        return {prior.id: float(prior.weight) / total for prior in self.priors}

    def times(self, designations: tuple[str, ...]) -> tuple[float, ...]:
        """The factor on each stage's duration from all designations of a programme. Raises KeyError."""
        known = {one.id: one for one in self.designations}
        trial = prod(float(known[name].trial_time) for name in designations)
        review = prod(float(known[name].review_time) for name in designations)
        return (trial, trial, trial, review)


def shipped_priors() -> Priors:
    """The priors that come with the program."""
    from cellwright import shipped

    return read(Priors, shipped.content("forecast/priors.yaml").decode(), "forecast/priors.yaml")
