"""The shipped files: what they claim agrees with the publications, and what is not known is not shown as a fact."""

import json
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cellwright import shipped
from cellwright.factory.definition import bases, read, write
from cellwright.factory.library import Library, read_library
from cellwright.factory.plant import Plant
from cellwright.factory.portfolio import Facts, Product, gate
from cellwright.factory.quality.specification import Criterion, Specification
from cellwright.factory.recipe import Recipe
from cellwright.factory.trial import Protocol, judge, read_evidence
from tools import schemas

PERSONAL = ("CAR-T-19", "aT19", "EAL", "ARI-0001", "HCAR19", "CD20-CAR")


@pytest.fixture(scope="module")
def library() -> Library:
    return read_library(shipped.texts())


def test_the_schemas_are_those_of_the_types() -> None:
    assert schemas.stale() == []
    for kind in shipped.KINDS:
        made = json.loads(shipped.schema(kind))
        assert made["$defs"]
        assert "sha256" not in json.dumps(made), "the hash is not written by hand"


def test_a_definition_is_named_by_the_hash_of_its_bytes(library: Library) -> None:
    for file, definition in library.files.items():
        assert definition.sha256 == sha256(shipped.content(file)).hexdigest()
    with pytest.raises(FileNotFoundError):
        shipped.content("recipe/none.yaml")


@pytest.mark.requirement("R095")
def test_every_definition_survives_writing_and_reading(library: Library) -> None:
    for definition in library.files.values():
        text = write(definition)
        again = read(type(definition), text)
        assert replace(again, sha256="") == replace(definition, sha256="")
        assert write(again) == text


@pytest.mark.requirement("R095")
def test_recipes_are_procedures_unit_procedures_operations_and_phases_in_three_modes(library: Library) -> None:
    recipes = library.all(Recipe)
    assert {step.mode for recipe in recipes for step in recipe.steps} == {"Automatic", "SemiAutomatic", "Manual"}
    for recipe in recipes:
        phases = [p for u in recipe.unit_procedures for o in u.operations for p in o.phases]
        assert tuple(phases) == recipe.steps


# --- facts and their standing -----------------------------------------------------------------------------------------


def test_no_statement_is_without_a_grade_and_no_fact_without_a_source(library: Library) -> None:
    seen = 0
    for definition in library.files.values():
        for _, basis in bases(definition):
            seen += 1
            assert basis.is_fact == (basis.grade in "ABC")
            assert basis.sources or not basis.is_fact
            assert all(key in definition.sources for key in basis.sources)
    assert seen > 500


def test_conflicts_stand_side_by_side(library: Library) -> None:
    plant = library.all(Plant)[0]
    areas = [s for s in plant.statements if s.about == "area"]
    assert ["34,995.92" in s.text.en or "nearly 30,000" in s.text.en for s in areas] == [True, True]
    assert all(s.conflict is not None and s.basis.is_fact for s in areas)
    at19 = library.get(Product, "aT19")
    assert [s.text.en for s in at19.statements if s.about == "age"] == ["Under the age of 25.", "Aged 25 and below."]
    assert [s.conflict is not None for s in at19.statements if s.about == "mechanism"] == [True, True]


def test_everything_in_the_plant_that_is_not_published_says_so(library: Library) -> None:
    plant = library.all(Plant)[0]
    invented = (*plant.rooms, *plant.equipment, *plant.staff, *plant.shifts, *plant.materials, *plant.room_classes)
    assert len(invented) > 80
    assert {one.basis.standing for one in invented} == {"assumption"}


def test_milestones_are_as_precise_as_their_sources(library: Library) -> None:
    dated = {
        (product.id, milestone.id): milestone for product in library.all(Product) for milestone in product.milestones
    }
    approved = dated["aT19", "ind-approved"]
    assert approved.interval == (date(2024, 2, 1), date(2024, 2, 29), "month")
    assert dated["EAL", "ind-submitted"].interval == (date(2015, 1, 1), date(2015, 12, 31), "year")
    assert dated["CAR-T-19", "breakthrough"].interval is None
    assert dated["aT19", "phase-1-start"].status == "announced"
    assert not dated["ARI-0001", "exemption"].basis.is_fact


def test_texts_are_in_both_languages_and_instructions_are_short(library: Library) -> None:
    for recipe in library.all(Recipe):
        for step in recipe.steps:
            assert any("\u4e00" <= c <= "\u9fff" for c in step.instruction.zh)
            assert step.instruction.en.isascii() or "°" in step.instruction.en or "−" in step.instruction.en
            for sentence in step.instruction.en.rstrip(".").split(". "):
                assert len(sentence.split()) <= 14, f"{recipe.id} {step.id}: {sentence}"
            assert len(step.instruction.zh) <= 60


# --- products ---------------------------------------------------------------------------------------------------------


def test_at19_waits_for_car_t_19_at_the_infusion_only(library: Library) -> None:
    at19 = library.get(Product, "aT19")
    assert at19.modality == "antigen_expressing_t", "it expresses CD19, it is no CAR-T"
    assert [(t.molecule, t.relation) for t in at19.targets] == [("CD19", "expresses")]
    assert at19.markers is not None
    assert "CD19" not in at19.markers.residual_b_cell, "CD19 is the product's own marker (D14)"
    known = Facts(legal_basis=True, eligibility=True, consent=True, enrolment=True, donor_status=True)
    for act in ("order", "collection", "manufacture", "release"):
        assert gate(at19, act, known).open is True
    assert gate(at19, "infusion", known).open is None
    waiting = next(g for g in at19.gates if g.needs == "prior_product_infused")
    assert (waiting.product, waiting.basis.standing) == ("CAR-T-19", "assumption")


def test_eal_has_twenty_doses_of_published_size(library: Library) -> None:
    eal = library.get(Product, "EAL")
    assert (eal.doses.plan, eal.gene_modified) == (20, False)
    band = eal.doses.band(Decimal(70))
    assert (band.minimum, band.maximum, band.unit) == (Decimal("1e9"), Decimal("2e10"), "cells")
    recipe = library.get(Recipe, eal.recipe)
    assert [o.count for s in recipe.steps for o in s.makes if o.kind == "final_bag"] == [20]


def test_only_the_cd20_product_may_leave_with_results_pending(library: Library) -> None:
    pending = {p.id: p.release_policy.pending_tests for p in library.all(Product) if p.release_policy.pending_tests}
    assert set(pending) == {"CD20-CAR"}
    assert {"sterility", "mycoplasma", "vector_copies_per_transduced_cell"} <= pending["CD20-CAR"]
    cd20 = library.get(Specification, "CD20-CAR-EU")
    assert {t.code for t in cd20.tests if t.required == "pending_allowed"} == pending["CD20-CAR"]


def test_storage_is_a_parameter_of_the_product(library: Library) -> None:
    assert library.get(Product, "CAR-T-19").storage.max_c == -120
    fresh = library.get(Product, "CD20-CAR")
    assert fresh.fresh
    assert fresh.use_window_after_thaw is None
    activities = {s.activity for s in library.get(Recipe, fresh.recipe).steps}
    assert not activities & {"freeze", "thaw"}, "a fresh product has no thaw step (D15)"


@pytest.mark.parametrize("name", PERSONAL)
def test_recipes_of_cells_carry_what_a_patient_needs(library: Library, name: str) -> None:
    recipe = library.get(Recipe, name)
    assert 10 <= len(recipe.steps) <= 14
    assert recipe.steps[0].activity == "receive"
    opened = [s for s in recipe.steps if s.open_processing]
    plant = library.all(Plant)[0]
    assert all(plant.room_class(s.room_class).exclusive for s in opened), "open cells, one patient in the room"
    filling = next(s for s in recipe.steps if s.activity == "fill")
    assert "label" in filling.scans
    assert filling.verified_by_second
    assert any(o.kind == "retained" for o in filling.makes)
    assert all("container" in s.scans for s in recipe.steps if s.activity not in ("mix",))


def test_the_culture_takes_as_long_as_published(library: Library) -> None:
    cd20 = library.get(Recipe, "CD20-CAR")
    culture = [s.duration for s in cd20.steps if s.activity == "expand"]
    assert sum((d.typical for d in culture), timedelta()) + timedelta(days=1) == timedelta(days=12), "day 0 to day 12"
    assert all(d.basis.grade == "A" for d in culture)


# --- specifications against the published tables ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(shared_data: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((shared_data / "quality" / "release_specs" / "specs.json").read_text())
    return found


ARI = {
    "CAR19+ cell number": "car_positive_cells", "CAR19+ %": "car_positive", "CD3+ %": "cd3_positive",
    "viability %": "viability", "sterility": "sterility", "mycoplasma": "mycoplasma", "endotoxin EU/mL": "endotoxin",
    "adventitious viruses": "adventitious_viruses", "transgene copies/cell": "vector_copies_per_cell",
    "RCL": "replication_competent_lentivirus", "potency": "potency",
}  # fmt: skip
HCAR = {
    "RCL VSV-G": "replication_competent_lentivirus", "sterility": "sterility", "mycoplasma": "mycoplasma",
    "transduction %": "car_positive", "CAR copies/100 ng DNA": "car_copies_per_100_ng", "viability %": "viability",
    "residual beads per 3e6 cells": "residual_beads", "IFN-gamma pg/mL": "ifn_gamma", "killing %": "killing",
}  # fmt: skip


@pytest.mark.parametrize(("index", "name", "codes"), [(0, "ARI-0001-EU", ARI), (1, "HCAR19-IN", HCAR)])
def test_limits_are_the_published_ones(
    library: Library, published: list[dict[str, Any]], index: int, name: str, codes: dict[str, str]
) -> None:
    specification = library.get(Specification, name)
    rows = published[index]["criteria"]
    assert {row["test"] for row in rows} == set(codes)
    for row in rows:
        test = specification.test(codes[row["test"]])
        assert test.basis.grade == "A", test.code
        assert test.required == "before_release"
        if row["op"] == "any":
            assert [(a.operator, a.limit) for a in test.any_of] == [("<", "70"), (">", "50")]
        elif isinstance(row["limit"], str):
            same = {"sterile": "negative"}.get(row["limit"], row["limit"])
            assert (test.operator, test.limit) == ("==", same)
        else:
            assert (test.operator, Decimal(test.limit)) == (row["op"], Decimal(str(row["limit"])))


def limit(test: Criterion) -> tuple[str, str]:
    return test.operator, test.limit


def test_the_cd20_rules_are_the_published_ones(library: Library) -> None:
    cd20 = library.get(Specification, "CD20-CAR-EU")
    assert {c: limit(cd20.test(c)) for c in ("car_positive_day5", "viability", "cd3_positive", "car_positive", "endotoxin")} == {
        "car_positive_day5": (">=", "5"), "viability": (">=", "80"), "cd3_positive": (">=", "80"),
        "car_positive": (">=", "10"), "endotoxin": ("<", "5"),
    }  # fmt: skip
    assert limit(cd20.test("vector_copies_per_transduced_cell")) == ("<", "5")
    dose = cd20.test("dose_percent")
    assert (dose.low, dose.high) == (80, 120)
    for early, final in (("sterility_day10", "sterility"), ("mycoplasma_day10", "mycoplasma")):
        assert cd20.test(early).negative_to_date
        assert cd20.test(early).required == "before_release"
        assert cd20.test(final).interim == early


def test_every_product_for_patients_is_judged_for_endotoxin_per_kilogram(library: Library) -> None:
    for name in PERSONAL:
        for market in library.get(Product, name).markets:
            test = library.get(Specification, market.specification).test("endotoxin_per_kg_hour")
            assert (test.operator, test.limit, test.unit) == ("<=", "5", "EU/kg/h")


def test_no_limit_of_the_companies_own_products_is_shown_as_a_fact(library: Library) -> None:
    known = {("EAL-CN", "dose")}
    for name in ("CAR-T-19-CN", "aT19-CN", "EAL-CN", "MIL62-CN"):
        for test in library.get(Specification, name).tests:
            assert test.basis.is_fact == ((name, test.code) in known), f"{name} {test.code}"


# --- trials -----------------------------------------------------------------------------------------------------------

CHILD = {
    "age@consent": "12", "diagnosis": "B-ALL", "disease_status": "relapsed", "cd19_positive": "yes",
    "cd19_positive.on": "2026-01-10", "on.enrolment": "2026-03-02", "lansky": "80",
    "attest.life_expectancy_weeks_ge_12": "yes", "attest.life_expectancy_weeks_ge_12.by": "physician",
    "attest.other_criteria_met": "yes", "attest.other_criteria_met.by": "physician", "extramedullary_relapse": "no",
    "burkitt": "no", "genetic_disease": "no", "other_malignancy": "no", "written_consent": "yes",
    "linked_order": "CAR-T-19",
    **dict.fromkeys(("HBsAg", "HBV_DNA", "HCV_Ab", "HCV_RNA", "HIV_Ab", "TP_Ab", "EBV_DNA", "CMV_DNA"), "negative"),
}  # fmt: skip


def test_a_child_with_everything_known_is_eligible_for_car_t_19_and_then_at19(library: Library) -> None:
    for name in ("NCT05270772", "aT19-phase-I"):
        assert judge(library.get(Protocol, name), read_evidence(CHILD)).verdict == "eligible"


@pytest.mark.parametrize("missing", sorted(set(CHILD) - {"linked_order", "disease_status"}))
def test_each_missing_fact_leaves_car_t_19_unknown(library: Library, missing: str) -> None:
    left = {k: v for k, v in CHILD.items() if k != missing and not k.startswith(f"{missing}.")}
    judged = judge(library.get(Protocol, "NCT05270772"), read_evidence(left))
    assert judged.verdict == "unknown"
    assert judged.missing


@pytest.mark.parametrize(
    ("age", "verdict"), [("24", "eligible"), ("25", "unknown"), ("24|25", "unknown"), ("26", "not_eligible")]
)
def test_at_the_age_of_25_the_sponsor_rules(library: Library, age: str, verdict: str) -> None:
    for name in ("NCT05270772", "aT19-phase-I"):
        adult = {**CHILD, "age@consent": age, "karnofsky": "90"}
        judged = judge(library.get(Protocol, name), read_evidence(adult))
        assert judged.verdict == verdict
        if verdict == "unknown":
            assert [m.name for m in judged.missing if m.why == "sign"] == ["sponsor_ruling_age_25"]
            ruled = read_evidence(
                {**adult, "attest.sponsor_ruling_age_25": "yes", "attest.sponsor_ruling_age_25.by": "physician"}
            )
            assert judge(library.get(Protocol, name), ruled).verdict == "eligible"


def test_at19_needs_car_t_19_given_or_ordered(library: Library) -> None:
    protocol = library.get(Protocol, "aT19-phase-I")
    alone = {k: v for k, v in CHILD.items() if k != "linked_order"}
    assert judge(protocol, read_evidence(alone)).verdict == "unknown"
    assert judge(protocol, read_evidence({**alone, "prior.CAR-T-19": "infused"})).verdict == "eligible"
    assert judge(protocol, read_evidence({**alone, "prior.CAR-T-19": "not_infused", "linked_order": "EAL"})).failed == (
        "I1",
    )
