"""Labels with the numbers of the standard: what they carry, how they are read, and what keeps one from being used."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from cellwright.factory.lot import labelling
from cellwright.factory.lot.label import ApplyLabel, Detach, PrintLabel, VerifyLabel
from cellwright.factory.lot.part import Label
from cellwright.factory.lot.transfer import Child, MeasureVolume
from cellwright.factory.order.case import CaseState
from cellwright.factory.order.pair import DonorStatusDecided
from cellwright.factory.order.scan import Scan
from cellwright.identifier import DEMO, ChainOfIdentityIssuer, HouseNumberIssuer, LabelSerial, LotNumber
from cellwright.identifier.label import LabelKind
from cellwright.identifier.label.template import LabelTemplate, TemplateRegister
from tests.factory.lot.setting import Bench, product, refused

CHAINS, SERIALS, LOTS = (
    ChainOfIdentityIssuer(DEMO), HouseNumberIssuer(LabelSerial, DEMO), HouseNumberIssuer(LotNumber, DEMO),
)  # fmt: skip


class Standard(Bench):
    """A bench whose chains, lots and labels have numbers of the standard."""

    def __init__(self) -> None:
        super().__init__(made=replace(product(), label_code="A0001"))

    def issue(self, kind: str) -> str:
        issuers = {"coi": CHAINS, "label": SERIALS, "lot": LOTS}
        if kind not in issuers:
            return super().issue(kind)
        self.counters[kind] = n = self.counters.get(kind, 0) + 1
        return str(issuers[kind].issue(2026, n))

    def issued(self, order: str) -> str:
        from cellwright.factory.lot.issue import IssueLot

        decision = self.do(IssueLot(order=order, checked_by="QA-1"), "PL-1")
        return str(decision.facts[0].stream.partition("/")[2])


def printed(n: int = 1, bench: Standard | None = None, room: str = "S1") -> tuple[Standard, str, str, Label]:
    """A bag of a patient whose label has just come out of the printer."""
    bench = bench or Standard()
    lot = bench.received(n, room=room)
    (first,) = bench.lot(lot).containers
    (bag,) = bench.make(lot, "transfer", {first: "100"}, [Child(kind="final_bag", volume_ml="100")], emptied=True)
    bench.do(PrintLabel(lot=lot, container=bag))
    return bench, lot, bag, next(iter(bench.lot(lot).labels.values()))


def read_back(lot: str, label: Label, *symbols: str, legends: tuple[str, ...] | None = None) -> VerifyLabel:
    """Everything on the print as a reader of it reports it, or these symbols."""
    own, others = label.symbols[-1], symbols or label.symbols[:-1]
    return VerifyLabel(
        lot=lot, label=label.label, scan=Scan(text=own), symbols=tuple(Scan(text=text) for text in others),
        legends=label.legends if legends is None else legends,
    )  # fmt: skip


def applied(n: int = 1, bench: Standard | None = None, room: str = "S1") -> tuple[Standard, str, str, Label]:
    bench, lot, bag, label = printed(n, bench, room)
    bench.do(read_back(lot, label))
    bench.do(ApplyLabel(lot=lot, container=bag, scan=Scan(text=label.symbols[-1]), verifier="OP-2"))
    bench.do(Detach(lot=lot, containers=(bag,)))
    return bench, lot, bag, label


@contextmanager
def in_force(*templates: LabelTemplate) -> Iterator[None]:
    """Later versions of labels come into force."""
    before = labelling.REGISTER
    register: TemplateRegister = before
    for template in templates:
        register = register.succeeded_by(template)
    labelling.REGISTER = register  # type: ignore[misc]
    try:
        yield
    finally:
        labelling.REGISTER = before  # type: ignore[misc]


@pytest.mark.requirement("R060")
@pytest.mark.requirement("R083")
def test_a_bag_carries_donation_product_division_expiry_and_chain_in_one_symbol() -> None:
    """ST-001 2.4.23: `=+` 04 000, then =DIN, =< product with division, &> expiry, &/ chain; day 331 of 2026 is 27 November, 08:00 here."""
    bench, lot, _, label = printed()
    coi, compound = bench.lot(lot).coi, label.symbols[0]
    assert compound.startswith("]d1=+04000=A999926001001"), compound
    assert "=<A00010B0" in compound and "&>0263310800" in compound and compound.endswith(f"&/{coi}")
    assert label.symbols[1:] == (f"]d1{lot}", f"]d1{label.label}")
    assert (label.template, label.legends) == ("final_product_bag/1", ("autologous_use_only",))


@pytest.mark.requirement("R083")
def test_a_container_is_known_by_its_compound_symbol_with_or_without_symbology() -> None:
    bench, lot, bag, label = applied()
    compound = label.symbols[0]
    for text in (compound, compound.removeprefix("]d1"), label.symbols[-1], label.code, label.label, bag):
        bench.do(MeasureVolume(lot=lot, scan=Scan(text=text), volume_ml="100"))


@pytest.mark.requirement("R083")
def test_a_single_structure_is_no_container() -> None:
    bench, lot, _, label = applied()
    parts = label.symbols[0].removeprefix("]d1=+04000")
    for text in (parts[:16], f"&/{bench.lot(lot).coi}", "=<A00010A0", "]d2019501101530003"):
        with refused("scan-not-understood"):
            bench.do(MeasureVolume(lot=lot, scan=Scan(text=text), volume_ml="100"))


@pytest.mark.requirement("R066")
def test_every_symbol_of_another_patients_bag_stops_the_work() -> None:
    bench, lot, _, _ = applied(1)
    _, _, _, foreign = applied(2, bench, "S2")
    for text in foreign.symbols:
        at = len(bench.events)
        decision = bench.do(MeasureVolume(lot=lot, scan=Scan(text=text), volume_ml="100"))
        assert decision.stop is not None and decision.stop.rule == "R066"
        assert not [f for f, _ in bench.events[at:] if f.body.type == "lot.volume_measured"]
        for fact, _ in bench.events[at:]:
            if fact.body.type == "case.opened":
                from cellwright.factory.order.case import SetItemAside

                name = fact.stream.partition("/")[2]
                assert bench.load(CaseState, name).open
                bench.do(
                    SetItemAside(case=name, where="tray", role="operator", verifier="OP-2", verifier_role="operator")
                )


@pytest.mark.requirement("R090")
def test_every_symbol_must_be_found_and_no_other() -> None:
    for symbols in (("]d1LX",), ()):
        bench, lot, bag, label = printed()
        others = symbols or (label.symbols[0],)
        decision = bench.do(read_back(lot, label, *others))
        assert decision.stop is not None and decision.stop.code == "label-not-as-intended", symbols
        with refused("label-not-verified"):
            bench.do(ApplyLabel(lot=lot, container=bag, scan=Scan(text=label.symbols[-1]), verifier="OP-2"))


@pytest.mark.requirement("R090")
def test_a_symbol_of_another_kind_with_the_same_text_is_not_what_was_printed() -> None:
    bench, lot, _, label = printed()
    others = (label.symbols[0], label.symbols[1].replace("]d1", "]Q1"))
    decision = bench.do(read_back(lot, label, *others))
    assert decision.stop is not None and decision.stop.code == "label-not-as-intended"


@pytest.mark.requirement("R069")
@pytest.mark.parametrize("left_out", range(3))
def test_a_label_without_one_of_its_legends_is_never_applied(left_out: int) -> None:
    """21 CFR 1271.90(c): autologous use, not evaluated for infectious substances; 1271.65(b)(2): biohazard."""
    bench = Standard()
    legends = ("autologous_use_only", "not_evaluated_for_infectious_substances", "biohazard")
    lot = bench.received()
    pair = bench.lot(lot).pair
    bench.say(
        f"pair/{pair}", DonorStatusDecided(pair=str(pair), status="urgent_need", legends=legends, assessor="QA-1")
    )
    (first,) = bench.lot(lot).containers
    (bag,) = bench.make(lot, "transfer", {first: "100"}, [Child(kind="final_bag", volume_ml="100")], emptied=True)
    bench.do(PrintLabel(lot=lot, container=bag))
    (label,) = bench.lot(lot).labels.values()
    assert label.legends == legends
    seen = tuple(legend for legend in legends if legend != legends[left_out])
    decision = bench.do(read_back(lot, label, legends=seen))
    assert decision.stop is not None
    assert (decision.stop.code, decision.stop.rule) == ("legend-missing", "R069")
    assert legends[left_out] in str(decision.stop)
    with refused("label-not-verified"):
        bench.do(ApplyLabel(lot=lot, container=bag, scan=Scan(text=label.symbols[-1]), verifier="OP-2"))
    with refused("detach-unlabelled"):
        bench.do(Detach(lot=lot, containers=(bag,)))


@pytest.mark.requirement("R091")
def test_only_the_version_in_force_is_printed_and_old_records_keep_theirs() -> None:
    bench, lot, bag, label = applied()
    first = labelling.REGISTER.for_print(LabelKind.FINAL_PRODUCT_BAG)
    later = LabelTemplate(
        first.kind, 2, first.required, first.symbols[:1] + first.symbols[-1:], first.width, first.height, first.module
    )
    with in_force(later):
        with refused("label-template-not-in-force"):
            bench.do(PrintLabel(lot=lot, container=bag, template=first.id, reason="torn", approver="QA-1"))
        bench.do(PrintLabel(lot=lot, container=bag, template=later.id, reason="torn", approver="QA-1"))
        new = next(reversed(bench.lot(lot).labels.values()))
        assert (new.template, len(new.symbols)) == ("final_product_bag/2", 2)
        assert bench.lot(lot).labels[label.label].template == "final_product_bag/1"
        assert labelling.REGISTER.archived(label.template) is first
    for wrong in ("final_product_bag/2", "cassette/1", "t1"):
        with refused("label-template-not-in-force"):
            bench.do(PrintLabel(lot=lot, container=bag, template=wrong, reason="torn", approver="QA-1"))


@pytest.mark.requirement("R090")
def test_an_old_copy_is_refused_whichever_of_its_symbols_is_read() -> None:
    """The compound symbol of both copies is the same: it alone does not say which copy it is on."""
    bench, lot, bag, old = applied()
    bench.do(PrintLabel(lot=lot, container=bag, reason="smudged", approver="QA-1"))
    new = next(reversed(bench.lot(lot).labels.values()))
    bench.do(read_back(lot, new))
    bench.do(ApplyLabel(lot=lot, container=bag, scan=Scan(text=new.symbols[-1]), verifier="OP-2"))
    assert old.symbols[0] == new.symbols[0]
    with refused("superseded-label"):
        bench.do(MeasureVolume(lot=lot, scan=Scan(text=old.symbols[-1]), volume_ml="100"))
    with refused("copy-not-named"):
        bench.do(MeasureVolume(lot=lot, scan=Scan(text=old.symbols[0]), volume_ml="100"))
    bench.do(MeasureVolume(lot=lot, scan=Scan(text=new.symbols[-1]), volume_ml="100"))


def test_a_site_with_numbers_of_its_own_prints_the_house_symbol() -> None:
    bench = Bench()
    lot = bench.received()
    (first,) = bench.lot(lot).containers
    (child,) = bench.make(lot, "transfer", {first: "100"}, [Child(kind="culture", volume_ml="100")], emptied=True)
    bench.do(PrintLabel(lot=lot, container=child))
    (label,) = bench.lot(lot).labels.values()
    assert label.symbols == (label.code,)
