"""Swaps in process: a code of another patient stops the work at once, for both patients (R066)."""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy

import pytest

from cellwright.factory.lot.addition import AddMaterial
from cellwright.factory.lot.bag import DisposeContainer, FreezeBag, MoveBag, TakeOutBag
from cellwright.factory.lot.label import ApplyLabel, PrintLabel, VerifyLabel
from cellwright.factory.lot.nonconformance import AssessNonconformance
from cellwright.factory.lot.receipt import ReceiveMaterial
from cellwright.factory.lot.room import EnterRoom
from cellwright.factory.lot.sample import DrawSample
from cellwright.factory.lot.step import StartStep
from cellwright.factory.lot.transfer import Child, MeasureVolume, Source, TransferMaterial
from cellwright.factory.order.case import CaseState, Close, DeclareDoubt, Evidence, Investigate, SetItemAside
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import OrderState
from cellwright.factory.rule import By, Command, Decision, Refusal
from tests.factory.lot.setting import Bench, refused
from tests.factory.world import ClaimError

PROCESSING = {
    "lot.step_started", "lot.material_added", "lot.material_transferred", "lot.sample_drawn", "lot.label_applied",
    "lot.label_verified", "lot.bag_frozen", "lot.bag_moved", "lot.bag_taken_out", "lot.volume_measured",
    "lot.starting_material_received",
}  # fmt: skip


def codes(bench: Bench, number: str) -> list[str]:
    """Everything a scanner could read on what belongs to a lot: bare names, serials, full label codes, samples."""
    lot = bench.lot(number)
    labels = [text for label in lot.labels.values() for text in (label.label, label.code) if not label.superseded]
    allocated = [n for n, one in bench.load(OrderState, str(lot.order)).containers.items() if one.lot == number]
    return [*dict.fromkeys((*lot.containers, *allocated)), *labels, *lot.samples]


def uses(bench: Bench, number: str) -> list[Callable[[str], Command]]:
    """Every command of a lot in which the scan of a container decides, as a function of what is scanned."""
    lot = bench.lot(number)
    found: list[Callable[[str], Command]] = []

    def use(command: Callable[[Scan], Command]) -> None:
        found.append(lambda text: command(Scan(text=text)))

    use(lambda scan: ReceiveMaterial(lot=number, scan=scan, verifier="OP-2"))
    use(lambda scan: MeasureVolume(lot=number, scan=scan, volume_ml="10"))
    use(lambda scan: MoveBag(lot=number, bag=scan, position="P-9", verifier="OP-2", role="operator"))
    use(lambda scan: TakeOutBag(lot=number, bag=scan, purpose="pack_out", verifier="OP-2", role="operator"))
    use(lambda scan: FreezeBag(lot=number, bag=scan, cassette=scan, position="P-9", verifier="OP-2"))
    child = Child(kind="intermediate", volume_ml="1")
    own = next((Scan(text=bench.code(number, c)) for c in lot.containers), None)
    for scans in ((), (own,)) if own is not None else ((),):
        use(
            lambda scan, scans=scans: TransferMaterial(  # type: ignore[misc]
                lot=number, transfer="pool" if scans else "transfer", children=(child,), verifier="OP-2",
                sources=tuple(Source(scan=s, volume_ml="1") for s in (*scans, scan)),
            )
        )  # fmt: skip
    for name in ("select", "transduce", "harvest", "fill"):
        use(lambda scan, name=name: StartStep(lot=number, step=name, room=next(iter(lot.rooms)), containers=(scan,)))  # type: ignore[misc]
    for step in lot.running:
        use(
            lambda scan, step=step: DrawSample(
                lot=number, step=step.step, scan=scan, kind="k", tests=("t",), volume_ml="1"
            )
        )  # type: ignore[misc]
        use(
            lambda scan, step=step: AddMaterial(  # type: ignore[misc]
                lot=number, step=step.step, code="beads", material=Scan(text="B-1"), quantity="1", unit="mL", into=scan
            )
        )
        use(
            lambda scan, step=step: AddMaterial(  # type: ignore[misc]
                lot=number, step=step.step, code="beads", material=scan, quantity="1", unit="mL"
            )
        )
    for label in lot.labels.values():
        if label.status == "printed" and not label.superseded:
            use(lambda scan, label=label: VerifyLabel(lot=number, label=label.label, scan=scan, legends=label.legends))  # type: ignore[misc]
        use(lambda scan, label=label: ApplyLabel(lot=number, container=label.container, scan=scan, verifier="OP-2"))  # type: ignore[misc]
    return found


def moments() -> Iterator[Bench]:
    """Three patients' lots side by side, at points all along their making."""
    bench = Bench()
    frozen, bags = bench.filled(2, "S2")
    bench.label(frozen, bags[0], "cassette")
    bench.freeze(frozen, bags[0], "P-1")
    bench.cultured(3, "S3")
    order = bench.patient(1)
    lot = bench.issued(order)
    bench.do(EnterRoom(lot=lot, room="S1", verifier="OP-2"))
    first = next(iter(bench.load(OrderState, order).containers))
    bench.allocate(order, lot, [first])
    yield deepcopy(bench)
    bench.do(ReceiveMaterial(lot=lot, scan=Scan(text=first), verifier="OP-2"))
    yield deepcopy(bench)
    bench.start(lot, "select", first)
    yield deepcopy(bench)
    bench.add(lot, "select", "beads", "B-1", first)
    (culture,) = bench.make(
        lot, "process", {first: "102"}, [Child(kind="culture", volume_ml="200")], step="select", emptied=True
    )
    bench.do(PrintLabel(lot=lot, container=culture))
    yield deepcopy(bench)
    label = next(reversed(bench.lot(lot).labels.values()))
    bench.do(VerifyLabel(lot=lot, label=label.label, scan=Scan(text=label.code), legends=label.legends))
    yield deepcopy(bench)
    bench.do(ApplyLabel(lot=lot, container=culture, scan=Scan(text=label.code), verifier="OP-2"))
    bench.complete(lot, "select")
    yield deepcopy(bench)
    bench.start(lot, "transduce", culture)
    yield deepcopy(bench)
    later = Bench()
    later.filled(2, "S2")
    later.cultured(3, "S3")
    later.filled(1)
    yield later


def points(bench: Bench, number: str) -> list[Callable[[str], Command]]:
    """The scans of a lot at this moment that would go through with one of its own codes."""
    own = [*codes(bench, number), "B-1"]
    return [use for use in uses(bench, number) if any(goes_through(bench, use(text)) for text in own)]


def decided(bench: Bench, command: Command) -> Decision | Refusal:
    try:
        return command.decide(bench, By(person="OP-1"))
    except Refusal as refusal:
        return refusal


def goes_through(bench: Bench, command: Command) -> bool:
    outcome = decided(bench, command)
    return isinstance(outcome, Decision) and outcome.stop is None


def simulate(swaps: int, recorded_every: int) -> None:
    rng = random.Random(66)
    lots = ("L-1", "L-2", "L-3")
    places = [(bench, lot, use) for bench in moments() for lot in lots for use in points(bench, lot)]
    assert len({use("x").name for _, _, use in places}) >= 9, "the swaps happen at many kinds of steps"
    for n in range(swaps):
        bench, number, use = rng.choice(places)
        other = rng.choice([lot for lot in lots if lot != number])
        command = use(rng.choice(codes(bench, other)))
        outcome = decided(bench, command)
        assert isinstance(outcome, Decision), f"{command} was only refused: {outcome}"
        assert outcome.stop is not None, f"{command} went through"
        assert outcome.stop.code == "identity-mismatch"
        assert not {f.body.type for f in outcome.facts} & PROCESSING
        raised = {f.stream for f in outcome.facts if f.body.type == "lot.doubt_raised"}
        assert {f"lot/{number}", f"lot/{other}"} <= raised, "both lots are flagged"
        if n % recorded_every == 0:
            both_stand_still(deepcopy(bench), command, number, other)


def both_stand_still(bench: Bench, command: Command, number: str, other: str) -> None:
    bench.do(command)
    for lot in (number, other):
        assert bench.lot(lot).in_doubt
        with refused("identity-in-doubt"):
            bench.do(MeasureVolume(lot=lot, scan=Scan(text=codes(bench, lot)[0]), volume_ml="1"))


@pytest.mark.requirement("R066")
def test_ten_thousand_single_swaps_are_stopped_before_the_next_processing_step() -> None:
    simulate(10_000, recorded_every=250)


@pytest.mark.requirement("R066")
def test_the_store_itself_refuses_a_foreign_container_even_if_a_rule_had_missed_it() -> None:
    bench = Bench()
    one, other = bench.received(1, "S1"), bench.received(2, "S2")
    foreign = next(iter(bench.lot(other).containers))
    state = bench.lot(one)
    state.containers[foreign] = bench.lot(other).containers[foreign]
    with pytest.raises(ClaimError, match="hard stop"):
        bench.start(one, "select", foreign)


@pytest.mark.requirement("R066")
def test_a_foreign_code_on_the_bench_names_both_owners_and_the_ways_out() -> None:
    bench = Bench()
    one, other = bench.received(1, "S1"), bench.received(2, "S2")
    foreign = next(iter(bench.lot(other).containers))
    decision = bench.start(one, "select", foreign)
    assert decision.stop is not None
    assert decision.stop.code == "identity-mismatch"
    assert decision.stop.remedy
    (name,) = bench.lot(one).doubts
    case = bench.load(CaseState, name)
    assert (case.expected_coi, case.found_coi) == (bench.lot(one).coi, bench.lot(other).coi)
    assert {*case.lots} == {one, other}
    assert bench.load(OrderState, "ORD-1").in_doubt
    assert bench.load(OrderState, "ORD-2").in_doubt


@pytest.mark.requirement("R066")
def test_wrong_item_set_aside_frees_both_lots() -> None:
    bench = Bench()
    one, other = bench.received(1, "S1"), bench.received(2, "S2")
    own, foreign = (next(iter(bench.lot(lot).containers)) for lot in (one, other))
    bench.start(one, "select", foreign)
    with refused("identity-in-doubt"):
        bench.start(one, "select", own)
    (case,) = bench.lot(one).doubts
    aside = SetItemAside(case=case, where="S2", role="operator", verifier="OP-2", verifier_role="operator")
    bench.do(aside)
    assert not bench.lot(one).in_doubt
    assert not bench.lot(other).in_doubt
    bench.start(one, "select", own)


def investigated(bench: Bench, case: str, *, supports: bool) -> None:
    evidence = tuple(
        Evidence(kind=kind, method="m", finding="f", supports=supports, sha256="e" * 64)  # type: ignore[arg-type]
        for kind in ("physical", "biological")
    )
    bench.do(Investigate(case=case, evidence=evidence, conclusion="Done."), "QA-1")


@pytest.mark.requirement("R066")
def test_a_damaged_label_takes_the_same_path_and_ends_with_a_supervised_label() -> None:
    bench = Bench()
    lot, bags = bench.filled()
    old = str(bench.lot(lot).containers[bags[0]].label)
    bench.do(DeclareDoubt(why="Label of bag torn off", lots=(lot,), orders=("ORD-1",), item=bags[0]))
    (case,) = bench.lot(lot).doubts
    again = PrintLabel(lot=lot, container=bags[0], reason="torn off", approver="QA-2", case=case)
    with refused("identity-not-shown"):
        bench.do(again)
    investigated(bench, case, supports=True)
    with refused("case-not-of-lot"):
        bench.do(PrintLabel(lot=bench.received(2, "S2"), container=bags[0], case=case))
    decision = bench.do(again)
    assert ("QA-2", "approved") in {(n.person, n.meaning) for n in decision.sign}
    label = next(reversed(bench.lot(lot).labels.values()))
    bench.do(VerifyLabel(lot=lot, label=label.label, scan=Scan(text=label.code), legends=label.legends))
    bench.do(ApplyLabel(lot=lot, container=bags[0], scan=Scan(text=label.code), verifier="OP-2"))
    with refused("identity-in-doubt"):
        bench.do(MeasureVolume(lot=lot, scan=Scan(text=label.code), volume_ml="1"))
    bench.do(Close(case=case, verifier="AP-1", outcome="identity_confirmed", reason="Same STR profile."), "QA-1")
    assert not bench.lot(lot).in_doubt
    assert bench.lot(lot).containers[bags[0]].label == label.label
    with refused("superseded-label"):
        bench.do(MeasureVolume(lot=lot, scan=Scan(text=old), volume_ml="1"))


def test_identity_that_cannot_be_shown_is_never_labelled_anew_and_ends_in_destruction() -> None:
    bench = Bench()
    lot, bags = bench.filled()
    bench.freeze(lot, bags[0], "P-1")
    bag = Scan(text=bench.code(lot, bags[0]))
    bench.do(DeclareDoubt(why="Two labels on one bag", lots=(lot,), item=bags[0]))
    destroy = DisposeContainer(lot=lot, container=bags[0], disposition="destroyed", verifier="OP-2", reason="lost")
    out = TakeOutBag(lot=lot, bag=bag, purpose="destruction", verifier="OP-2", role="operator")
    with refused("evidence-needed"):
        bench.do(out)
    (case,) = bench.lot(lot).doubts
    investigated(bench, case, supports=False)
    with refused("identity-not-shown"):
        bench.do(PrintLabel(lot=lot, container=bags[0], reason="r", approver="QA-2", case=case))
    bench.do(Close(case=case, verifier="AP-1", outcome="identity_lost", reason="No match."), "QA-1")
    assert bench.lot(lot).in_doubt, "what is lost stays in doubt and can only be rejected"
    bench.do(out)
    bench.do(destroy)
    with refused("identity-in-doubt"):
        kept = DisposeContainer(lot=lot, container=bags[1], disposition="research", verifier="OP-2", reason="r")
        bench.do(kept)


def test_a_step_that_went_on_during_a_case_is_recorded_as_critical() -> None:
    bench = Bench()
    lot = bench.received()
    first = next(iter(bench.lot(lot).containers))
    bench.start(lot, "select", first)
    bench.do(DeclareDoubt(why="Label torn", lots=(lot,)))
    bench.complete(lot, "select")
    found = {n.code: n for n in bench.lot(lot).nonconformances.values()}
    assert found["done-in-doubt"].severity == "critical"
    name = next(k for k, n in bench.lot(lot).nonconformances.items() if n.code == "done-in-doubt")
    bench.do(AssessNonconformance(lot=lot, nonconformance=name, severity="critical", text="See case."), "QA-1")
