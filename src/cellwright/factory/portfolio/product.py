"""The file of a product: what it is, in what doses, from whose cells, where it may be used, and which act waits for what.

Milestones and statements are claims with a grade, a source and, where sources disagree, their conflict beside them.
A half-known date is an interval, never padded to a first day. What is graded M or X is never shown as a fact.
"""

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

from cellwright.factory.definition import (
    Basis,
    Count,
    Definition,
    Entry,
    Flaw,
    Name,
    Text,
    repeated,
)
from cellwright.factory.plant.plant import Statement

Act = Literal["order", "collection", "manufacture", "release", "infusion"]
"""What can be gated (D13)."""
Need = Literal["eligibility", "consent", "enrolment", "donor_status", "prior_product_infused", "legal_basis"]
"""What a gate waits for. `eligibility` is the verdict of the market's trial protocol."""
LegalBasis = Literal["trial", "authorised", "hospital_exemption", "expanded_access"]
"""On which a product may be given in a market; without one of these no order is possible there."""
Precision = Literal["day", "month", "quarter", "half", "year", "interval"]
Cells = Literal["viable", "viable_cd3", "viable_car_positive", "viable_transgene_positive"]
"""Which cells a dose counts."""

When = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-\d\d)?|-Q[1-4]|-H[12])?$|^\d{4}-\d\d-\d\d/\d{4}-\d\d-\d\d$",
    ),
]
"""A date as precisely as it is known: `2024-02-17`, `2024-02`, `2024-Q1`, `2024-H1`, `2024` or `2024-10-01/2024-12-31`."""


class Interval(NamedTuple):
    """The days on which something may have happened, both included."""

    first: date
    last: date
    precision: Precision


def interval(when: str) -> Interval:
    """The interval that a written date means.

    Raises:
        ValueError: the text is not a date of this notation, or not a day of the calendar.
    """
    first, slash, last = when.partition("/")
    if slash:
        between = Interval(date.fromisoformat(first), date.fromisoformat(last), "interval")
        if between.first > between.last:
            raise ValueError(f"{when} ends before it begins")
        return between
    match = re.fullmatch(r"(\d{4})(?:-(?:Q([1-4])|H([12])|(\d\d)(?:-(\d\d))?))?", when)
    if match is None:
        raise ValueError(f"{when} is not a date")
    year = int(match[1])
    if match[5]:
        day = date.fromisoformat(when)
        return Interval(day, day, "day")
    if match[4]:
        return _months(year, int(match[4]), 1, "month")
    if match[2]:
        return _months(year, 3 * int(match[2]) - 2, 3, "quarter")
    if match[3]:
        return _months(year, 6 * int(match[3]) - 5, 6, "half")
    return _months(year, 1, 12, "year")


def _months(year: int, month: int, count: int, precision: Precision) -> Interval:
    end = month + count - 1
    return Interval(date(year, month, 1), date(year, end, calendar.monthrange(year, end)[1]), precision)


class Milestone(Entry):
    """Something that happened, or was announced to happen, on a product's way through the agencies."""

    id: Name
    event: Literal[
        "ind_submitted", "ind_accepted", "ind_approved", "trial_started", "phase_applied", "first_patient",
        "enrolment_status", "enrolment_complete", "read_out", "breakthrough_therapy", "priority_review", "nda_accepted",
        "approved", "endpoint_met", "terminated",
    ]  # fmt: skip
    text: Text
    when: When | None = None
    """None when the source does not date it."""
    agency: str = ""
    phase: str = ""
    indication: Text | None = None
    status: Literal["announced", "proposed", "in_public_notice", "effective", "withdrawn", "terminated"] = "effective"
    basis: Basis
    conflict: Text | None = None

    @property
    def interval(self) -> Interval | None:
        return None if self.when is None else interval(self.when)


class Gate(Entry):
    """An act of this product that waits for something."""

    act: Act
    needs: Need
    product: Name | None = None
    """For `prior_product_infused`: the product whose infusion is waited for."""
    basis: Basis
    """A rule of law or protocol with its source, or an assumption."""


class Market(Entry):
    """Where the product may be used, on which legal basis, and by which specification it is judged there (R100)."""

    code: Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
    """ISO 3166 code, or EU."""
    legal_basis: LegalBasis
    reference: str = ""
    """Number of the trial, the authorisation or the licence; empty where none is public."""
    agency: str = ""
    indication: Name = "any"
    specification: Name
    protocol: Name | None = None
    """The trial protocol that decides eligibility; needed on the legal basis `trial`."""
    basis: Basis


class Band(Entry):
    """Limits of one dose for a range of body weight: above `over_kg`, up to and including `up_to_kg`."""

    over_kg: Decimal | None = None
    up_to_kg: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    unit: Literal["cells", "cells/kg", "mg"]
    basis: Basis

    def covers(self, weight_kg: Decimal) -> bool:
        above = self.over_kg is None or weight_kg > self.over_kg
        return above and (self.up_to_kg is None or weight_kg <= self.up_to_kg)


class Doses(Entry):
    """How many doses there are at most, what they count, and the limits of each."""

    plan: Count
    counted: Cells | None = None
    bands: Annotated[tuple[Band, ...], Meta(min_length=1)]
    interval: timedelta | None = None
    """Planned time between doses."""
    basis: Basis

    def band(self, weight_kg: Decimal) -> Band:
        """The limits for a body weight (R105). The bands of a checked file cover every weight once."""
        return next(band for band in self.bands if band.covers(weight_kg))


class Pending(Entry):
    """A test whose final result may come after release, if its interim result is negative and by when it is due."""

    test: Name
    due: timedelta
    """After release."""
    interim_required: bool = True


class ReleasePolicy(Entry):
    """What may be pending at release (R106); by default nothing."""

    pending_allowed: tuple[Pending, ...] = ()
    basis: Basis

    @property
    def pending_tests(self) -> frozenset[str]:
        return frozenset(one.test for one in self.pending_allowed)


class Storage(Entry):
    """Limits of storage and transport, a parameter of the product and no constant (R118)."""

    max_c: Decimal
    min_c: Decimal | None = None
    tolerance: timedelta = timedelta()
    """An excursion that lasts no longer is an event, not an excursion."""
    basis: Basis


class Target(Entry):
    """What the product has to do with a molecule: a CAR-T binds it, a T-APC expresses it."""

    molecule: Name
    relation: Literal["binds", "expresses"]
    basis: Basis


class Markers(Entry):
    """Which stains show the product and what must not be in it. They are the product's own (D14)."""

    product: Name
    """The stain of the transgene, or of the effector cell where there is none."""
    residual_b_cell: tuple[Name, ...] = ()
    basis: Basis


class Product(Definition):
    """A product of the portfolio."""

    name: Text
    modality: Literal["car_t", "antigen_expressing_t", "activated_lymphocytes", "monoclonal_antibody"]
    unit: Literal["patient_lot", "stock_lot"]
    autologous: bool
    """Whether donor and recipient are one person; `donor_for_recipient` says whether they may be two."""
    donor_for_recipient: bool = False
    gene_modified: bool
    label_code: Annotated[str, Meta(pattern="^[A-Z][A-Z0-9]{4}$")] | None = None
    """Product description code of ISBT 128 for the labels, five characters; without it labels carry house symbols."""
    targets: tuple[Target, ...] = ()
    markers: Markers | None = None
    recipe: Name
    recipe_version: Name
    doses: Doses
    gates: tuple[Gate, ...]
    markets: Annotated[tuple[Market, ...], Meta(min_length=1)]
    release_policy: ReleasePolicy
    storage: Storage
    collection_storage: Storage | None = None
    fresh: bool = False
    """Given fresh: there is no freezing and no thaw step (D15)."""
    use_window_after_thaw: timedelta | None = None
    shelf_life: timedelta
    collection_hold_max: timedelta | None = None
    """How long collected cells may wait before manufacture starts."""
    linked_after: Name | None = None
    """The product that this one follows in the same patient, made from the same starting cells where possible."""
    milestones: tuple[Milestone, ...] = ()
    statements: tuple[Statement, ...] = ()
    assumptions: tuple[Text, ...] = ()
    logistics: Basis
    """Where shelf life, use window and holding time come from."""

    def market(self, code: str) -> Market | None:
        """What holds in a market; None where the product has no legal basis."""
        return next((market for market in self.markets if market.code == code), None)

    @property
    def personal(self) -> bool:
        return self.unit == "patient_lot"

    def check(self) -> Iterator[Flaw]:
        yield from self._unique()
        for index, milestone in enumerate(self.milestones):
            if milestone.when is not None:
                yield from _dated(index, milestone.when)
        for index, gate in enumerate(self.gates):
            yield from self._gate(index, gate)
        for index, market in enumerate(self.markets):
            if market.legal_basis == "trial" and market.protocol is None:
                path = ("markets", index, "protocol")
                yield Flaw(path, "No protocol decides eligibility in the trial.", expected="the id of a trial protocol")
        yield from self._bands()
        if self.personal and self.fresh == (self.use_window_after_thaw is not None):
            yield Flaw(
                ("use_window_after_thaw",),
                "A fresh product has no thaw, and a frozen one needs a use window.",
                expected="either fresh: true or a use window after thaw",
            )
        if self.linked_after == self.id:
            yield Flaw(("linked_after",), "The product follows itself.", expected="another product")

    def _unique(self) -> Iterator[Flaw]:
        for key, names in (
            ("milestones", [x.id for x in self.milestones]),
            ("markets", [x.code for x in self.markets]),
            ("gates", [f"{x.act} {x.needs} {x.product or ''}".strip() for x in self.gates]),
        ):
            for index, name in repeated(names):
                yield Flaw((key, index), "{name} stands here again.", expected="each once", name=name)

    def _gate(self, index: int, gate: Gate) -> Iterator[Flaw]:
        path = ("gates", index, "product")
        if gate.needs == "prior_product_infused" and gate.product is None:
            yield Flaw(path, "The gate does not name the product it waits for.", expected="the id of a product")
        if gate.needs != "prior_product_infused" and gate.product is not None:
            yield Flaw(path, "The gate {needs} waits for no product.", expected="no product here", needs=gate.needs)

    def _bands(self) -> Iterator[Flaw]:
        """Bands must follow each other from nothing to infinity, so that every body weight has exactly one."""
        expected: Decimal | None = None
        for index, band in enumerate(self.doses.bands):
            path = ("doses", "bands", index)
            if band.over_kg != expected or (index and expected is None):
                yield Flaw(
                    (*path, "over_kg"),
                    "The band does not begin where the one before it ends.",
                    expected="every body weight in exactly one band",
                )
            if band.minimum is None and band.maximum is None:
                yield Flaw(path, "The band limits nothing.", expected="a minimum, a maximum or both")
            elif band.minimum is not None and band.maximum is not None and band.minimum > band.maximum:
                yield Flaw((*path, "minimum"), "The limits contradict each other.", expected="minimum <= maximum")
            expected = band.up_to_kg
        if expected is not None:
            yield Flaw(
                ("doses", "bands"),
                "Nothing is said of patients above {kg} kg.",
                expected="a last band without up_to_kg",
                kg=expected,
            )


def _dated(index: int, when: str) -> Iterator[Flaw]:
    try:
        interval(when)
    except ValueError as error:
        yield Flaw(
            ("milestones", index, "when"), "{error}.", expected="a date as precisely as it is known", error=error
        )
