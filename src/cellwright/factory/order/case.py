"""Identity cases: what happens after a hard stop, and the only ways out of one (D4).

A mismatch at any point opens a case, raises doubt on both sides, and records nothing as used. It ends either as "wrong
item scanned, set aside, logged", by the operator and a second person, or as identity in doubt: quarantine,
investigation by quality assurance with physical and biological evidence, supervised re-labelling that supersedes the
old label. Nobody can wave a mismatch through.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Literal

from cellwright.factory.identity import EXPECTS, NAMES, RELEASES, TAKES, Coi, Lot, Order, Person
from cellwright.factory.order.fact.placing import DoubtLifted, DoubtRaised
from cellwright.factory.order.scan import How, two_people
from cellwright.factory.record import Body, Fact, Part, event
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, Seen, State, World, command
from cellwright.factory.stored_file import FileHash

Point = Literal[
    "collection_start", "collection_label", "collection_receipt", "in_process", "final_label", "qc_tube", "plate_well", "raw_file",
    "pack_out", "delivery_receipt", "storage", "bedside", "record",
]  # fmt: skip
"""Where identities are compared. `record`: the store itself refused to bind an item to somebody it is not."""
NOTHING = "-"
"""Stands where an identifier is expected or read and there is none. Facts hold identifiers, not phrases."""
Status = Literal["stopped", "set_aside", "in_doubt", "investigated", "relabelled", "closed"]
HANDLING = (
    "operator", "collection_nurse", "courier", "warehouse", "analyst", "cell_laboratory", "nurse", "physician",
    "coordinator", "quality_assurance", "authorised_person",
)  # fmt: skip
"""Roles that handle items and can therefore scan a wrong one."""


class Evidence(Part):
    """One piece of evidence on whose the item is."""

    kind: Literal["physical", "biological"]
    method: str
    """For example `position and seal reconciliation`, `short tandem repeats against the collection` (D5)."""
    finding: str
    supports: bool
    """Whether it shows that the item is its labelled owner's."""
    sha256: FileHash


@event("case.opened")
class Opened(Body):
    """Two identities did not agree. Nothing was recorded as used, unless `given_already` says that it is too late."""

    case: Annotated[str, NAMES("case")]
    point: Point
    expected: str
    scanned: str
    how: How = "scanned"
    expected_coi: Annotated[str, NAMES("coi")] | None = None
    found_coi: Annotated[str, NAMES("coi")] | None = None
    found_owner: str | None = None
    """Whose it is where that is no chain of identity: `stock/…`, or `subject/…` for a wristband."""
    orders: tuple[Order, ...] = ()
    lots: tuple[Lot, ...] = ()
    scanned_by: Person
    key: str | None = None
    """The claim that did not hold, where the store stopped it."""
    given_already: str | None = None
    """What had happened before anybody noticed, for example `12.5 mL infused`."""


@event("case.set_aside")
class SetAside(Body):
    """A wrong item was scanned; it is back where it belongs, before a second person."""

    case: Annotated[str, NAMES("case")]
    where: str
    performer: Person
    verifier: Person


@event("case.doubted")
class Doubted(Body):
    """Identity is in doubt: the lots and orders concerned stay in quarantine until the case is closed."""

    case: Annotated[str, NAMES("case")]
    raised_by: Person
    why: str
    orders: tuple[Order, ...] = ()
    lots: tuple[Lot, ...] = ()


@event("case.investigated")
class Investigated(Body):
    """What the investigation found; identity is shown only by physical and biological evidence together."""

    case: Annotated[str, NAMES("case")]
    evidence: tuple[Evidence, ...]
    identity: Literal["shown", "not_shown"]
    conclusion: str
    assessor: Person


@event("case.relabelled")
class Relabelled(Body):
    """A container outside a lot got a new label under supervision; the old one is void (D3, D4)."""

    case: Annotated[str, NAMES("case")]
    coi: Coi
    container: Annotated[str, EXPECTS("container")]
    label: Annotated[str, TAKES("label")]
    supersedes: Annotated[str, RELEASES("label")] | None = None
    performer: Person
    supervisor: Person


@event("case.label_read_back")
class LabelReadBack(Body):
    """Another person read the new label on its container, and it says what it should."""

    case: Annotated[str, NAMES("case")]
    coi: Coi
    container: Annotated[str, EXPECTS("container")]
    label: Annotated[str, EXPECTS("label")]
    reader: Person


@event("case.closed")
class Closed(Body):
    """The case is closed. With `identity_lost` the doubt stays on what it touches: it can only be rejected."""

    case: Annotated[str, NAMES("case")]
    outcome: Literal["identity_confirmed", "identity_lost"]
    closer: Person
    verifier: Person
    """Who agreed, from another office than quality assurance: nobody ends a doubt alone."""
    freed_orders: tuple[Order, ...] = ()
    freed_lots: tuple[Lot, ...] = ()


class CaseState(State):
    """One identity case."""

    room: ClassVar[str] = "case"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.status: Status = "stopped"
        self.point: Point = "record"
        self.expected = ""
        self.scanned = ""
        self.expected_coi: str | None = None
        self.found_coi: str | None = None
        self.orders: tuple[str, ...] = ()
        self.lots: tuple[str, ...] = ()
        self.scanned_by = ""
        self.given_already: str | None = None
        self.identity: Literal["shown", "not_shown"] | None = None
        self.labels: dict[str, str] = {}
        """Containers that were re-labelled under this case, with the new label."""
        self.unread: dict[str, str] = {}
        """Of these, the ones whose new label nobody has read back yet, with who put it on."""
        self.outcome: str | None = None

    @property
    def open(self) -> bool:
        return self.exists and self.status not in ("set_aside", "closed")

    def apply(self, body: Body, seen: Seen) -> None:
        match body:
            case Opened():
                self.point, self.expected, self.scanned = body.point, body.expected, body.scanned
                self.expected_coi, self.found_coi = body.expected_coi, body.found_coi
                self.orders, self.lots, self.scanned_by = body.orders, body.lots, body.scanned_by
                self.given_already = body.given_already
            case SetAside():
                self.status = "set_aside"
            case Doubted():
                self.status = "in_doubt"
                self.orders = _union(self.orders, body.orders)
                self.lots = _union(self.lots, body.lots)
            case Investigated():
                self.status, self.identity = "investigated", body.identity
            case Relabelled():
                self.status = "relabelled"
                self.labels[body.container] = body.label
                self.unread[body.container] = body.performer
            case LabelReadBack():
                self.unread.pop(body.container, None)
            case Closed():
                self.status, self.outcome = "closed", body.outcome
            case _:
                pass


def _union(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


# --- doubt on both sides -------------------------------------------------------------------------------------------


def _raised(case: str, orders: Iterable[str], lots: Iterable[str]) -> Iterator[Fact]:
    # Imported here: the lot room reads orders, so that the order room cannot read it while both are loading.
    from cellwright.factory.lot.fact import life

    for order in orders:
        yield Fact(f"order/{order}", DoubtRaised(case=case))
    for lot in lots:
        yield Fact(f"lot/{lot}", life.DoubtRaised(case=case))


def _lifted(case: str, orders: Iterable[str], lots: Iterable[str]) -> Iterator[Fact]:
    from cellwright.factory.lot.fact import life

    for order in orders:
        yield Fact(f"order/{order}", DoubtLifted(case=case))
    for lot in lots:
        yield Fact(f"lot/{lot}", life.DoubtLifted(case=case))


def _touched(world: World, coi: str | None, item: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Orders of a chain of identity, and of its lots those that hold the item; all of them while nobody knows which."""
    if coi is None:
        return (), ()
    from cellwright.factory.lot.state import LotState
    from cellwright.factory.order.state import OrderState

    orders = tuple(n for n in world.streams(f"coi/{coi}", "order") if world.load(OrderState, n).coi == coi)
    states = [world.load(LotState, n) for n in world.streams(f"coi/{coi}", "lot")]
    lots = [s for s in states if s.coi == coi]
    holding = [s.name for s in lots if item in s.containers or item in s.samples or item in s.labels]
    return orders, tuple(holding or (s.name for s in lots))


# --- the hard stop -------------------------------------------------------------------------------------------------


def mismatch(
    world: World,
    by: By,
    *,
    point: Point,
    expected: str,
    scanned: str,
    coi: str | None,
    key: str | None = None,
    found: str | None = None,
    lot: str | None = None,
    order: str | None = None,
    how: How = "scanned",
    given_already: str | None = None,
    more_lots: Iterable[str] = (),
) -> Decision:
    """The hard stop: a case with both owners, doubt on both sides, and the refusal that names the ways out.

    Args:
        point: where the comparison was made.
        expected: the identifier that should have been read: the item, or whose it should have been.
        scanned: what was scanned.
        coi: the chain of identity that is being worked on.
        key: claim of the scanned item, such as `container/X`; whose it is, is looked up with it.
        found: the chain of identity (or `stock/…`) the scanned item belongs to, where the label itself said so.
        lot: the lot being worked on.
        order: the order being worked on.
        given_already: what was done before anybody noticed; the record keeps it in the case and nowhere as used.
        more_lots: further lots known to be concerned.
    """
    holder = found or (world.claim(key) if key is not None else None)
    foreign = None if holder is None or "/" in holder else holder
    own_orders, own_lots = _touched(world, coi, expected)
    their_orders, their_lots = _touched(world, foreign if foreign != coi else None, scanned)
    orders = _union((order,) if order else own_orders, their_orders)
    lots = _union((lot,) if lot else own_lots, (*their_lots, *more_lots))
    case = world.load(CaseState, world.issue("case"))
    body = Opened(
        case=case.name,
        point=point,
        expected=expected,
        scanned=scanned,
        how=how,
        expected_coi=coi,
        found_coi=foreign,
        found_owner=holder if foreign is None else None,
        orders=orders,
        lots=lots,
        scanned_by=by.person,
        key=key,
        given_already=given_already,
    )
    stop = Refusal(
        "identity-mismatch",
        "Stopped: {expected} was expected and {scanned} was scanned. Nothing was recorded as used; case {case} is open.",
        remedy="If the wrong item was picked up, set it aside before a second person. If there is any doubt, say so: quality assurance investigates.",
        rule="R066",
        expected=expected,
        scanned=scanned,
        case=case.name,
        point=point,
    )
    return Decision(facts=(case.fact(body), *_raised(case.name, orders, lots)), stop=stop)


IDENTITY_KEYS = frozenset({"bag", "coi", "container", "din", "label", "lot", "sample", "well"})
"""Kinds of claims that say whose something is. The others say that a place or a number is occupied."""
_POINTS: dict[str, Point] = {"quality": "qc_tube", "shipment": "collection_receipt", "lot": "in_process"}


def stopped_by_store(world: World, by: By, *, command: str, key: str, held: str | None, wanted: str) -> Decision:
    """What follows when the store refused to bind an item: the same case, with the owners the store named.

    Args:
        command: name of the command that was refused.
        key: the claim that stood against it.
        held: whose it is, None if nobody's.
        wanted: whose it should have been; empty if the item was to be taken as new.

    Raises:
        Refusal: the claim is no matter of identity: a position, a room, a shipper or a number is simply occupied.
    """
    kind, _, item = key.partition("/")
    if kind not in IDENTITY_KEYS:
        raise Refusal(
            "already-taken",
            "{item} is not free, or not what it was taken for: it belongs to {held}.",
            remedy="Choose another, or release this one where it is in use.",
            rule="D3",
            item=key,
            held=held or "-",
        )
    coi = None if not wanted or "/" in wanted else wanted
    point = _POINTS.get(command.partition(".")[0], "record")
    return mismatch(world, by, point=point, expected=wanted or NOTHING, scanned=item, coi=coi, key=key, found=held)


# --- the ways out --------------------------------------------------------------------------------------------------


def at_status(world: World, name: str, *statuses: Status) -> CaseState:
    """The case, in one of these statuses. Raises Refusal `unknown-case` or `case-not-so-far`."""
    case = world.load(CaseState, name)
    if not case.exists:
        raise Refusal("unknown-case", "There is no identity case {case}.", rule="D4", case=name)
    if case.status not in statuses:
        raise Refusal(
            "case-not-so-far",
            "Identity case {case} is {status}; this is possible only when it is {wanted}.",
            remedy="An identity in doubt is investigated, then re-labelled where needed, then closed, by quality assurance.",
            rule="D4",
            case=name,
            status=case.status,
            wanted=", ".join(statuses),
        )
    return case


@command("case.set_aside", *HANDLING)
class SetItemAside(Command):
    """The wrong item was picked up: it is put back before a second person, and work goes on with the right one."""

    case: str
    where: str
    role: str
    verifier: str
    verifier_role: str

    def decide(self, world: World, by: By) -> Decision:
        case = at_status(world, self.case, "stopped")
        if case.given_already is not None:
            raise Refusal(
                "already-given",
                "In case {case} something was given already: {given}. It cannot be set aside.",
                remedy="Declare the identity in doubt; quality assurance investigates.",
                rule="D4",
                case=self.case,
                given=case.given_already,
            )
        two_people(by.person, self.verifier)
        body = SetAside(case=self.case, where=self.where, performer=by.person, verifier=self.verifier)
        sign = (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.verifier, meaning="verified", role=self.verifier_role),
        )
        return Decision(facts=(case.fact(body), *_lifted(case.name, case.orders, case.lots)), sign=sign)


@command("case.declare_doubt", *HANDLING)
class DeclareDoubt(Command):
    """Anybody who handles the item may say that it is not certain whose it is; only quality assurance ends that."""

    why: str
    case: str | None = None
    orders: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
    point: Point = "record"
    item: str = ""

    def decide(self, world: World, by: By) -> Decision:
        self._known(world)
        if self.case is None:
            return self._new(world, by)
        case = at_status(world, self.case, "stopped", "in_doubt")
        body = Doubted(case=case.name, raised_by=by.person, why=self.why, orders=self.orders, lots=self.lots)
        orders = [o for o in self.orders if o not in case.orders]
        lots = [n for n in self.lots if n not in case.lots]
        return Decision(facts=(case.fact(body), *_raised(case.name, orders, lots)))

    def _known(self, world: World) -> None:
        """Doubt on a number nobody gave yet would begin its record. Raises Refusal `unknown-order` or `unknown-lot`."""
        # Imported here: both rooms read cases.
        from cellwright.factory.lot import access
        from cellwright.factory.order import permission

        for order in self.orders:
            permission.known(world, order)
        for lot in self.lots:
            access.known(world, lot)

    def _new(self, world: World, by: By) -> Decision:
        """A damaged or missing label takes the same path as a mismatch (D4)."""
        if not self.orders and not self.lots:
            raise Refusal(
                "nothing-in-doubt",
                "No order and no lot is named.",
                remedy="Name the orders and lots whose identity is in doubt.",
                rule="D4",
            )
        case = world.load(CaseState, world.issue("case"))
        opened = Opened(
            case=case.name,
            point=self.point,
            expected=self.item or NOTHING,
            scanned="",
            scanned_by=by.person,
            orders=self.orders,
            lots=self.lots,
        )
        doubted = Doubted(case=case.name, raised_by=by.person, why=self.why)
        facts = (case.fact(opened), case.fact(doubted), *_raised(case.name, self.orders, self.lots))
        return Decision(facts=facts)


@command("case.investigate", "quality_assurance")
class Investigate(Command):
    """Record the investigation. Identity is shown only if physical and biological evidence both support it."""

    case: str
    evidence: tuple[Evidence, ...]
    conclusion: str

    def decide(self, world: World, by: By) -> Decision:
        case = at_status(world, self.case, "in_doubt", "investigated")
        if by.person == case.scanned_by:
            raise Refusal(
                "own-case",
                "{person} made the scan that opened case {case} and cannot investigate it.",
                remedy="Another person of quality assurance investigates.",
                rule="D10",
                person=by.person,
                case=self.case,
            )
        kinds = {e.kind for e in self.evidence}
        if kinds != {"physical", "biological"}:
            raise Refusal(
                "evidence-missing",
                "Case {case} has no {missing} evidence.",
                remedy="Identity is decided on physical and biological evidence together.",
                rule="D4",
                case=self.case,
                missing=", ".join(sorted({"physical", "biological"} - kinds)),
            )
        shown: Literal["shown", "not_shown"] = "shown" if all(e.supports for e in self.evidence) else "not_shown"
        body = Investigated(
            case=self.case, evidence=self.evidence, identity=shown, conclusion=self.conclusion, assessor=by.person
        )
        return Decision(
            facts=(case.fact(body),), sign=(Need(person=by.person, meaning="assessed", role="quality_assurance"),)
        )


@command("case.close", "quality_assurance")
class Close(Command):
    """Close an investigated case. What is confirmed is free again; what is lost stays in doubt and can only be rejected.

    An authorised person signs beside quality assurance, whichever way it ends (D4).
    """

    case: str
    outcome: Literal["identity_confirmed", "identity_lost"]
    reason: str
    verifier: str
    freed_orders: tuple[str, ...] = ()
    """With `identity_lost`: orders of the case whose own material is beyond doubt, for example the other patient's."""
    freed_lots: tuple[str, ...] = ()

    def decide(self, world: World, by: By) -> Decision:
        case = at_status(world, self.case, "investigated", "relabelled")
        two_people(by.person, self.verifier)
        if not self.reason.strip():
            raise Refusal("reason-missing", "A case is closed only with its reason.", remedy="State it.", rule="R004")
        if self.outcome == "identity_confirmed" and case.identity != "shown":
            raise Refusal(
                "identity-not-shown",
                "The investigation of case {case} did not show the identity.",
                remedy="Investigate further, or close it as identity lost.",
                rule="D4",
                case=self.case,
            )
        if self.outcome == "identity_confirmed" and case.unread:
            raise Refusal(
                "label-not-read-back",
                "Nobody has read the new label of {containers} back.",
                remedy="Another person reads it on the container, which stays set aside until then.",
                rule="D4",
                containers=", ".join(case.unread),
            )
        shown = self.outcome == "identity_confirmed"
        orders = case.orders if shown else tuple(o for o in case.orders if o in self.freed_orders)
        lots = case.lots if shown else tuple(n for n in case.lots if n in self.freed_lots)
        if not shown and (case.orders or case.lots) and (orders, lots) == (case.orders, case.lots):
            raise Refusal(
                "nothing-lost",
                "Closing case {case} as identity lost cannot free everything it touches.",
                remedy="What the identity was lost of stays in doubt and is rejected; only the others are freed.",
                rule="D4",
                case=self.case,
            )
        body = Closed(case=self.case, outcome=self.outcome, closer=by.person, verifier=self.verifier,
                      freed_orders=orders, freed_lots=lots)  # fmt: skip
        sign = (
            Need(person=by.person, meaning="assessed", role="quality_assurance"),
            Need(person=self.verifier, meaning="verified", role="authorised_person"),
        )
        facts = (case.fact(body, reason=self.reason), *_lifted(case.name, orders, lots))
        return Decision(facts=facts, sign=sign)
