"""The library: files that fit together, and every problem of every file at once."""

import pytest

from cellwright import shipped
from cellwright.factory.definition import Broken
from cellwright.factory.library import Library, read_library
from cellwright.factory.plant import Plant
from cellwright.factory.portfolio import Product
from cellwright.factory.recipe import Recipe

TEXTS = shipped.texts()


def problems(**changed: tuple[str, str]) -> list[str]:
    """What is said when the named shipped files (`product__at19`) are changed by replacing one text with another."""
    files = dict(TEXTS)
    for key, (old, new) in changed.items():
        file = key.replace("__", "/").replace("_", "-") + ".yaml"
        assert old in files[file], f"{old!r} is not in {file}"
        files[file] = files[file].replace(old, new)
    with pytest.raises(Broken) as caught:
        read_library(files)
    return [f"{p.file}:{p.where}" for p in caught.value.problems]


def test_the_shipped_library_fits_together() -> None:
    library = read_library(TEXTS)
    assert len(library.files) == len(TEXTS)
    assert library.get(Product, "aT19").linked_after == "CAR-T-19"
    assert library.get(Recipe, "EAL", "1").product == "EAL"
    assert len(library.all(Plant)) == 1
    with pytest.raises(KeyError):
        library.get(Recipe, "EAL", "2")


def test_all_problems_of_all_files_come_at_once_and_nothing_is_read() -> None:
    found = problems(
        product__at19=("recipe: aT19", "recipe: aT20"),
        product__eal=("specification: EAL-CN", "specification: aT19-CN"),
        recipe__eal=("room_class: culture_hall", "room_class: kitchen"),
        recipe__mil62=("code: virus_filter", "code: sieve"),
        specification__at19_cn=("product: aT19", "product: bT19"),
        trial__nct05213637=("product: EAL", "product: LAE"),
        plant__e_town=("role: planner", "role: gardener"),
    )
    assert {place.partition(":")[0] for place in found} == {
        "plant/e-town.yaml", "product/at19.yaml", "product/eal.yaml", "recipe/eal.yaml", "recipe/mil62.yaml",
        "specification/at19-cn.yaml", "trial/nct05213637.yaml",
    }  # fmt: skip
    assert "product/at19.yaml:recipe" in found
    assert "plant/e-town.yaml:staff[9].role" in found
    assert "product/eal.yaml:markets[0].specification" in found
    assert len([place for place in found if place.startswith("recipe/eal.yaml")]) == 4, "each step in the kitchen"


@pytest.mark.parametrize(
    ("file", "old", "new", "where"),
    [
        ("product/at19.yaml", 'recipe_version: "1"', 'recipe_version: "2"', "recipe_version"),
        ("product/at19.yaml", "recipe: aT19", "recipe: EAL", "recipe"),
        ("product/at19.yaml", "linked_after: CAR-T-19", "linked_after: CAR-T-20", "linked_after"),
        ("product/at19.yaml", "product: CAR-T-19", "product: CAR-T-20", "gates[10].product"),
        ("product/at19.yaml", "protocol: aT19-phase-I", "protocol: other", "markets[0].protocol"),
        ("product/at19.yaml", "protocol: aT19-phase-I", "protocol: NCT05213637", "markets[0].protocol"),
        ("product/at19.yaml", "code: CN", "code: US", "markets[0].specification"),
        ("product/cd20-car.yaml", "{test: mycoplasma,", "{test: mycoplasm,", "release_policy.pending_allowed[1].test"),
        ("recipe/eal.yaml", "role: operator", "role: magician", "unit_procedures[0].operations[0].phases[0].role"),
        ("recipe/eal.yaml", "equipment_class: bioreactor", "equipment_class: bathtub",
         "unit_procedures[1].operations[0].phases[0].equipment_class"),
        ("recipe/eal.yaml", "unit: set", "unit: kg", "unit_procedures[2].operations[1].phases[1].materials[1].unit"),
        ("recipe/eal.yaml", "cd8_positive,", "cd9_positive,",
         "unit_procedures[2].operations[1].phases[0].samples[0].tests[4]"),
        ("specification/eal-cn.yaml", "sampling_point: sample_end", "sampling_point: harvest", "tests[9]"),
        ("trial/at19-phase-i.yaml", "by: physician", "by: magician", "criteria[1].rule.any[1].all[1].attest.by"),
    ],
)  # fmt: skip
def test_what_leads_nowhere_is_found_where_it_stands(file: str, old: str, new: str, where: str) -> None:
    assert old in TEXTS[file]
    with pytest.raises(Broken) as caught:
        read_library({**TEXTS, file: TEXTS[file].replace(old, new, 1)})
    found = {(p.file, p.where): p for p in caught.value.problems}
    assert (file, where) in found, sorted(found)
    line = TEXTS[file].replace(old, new, 1).splitlines()[found[file, where].line - 1]
    key = where.rpartition(".")[2].partition("[")[0]
    assert key in line or line.lstrip().startswith("- "), "the line is that of the mistake"
    assert found[file, where].expected


def test_a_version_stands_in_one_file_only_and_folders_say_the_kind() -> None:
    with pytest.raises(Broken) as caught:
        read_library({**TEXTS, "recipe/zz.yaml": TEXTS["recipe/eal.yaml"], "poem/a.yaml": "", "b.yaml": ""})
    places = {(p.file, p.where) for p in caught.value.problems}
    assert {("recipe/zz.yaml", "id"), ("poem/a.yaml", ""), ("b.yaml", "")} <= places


def test_a_broken_name_is_told_once_and_not_again_wherever_it_is_used() -> None:
    assert problems(product__car_t_19=("id: CAR-T-19", "id: CAR T 19")) == ["product/car-t-19.yaml:id"]


def test_an_empty_library_is_a_library() -> None:
    assert Library({}).all(Plant) == ()
    assert read_library({}).files == {}
