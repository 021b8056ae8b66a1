"""A new label for a container outside a lot, under supervision, and read back before the container goes on (D3, D4)."""

from cellwright.factory.order.case import HANDLING, NOTHING, CaseState, LabelReadBack, Relabelled, at_status
from cellwright.factory.order.fact.material import ContainerRelabelled
from cellwright.factory.order.scan import Scan, confirmed, label, two_people
from cellwright.factory.order.state import OrderState
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


@command("case.relabel", "operator", "warehouse", "cell_laboratory")
class Relabel(Command):
    """Label a container outside a lot anew under the eyes of quality assurance; the old label is void from here on."""

    case: str
    coi: str
    container: str
    label: str
    role: str
    supervisor: str
    supersedes: str | None = None
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        case = at_status(world, self.case, "investigated", "relabelled")
        if case.identity != "shown":
            raise Refusal(
                "identity-not-shown",
                "The investigation of case {case} did not show whose {container} is.",
                remedy="What cannot be shown to be its owner's is rejected, never re-labelled.",
                rule="D4",
                case=self.case,
                container=self.container,
            )
        if self.coi not in (case.expected_coi, case.found_coi) and not _known_to(world, case, self.coi):
            raise Refusal(
                "coi-not-in-case",
                "Case {case} does not concern the chain of identity {coi}.",
                rule="D4",
                case=self.case,
                coi=self.coi,
            )
        if self.container not in _containers(world, case, self.coi):
            raise Refusal(
                "container-not-in-case",
                "{container} is no container of {coi} that case {case} concerns.",
                remedy="Re-label what the case is about; anything else needs a case of its own. A lot prints its own labels.",
                rule="D4",
                container=self.container,
                coi=self.coi,
                case=self.case,
            )
        body = Relabelled(
            case=self.case,
            coi=self.coi,
            container=self.container,
            label=self.label,
            supersedes=self.supersedes,
            performer=by.person,
            supervisor=self.supervisor,
        )
        sign = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.supervisor, meaning="verified", role="quality_assurance"),
        )
        order = _order_of(world, case, self.coi, self.container)
        known = order.fact(
            ContainerRelabelled(coi=self.coi, container=self.container, label=self.label, case=self.case)
        )
        return Decision(facts=(case.fact(body, reason=self.reason), known), sign=sign)


def _order_of(world: World, case: CaseState, coi: str, container: str) -> OrderState:
    """The order of the case that holds the container."""
    orders = (world.load(OrderState, name) for name in case.orders)
    return next(order for order in orders if order.coi == coi and container in order.containers)


def _known_to(world: World, case: CaseState, coi: str) -> bool:
    return any(world.load(OrderState, order).coi == coi for order in case.orders)


def _containers(world: World, case: CaseState, coi: str) -> frozenset[str]:
    """The containers outside lots that are in doubt by this case, of one chain of identity."""
    orders = (world.load(OrderState, name) for name in case.orders)
    return frozenset(name for order in orders if order.coi == coi for name in order.containers)


@command("case.read_back_label", *HANDLING)
class ReadBackLabel(Command):
    """Somebody else reads the new label on its container; only then may the case end and the container go on."""

    case: str
    coi: str
    container: str
    scan: Scan
    role: str

    def decide(self, world: World, by: By) -> Decision:
        case = at_status(world, self.case, "relabelled")
        wanted = case.labels.get(self.container)
        read = label(self.scan, "label")
        if wanted is None or (read.text, read.coi or self.coi) != (wanted, self.coi):
            raise Refusal(
                "label-not-the-new-one",
                "{scanned} was read on {container}, and its new label is {label}.",
                remedy="Leave the container set aside and label it anew under supervision.",
                rule="D4",
                scanned=read.text,
                container=self.container,
                label=wanted or NOTHING,
            )
        two_people(case.unread.get(self.container, ""), by.person)
        body = LabelReadBack(case=self.case, coi=self.coi, container=self.container, label=wanted, reader=by.person)
        needs = (Need(person=by.person, meaning="verified", role=self.role), *confirmed(by, self.role, (self.scan,)))
        return Decision(facts=(case.fact(body),), sign=needs)
