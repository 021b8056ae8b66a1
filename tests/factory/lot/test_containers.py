"""Containers and labels: parents, divisions and volumes reconcile; nothing is detached or used unlabelled."""

from datetime import timedelta
from decimal import Decimal

import pytest

from cellwright.factory.lot.division import CODES, free
from cellwright.factory.lot.issue import IssueLot
from cellwright.factory.lot.label import (
    ApplyLabel,
    DestroyLabel,
    Detach,
    PrintLabel,
    PrintLabels,
    VerifyLabel,
    unreconciled,
)
from cellwright.factory.lot.receipt import ReceiveMaterial
from cellwright.factory.lot.room import EnterRoom
from cellwright.factory.lot.sample import DrawSample
from cellwright.factory.lot.transfer import Child, MeasureVolume, Source, TransferMaterial
from cellwright.factory.order.pair import DonorStatusDecided
from cellwright.factory.order.scan import Scan
from cellwright.factory.people import stamp
from tests.factory.lot.setting import Bench, product, refused
from tests.factory.world import ClaimError


def begun() -> tuple[Bench, str, str]:
    bench = Bench()
    lot = bench.received()
    name = next(iter(bench.lot(lot).containers))
    bench.start(lot, "select", name)
    return bench, lot, name


def part(volume: str, **more: object) -> Child:
    return Child(kind="intermediate", volume_ml=volume, **more)  # type: ignore[arg-type]


@pytest.mark.requirement("R067")
def test_children_inherit_chain_donation_and_parents_and_take_the_next_divisions() -> None:
    bench, lot, name = begun()
    made = bench.make(lot, "split", {name: "100"}, [part("40"), part("30"), part("25")], waste="5", emptied=True)
    state = bench.lot(lot)
    assert [c.rpartition("-")[2] for c in made] == ["B0", "C0", "D0"], "A0 is the collected bag's"
    for child in made:
        assert state.containers[child].parents == (name,)
        assert state.containers[child].din == "A9999-2026-001001"
        assert bench.claims[f"container/{child}"] == state.coi
    assert (state.containers[name].volume_ml, state.containers[name].disposition) == (0, "consumed")


@pytest.mark.requirement("R067")
@pytest.mark.parametrize(
    ("transfer", "children", "waste", "code"),
    [
        ("split", ["50", "49"], "0", "volumes-do-not-reconcile"),
        ("split", ["50", "50"], "1", "volumes-do-not-reconcile"),
        ("split", ["50", "50"], "0", ""),
        ("split", ["33.3", "33.3"], "33.4", ""),
        ("split", ["100"], "0", "transfer-shape"),
        ("pool", ["100"], "0", "transfer-shape"),
        ("transfer", ["99"], "0", "volumes-do-not-reconcile"),
        ("transfer", ["99"], "1", ""),
        ("process", ["12.5"], "0", ""),
        ("split", ["0", "100"], "0", "not-positive"),
        ("split", ["-1", "101"], "0", "not-positive"),
        ("split", ["50", "60"], "-10", "negative-amount"),
    ],
)
def test_counts_and_volumes_reconcile_exactly(transfer: str, children: list[str], waste: str, code: str) -> None:
    bench, lot, name = begun()
    parts = [part(volume) for volume in children]
    if code:
        with refused(code):
            bench.make(lot, transfer, {name: "100"}, parts, waste=waste)
        assert len(bench.lot(lot).containers) == 1
    else:
        assert len(bench.make(lot, transfer, {name: "100"}, parts, waste=waste)) == len(children)


@pytest.mark.requirement("R067")
def test_no_more_is_drawn_than_there_is() -> None:
    bench, lot, name = begun()
    with refused("volume-not-there"):
        bench.make(lot, "transfer", {name: "100.1"}, [part("100.1")])
    with refused("volume-not-there"):
        bench.make(lot, "transfer", {name: "99"}, [part("99")], emptied=True)
    bench.make(lot, "transfer", {name: "60"}, [part("60")])
    with refused("volume-not-there"):
        bench.make(lot, "transfer", {name: "41"}, [part("41")])
    bench.do(MeasureVolume(lot=lot, scan=Scan(text=name), volume_ml="41"))
    bench.make(lot, "transfer", {name: "41"}, [part("41")], emptied=True)
    with refused("container-gone"):
        bench.make(lot, "transfer", {name: "1"}, [part("1")])


@pytest.mark.requirement("R067")
def test_a_division_is_given_once_even_by_two_lots_of_one_donation() -> None:
    bench = Bench()
    order = bench.patient(1, containers=2)
    one, other = bench.issued(order), bench.issued(order)
    for lot, room, name in ((one, "S1", "A9999-2026-001001-A0"), (other, "S2", "A9999-2026-001001-B0")):
        bench.do(EnterRoom(lot=lot, room=room, verifier="OP-2"))
        bench.allocate(order, lot, [name])
        bench.do(ReceiveMaterial(lot=lot, scan=Scan(text=name), verifier="OP-2"))
    first = bench.make(one, "transfer", {"A9999-2026-001001-A0": "100"}, [part("100")])
    second = bench.make(other, "transfer", {"A9999-2026-001001-B0": "100"}, [part("100")])
    assert (first, second) == (["A9999-2026-001001-C0"], ["A9999-2026-001001-D0"])
    bench.do(MeasureVolume(lot=other, scan=Scan(text="A9999-2026-001001-B0"), volume_ml="10"))
    with pytest.raises(ClaimError, match="already claimed"):
        bench.make(other, "transfer", {"A9999-2026-001001-B0": "10"}, [part("10", division="C0")])


def test_a_donation_has_room_for_702_divisions() -> None:
    assert len(set(CODES)) == len(CODES) == 702
    assert (CODES[0], CODES[25], CODES[26], CODES[-1]) == ("A0", "Z0", "Aa", "Zz")
    with refused("divisions-exhausted"):
        list(free(CODES, "A9999-2026-001001"))


@pytest.mark.requirement("R061")
def test_a_pool_of_several_donations_has_a_number_of_its_own_and_keeps_its_parents() -> None:
    bench = Bench()
    lot = bench.received(donations=2)
    first, second = bench.lot(lot).containers
    (pool,) = bench.make(lot, "pool", {first: "100", second: "100"}, [part("200")], emptied=True)
    state = bench.lot(lot)
    assert state.pool_din is not None
    assert state.containers[pool].din == state.pool_din
    assert state.containers[pool].parents == (first, second)
    assert bench.claims[f"din/{state.pool_din}"] == state.coi
    bench.label(lot, pool)
    again = bench.make(lot, "split", {pool: "200"}, [part("100"), part("100")], emptied=True)
    assert all(bench.lot(lot).containers[c].din == state.pool_din for c in again)


@pytest.mark.requirement("R068")
def test_a_container_is_detached_and_used_only_with_its_own_verified_label_on_it() -> None:
    bench, lot, name = begun()
    (child,) = bench.make(lot, "transfer", {name: "100"}, [part("100")], emptied=True)
    with refused("detach-unlabelled"):
        bench.do(Detach(lot=lot, containers=(child,)))
    with refused("container-unlabelled"):
        bench.make(lot, "transfer", {child: "50"}, [part("50")])
    bench.do(PrintLabel(lot=lot, container=child))
    (label,) = bench.lot(lot).labels.values()
    with refused("detach-unlabelled"):
        bench.do(Detach(lot=lot, containers=(child,)))
    with refused("label-not-verified"):
        bench.do(ApplyLabel(lot=lot, container=child, scan=Scan(text=label.code), verifier="OP-2"))
    bench.do(VerifyLabel(lot=lot, label=label.label, scan=Scan(text=label.code), legends=label.legends))
    with refused("detach-unlabelled"):
        bench.do(Detach(lot=lot, containers=(child,)))
    with refused("label-not-applied"):
        bench.do(MeasureVolume(lot=lot, scan=Scan(text=label.code), volume_ml="100"))
    bench.do(ApplyLabel(lot=lot, container=child, scan=Scan(text=label.code), verifier="OP-2"))
    bench.do(Detach(lot=lot, containers=(child,)))
    assert bench.lot(lot).containers[child].detached
    with refused("already-detached"):
        bench.do(Detach(lot=lot, containers=(child,)))


def labelled() -> tuple[Bench, str, str, str]:
    bench, lot, name = begun()
    (child,) = bench.make(lot, "transfer", {name: "100"}, [part("100")], emptied=True)
    return bench, lot, child, bench.label(lot, child)


@pytest.mark.requirement("R090")
def test_every_altered_character_of_a_label_is_noticed_and_the_copy_cannot_be_applied() -> None:
    bench, lot, name = begun()
    (child,) = bench.make(lot, "transfer", {name: "100"}, [part("100")], emptied=True)
    reason: dict[str, str] = {}
    length = place = 0
    while place <= length:
        bench.do(PrintLabel(lot=lot, container=child, **reason))  # type: ignore[arg-type]
        label = next(reversed(bench.lot(lot).labels.values()))
        reason, length = {"reason": "misprint", "approver": "QA-1"}, len(label.code)
        altered = label.code[:place] + ("X" if label.code[place : place + 1] != "X" else "Y") + label.code[place + 1 :]
        decision = bench.do(VerifyLabel(lot=lot, label=label.label, scan=Scan(text=altered), legends=label.legends))
        assert decision.stop is not None
        assert decision.stop.code == "label-not-as-intended"
        assert bench.lot(lot).labels[label.label].status == "rejected"
        with refused("label-not-verified"):
            bench.do(ApplyLabel(lot=lot, container=child, scan=Scan(text=label.code), verifier="OP-2"))
        place += 1
    assert place > 20, "every character, and one that is too many"


@pytest.mark.requirement("R090")
def test_a_reprint_needs_a_reason_and_quality_assurance_and_voids_the_former_copy() -> None:
    bench, lot, child, old = labelled()
    old_code = bench.lot(lot).labels[old].code
    for attempt in (
        PrintLabel(lot=lot, container=child),
        PrintLabel(lot=lot, container=child, reason="smudged"),
        PrintLabel(lot=lot, container=child, approver="QA-1"),
        PrintLabel(lot=lot, container=child, reason="smudged", approver="OP-1"),
    ):
        with refused("reprint-needs-reason"):
            bench.do(attempt)
    decision = bench.do(PrintLabel(lot=lot, container=child, reason="smudged", approver="QA-1"))
    assert [(n.person, n.role) for n in decision.sign] == [("OP-1", "operator"), ("QA-1", "quality_assurance")]
    assert f"label/{old}" not in bench.claims
    with refused("superseded-label"):
        bench.do(MeasureVolume(lot=lot, scan=Scan(text=old_code), volume_ml="100"))
    with refused("container-unlabelled"):
        bench.make(lot, "transfer", {child: "50"}, [part("50")])


@pytest.mark.requirement("R090")
def test_a_label_goes_only_on_the_container_it_was_printed_for() -> None:
    bench, lot, name = begun()
    one, other = bench.make(lot, "split", {name: "100"}, [part("50"), part("50")], emptied=True)
    bench.do(PrintLabel(lot=lot, container=one))
    (label,) = bench.lot(lot).labels.values()
    bench.do(VerifyLabel(lot=lot, label=label.label, scan=Scan(text=label.code), legends=label.legends))
    with refused("label-of-another-container"):
        bench.do(ApplyLabel(lot=lot, container=other, scan=Scan(text=label.code), verifier="OP-2"))


@pytest.mark.requirement("R046")
def test_labels_issued_are_labels_applied_and_destroyed() -> None:
    bench, lot, child, old = labelled()
    assert unreconciled(bench.lot(lot)) == ()
    with refused("label-in-use"):
        bench.do(DestroyLabel(lot=lot, label=old, witness="OP-2", reason="tidy"))
    bench.do(PrintLabel(lot=lot, container=child, reason="smudged", approver="QA-1"))
    new = next(reversed(bench.lot(lot).labels))
    assert unreconciled(bench.lot(lot)) == (new,)
    bench.do(DestroyLabel(lot=lot, label=new, witness="OP-2", reason="not needed"))
    assert unreconciled(bench.lot(lot)) == ()
    with refused("label-in-use"):
        bench.do(DestroyLabel(lot=lot, label=new, witness="OP-2", reason="again"))


def test_a_label_says_whose_it_is_and_its_legends_and_names_nobody() -> None:
    bench, lot, name = begun()
    state = bench.lot(lot)
    legends = ("autologous_use_only", "biohazard")
    bench.say(
        f"pair/{state.pair}",
        DonorStatusDecided(pair=str(state.pair), status="urgent_need", legends=legends, assessor="QA-1"),
    )
    (child,) = bench.make(lot, "transfer", {name: "100"}, [part("100")], emptied=True)
    bench.label(lot, child)
    (label,) = bench.lot(lot).labels.values()
    assert label.content == {
        "owner": state.coi,
        "din": "A9999-2026-001001",
        "division": "B0",
        "container": child,
        "kind": "intermediate",
        "lot": lot,
        "product": "p1",
        "volume_ml": "100",
        "legends": "autologous_use_only, biohazard",
    }


@pytest.mark.requirement("R067")
def test_a_sample_belongs_to_the_same_patient_and_takes_its_volume() -> None:
    bench, lot, name = begun()
    bench.do(
        DrawSample(
            lot=lot,
            step="select",
            scan=Scan(text=name),
            kind="retain",
            tests=("identity",),
            volume_ml="1.5",
            retained=True,
        )
    )
    (sample,) = bench.lot(lot).samples.values()
    assert bench.claims[f"sample/{sample.sample}"] == bench.lot(lot).coi
    assert (sample.retained, sample.container) == (True, name)
    assert bench.lot(lot).containers[name].volume_ml == Decimal("98.5")
    with refused("volume-not-there"):
        bench.do(
            DrawSample(lot=lot, step="select", scan=Scan(text=name), kind="retain", tests=("identity",), volume_ml="99")
        )
    with refused("sample-not-planned"):
        bench.do(DrawSample(lot=lot, step="select", scan=Scan(text=name), sample="qc"))


def test_a_bag_belongs_to_a_dose_of_its_product() -> None:
    bench = Bench(doses=3)
    lot, culture = bench.harvested()
    bench.advance(minutes=10)
    bench.start(lot, "fill", culture)
    with refused("no-such-dose"):
        bench.make(lot, "process", {culture: "10"}, [Child(kind="final_bag", volume_ml="10", dose=4)], step="fill")
    bags = [Child(kind="final_bag", volume_ml="10", dose=n, viable_cells="1000000") for n in (1, None, None)]
    made = bench.make(lot, "split", {culture: "30"}, bags, step="fill")
    assert [bench.lot(lot).containers[b].dose for b in made] == [1, 2, 3]
    with refused("no-such-dose"):
        bench.make(lot, "process", {culture: "10"}, [Child(kind="final_bag", volume_ml="10")], step="fill")


def test_the_label_of_a_bag_says_until_when_and_how_cold() -> None:
    bench = Bench()
    lot, bags = bench.filled()
    label = bench.lot(lot).labels[str(bench.lot(lot).containers[bags[0]].label)]
    assert label.content["dose"] == "1/1"
    assert label.content["expires"] == stamp(bench.now + timedelta(days=270))
    assert label.content["store_at_most_c"] == "-150"


@pytest.mark.requirement("R090")
def test_first_labels_of_several_bags_are_printed_together_and_read_back_one_by_one() -> None:
    bench = Bench(doses=20)
    lot, culture = bench.harvested()
    bench.advance(minutes=10)
    bench.start(lot, "fill", culture)
    doses = [Child(kind="final_bag", volume_ml="9", dose=n) for n in range(1, 21)]
    bags = bench.make(lot, "split", {culture: "199"}, doses, step="fill", waste="19", emptied=True)
    assert [bench.lot(lot).containers[b].dose for b in bags] == list(range(1, 21))
    bench.do(PrintLabels(lot=lot, containers=tuple(bags)))
    labels = [one for one in bench.lot(lot).labels.values() if one.container in bags]
    assert [one.content["dose"] for one in labels] == [f"{n}/20" for n in range(1, 21)]
    with refused("not-first-labels"):
        bench.do(PrintLabels(lot=lot, containers=tuple(bags)))
    with refused("detach-unlabelled"):
        bench.do(Detach(lot=lot, containers=tuple(bags)))
    for one in labels:
        bench.do(VerifyLabel(lot=lot, label=one.label, scan=Scan(text=one.code), legends=one.legends))
        bench.do(ApplyLabel(lot=lot, container=one.container, scan=Scan(text=one.code), verifier="OP-2"))
    bench.do(Detach(lot=lot, containers=tuple(bags)))
    assert all(bag.detached for bag in bench.lot(lot).bags)


def test_a_stock_lot_begins_from_its_materials_and_a_personal_one_never() -> None:
    bench = Bench()
    bench.define("p2", product(personal=False, name="p2"))
    bench.do(IssueLot(checked_by="QA-1", stock="mil62", product="p2", lot="M-1"), "PL-1")
    (bulk,) = bench.make("M-1", "process", {}, [Child(kind="bulk", volume_ml="5000")])
    assert bulk == "M-1-A0"
    assert bench.claims["container/M-1-A0"] == "stock/mil62"
    bench.label("M-1", bulk)
    vials = bench.make("M-1", "split", {bulk: "5000"}, [part("2500"), part("2500")], emptied=True)
    assert vials == ["M-1-B0", "M-1-C0"]
    lot = bench.received()
    with refused("transfer-shape"):
        bench.make(lot, "process", {}, [part("10")])


def test_transfers_need_two_people_and_scanned_parents() -> None:
    bench, lot, name = begun()
    with refused("same-person-twice"):
        bench.do(
            TransferMaterial(
                lot=lot, transfer="transfer", sources=(Source(scan=Scan(text=name), volume_ml="1"),),
                children=(part("1"),), verifier="OP-1",
            )
        )  # fmt: skip
    with refused("second-person-needed"):
        bench.do(MeasureVolume(lot=lot, scan=Scan(text=name, how="typed"), volume_ml="100"))
    with refused("not-this-lot"):
        bench.do(MeasureVolume(lot=lot, scan=Scan(text="A9999-2026-777777-A0"), volume_ml="100"))
