"""A patient's way, act by act: from the register to the bag that was given, through the commands that people use.

Each method is a part of the way and a generator of acts; `journey` strings them together, `story` lets things go wrong
between them. Whatever is simulated here (people, times, volumes, counts) is simulated; published figures come in
through `Figures` and are named as published where they are used.
"""

from collections.abc import Generator, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from cellwright.command.demo import printer
from cellwright.command.demo.cast import by
from cellwright.command.demo.screening import meeting
from cellwright.command.demo.stage import Act, until
from cellwright.command.desk import Outcome
from cellwright.command.portfolio.gating import admitted
from cellwright.command.site import Site
from cellwright.factory.order import (
    acceptance,
    allocation,
    cold_chain,
    collection,
    dispatch,
    pair,
    placing,
    shipment,
    subject,
)  # fmt: skip
from cellwright.factory.order.scan import Scan
from cellwright.factory.order.state import OrderState
from cellwright.factory.people import stamp
from cellwright.factory.portfolio.product import Product
from cellwright.factory.rule import Command, Refusal
from cellwright.factory.trial.protocol import Protocol
from cellwright.identifier.label import NamedPatient
from cellwright.ledger import SimulatedClock
from cellwright.ledger.canonical import encode

Acts = Generator[Act | until, Outcome | None, Any]

HOSPITAL = "Simulated hospital A"
PLANT = "E-Town plant (simulated)"
COURIER = "Simulated courier"
DONOR_TESTS = ("HBsAg", "anti-HBc", "anti-HCV", "anti-HIV-1/2", "Treponema pallidum")
"""Names of donor tests as a laboratory's report would list them [assumption: the set is the site's]."""
LOGGER_INTERVAL_S = 900
HOUR = timedelta(hours=1)
BEATS = ((24 * HOUR, 4 * HOUR), (2 * HOUR, HOUR), (HOUR / 2, HOUR / 2))
"""After a wait of so long at least, work goes on at the next full so much of the day; shorter waits end when they end."""
STANDING_STILL = frozenset({"identity-in-doubt", "lot-in-doubt"})
"""Refusals while an identity case is open; in the story they end within minutes when the wrong item is set aside."""


def body(outcome: Outcome | None, type_: str) -> dict[str, Any]:
    """The body of the one event of a type in an outcome."""
    assert outcome is not None
    (found,) = [event.body for event in outcome.events if event.type == type_]
    return found


def agreed(now: datetime, span: timedelta) -> datetime:
    """When work goes on that is due a span after now: at the next agreed time of the day."""
    moment = now + span
    beat = next((beat for least, beat in BEATS if span >= least), None)
    return moment if beat is None else moment + (datetime.min.replace(tzinfo=UTC) - moment) % beat


def bodies(outcome: Outcome | None, type_: str) -> list[dict[str, Any]]:
    assert outcome is not None
    return [event.body for event in outcome.events if event.type == type_]


def scan(text: str) -> Scan:
    """A house label with this text, printed, and what the scanner read there."""
    return Scan(text=printer.read(text))


class Patient:
    """One simulated patient and what has been recorded for them so far."""

    def __init__(self, site: Site, number: int, seed: str, product: str, *, weight_kg: str, market: str = "CN") -> None:
        self.site = site
        self.number = number
        self.random = Random(f"{seed}/{number}")
        self.product_id = product
        self.market = market
        self.weight_kg = weight_kg
        self.weighings = 0
        self.subject = ""
        self.donor = ""
        self.wristbands: dict[str, str] = {}
        self.named: dict[str, NamedPatient] = {}
        """Donor and recipient by name, as labels show them; the record has these names only encrypted (D6)."""
        self.codes: dict[str, str] = {}
        """Container, or serial of a label -> what a scanner read on it; shared by all patients, as a bench is."""
        self.pair = ""
        self.order = ""
        self.coi = ""
        self.lot = ""
        self.fresh: tuple[str, ...] = ()
        """Containers collected last."""
        self.starting: tuple[str, ...] = ()
        """Containers allocated to the lot."""
        self.shipment = self.shipper = self.seal = self.waybill = self.logger = ""
        self.in_doubt = False
        """Whether this patient's own story is that identity stays in doubt."""
        self.given_before: str | None = None
        """A product that another hospital gave this patient, attested with the order."""
        """Facts at screening that differ from those of a patient who simply meets the protocol."""
        self.materials: dict[str, str] = {}
        """Material code -> the lot in use for this patient."""
        self.outcomes: list[dict[str, str]] = []
        """What came about, in its order: each with its `code` and details."""

    # --- words

    @property
    def now(self) -> datetime:
        assert isinstance(self.site.clock, SimulatedClock)
        return self.site.clock()

    @property
    def today(self) -> str:
        return self.now.date().isoformat()

    @property
    def chain(self) -> Scan:
        """The chain of identity, read from the papers that go with the cells."""
        return Scan(text=printer.chain(self.coi))

    def on(self, container: str) -> Scan:
        """What a scanner reads on a container."""
        return Scan(text=self.codes[container])

    def labelled(self, din: str, division: str) -> Scan:
        """The label of a collected bag, printed at the bedside and read there."""
        self.codes[f"{din}-{division}"] = printer.collected(din, division, self.coi)
        return self.on(f"{din}-{division}")

    def choose(self, *people: str) -> str:
        """One of several people, the same in every run of a seed."""
        return people[self.random.randrange(len(people))]

    def two(self, people: Sequence[str]) -> tuple[str, str]:
        """Two different people."""
        first, second = self.random.sample(list(people), 2)
        return first, second

    def paper(self, title: str, **content: object) -> str:
        """A simulated document in the file store; its address."""
        text = {"title": title, "simulated": True, "patient": self.number, **{k: str(v) for k, v in content.items()}}
        return self.site.files.put(encode(text)).sha256

    def came(self, code: str, **details: str) -> None:
        """Note an outcome of this patient."""
        self.outcomes.append({"code": code, **details})

    def do(self, command: Command, person: str) -> Generator[Act | until, Outcome | None, Outcome]:
        """Give a command. Where somebody else's identity case makes everything stand still, wait until it is settled.

        Raises Refusal for any other reason, and when the command itself ended in a hard stop.
        """
        outcome = yield from self.attempt(command, person)
        if outcome.stop is not None:
            raise outcome.stop
        return outcome

    def attempt(self, command: Command, person: str) -> Generator[Act | until, Outcome | None, Outcome]:
        """As `do`, but a hard stop is handed back as the outcome it is."""
        while True:
            try:
                outcome = yield Act(command, by(person))
            except Refusal as refusal:
                if refusal.code not in STANDING_STILL or self.in_doubt:
                    raise
                yield from self.wait(minutes=10)
                continue
            assert outcome is not None
            return outcome

    def wait(self, **delta: float) -> Generator[Act | until, Outcome | None, None]:
        """Let time pass. Work begins at agreed hours, so that what is due together is submitted together (E20)."""
        yield until(agreed(self.now, timedelta(**delta)))

    def at(self, moment: datetime) -> Generator[Act | until, Outcome | None, None]:
        yield until(moment)

    def product(self) -> Product:
        order = self.site.desk.state(OrderState, self.order, fresh=False)
        return self.site.desk.definition(Product, self.product_id, order.product_version if self.order else None)

    # --- order

    def registered(self, *, donor: bool = False) -> Acts:
        """The recipient, and the donor where they are two people, under encrypted names; tests; the pair."""
        self.subject = yield from self._subject("recipient")
        self.donor = (yield from self._subject("donor")) if donor else self.subject
        yield from self._pair()

    def _subject(self, role: str) -> Generator[Act | until, Outcome | None, str]:
        name = self.site.desk.issuing.next("subject", self.now)
        wristband = self.site.desk.issuing.next("label", self.now)
        day = self.random.randrange(1, 28)
        born = date(2000 + self.random.randrange(4, 20), 5, day)
        fields = {"name": f"Simulated {role} {self.number}", "birth_date": born.isoformat()}
        self.named[name] = NamedPatient(fields["name"], born)
        personal = {k: subject.Sealed(**self.site.keys.encrypt_field(name, v, k)) for k, v in fields.items()}
        yield from self.do(subject.Register(subject=name, personal=personal, wristband=wristband), "CO-1")
        self.wristbands[name] = wristband
        return name

    def _pair(self) -> Acts:
        outcome = yield from self.do(pair.Form(donor=self.donor, recipient=self.subject), "CO-1")
        self.pair = body(outcome, "pair.formed")["pair"]
        if self.donor != self.subject:
            consent = pair.RecordDonorConsent(
                pair=self.pair, document_sha256=self.paper("donor consent"), version="1", given_on=self.today
            )
            yield from self.do(consent, "CO-2")

    def donor_tested(self, status: str = "eligible") -> Acts:
        """Infectious-disease tests of the donor, transcribed and verified; quality assurance decides."""
        tests = tuple(pair.DonorTest(test=name, finding="negative", sampled_on=self.today) for name in DONOR_TESTS)
        report = pair.RecordDonorTests(
            pair=self.pair, tests=tests, document_sha256=self.paper("donor test report"),
            laboratory="Simulated contract laboratory", role="coordinator", verifier="QA-3",
            verifier_role="quality_assurance",
        )  # fmt: skip
        yield from self.do(report, "CO-1")
        yield from self.do(pair.DecideDonorStatus(pair=self.pair, status=status), "QA-3")  # type: ignore[arg-type]

    def ordered(self, linked: str | None = None) -> Acts:
        """Prescribed, judged eligible, consented, enrolled where it is a trial, approved; one chain of identity."""
        place = placing.Place(
            product=self.product_id, market=self.market, pair=self.pair, hospital=HOSPITAL, linked_order=linked
        )
        outcome = yield from self.do(place, self.choose("MD-1", "MD-2"))
        self.order = next(e.stream.partition("/")[2] for e in outcome.events if e.type == "order.placed")
        if self.given_before is not None:
            yield from self.attested(self.given_before)
        yield from self.judged()
        consent = placing.RecordConsent(
            order=self.order,
            document_sha256=self.paper("consent"),
            version="1",
            given_on=self.today,
            purpose="treatment",
        )
        yield from self.do(consent, "CO-1")
        market = self.product().market(self.market)
        assert market is not None
        admitted(self.product(), self.market, self.now.date())
        if market.legal_basis == "trial":
            enrol = placing.Enrol(
                order=self.order, protocol=market.protocol or "", subject_number=f"S-{self.number:03d}",
                enrolled_on=self.today,
            )  # fmt: skip
            yield from self.do(enrol, "CO-1")
        yield from self.do(placing.Approve(order=self.order, role="planner"), "PL-1")
        outcome = yield from self.do(placing.AllocateChain(order=self.order, role="coordinator"), "CO-2")
        self.coi = body(outcome, "order.coi_allocated")["coi"]
        yield from self.weighed(self.weight_kg)

    def attested(self, product: str) -> Acts:
        """A product was given at another hospital: its letter is transcribed and verified by two people (D13)."""
        from cellwright.factory.order.prior_product import AttestPriorInfusion

        attest = AttestPriorInfusion(
            order=self.order, product=product, hospital="Simulated hospital B", infused_on=self.today,
            document_sha256=self.paper("discharge letter"), role="coordinator", verifier="MD-1",
            verifier_role="physician",
        )  # fmt: skip
        yield from self.do(attest, "CO-1")
        self.came("prior_product_attested", hospital="Simulated hospital B")

    def judged(self) -> Acts:
        """Eligibility: evaluated by the trial's protocol from stated facts, or attested by a physician."""
        market = self.product().market(self.market)
        assert market is not None
        if market.protocol is not None:
            protocol = self.site.desk.definition(Protocol, market.protocol)
            evidence = meeting(protocol, self.today)
            judge = placing.JudgeEligibility(order=self.order, evidence=evidence)
            yield from self.do(judge, "CO-1")
            return
        attest = placing.AttestEligibility(
            order=self.order, verdict="eligible", role="physician",
            document_sha256=self.paper("eligibility assessment"),
        )  # fmt: skip
        yield from self.do(attest, self.choose("MD-1", "MD-2"))

    def weighed(self, weight_kg: str) -> Acts:
        from cellwright.factory.order.weight import RecordWeight

        self.weight_kg = weight_kg
        yield from self.do(RecordWeight(order=self.order, weight_kg=weight_kg, weighed_on=self.today), "RN-1")

    # --- collection

    def collected(self, days: int = 1, bags: int = 1) -> Acts:
        """Cells collected at the hospital on one or several days, packed and handed to the courier each day."""
        first = self.now.date() + timedelta(days=1)
        agreed = tuple((first + timedelta(days=n)).isoformat() for n in range(days))
        schedule = collection.ScheduleCollection(order=self.order, site=HOSPITAL, days=agreed)
        outcome = yield from self.do(schedule, "CO-1")
        name = body(outcome, "order.collection_scheduled")["collection"]
        for number, day in enumerate(agreed, 1):
            yield from self.at(datetime.fromisoformat(f"{day}T01:00:00+00:00").astimezone(UTC))
            yield from self._collected_on(name, number, bags)
            if number < days:
                yield from self.received()
        if days > 1:
            self.came("multi_day_collection", days=str(days))

    def _collected_on(self, name: str, day: int, bags: int) -> Acts:
        nurses = self.two(("AN-1", "AN-2"))
        start = collection.StartCollection(
            order=self.order, collection=name, day=day, wristband=scan(self.wristbands[self.donor]), coi=self.chain,
            verifier=nurses[1],
        )  # fmt: skip
        yield from self.do(start, nurses[0])
        began = self.now
        yield from self.wait(hours=4)
        din = self.site.desk.issuing.next("din", self.now)
        divisions = ("00",) if bags == 1 else tuple(f"{letter}0" for letter in "ABCDEFGH"[:bags])
        cells = f"{self.random.lognormvariate(22.45, 0.5):.0f}"
        record = collection.RecordCollection(
            order=self.order, collection=name, day=day, din=Scan(text=printer.donation(din)), coi=self.chain,
            containers=tuple(
                collection.Filled(
                    division=d, volume_ml=str(self.random.randrange(80, 160)), label=self.labelled(din, d),
                    nucleated_cells=cells,
                )
                for d in divisions
            ),
            started_at=stamp(began), ended_at=stamp(self.now), holder=HOSPITAL, place="Collection unit",
            verifier=nurses[1],
        )  # fmt: skip
        yield from self.do(record, nurses[0])
        self.fresh = tuple(f"{din}-{d}" for d in divisions)
        yield from self.packed(nurses[0])

    def packed(self, nurse: str) -> Acts:
        """Packed with a running logger and handed to the courier, who signs too."""
        self.shipper = self.site.desk.issuing.next("shipper", self.now)
        self.seal = self.site.desk.issuing.next("label", self.now)
        self.logger = f"LOG-{self.shipper[-8:]}"
        self.waybill = f"SIM-{self.shipper[-8:]}"
        transport = dispatch.Transport(
            shipper=scan(self.shipper), seal=scan(self.seal), waybill=self.waybill, loggers=(self.logger,),
            logger_started_at=stamp(self.now - timedelta(minutes=10)), destination_holder=PLANT,
            destination="Receiving", courier_holder=COURIER,
        )  # fmt: skip
        packing = dispatch.Packing(order=self.order, containers=tuple(self.on(c) for c in self.fresh), coi=self.chain)
        command = dispatch.PackCollection(
            items=(packing,), transport=transport, role="collection_nurse", courier=self.choose("CR-1", "CR-2")
        )
        outcome = yield from self.do(command, nurse)
        self.shipment = body(outcome, "shipment.packed")["shipment"]

    # --- receipt at the plant

    def received(self) -> Acts:
        """On the way, received with seal, waybill and logger compared, loggers read, accepted out of quarantine."""
        yield from self.wait(hours=self.random.choice((8, 12)))
        yield from self.do(self.receipt(), "WH-1")
        yield from self.logged("collection")
        yield from self.do(acceptance.AcceptMaterial(order=self.order, shipment=self.shipment), "QA-3")

    def receipt(self, **changed: object) -> shipment.Receive:
        """The receipt as it should be, with whatever is changed."""
        usual: dict[str, object] = {
            "shipment": self.shipment, "role": "warehouse", "courier": "CR-1", "shipper": scan(self.shipper),
            "seal": scan(self.seal), "waybill": self.waybill, "loggers": (self.logger,),
            "containers": tuple(self.on(c) for c in self.fresh), "cois": (self.chain,), "condition": "intact",
            "undamaged": True, "place": "Receiving", "temperature_c": "4.8",
        }  # fmt: skip
        return shipment.Receive(**{**usual, **changed})  # type: ignore[arg-type]

    def logged(self, purpose: str) -> Acts:
        """The logger's file: simulated readings every quarter of an hour, inside the limits."""
        state = self.site.desk.state(shipment.ShipmentState, self.shipment, fresh=False)
        low, high = state.limits.min_c, state.limits.max_c
        middle = float(high) - 4 if low is None else (float(low) + float(high)) / 2
        begin = datetime.fromisoformat(state.logger_started_at)
        count = int((self.now - begin).total_seconds() // LOGGER_INTERVAL_S) + 2
        readings = tuple(
            cold_chain.LoggerReading(
                at=stamp(begin + timedelta(seconds=LOGGER_INTERVAL_S * n)),
                celsius=f"{middle + self.random.uniform(-1, 1):.1f}",
            )
            for n in range(count)
            if begin + timedelta(seconds=LOGGER_INTERVAL_S * n) <= self.now
        )
        digest = self.paper("temperature logger", readings=" ".join(f"{r.at} {r.celsius}" for r in readings))
        data = cold_chain.LoggerData(logger=self.logger, sha256=digest, samples=readings)
        role = "WH-1" if purpose == "collection" else "CL-1"
        read = cold_chain.ReadLoggers(shipment=self.shipment, loggers=(data,), interval_s=LOGGER_INTERVAL_S)
        yield from self.do(read, role)

    def allocated(self) -> Acts:
        """The starting material goes to the lot."""
        state = self.site.desk.state(OrderState, self.order, fresh=False)
        names = tuple(n for n, c in state.containers.items() if c.status == "available")
        self.starting = names
        yield from self.do(allocation.Allocate(order=self.order, containers=names, lot=self.lot), "PL-1")
