"""Products: dates as precisely as they are known, bands that cover every weight, gates that unknown does not open."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import product as combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cellwright.factory.definition import ASSUMED, Basis, Text
from cellwright.factory.portfolio import Facts, Product, gate, interval
from cellwright.factory.portfolio.product import Band, Doses, Gate, Market, Milestone, ReleasePolicy, Storage

T = Text(en="x", zh="某")
ONE_DOSE = Doses(plan=1, bands=(Band(minimum=Decimal(1), unit="cells", basis=ASSUMED),), basis=ASSUMED)


def made(**change: object) -> Product:
    return replace(
        Product(
            id="p", version="1", name=T, modality="car_t", unit="patient_lot", autologous=True, gene_modified=True,
            recipe="r", recipe_version="1", doses=ONE_DOSE, gates=(), release_policy=ReleasePolicy(basis=ASSUMED),
            markets=(Market(code="CN", legal_basis="authorised", specification="s", basis=ASSUMED),),
            storage=Storage(max_c=Decimal(-120), basis=ASSUMED), use_window_after_thaw=timedelta(minutes=30),
            shelf_life=timedelta(days=270), logistics=ASSUMED,
        ),
        **change,
    )  # fmt: skip


def flaws(one: Product) -> list[tuple[str | int, ...]]:
    return [flaw.path for flaw in one.check()]


@pytest.mark.parametrize(
    ("when", "first", "last", "precision"),
    [
        ("2024-02-17", date(2024, 2, 17), date(2024, 2, 17), "day"),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29), "month"),
        ("2023-02", date(2023, 2, 1), date(2023, 2, 28), "month"),
        ("2024-Q4", date(2024, 10, 1), date(2024, 12, 31), "quarter"),
        ("2024-H1", date(2024, 1, 1), date(2024, 6, 30), "half"),
        ("2015", date(2015, 1, 1), date(2015, 12, 31), "year"),
        ("2024-10-01/2024-12-31", date(2024, 10, 1), date(2024, 12, 31), "interval"),
    ],
)
def test_a_half_known_date_is_an_interval(when: str, first: date, last: date, precision: str) -> None:
    assert interval(when) == (first, last, precision)


@pytest.mark.parametrize("when", ["2024-02-30", "2024-12-31/2024-01-01", "2024-13", "2024-Q5", "24", "", "2024-1"])
def test_what_is_no_date_is_refused(when: str) -> None:
    with pytest.raises(ValueError):
        interval(when)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_a_day_lies_in_every_less_precise_form_of_itself(day: date) -> None:
    half, quarter = (day.month + 5) // 6, (day.month + 2) // 3
    for when in (f"{day}", f"{day:%Y-%m}", f"{day:%Y}-Q{quarter}", f"{day:%Y}-H{half}", f"{day:%Y}"):
        found = interval(when)
        assert found.first <= day <= found.last


def bands(*edges: tuple[str | None, str | None]) -> Doses:
    return replace(
        ONE_DOSE,
        bands=tuple(
            Band(over_kg=None if a is None else Decimal(a), up_to_kg=None if b is None else Decimal(b),
                 minimum=Decimal(1), unit="cells", basis=ASSUMED)
            for a, b in edges
        ),
    )  # fmt: skip


@pytest.mark.parametrize(("weight", "index"), [("3", 0), ("49.9", 0), ("50.0", 0), ("50.1", 1), ("120", 1)])
def test_up_to_50_kg_one_band_above_the_other(weight: str, index: int) -> None:
    doses = bands((None, "50"), ("50", None))
    assert doses.band(Decimal(weight)) is doses.bands[index]


@pytest.mark.parametrize(
    ("edges", "wrong"),
    [
        (((None, None),), False),
        (((None, "50"), ("50", None)), False),
        (((None, "50"), ("51", None)), True),
        (((None, "50"),), True),
        ((("10", None),), True),
        (((None, None), (None, None)), True),
    ],
)
def test_bands_cover_every_weight_once(edges: tuple[tuple[str | None, str | None], ...], wrong: bool) -> None:
    assert bool(flaws(made(doses=bands(*edges)))) == wrong


def test_contradictions_inside_a_product() -> None:
    trial = Market(code="CN", legal_basis="trial", specification="s", basis=ASSUMED)
    dated = Milestone(id="m", event="ind_approved", text=T, when="2024-02-30", basis=ASSUMED)
    nothing = replace(ONE_DOSE, bands=(Band(unit="cells", basis=ASSUMED),))
    crossed = replace(ONE_DOSE, bands=(Band(minimum=Decimal(2), maximum=Decimal(1), unit="cells", basis=ASSUMED),))
    assert flaws(made()) == []
    assert flaws(made(markets=(trial, trial))) == [
        ("markets", 1), ("markets", 0, "protocol"), ("markets", 1, "protocol"),
    ]  # fmt: skip
    assert flaws(made(milestones=(dated,))) == [("milestones", 0, "when")]
    assert flaws(made(gates=(Gate(act="infusion", needs="prior_product_infused", basis=ASSUMED),))) == [
        ("gates", 0, "product")
    ]
    assert flaws(made(gates=(Gate(act="order", needs="consent", product="q", basis=ASSUMED),))) == [
        ("gates", 0, "product")
    ]
    assert flaws(made(doses=nothing)) == [("doses", "bands", 0)]
    assert flaws(made(doses=crossed)) == [("doses", "bands", 0, "minimum")]
    assert flaws(made(use_window_after_thaw=None)) == [("use_window_after_thaw",)]
    assert flaws(made(fresh=True)) == [("use_window_after_thaw",)]
    assert flaws(made(linked_after="p")) == [("linked_after",)]


def test_what_is_remembered_or_assumed_is_never_a_fact() -> None:
    standing = {grade: (Basis(grade=grade).is_fact, Basis(grade=grade).standing) for grade in "ABCDMX"}  # type: ignore[arg-type]
    assert standing == {
        "A": (True, "fact"), "B": (True, "fact"), "C": (True, "fact"),
        "D": (False, "derived"), "M": (False, "unverified"), "X": (False, "assumption"),
    }  # fmt: skip


NEEDS = ("legal_basis", "eligibility", "consent", "enrolment", "donor_status", "prior_product_infused")


def test_gates_open_only_when_all_they_wait_for_is_known_to_hold() -> None:
    gates = tuple(
        Gate(act="infusion", needs=n, product="CAR-T-19" if n == "prior_product_infused" else None, basis=ASSUMED)
        for n in NEEDS
    )
    one = made(gates=gates)
    for known in combinations((True, False, None), repeat=len(NEEDS)):
        held = dict(zip(NEEDS, known, strict=True))
        infused = {"CAR-T-19": held.pop("prior_product_infused")}
        facts = Facts(infused=infused, **held)
        opening = gate(one, "infusion", facts)
        assert opening.open is (False if False in known else None if None in known else True)
        refusal = opening.refusal
        assert (refusal is None) == (opening.open is True)
        if refusal is not None:
            assert refusal.code == ("gate-closed" if False in known else "gate-unknown")
            assert str(refusal)
        assert gate(one, "order", facts).open is True, "other acts do not wait"


@pytest.mark.parametrize("infused", [{}, {"CAR-T-19": None}, {"other": True}])
def test_an_infusion_that_nobody_knows_of_does_not_open_the_gate(infused: dict[str, bool | None]) -> None:
    waits = Gate(act="infusion", needs="prior_product_infused", product="CAR-T-19", basis=ASSUMED)
    assert gate(made(gates=(waits,)), "infusion", Facts(infused=infused)).open is None
