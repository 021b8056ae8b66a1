"""No sequence of commands by any roles, with any scans, gives or merges one pair's item to another (D1, D2, D4)."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cellwright.factory.lot.fact import container as vessel
from cellwright.factory.lot.state import LotState
from cellwright.factory.order import acceptance, allocation, collection, dispatch, disposition, infusion, storage
from cellwright.factory.order import case as cases
from cellwright.factory.order.case import CaseState
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.shipment import ShipmentState
from cellwright.factory.people import stamp
from cellwright.factory.rule import Command, Refusal
from tests.factory.order.scene import PLANT, Scene
from tests.factory.world import ClaimError

CHOICE = st.integers(0, 10**6)
PEOPLE = (
    "PR-1", "CO-1", "CN-1", "CU-1", "WH-1", "OP-1", "QA-1", "QA-2", "CL-1", "NU-1", "DR-1", "PL-1",
)  # fmt: skip


class AnyoneScansAnything(RuleBasedStateMachine):
    """Two pairs: one with two orders (a product and the one that follows it), one with one; bags at the hospital."""

    @initialize()
    def build(self) -> None:
        self.scene = scene = Scene()
        self.first, _ = scene.ready(1, bags=2)
        self.other, _ = scene.ready(2, bags=2)
        self.second = scene.approved("PAIR-1", "follow", linked=self.first)
        self.orders = [self.first, self.second, self.other]
        self.third = scene.approved("PAIR-2", "many")
        self.orders.append(self.third)
        scene.collected(self.second, divisions=("A0", "B0"))
        scene.collected(self.third, divisions=("A0", "B0"))
        scene.advance(hours=1)
        self.pair = {o: scene.order(o).pair for o in self.orders}

    # --- what can lie under a scanner
    def texts(self) -> list[str]:
        """Every label, container, wristband and number of both pairs, and something unknown."""
        found = [
            key.partition("/")[2] for key in self.scene.claims if key.split("/")[0] in ("container", "label", "din")
        ]
        cois = [self.scene.coi(o) for o in self.orders]
        found += [f"{text}|{coi}" for text in found if not text.startswith("WB") for coi in cois]
        return [*found, *(f"&/{coi}" for coi in cois), "unknown"]

    def scan(self, choice: int) -> Scan:
        texts = self.texts()
        return Scan(text=texts[choice % len(texts)])

    def likely(self, order: str, choice: int) -> Scan:
        """More often than not something of this order, so that the machine gets anywhere."""
        own = list(self.scene.order(order).containers)
        return Scan(text=own[choice % len(own)]) if own and choice % 8 else self.scan(choice)

    def wristband(self, choice: int) -> Scan:
        return self.scan(choice) if choice % 9 == 0 else Scan(text=("WB-1", "WB-2")[choice % 2])

    def order(self, choice: int) -> str:
        return self.orders[choice % len(self.orders)]

    def attempt(self, command: Command, by: str) -> None:
        with suppress(Refusal, ClaimError):
            self.scene.do(command, by)

    # --- commands
    @rule(
        a=CHOICE, b=CHOICE, c=CHOICE, d=CHOICE, stage=st.sampled_from(["thaw", "infusion"]), who=st.sampled_from(PEOPLE)
    )
    def check(self, a: int, b: int, c: int, d: int, stage: Any, who: str) -> None:
        order = self.order(a)
        more: dict[str, Any] = {"wristband": self.wristband(b), "bag": self.likely(order, c)}
        if d % 2:
            more["coi"] = self.scene.coi_scan(self.order(d))
        self.attempt(self.scene.checking(order, "-", stage, **more), who)

    @rule(a=CHOICE, b=CHOICE, c=CHOICE)
    def go_on(self, a: int, b: int, c: int) -> None:
        """The next right step for some bag, now and then with another bag's scan in it."""
        self.ways_out()
        order = self.orders[2 * (a % 2)]
        bags = [n for n, x in self.scene.order(order).bags().items() if x.status in ("accepted", "thawed", "in_use")]
        if not bags:
            return
        bag = bags[b % len(bags)]
        state = self.scene.order(order).containers[bag]
        read = self.scan(c) if c % 6 == 0 else Scan(text=bag)
        if state.status == "in_use":
            left = ("0", "30")[c % 2]
            command = self.scene.given(order, bag, str(50 - int(left)), left)
            self.attempt(msgspec.structs.replace(command, bag=read), "NU-1")  # type: ignore[type-var]
            return
        stage = "thaw" if state.status == "accepted" else "infusion"
        self.attempt(self.scene.checking(order, bag, stage), "NU-1")
        if stage == "thaw":
            self.attempt(infusion.Thaw(order=order, bag=read), "CL-1")
        else:
            self.attempt(msgspec.structs.replace(self.scene.starting(order, bag), bag=read), "NU-1")  # type: ignore[type-var]

    @rule(a=CHOICE, b=CHOICE, who=st.sampled_from(["CL-1", "NU-1"]))
    def thaw(self, a: int, b: int, who: str) -> None:
        order = self.order(a)
        self.attempt(infusion.Thaw(order=order, bag=self.likely(order, b)), who)
        late = infusion.RecordThaw(
            order=order, bag=self.scan(b), thawed_at=stamp(self.scene.now), reason="x", role="nurse"
        )
        if b % 7 == 0:
            self.attempt(late, who)

    @rule(a=CHOICE, b=CHOICE, who=st.sampled_from(["NU-1", "DR-1", "CL-1"]))
    def start(self, a: int, b: int, who: str) -> None:
        order = self.order(a)
        command = infusion.StartInfusion(
            order=order, bag=self.likely(order, b), role="nurse", verifier="NU-2", verifier_role="nurse"
        )
        self.attempt(command, who)

    @rule(a=CHOICE, b=CHOICE, given=st.sampled_from(["0", "20", "50"]), who=st.sampled_from(PEOPLE))
    def record(self, a: int, b: int, given: str, who: str) -> None:
        order = self.order(a)
        command = infusion.RecordInfusion(
            order=order, bag=self.likely(order, b), volume_given_ml=given, remainder_ml=str(50 - int(given)),
            ended_at=stamp(self.scene.now), role="nurse", verifier="NU-2", verifier_role="nurse",
        )  # fmt: skip
        self.attempt(command, who)

    @rule(a=CHOICE, b=CHOICE, who=st.sampled_from(["NU-1", "DR-1"]))
    def void(self, a: int, b: int, who: str) -> None:
        bag = self.scan(b).text.partition("|")[0]
        command = infusion.VoidAdministration(order=self.order(a), bag=bag, reason="x", role="nurse", assessor="QA-1")
        self.attempt(command, who)

    @rule(a=CHOICE, b=CHOICE, c=CHOICE, who=st.sampled_from(["PL-1", "CO-1", "WH-1"]))
    def allocate(self, a: int, b: int, c: int, who: str) -> None:
        names = (self.likely(self.order(b), c).text.partition("|")[0],)
        to = self.order(c)
        self.attempt(
            allocation.MoveMaterial(
                order=self.order(a), to_order=to, containers=names, role="planner", assessor="QA-1", reason="x"
            ),
            who,
        )
        self.attempt(allocation.Allocate(order=to, containers=names, lot=("LOT-1", "LOT-2", None)[c % 3]), who)

    @rule(a=CHOICE, b=CHOICE, c=CHOICE)
    def send(self, a: int, b: int, c: int) -> None:
        n = 1000 + len(self.scene.events)
        order = self.order(a)
        containers = (self.likely(order, b), self.likely(order, c))
        coi = self.scene.coi_scan(self.order(c) if c % 4 == 0 else order)
        packing = dispatch.Packing(order=order, containers=containers, coi=coi)
        command = dispatch.PackCollection(
            items=(packing,), transport=self.scene.transport(n), role="collection_nurse", courier="CU-1",
            shipment=f"SH-{n}",
        )  # fmt: skip
        self.attempt(command, "CN-1")
        bags = dispatch.PackDelivery(
            items=(packing,), transport=self.scene.transport(n + 1), role="warehouse", holder=PLANT, place="x",
            courier="CU-1", shipment=f"SD-{n}",
        )  # fmt: skip
        self.attempt(bags, "WH-1")

    @rule(a=CHOICE, b=CHOICE, c=CHOICE)
    def receive(self, a: int, b: int, c: int) -> None:
        names = [s.name for s in self.scene.states.values() if isinstance(s, ShipmentState) and s.exists]
        name = names[a % len(names)]
        more: dict[str, Any] = (
            {} if b % 3 else {"containers": (self.scan(b),), "cois": (self.scene.coi_scan(self.order(c)),)}
        )
        self.attempt(self.scene.receiving(name, **more), "WH-1")
        with suppress(Refusal, AssertionError):
            self.scene.logged(name)
        for order in self.orders:
            self.attempt(acceptance.AcceptMaterial(order=order, shipment=name), "QA-1")

    @rule(a=CHOICE, b=CHOICE, c=CHOICE)
    def store(self, a: int, b: int, c: int) -> None:
        order = self.order(a)
        position = Scan(text=f"F1/{c % 3}")
        known = self.scene.order(order).containers
        own = known.get(self.likely(order, b).text.partition("|")[0])
        place = own.place if own is not None else "receiving"
        holder = own.holder if own is not None else PLANT
        put = storage.Store(
            order=order, container=self.likely(order, b), position=position, holder=holder, from_place=place,
            place="vault", role="warehouse", verifier="WH-2",
        )  # fmt: skip
        self.attempt(put, "WH-1")
        take = storage.TakeOut(
            order=self.order(c), container=self.likely(order, b), position=position, place="bench", role="warehouse",
            verifier="WH-2",
        )  # fmt: skip
        if b % 2:
            self.attempt(take, "WH-1")

    @rule(a=CHOICE, b=CHOICE)
    def dispose(self, a: int, b: int) -> None:
        order = self.order(a)
        command = disposition.Dispose(
            order=order, container=self.likely(order, b), disposition="destroyed", reason="x", role="warehouse",
            verifier="WH-2", verifier_role="warehouse",
        )  # fmt: skip
        if b % 4 == 0:
            self.attempt(command, "WH-1")

    @rule(a=CHOICE, b=CHOICE)
    def collect(self, a: int, b: int) -> None:
        order = self.order(a)
        label = self.scan(b) if b % 2 else None
        command = self.scene.donation(order, "C1")
        filled = collection.Filled(division="00", volume_ml="100", label=label or command.containers[0].label)
        self.attempt(self.scene.donation(order, "C1", containers=(filled,)), "CN-1")

    @rule(a=CHOICE, who=st.sampled_from(PEOPLE))
    def way_out(self, a: int, who: str) -> None:
        names = self.open_cases()
        if names:
            self.end(names[a % len(names)], who)

    def ways_out(self) -> None:
        for name in self.open_cases():
            self.attempt(
                cases.SetItemAside(
                    case=name, where="x", role="quality_assurance", verifier="DR-1", verifier_role="physician"
                ),
                "QA-1",
            )
            self.end(name, "QA-2")

    def open_cases(self) -> list[str]:
        return [s.name for s in self.scene.states.values() if isinstance(s, CaseState) and s.open]

    def end(self, name: str, who: str) -> None:
        proof = tuple(
            cases.Evidence(kind=k, method="m", finding="f", supports=True, sha256="a" * 64)  # type: ignore[arg-type]
            for k in ("physical", "biological")
        )
        self.attempt(cases.DeclareDoubt(case=name, why="x"), who)
        self.attempt(cases.Investigate(case=name, evidence=proof, conclusion="c"), who)
        self.attempt(cases.Close(case=name, verifier="AP-1", outcome="identity_confirmed", reason="c"), who)

    @rule(a=CHOICE, b=CHOICE)
    def forge(self, a: int, b: int) -> None:
        """Whatever a caller writes, the store does not bind an item to a chain that it does not belong to."""
        coi, item = self.scene.coi(self.order(a)), self.scan(b).text.partition("|")[0]
        body = vessel.StartingMaterialReceived(
            coi=coi, container=item, din="x", volume_ml="1", collected_at=stamp(self.scene.now), donor_status="eligible",
            performer="OP-1", verifier="OP-2",
        )  # fmt: skip
        if self.scene.claims.get(f"container/{item}") == coi:
            return
        with pytest.raises(ClaimError):
            self.scene.say("lot/LOT-F", body)

    @rule(minutes=st.sampled_from([1, 5, 20, 40]))
    def wait(self, minutes: int) -> None:
        self.scene.advance(minutes=minutes)

    # --- what may never be
    @invariant()
    def every_container_is_its_own_pairs(self) -> None:
        if not hasattr(self, "orders"):
            return
        for name in self.orders:
            order = self.scene.order(name)
            for container, state in order.containers.items():
                owner = self.scene.claims[f"container/{container}"]
                assert self.scene.claims[f"coi/{owner}"] == f"pair/{order.pair}"
                assert state.status == "transferred" or owner == order.coi

    @invariant()
    def every_administration_is_of_an_own_bag_and_once(self) -> None:
        if not hasattr(self, "orders"):
            return
        given: list[str] = []
        for name in self.orders:
            order = self.scene.order(name)
            live = [i.bag for i in order.infusions if not i.voided]
            given += live
            for bag in live:
                assert self.scene.claims[f"container/{bag}"] == order.coi
                assert self.scene.claims[f"bag/{bag}"] == order.coi
                lot = order.containers[bag].lot
                assert lot is not None
                assert self.scene.load(LotState, lot).coi == order.coi
        assert len(given) == len(set(given))

    @invariant()
    def every_lot_holds_only_its_own_pairs_cells(self) -> None:
        if not hasattr(self, "orders"):
            return
        for number in ("LOT-1", "LOT-2"):
            lot = self.scene.load(LotState, number)
            for container in lot.containers:
                owner = self.scene.claims[f"container/{container}"]
                assert self.scene.claims[f"coi/{owner}"] == f"pair/{lot.pair}"


TestAnyoneScansAnything = pytest.mark.requirement("R066")(AnyoneScansAnything.TestCase)
TestAnyoneScansAnything.settings = settings(
    deadline=None,
    max_examples=100,
    stateful_step_count=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.requirement("R066")
def test_the_machine_reaches_what_it_guards() -> None:
    """The guard is worth something only if infusions, transfers and stops do happen under it."""
    machine = AnyoneScansAnything()
    machine.build()
    scene = machine.scene
    bag = next(iter(scene.order(machine.first).bags()))
    theirs = next(iter(scene.order(machine.other).bags()))
    scene.infused(machine.first, bag)
    scene.stopped(scene.given(machine.first, theirs), "NU-1", "bedside")
    assert scene.said("order.infused")
    machine.every_administration_is_of_an_own_bag_and_once()
