"""A hospital, couriers and a plant for tests of orders: people, products, and verbs that do the ordinary thing."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cellwright.factory.definition import ASSUMED, Text
from cellwright.factory.lot.fact import container as vessel
from cellwright.factory.lot.fact import life
from cellwright.factory.lot.state import LotState
from cellwright.factory.order import (
    acceptance,
    allocation,
    bedside,
    cold_chain,
    collection,
    dispatch,
    infusion,
    placing,
    shipment,
    subject,
    weight,
)
from cellwright.factory.order import pair as pairs
from cellwright.factory.order.case import CaseState, SetItemAside
from cellwright.factory.order.pair import PairState
from cellwright.factory.order.scan import Scan, container_name
from cellwright.factory.order.shipment import ShipmentState
from cellwright.factory.order.state import OrderState
from cellwright.factory.people import stamp
from cellwright.factory.portfolio.product import Band, Doses, Gate, Market, Product, ReleasePolicy, Storage
from cellwright.factory.record import Body, Fact
from cellwright.factory.release.fact import Released, Suspended
from cellwright.factory.rule import Command, Decision, Refusal
from tests.factory.world import FakeWorld

T = Text(en="Product", zh="产品")
HASH = "a" * 64
HOSPITAL, PLANT, COURIER = "hospital/north", "plant", "courier/swift"
CRYO = Storage(max_c=Decimal(-120), tolerance=timedelta(minutes=5), basis=ASSUMED)
COLD = Storage(max_c=Decimal(8), min_c=Decimal(2), tolerance=timedelta(minutes=5), basis=ASSUMED)


def product(name: str, **more: Any) -> Product:
    """A frozen autologous product, given in one dose within half an hour of thaw."""
    given: dict[str, Any] = {
        "id": name, "version": "1", "name": T, "modality": "car_t", "unit": "patient_lot", "autologous": True,
        "donor_for_recipient": True, "gene_modified": True, "recipe": "r1", "recipe_version": "1",
        "doses": Doses(plan=1, bands=(Band(minimum=Decimal(1), unit="cells", basis=ASSUMED),), basis=ASSUMED),
        "gates": (), "markets": (Market(code="CN", legal_basis="authorised", specification="s1", basis=ASSUMED),),
        "release_policy": ReleasePolicy(basis=ASSUMED), "storage": CRYO, "collection_storage": COLD,
        "use_window_after_thaw": timedelta(minutes=30), "shelf_life": timedelta(days=270),
        "collection_hold_max": timedelta(hours=72), "logistics": ASSUMED, **more,
    }  # fmt: skip
    return Product(**given)


def fresh(name: str, doses: int) -> Product:
    """A product given fresh, in several doses."""
    plan = Doses(plan=doses, bands=(Band(minimum=Decimal(1), unit="cells", basis=ASSUMED),), basis=ASSUMED)
    return product(name, fresh=True, use_window_after_thaw=None, doses=plan, storage=COLD, shelf_life=timedelta(days=2))


def refused(code: str) -> Any:
    """The block must be refused with this code, in a sentence that can be formed."""
    return _Refused(code)


class _Refused:
    def __init__(self, code: str) -> None:
        self.code = code

    def __enter__(self) -> "_Refused":
        self.raises = pytest.raises(Refusal)
        self.info = self.raises.__enter__()
        return self

    def __exit__(self, *about: Any) -> bool:
        if about[0] is None or not issubclass(about[0], Refusal):
            return bool(self.raises.__exit__(*about))
        self.raises.__exit__(*about)
        assert str(self.info.value), "a refusal is a sentence"
        assert self.info.value.rule, f"{self.info.value.code} cites no rule"
        assert self.info.value.code == self.code, str(self.info.value)
        return True


class Scene(FakeWorld):
    """A world with everybody on duty."""

    def __init__(self, *products: Product) -> None:
        super().__init__()
        after = Gate(act="infusion", needs="prior_product_infused", product="car", basis=ASSUMED)
        for one in products or (
            product("car"), product("follow", gates=(after,), linked_after="car"), fresh("many", 20),
        ):  # fmt: skip
            self.define(one.id, one)
        for n in ("1", "2"):
            self.person(f"PR-{n}", "prescriber")
            self.person(f"CO-{n}", "coordinator")
            self.person(f"CN-{n}", "collection_nurse")
            self.person(f"CU-{n}", "courier")
            self.person(f"WH-{n}", "warehouse")
            self.person(f"OP-{n}", "operator")
            self.person(f"QA-{n}", "quality_assurance")
            self.person(f"CL-{n}", "cell_laboratory")
            self.person(f"NU-{n}", "nurse")
            self.person(f"DR-{n}", "physician")
        self.person("PL-1", "planner")
        self.person("AP-1", "authorised_person", qualified=("authorised_person",))

    # --- reading
    def order(self, name: str) -> OrderState:
        return self.load(OrderState, name)

    def case(self) -> CaseState:
        """The last identity case."""
        return self.load(CaseState, f"C-{self.counters['case']:04d}")

    def stopped(self, command: Command, by: str, point: str) -> CaseState:
        """The command must end in a hard stop at this point; answers the case."""
        decision = self.do(command, by)
        assert decision.stop is not None, "nothing stopped it"
        assert decision.stop.code == "identity-mismatch"
        assert str(decision.stop)
        case = self.case()
        assert case.point == point
        assert case.status == "stopped"
        return case

    def aside(self, case: CaseState, by: str = "QA-1", role: str = "quality_assurance") -> None:
        """The wrong item goes back before a second person."""
        command = SetItemAside(case=case.name, where="shelf", role=role, verifier="DR-2", verifier_role="physician")
        self.do(command, by)

    def say(self, stream: str, *bodies: Body) -> None:
        self.record(Fact(stream, body) for body in bodies)

    # --- who
    def subject(self, n: str) -> str:
        name = f"SUB-{n}"
        sealed = subject.Sealed(enc=name, n="bm9uY2U", c="Y2lwaGVy")
        self.do(subject.Register(subject=name, personal={"name": sealed}, wristband=f"WB-{n}"), "CO-1")
        return name

    def pair(self, n: str, donor: str | None = None, status: str | None = "eligible") -> str:
        recipient = self.subject(n)
        giver = recipient if donor is None else self.subject(donor)
        self.do(pairs.Form(donor=giver, recipient=recipient, pair=f"PAIR-{n}"), "CO-1")
        if donor is not None:
            consent = pairs.RecordDonorConsent(
                pair=f"PAIR-{n}", document_sha256=HASH, version="1", given_on="2026-02-01"
            )
            self.do(consent, "CO-1")
        if status is not None:
            self.tested(f"PAIR-{n}")
            self.do(pairs.DecideDonorStatus(pair=f"PAIR-{n}", status=status), "QA-1")  # type: ignore[arg-type]
        return f"PAIR-{n}"

    def tested(self, pair: str, **findings: str) -> None:
        found = {"HIV": "negative", "HBV": "negative", "HCV": "negative", **findings}
        tests = tuple(pairs.DonorTest(test=t, finding=f) for t, f in found.items())  # type: ignore[arg-type]
        command = pairs.RecordDonorTests(
            pair=pair, tests=tests, document_sha256=HASH, laboratory="LAB", role="coordinator", verifier="QA-2",
            verifier_role="quality_assurance",
        )  # fmt: skip
        self.do(command, "CO-1")

    # --- from the prescription to the collection
    def placed(self, pair: str, name: str = "car", order: str | None = None, linked: str | None = None) -> str:
        order = order or f"ORD-{pair.removeprefix('PAIR-')}-{name}"
        command = placing.Place(
            product=name, market="CN", pair=pair, hospital=HOSPITAL, linked_order=linked, order=order
        )
        self.do(command, "PR-1")
        return order

    def approved(self, pair: str, name: str = "car", linked: str | None = None) -> str:
        order = self.placed(pair, name, linked=linked)
        attested = placing.AttestEligibility(order=order, verdict="eligible", role="physician", document_sha256=HASH)
        self.do(attested, "DR-1")
        self.consented(order)
        self.do(placing.Approve(order=order, role="planner"), "PL-1")
        self.do(placing.AllocateChain(order=order, role="coordinator"), "CO-1")
        return order

    def consented(self, order: str, purpose: str = "treatment") -> None:
        command = placing.RecordConsent(
            order=order,
            document_sha256=HASH,
            version="3",
            given_on="2026-02-01",
            purpose=purpose,  # type: ignore[arg-type]
        )
        self.do(command, "CO-1")

    def coi(self, order: str) -> str:
        found = self.order(order).coi
        assert found is not None
        return found

    def coi_scan(self, order: str) -> Scan:
        return Scan(text=f"&/{self.coi(order)}")

    def wristband(self, who: str) -> Scan:
        found = self.load(subject.SubjectState, who).wristband
        assert found is not None
        return Scan(text=found)

    def scheduled(self, order: str, days: Iterable[str] = ("2026-03-02",)) -> str:
        self.do(collection.ScheduleCollection(order=order, site=HOSPITAL, days=tuple(days)), "CO-1")
        return next(reversed(self.order(order).agreed))

    def started(self, order: str, agreed: str, day: int = 1) -> Decision:
        donor = self.load(PairState, self.order(order).pair).donor
        command = collection.StartCollection(
            order=order, collection=agreed, day=day, wristband=self.wristband(donor), coi=self.coi_scan(order),
            verifier="CN-2",
        )  # fmt: skip
        return self.do(command, "CN-1")

    def donation(self, order: str, agreed: str, day: int = 1, divisions: tuple[str, ...] = ("00",), **more: Any) -> Any:
        """The command that records one donation."""
        din = more.pop("din", None) or self.issue("din")
        resolved = f"{din[:5]}-20{din[5:7]}-{din[7:]}"
        given: dict[str, Any] = {
            "order": order, "collection": agreed, "day": day, "din": Scan(text=f"={din}00"),
            "coi": self.coi_scan(order), "started_at": stamp(self.now), "ended_at": stamp(self.now),
            "holder": HOSPITAL, "place": "apheresis", "verifier": "CN-2",
            "containers": tuple(
                collection.Filled(
                    division=d, volume_ml="100", label=Scan(text=container_name(resolved, d)),
                    nucleated_cells="5000000000",
                )
                for d in divisions
            ),
            **more,
        }  # fmt: skip
        return collection.RecordCollection(**given)

    def collected(self, order: str, divisions: tuple[str, ...] = ("00",), days: int = 1) -> list[str]:
        """Collect over some days; answers the containers."""
        agreed = self.scheduled(order, [f"2026-03-0{2 + d}" for d in range(days)])
        for day in range(1, days + 1):
            self.started(order, agreed, day)
            self.do(self.donation(order, agreed, day, divisions), "CN-1")
            if day < days:
                self.advance(days=1)
        return list(self.order(order).containers)

    # --- on the way
    def transport(self, n: int, **more: Any) -> dispatch.Transport:
        given: dict[str, Any] = {
            "shipper": Scan(text=f"T-{n}"), "seal": Scan(text=f"SEAL-{n}"), "waybill": f"AWB-{n}",
            "loggers": (f"LG-{n}",), "logger_started_at": stamp(self.now), "destination_holder": PLANT,
            "destination": "receiving", "courier_holder": COURIER, **more,
        }  # fmt: skip
        return dispatch.Transport(**given)

    def packing(self, order: str, containers: Iterable[str]) -> dispatch.Packing:
        return dispatch.Packing(
            order=order, containers=tuple(Scan(text=c) for c in containers), coi=self.coi_scan(order)
        )

    def sent(self, n: int, *orders: str, courier: str | None = "CU-1", **transport: Any) -> str:
        """Pack everything collected for these orders and hand it to the courier."""
        items = tuple(
            self.packing(o, [c for c, s in self.order(o).containers.items() if s.status == "collected"]) for o in orders
        )
        command = dispatch.PackCollection(
            items=items, transport=self.transport(n, **transport), role="collection_nurse", courier=courier,
            shipment=f"SH-{n}",
        )  # fmt: skip
        self.do(command, "CN-1")
        return f"SH-{n}"

    def receiving(self, name: str, role: str = "warehouse", **more: Any) -> shipment.Receive:
        found = self.load(ShipmentState, name)
        given: dict[str, Any] = {
            "shipment": name, "role": role, "courier": "CU-1", "shipper": Scan(text=found.shipper),
            "seal": Scan(text=found.seal), "waybill": found.waybill, "loggers": found.loggers,
            "containers": tuple(Scan(text=c) for c in sorted(found.containers)),
            "cois": tuple(Scan(text=f"&/{coi}") for coi in dict.fromkeys(item.coi for item in found.items)),
            "condition": "intact", "undamaged": True, "place": found.destination, **more,
        }  # fmt: skip
        return shipment.Receive(**given)

    def logged(self, name: str, celsius: str = "4", by: str = "WH-1", **odd: str) -> None:
        """Read the loggers: one sample a minute from pack-out to receipt, some of them odd by their minute."""
        found = self.load(ShipmentState, name)
        assert found.received_at is not None
        from datetime import datetime

        first, last = datetime.fromisoformat(found.packed_at), datetime.fromisoformat(found.received_at)
        minutes = int((last - first) / timedelta(minutes=1))
        readings = tuple(
            cold_chain.LoggerReading(at=stamp(first + timedelta(minutes=m)), celsius=odd.get(f"m{m}", celsius))
            for m in range(minutes + 1)
        )
        data = tuple(cold_chain.LoggerData(logger=x, sha256=HASH, samples=readings) for x in found.loggers)
        self.do(cold_chain.ReadLoggers(shipment=name, loggers=data, interval_s=60), by)

    def arrived(self, name: str) -> None:
        """Receive at the plant after two hours, cold chain kept."""
        self.advance(hours=2)
        self.do(self.receiving(name), "WH-1")
        self.logged(name)

    def accepted(self, order: str, n: int = 1, **collected: Any) -> list[str]:
        """Collected, sent, received and accepted starting material."""
        containers = self.collected(order, **collected)
        name = self.sent(n, order)
        self.arrived(name)
        self.do(acceptance.AcceptMaterial(order=order, shipment=name), "QA-1")
        return containers

    # --- made
    def made(
        self, order: str, lot: str, bags: int = 1, volume: str = "50", doses: int = 1, *, released: bool = True
    ) -> list[str]:
        """A complete lot with labelled final bags, made from the accepted material, by facts of the lot's record."""
        state = self.order(order)
        coi = self.coi(order)
        self.say(
            f"lot/{lot}",
            life.LotIssued(
                coi=coi, lot=lot, product=state.product, product_version="1", recipe="r1", recipe_version="1",
                recipe_sha256=HASH, issued_by="PL-1", checked_by="QA-1", pair=state.pair, order=order, market="CN",
            ),
        )  # fmt: skip
        sources = [c for c, s in state.containers.items() if s.kind == "starting_material" and s.status == "available"]
        if sources:
            self.do(allocation.Allocate(order=order, containers=tuple(sources), lot=lot), "PL-1")
        names = [f"{lot}-B{n}" for n in range(1, bags + 1)]
        for source in sources:
            self.say(
                f"lot/{lot}",
                vessel.StartingMaterialReceived(
                    coi=coi, container=source, din=state.containers[source].din, volume_ml="100",
                    collected_at=stamp(self.now), donor_status="eligible", performer="OP-1", verifier="OP-2",
                ),
            )  # fmt: skip
        self.advance(days=10)
        made = tuple(
            vessel.Made(container=name, kind="final_bag", volume_ml=volume, dose=1 + n % doses)
            for n, name in enumerate(names)
        )
        draws = tuple(vessel.Draw(container=s, volume_ml="100", emptied=True) for s in sources)
        self.say(
            f"lot/{lot}",
            vessel.MaterialTransferred(
                coi=coi, transfer="split", sources=draws, made=made, performer="OP-1", verifier="OP-2"
            ),
        )
        for name in names:
            self.labelled(lot, coi, name, f"LB-{name}")
        done = life.LotCompleted(
            labels_issued=bags, labels_applied=bags, labels_destroyed=0, bags_filled=bags, performer="OP-1",
            verifier="OP-2",
        )  # fmt: skip
        self.say(f"lot/{lot}", done)
        from cellwright.factory.order.fact.material import LotLinked

        self.say(f"order/{order}", LotLinked(lot=lot, product=state.product))
        if released:
            self.release(lot, coi)
        return names

    def labelled(self, lot: str, coi: str, container: str, label: str, supersedes: str | None = None) -> None:
        self.say(
            f"lot/{lot}",
            vessel.LabelPrinted(
                coi=coi, label=label, container=container, content={}, template="t", performer="OP-1",
                supersedes=supersedes,
            ),
            vessel.LabelVerified(coi=coi, label=label, container=container, read=label, verifier="OP-2"),
            vessel.LabelApplied(coi=coi, label=label, container=container, performer="OP-1", verifier="OP-2"),
        )  # fmt: skip

    def release(self, lot: str, coi: str) -> None:
        body = Released(
            lot=lot, coi=coi, path="full", market="CN", specification="s1", version="1", judgements=(), releaser="AP-1"
        )
        self.say(f"release/{lot}", body)

    def suspend(self, lot: str) -> None:
        coi = self.load(LotState, lot).coi
        self.say(f"release/{lot}", Suspended(lot=lot, coi=coi, cause="result", text="growth on day 9"))

    # --- delivered and given
    def code(self, bag: str, lot: str) -> Scan:
        """What the bag's label reads: the copy's serial and whose it is."""
        found = self.load(LotState, lot)
        return Scan(text=f"{found.containers[bag].label}|{found.coi}")

    def packing_bags(self, order: str, lot: str, bags: Iterable[str]) -> dispatch.Packing:
        return dispatch.Packing(order=order, containers=tuple(self.code(b, lot) for b in bags))

    def delivery(self, n: int, order: str, lot: str, bags: Iterable[str], **more: Any) -> dispatch.PackDelivery:
        transport = self.transport(n, destination_holder=HOSPITAL, destination="cell laboratory")
        given: dict[str, Any] = {
            "items": (self.packing_bags(order, lot, bags),), "transport": transport, "role": "warehouse",
            "holder": PLANT, "place": "pack-out", "courier": "CU-1", "shipment": f"SH-{n}", **more,
        }  # fmt: skip
        return dispatch.PackDelivery(**given)

    def delivered(self, n: int, order: str, lot: str, bags: Iterable[str], celsius: str = "-150") -> str:
        """Packed, carried, received at the hospital and accepted there."""
        bags = list(bags)
        self.do(self.delivery(n, order, lot, bags), "WH-1")
        self.advance(hours=3)
        scans = tuple(self.code(b, lot) for b in bags)
        self.do(self.receiving(f"SH-{n}", "cell_laboratory", containers=scans, cois=()), "CL-1")
        self.logged(f"SH-{n}", celsius, by="CL-1")
        self.do(acceptance.AcceptBags(order=order, shipment=f"SH-{n}"), "CL-1")
        return f"SH-{n}"

    def checking(self, order: str, bag: str, stage: str, /, **more: Any) -> bedside.CheckIdentity:
        state = self.order(order)
        lot = state.containers[bag].lot if bag in state.containers else None
        recipient = self.load(PairState, state.pair).recipient
        given: dict[str, Any] = {
            "order": order, "stage": stage, "wristband": self.wristband(recipient),
            "bag": self.code(bag, lot) if lot else Scan(text=bag), "role": "nurse", "verifier": "DR-1",
            "verifier_role": "physician", **more,
        }  # fmt: skip
        return bedside.CheckIdentity(**given)

    def checked(self, order: str, bag: str, stage: str) -> None:
        self.do(self.checking(order, bag, stage), "NU-1")

    def thawed(self, order: str, bag: str) -> None:
        self.checked(order, bag, "thaw")
        self.do(infusion.Thaw(order=order, bag=Scan(text=bag)), "CL-1")

    def starting(self, order: str, bag: str) -> infusion.StartInfusion:
        return infusion.StartInfusion(
            order=order, bag=Scan(text=bag), role="nurse", verifier="DR-1", verifier_role="physician"
        )

    def given(self, order: str, bag: str, volume: str = "50", left: str = "0", **more: Any) -> infusion.RecordInfusion:
        return infusion.RecordInfusion(
            order=order, bag=Scan(text=bag), volume_given_ml=volume, remainder_ml=left, ended_at=stamp(self.now),
            role="nurse", verifier="NU-2", verifier_role="nurse", **more,
        )  # fmt: skip

    def infused(self, order: str, bag: str, volume: str = "50", left: str = "0") -> None:
        """Thaw (if the product is frozen), check, start, give, record."""
        product_ = self.definition(Product, self.order(order).product)
        if not product_.fresh:
            self.thawed(order, bag)
            self.advance(minutes=5)
        self.checked(order, bag, "infusion")
        self.do(self.starting(order, bag), "NU-1")
        self.advance(minutes=10)
        self.do(self.given(order, bag, volume, left), "NU-1")

    def weighed(self, order: str, kg: str, on: str = "2026-03-01") -> None:
        self.do(weight.RecordWeight(order=order, weight_kg=kg, weighed_on=on), "NU-1")

    # --- the ordinary course
    def ready(
        self, n: int, bags: int = 1, name: str = "car", volume: str = "50", doses: int = 1
    ) -> tuple[str, list[str]]:
        """An order whose bags lie accepted at the hospital, and the bags."""
        order = self.approved(self.pair(str(n)), name)
        self.accepted(order, n)
        made = self.made(order, f"LOT-{n}", bags, volume, doses)
        frozen = not self.definition(Product, name).fresh
        self.delivered(100 + n, order, f"LOT-{n}", made, "-150" if frozen else "4")
        return order, made
