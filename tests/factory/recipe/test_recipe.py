"""Recipes: the law of sequence, and every contradiction of a file found at once."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellwright.factory.definition import ASSUMED, Broken, Text, read
from cellwright.factory.recipe.recipe import Duration, Operation, Recipe, Step, UnitProcedure

TEXT = Text(en="Do it.", zh="执行。")
HOUR = Duration(min=timedelta(0), typical=timedelta(hours=1), max=timedelta(hours=2))


def step(name: str, *after: str) -> Step:
    return Step(
        id=name,
        activity="inspect",
        title=TEXT,
        instruction=TEXT,
        role="operator",
        room_class="suite",
        duration=HOUR,
        after=after,
    )


def recipe(*steps: Step) -> Recipe:
    operation = Operation(id="o", title=TEXT, phases=steps)
    unit = UnitProcedure(id="u", title=TEXT, operations=(operation,))
    return Recipe(id="r", version="1", name=TEXT, product="p", unit_procedures=(unit,), process=ASSUMED)


def graphs() -> st.SearchStrategy[Recipe]:
    """Recipes of up to eight steps with any edges that go from earlier to later ones, written down in any order."""

    def build(edges: list[list[bool]], order: list[int]) -> Recipe:
        steps = [step(f"s{i}", *(f"s{j}" for j in range(i) if edges[i][j])) for i in range(len(edges))]
        return recipe(*(steps[i] for i in order))

    return st.integers(1, 8).flatmap(
        lambda n: st.builds(
            build,
            st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=n, max_size=n),
            st.permutations(range(n)),
        )
    )


@pytest.mark.requirement("R042")
@given(graphs(), st.data())
def test_exactly_the_topological_orders_can_be_done(made: Recipe, data: st.DataObject) -> None:
    assert not list(made.check())
    order = data.draw(st.permutations([s.id for s in made.steps]))
    done: list[str] = []
    stopped = False
    for name in order:
        if name not in {s.id for s in made.ready(done)}:
            stopped = True
            break
        done.append(name)
    position = {name: i for i, name in enumerate(order)}
    topological = all(position[before] < position[s.id] for s in made.steps for before in s.after)
    assert stopped != topological


@given(graphs())
def test_a_recipe_without_circles_can_always_be_finished(made: Recipe) -> None:
    done: list[str] = []
    while ready := made.ready(done):
        done += [s.id for s in ready]
    assert sorted(done) == sorted(s.id for s in made.steps)
    assert {s.id for s in made.last} <= set(done)


def test_steps_are_found_by_name() -> None:
    made = recipe(step("a"), step("b", "a"))
    assert made.step("b").after == ("a",)
    assert made.unit_of("b") == "u"
    for find in (made.step, made.unit_of):
        with pytest.raises(KeyError):
            find("c")


def test_circles_are_named_with_everyone_who_waits_in_them() -> None:
    flaws = list(recipe(step("a", "c"), step("b", "a"), step("c", "b"), step("d", "c"), step("e")).check())
    assert [flaw.values["step"] for flaw in flaws] == ["a", "b", "c", "d"]
    assert flaws[0].values["circle"] == "a, b, c, d"


BROKEN = """\
id: cells
version: "1"
name: {en: Cells, zh: 细胞}
product: cells
process: {grade: X}
unit_procedures:
  - id: u
    title: {en: Unit, zh: 单元}
    operations:
      - id: o
        title: {en: Operation, zh: 操作}
        phases:
          - id: first
            activity: wash
            title: {en: Wash, zh: 洗涤}
            instruction: {en: Wash the cells., zh: 洗涤细胞。}
            role: operator
            room_class: suite
            duration: {min: PT2H, typical: PT1H, max: PT3H}
            after: [first, thrid]
            hold_min: PT3H
            hold_max: PT1H
            parameters:
              - {id: ph, name: {en: pH, zh: pH 值}, unit: "", low: "7.4", high: "7.0"}
              - {id: ph, name: {en: pH, zh: pH 值}, unit: ""}
            verified_by_second: true
            materials: [{code: saline, quantity: "0", unit: mL}]
          - id: second
            activity: fly
            title: {en: Fly, zh: 飞}
            instruction: {en: Fly., zh: 飞。}
            role: operator
            room_class: suite
            duration: {min: PT1H, typical: PT1H, max: PT1H}
            after: [third, second2, second2]
          - id: third
            activity: wash
            title: {en: Wash}
            instruction: {en: Wash., zh: 洗。}
            role: operator
            room_class: suite
            duration: {min: PT1H, typical: PT1H, max: PT1H}
            after: [second]
  - id: u
    title: {en: Unit, zh: 单元}
    operations:
      - id: o
        title: {en: Operation, zh: 操作}
        phases: []
"""


def test_every_contradiction_of_a_recipe_is_found_at_once() -> None:
    with pytest.raises(Broken) as caught:
        read(Recipe, BROKEN, "cells.yaml")
    found = [(p.line, p.where.rpartition("phases")[2] or p.where) for p in caught.value.problems]
    assert found == [
        (13, "[0].signatures"),
        (19, "[0].duration"),
        (20, "[0].after[0]"),
        (20, "[0].after[1]"),
        (21, "[0].hold_min"),
        (24, "[0].parameters[0].low"),
        (25, "[0].parameters[1].id"),
        (27, "[0].materials[0].quantity"),
        (29, "[1].activity"),
        (35, "[1].after"),
        (35, "[1].after[1]"),
        (35, "[1].after[2]"),
        (35, "[1].after[2]"),
        (38, "[2].title.zh"),
        (43, "[2].after"),
        (44, "unit_procedures[1].id"),
        (49, "unit_procedures[1].operations[0].phases"),
    ]
