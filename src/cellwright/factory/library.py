"""The library: definitions that fit together. What only several files can show is checked here.

A product names its recipe, specifications and protocols; a recipe names rooms, equipment, roles and materials of a
plant; all of them must be there and speak of each other. All problems of all files come at once, each at its line.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from cellwright.factory.definition import Broken, Definition, Flaw, Path, Problem, Sheet, examine, unknown
from cellwright.factory.people import ROLES
from cellwright.factory.plant.plant import Plant
from cellwright.factory.portfolio.product import Product
from cellwright.factory.quality.specification import Specification
from cellwright.factory.recipe.recipe import Recipe, Step
from cellwright.factory.retention import Retention
from cellwright.factory.trial.protocol import Protocol, attested

KINDS: dict[str, type[Definition]] = {
    "plant": Plant,
    "product": Product,
    "recipe": Recipe,
    "retention": Retention,
    "specification": Specification,
    "trial": Protocol,
}
"""Folder of a file to what it holds."""

D = TypeVar("D", bound=Definition)


class Library:
    """Definitions by kind, id and version, read together and known to fit together."""

    def __init__(self, definitions: Mapping[str, Definition]) -> None:
        self.files: dict[str, Definition] = dict(definitions)
        """File name to definition."""

    def all(self, kind: type[D]) -> tuple[D, ...]:
        """Every definition of a kind, in the order of the file names."""
        return tuple(one for _, one in sorted(self.files.items()) if isinstance(one, kind))

    def get(self, kind: type[D], name: str, version: str | None = None) -> D:
        """A definition by id; the last file's version unless one is named. Raises KeyError."""
        found = [one for one in self.all(kind) if one.id == name and version in (None, one.version)]
        if not found:
            raise KeyError(f"{name} {version or ''}".strip())
        return found[-1]


def read_library(files: Mapping[str, str]) -> Library:
    """Definitions from their texts, by file name such as `recipe/car-t-19.yaml`; the folder says the kind.

    Raises:
        Broken: with every problem of every file. If one file is broken, nothing is read.
    """
    sheets: list[Sheet[Any]] = []
    problems: list[Problem] = []
    for file, text in sorted(files.items()):
        kind = KINDS.get(file.split("/")[-2] if "/" in file else "")
        if kind is None:
            what = "The folder says no kind of definition."
            problems.append(Problem(file, 1, "", what, "one of: {known}", {"known": ", ".join(KINDS)}))
        else:
            sheets.append(examine(kind, text, file))
    read = [(sheet, sheet.value) for sheet in sheets if sheet.value is not None]
    _compare(read)
    problems += [problem for sheet in sheets for problem in sheet.problems]
    if problems:
        raise Broken(problems)
    return Library({sheet.file: definition for sheet, definition in read})


def _compare(read: list[tuple[Sheet[Any], Any]]) -> None:
    """State in each sheet what does not fit the others."""
    held: dict[type[Any], list[Any]] = {kind: [d for _, d in read if isinstance(d, kind)] for kind in KINDS.values()}
    for kind in KINDS.values():
        _unique([(sheet, definition) for sheet, definition in read if isinstance(definition, kind)])
    for sheet, definition in read:
        for flaw in _flaws(definition, held):
            sheet.add(flaw)


def _flaws(definition: Definition, held: Mapping[type[Any], list[Any]]) -> Iterator[Flaw]:
    match definition:
        case Product():
            yield from _product(definition, held)
        case Recipe():
            yield from _recipe(definition, held)
        case Specification():
            yield from _specification(definition, held)
        case Protocol():
            yield from _known(("product",), definition.product, [p.id for p in held[Product]], "product")
            for path, attest in attested(definition):
                yield from _known((*path, "by"), attest.by, sorted(ROLES), "role")
        case Plant():
            for index, staff in enumerate(definition.staff):
                yield from _known(("staff", index, "role"), staff.role, sorted(ROLES), "role")


def _unique(read: list[tuple[Sheet[Any], Any]]) -> None:
    first: dict[tuple[str, str], str] = {}
    for sheet, definition in read:
        key = definition.id, definition.version
        if all(key) and key in first:
            flaw = Flaw(
                ("id",),
                "{id} version {version} stands in {file} already.",
                expected="each version of a definition in one file",
                id=key[0],
                version=key[1],
                file=first[key],
            )
            sheet.add(flaw)
        first.setdefault(key, sheet.file)


def _known(path: Path, name: str, known: list[str], kind: str) -> Iterator[Flaw]:
    if unknown(name, known):
        yield Flaw(
            path,
            "There is no {kind} {name} here.",
            expected="one of: {known}",
            kind=kind,
            name=name,
            known=", ".join(dict.fromkeys(known)) or "-",
        )


def _product(product: Product, held: Mapping[type[Any], list[Any]]) -> Iterator[Flaw]:
    recipes: list[Recipe] = held[Recipe]
    yield from _known(("recipe",), product.recipe, [r.id for r in recipes], "recipe")
    versions = [r.version for r in recipes if r.id == product.recipe]
    if versions:
        yield from _known(("recipe_version",), product.recipe_version, versions, "version of the recipe")
    for recipe in recipes:
        if recipe.id == product.recipe:
            yield from _belongs(("recipe",), recipe, product)
    for index, market in enumerate(product.markets):
        yield from _market(product, ("markets", index), market.specification, market.code, held[Specification])
        if market.protocol is not None:
            path: Path = ("markets", index, "protocol")
            yield from _known(path, market.protocol, [p.id for p in held[Protocol]], "trial protocol")
            for protocol in held[Protocol]:
                if protocol.id == market.protocol:
                    yield from _belongs(path, protocol, product)
    products = [p.id for p in held[Product]]
    for index, gate in enumerate(product.gates):
        if gate.product is not None:
            yield from _known(("gates", index, "product"), gate.product, products, "product")
    if product.linked_after is not None:
        yield from _known(("linked_after",), product.linked_after, products, "product")


def _market(
    product: Product, path: Path, specification: str, code: str, specifications: list[Specification]
) -> Iterator[Flaw]:
    where = (*path, "specification")
    yield from _known(where, specification, [s.id for s in specifications], "specification")
    for one in specifications:
        if one.id != specification:
            continue
        yield from _belongs(where, one, product)
        if one.market and one.market != code:
            yield Flaw(
                where,
                "The specification {id} is that of the market {market}.",
                expected="a specification of the market {wanted}",
                id=one.id,
                market=one.market,
                wanted=code,
            )
        codes = [test.code for test in one.tests]
        for index, pending in enumerate(product.release_policy.pending_allowed):
            yield from _known(("release_policy", "pending_allowed", index, "test"), pending.test, codes, "test")


def _specification(specification: Specification, held: Mapping[type[Any], list[Any]]) -> Iterator[Flaw]:
    """Every test must get its sample, of its kind and at its point, from every recipe of the product (R102)."""
    yield from _known(("product",), specification.product, [p.id for p in held[Product]], "product")
    for recipe in held[Recipe]:
        if recipe.product != specification.product:
            continue
        for index, test in enumerate(specification.tests):
            for code in test.measured if test.calculation is None else ():
                if not any(
                    code in sample.tests
                    and test.sample_kind in ("", sample.kind)
                    and test.sampling_point in ("", step.id)
                    for step in recipe.steps
                    for sample in step.samples
                ):
                    yield Flaw(
                        ("tests", index),
                        "The recipe {recipe} draws no {kind} sample for {test} at {point}.",
                        expected="a sample in the recipe for every test",
                        recipe=recipe.id,
                        kind=test.sample_kind or "-",
                        test=code,
                        point=test.sampling_point or "-",
                    )


def _belongs(path: Path, one: Recipe | Protocol | Specification, product: Product) -> Iterator[Flaw]:
    if one.product and product.id and one.product != product.id:
        yield Flaw(
            path,
            "{name} belongs to the product {product}.",
            expected="one of this product",
            name=one.id,
            product=one.product,
        )


def _recipe(recipe: Recipe, held: Mapping[type[Any], list[Any]]) -> Iterator[Flaw]:
    yield from _known(("product",), recipe.product, [p.id for p in held[Product]], "product")
    specified = {
        code
        for specification in held[Specification]
        if specification.product == recipe.product
        for code in specification.measured()
    }
    for u, unit in enumerate(recipe.unit_procedures):
        for o, operation in enumerate(unit.operations):
            for p, step in enumerate(operation.phases):
                path: Path = ("unit_procedures", u, "operations", o, "phases", p)
                yield from _step(path, step, held[Plant])
                for s, sample in enumerate(step.samples):
                    for t, test in enumerate(sample.tests):
                        known = sorted(specified) if specified else [test]
                        yield from _known((*path, "samples", s, "tests", t), test, known, "test in its specifications")


def _step(path: Path, step: Step, plants: list[Plant]) -> Iterator[Flaw]:
    yield from _known((*path, "role"), step.role, sorted(ROLES), "role")
    for plant in plants:
        yield from _known((*path, "room_class"), step.room_class, [r.id for r in plant.room_classes], "room class")
        if step.equipment_class is not None:
            classes = [e.id for e in plant.equipment_classes]
            yield from _known((*path, "equipment_class"), step.equipment_class, classes, "equipment class")
        for index, use in enumerate(step.materials):
            yield from _material((*path, "materials", index), use.code, use.unit, plant)


def _material(path: Path, code: str, unit: str, plant: Plant) -> Iterator[Flaw]:
    yield from _known((*path, "code"), code, [m.code for m in plant.materials], "material")
    for material in plant.materials:
        if material.code == code and material.unit != unit:
            yield Flaw(
                (*path, "unit"),
                "The plant counts {code} in {wanted}, not in {unit}.",
                expected="{wanted}",
                code=code,
                unit=unit,
                wanted=material.unit,
            )
