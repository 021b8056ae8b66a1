"""Steps run only in the order of the recipe, once, with what blocks them out of the way (R042)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.factory.lot.completion import CompleteStep
from cellwright.factory.lot.nonconformance import AssessNonconformance, RecordNonconformance
from cellwright.factory.lot.step import StartStep, TakeOverStep
from cellwright.factory.recipe.recipe import Recipe, Step
from tests.factory.lot.setting import HOUR, Bench, recipe, refused, step


def closed(name: str, *after: str, **more: object) -> Step:
    return step(name, *after, open_processing=False, room_class="hall", **more)


def graphs() -> st.SearchStrategy[Recipe]:
    """Recipes of up to six steps with any edges from earlier to later ones."""

    def build(edges: list[list[bool]]) -> Recipe:
        steps = tuple(closed(f"s{i}", *(f"s{j}" for j in range(i) if edges[i][j])) for i in range(len(edges)))
        return recipe({"u": steps})

    def square(n: int) -> st.SearchStrategy[list[list[bool]]]:
        return st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=n, max_size=n)

    return st.integers(1, 6).flatmap(lambda n: square(n).map(build))


@pytest.mark.requirement("R042")
@settings(deadline=None, max_examples=60)
@given(graphs(), st.data())
def test_only_topological_orders_are_accepted(made_by: Recipe, data: st.DataObject) -> None:
    bench = Bench(made_by)
    lot = bench.issued(bench.patient(1))
    before = {s.id: set(s.after) for s in made_by.steps}
    done: set[str] = set()
    for name in data.draw(st.lists(st.sampled_from(sorted(before)), min_size=1, max_size=12)):
        allowed = name not in done and before[name] <= done
        begin = StartStep(lot=lot, step=name, room="H1")
        if not allowed:
            with refused("out-of-sequence", "step-done-already"):
                bench.do(begin)
            continue
        bench.do(begin)
        bench.do(CompleteStep(lot=lot, step=name))
        done.add(name)
    assert bench.lot(lot).done == done


def two() -> Bench:
    return Bench(recipe({"u": (closed("first"), closed("second", "first"), closed("aside"))}))


def test_a_step_runs_once_and_is_completed_by_who_performs_it() -> None:
    bench = two()
    lot = bench.issued(bench.patient(1))
    bench.start(lot, "first", room="H1")
    with refused("not-the-performer"):
        bench.complete(lot, "first", by="OP-2")
    bench.complete(lot, "first")
    with refused("step-not-running"):
        bench.complete(lot, "first")
    with refused("step-done-already"):
        bench.start(lot, "first", room="H1")


@pytest.mark.requirement("R041")
def test_performer_and_verifier_are_two_people() -> None:
    bench = Bench(recipe({"u": (closed("only", verified_by_second=True, signatures=("performed", "verified")),)}))
    lot = bench.issued(bench.patient(1))
    bench.start(lot, "only", room="H1")
    with refused("verifier-missing"):
        bench.complete(lot, "only")
    with refused("same-person-twice"):
        bench.complete(lot, "only", verifier="OP-1")
    decision = bench.complete(lot, "only", verifier="OP-2")
    assert [(n.person, n.meaning) for n in decision.sign] == [("OP-1", "performed"), ("OP-2", "verified")]


@pytest.mark.requirement("R041")
def test_who_checked_an_automated_step_is_named() -> None:
    bench = Bench(recipe({"u": (closed("only", mode="Automatic"),)}))
    lot = bench.issued(bench.patient(1))
    bench.start(lot, "only", room="H1")
    with refused("verifier-missing"):
        bench.complete(lot, "only")


def test_an_unassessed_nonconformance_holds_up_what_comes_after_it_and_nothing_else() -> None:
    bench = two()
    lot = bench.issued(bench.patient(1))
    bench.start(lot, "first", room="H1")
    bench.do(RecordNonconformance(lot=lot, code="spill", text="A drop on the bench.", step="first"))
    bench.complete(lot, "first")
    with refused("nonconformance-unassessed"):
        bench.start(lot, "second", room="H1")
    bench.start(lot, "aside", room="H1")
    (name,) = bench.lot(lot).nonconformances
    stays = AssessNonconformance(lot=lot, nonconformance=name, severity="major", text="Look closer.", proceeds=False)
    bench.do(stays, "QA-1")
    with refused("nonconformance-unassessed"):
        bench.start(lot, "second", room="H1")
    bench.do(AssessNonconformance(lot=lot, nonconformance=name, severity="minor", text="No contact."), "QA-1")
    bench.start(lot, "second", room="H1")
    assert bench.lot(lot).nonconformances[name][:2] == ("minor", "assessed")


def test_who_made_the_lot_does_not_assess_its_nonconformances() -> None:
    bench = two()
    bench.person("QO-1", "operator", "quality_assurance")
    bench.train("QO-1")
    lot = bench.issued(bench.patient(1))
    bench.start(lot, "first", room="H1", by="QO-1")
    bench.do(RecordNonconformance(lot=lot, code="spill", text="A drop on the bench.", step="first"))
    (name,) = bench.lot(lot).nonconformances
    with refused("assessor-took-part"):
        bench.do(AssessNonconformance(lot=lot, nonconformance=name, severity="minor", text="Fine."), "QO-1")


def test_a_locked_out_operator_is_replaced_at_once_by_somebody_qualified() -> None:
    bench = Bench(recipe({"u": (closed("only", qualification="viral_vector", duration=HOUR),)}))
    bench.person("OP-9", "operator")
    bench.train("OP-9")
    lot = bench.issued(bench.patient(1))
    bench.start(lot, "only", room="H1")
    with refused("qualification-expired"):
        bench.do(TakeOverStep(lot=lot, step="only", reason="OP-1 is locked out"), "OP-9")
    with refused("reason-missing"):
        bench.do(TakeOverStep(lot=lot, step="only", reason=" "), "OP-2")
    decision = bench.do(TakeOverStep(lot=lot, step="only", reason="OP-1 is locked out"), "OP-2")
    assert [n.person for n in decision.sign] == ["OP-2"], "the one who is locked out cannot sign and need not"
    with refused("not-the-performer"):
        bench.complete(lot, "only", by="OP-1")
    bench.complete(lot, "only", by="OP-2")
    assert {"OP-1", "OP-2"} <= bench.lot(lot).participants
