"""The wrong item in the right place: seven points at which another patient's item is scanned, and is stopped.

Each is found by the rules and, where they fail, by the store; the item is set aside before a second person, the case
says so, and work goes on (D4, R066).
"""

from collections.abc import Callable

from cellwright.command.demo.course import Acts, body, scan
from cellwright.command.demo.journey import Way
from cellwright.factory.lot.label import VerifyLabel
from cellwright.factory.lot.step import StartStep
from cellwright.factory.order import case
from cellwright.factory.order.scan import Scan
from cellwright.factory.quality.fact import PlannedWell
from cellwright.factory.quality.plate import FillWell, MapPlate
from cellwright.factory.rule import Command


def foreign(way: Way, kind: str) -> str:
    """An item of this kind that is another patient's, as it might lie on the next bench."""
    claims = way.patient.site.ledger.claims(f"{kind}/")
    others = [c for c in claims if c.value != way.patient.coi and "/" not in c.value]
    return others[way.patient.number % len(others)].key.partition("/")[2]


def lying(way: Way, kind: str) -> Scan:
    """What the scanner reads on such an item."""
    name = foreign(way, kind)
    return Scan(text=way.patient.codes[name]) if name in way.patient.codes else scan(name)


def stopped(way: Way, point: str, command: Command, person: str, role: str, second: str) -> Acts:
    """The wrong item is scanned: a hard stop, the item set aside before a second person, and work can go on."""
    outcome = yield from way.patient.attempt(command, person)
    opened = body(outcome, "case.opened")
    assert outcome.stop is not None and opened["point"] == point, opened
    aside = case.SetItemAside(case=opened["case"], where="Red tray", role=role, verifier=second, verifier_role=role)
    yield from way.patient.do(aside, person)
    way.patient.came("swap_stopped", point=point, case=opened["case"])


def swap_at_receipt(way: Way) -> Acts:
    """Another patient's bag is scanned at the plant's receiving."""
    yield from way.until_order()
    yield from way.patient.collected()
    yield from way.patient.wait(hours=10)
    wrong = way.patient.receipt(containers=(lying(way, "container"),))
    yield from stopped(way, "collection_receipt", wrong, "WH-1", "warehouse", "WH-2")
    yield from way.patient.received()


def swap_in_process(way: Way) -> Acts:
    """Another patient's container is scanned before a step in the suite."""
    making = way.making
    wrong = StartStep(lot=way.patient.lot, step="activate", room=making.room, containers=(lying(way, "container"),))
    yield from stopped(way, "in_process", wrong, making.operator, "operator", making.second)


def swap_at_label(way: Way) -> Callable[[str], Acts]:
    """Another patient's label is read back where this patient's final label should be."""

    def happens(label: str) -> Acts:
        wrong = VerifyLabel(lot=way.patient.lot, label=label, scan=lying(way, "label"))
        yield from stopped(way, "final_label", wrong, way.making.operator, "operator", way.making.second)

    return happens


def swap_of_tube(way: Way) -> Acts:
    """Another patient's tube comes to the laboratory's hatch."""
    sample = next(iter(way.making.lot.samples))
    testing = way.testing
    wrong = testing.receiving(sample, foreign(way, "sample"))
    yield from stopped(way, "qc_tube", wrong, testing.analyst, "analyst", testing.second)


def swap_in_plate(way: Way) -> Acts:
    """Another patient's tube is about to be pipetted into this patient's well."""
    testing = way.testing
    sample = next(iter(way.making.lot.samples))
    plan = MapPlate(
        tests=("endotoxin",), method="endotoxin_kinetic", method_version="1", assay_version="1",
        map=(PlannedWell(well="B03", role="sample", lot=way.patient.lot, sample=sample),),
    )  # fmt: skip
    outcome = yield from way.patient.do(plan, testing.analyst)
    plate = outcome.events[0].stream.partition("/")[2]
    wrong = FillWell(plate=plate, well="B03", scan=scan(foreign(way, "sample")))
    yield from stopped(way, "plate_well", wrong, testing.analyst, "analyst", testing.second)
    yield from way.patient.do(FillWell(plate=plate, well="B03", scan=scan(sample)), testing.analyst)


def swap_of_file(way: Way) -> Acts:
    """The flow cytometer's file names another patient's sample inside."""
    testing = way.testing
    wrong = testing.recording("viability", file_sample=foreign(way, "sample"))
    yield from stopped(way, "raw_file", wrong, testing.analyst, "analyst", testing.second)


def swap_at_bedside(way: Way) -> Acts:
    """Another patient's wristband is scanned beside this patient's bag."""
    own = set(way.patient.wristbands.values())
    claims = way.patient.site.ledger.claims("label/")
    band = next(c.key.partition("/")[2] for c in claims if c.value.startswith("subject/") and c.key[6:] not in own)
    bag = way.making.on(way.giving.bags[0])
    stage = "infusion" if way.patient.product().fresh else "thaw"
    wrong = way.giving.identity(stage, bag, wristband=band)
    person, second, role = ("RN-1", "RN-2", "nurse") if stage == "infusion" else ("CL-1", "CL-2", "cell_laboratory")
    yield from stopped(way, "bedside", wrong, person, role, second)
