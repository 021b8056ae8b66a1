"""The pair of donor and intended recipient: the invariant that no cell ever leaves (D1).

Usually both are one person; a transplant donor's cells for a patient are another pair, with the donor's own consent and
testing. Every chain of identity belongs to one pair. Until the donor's status is decided, the pair's material stays in
quarantine (R070); the legends that labels must carry follow from the status (R069).
"""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

from cellwright.factory.identity import NAMES, Order, Pair, Person
from cellwright.factory.order import subject
from cellwright.factory.order.figure import decimal
from cellwright.factory.order.scan import two_people
from cellwright.factory.record import Body, Part, event
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, Seen, State, World, command
from cellwright.factory.stored_file import FileHash

DonorStatus = Literal["pending", "eligible", "ineligible", "urgent_need"]
Finding = Literal["negative", "reactive", "not_done"]
PROCESSABLE: frozenset[DonorStatus] = frozenset({"eligible", "urgent_need"})
"""Statuses under which material may be allocated to processing (R070)."""

AUTOLOGOUS_USE_ONLY = "autologous_use_only"
NOT_EVALUATED = "not_evaluated_for_infectious_substances"
ADVISE_OF_RISKS = "advise_patient_of_communicable_disease_risks"
BIOHAZARD = "biohazard"
REACTIVE = "reactive_test_results"


class DonorTest(Part):
    """One infectious-disease test of the donor, as the laboratory reported it (D11: attested, not recomputed)."""

    test: str
    finding: Finding
    sampled_on: str | None = None


@event("pair.formed")
class Formed(Body):
    """A donor and an intended recipient belong together for a therapy."""

    pair: Pair
    donor: Annotated[str, NAMES("subject")]
    recipient: Annotated[str, NAMES("subject")]


@event("pair.donor_consented")
class DonorConsented(Body):
    """The donor's own consent to donate, to be tested, and to the use of the cells (D1)."""

    pair: Pair
    document_sha256: str
    version: str
    given_on: str


@event("pair.donor_consent_withdrawn")
class DonorConsentWithdrawn(Body):
    """The donor withdrew: nothing more is collected from this donor."""

    pair: Pair


@event("pair.donor_tested")
class DonorTested(Body):
    """Results of donor tests, transcribed from the laboratory's report by one person and verified by another."""

    pair: Pair
    tests: tuple[DonorTest, ...]
    document_sha256: str
    laboratory: str
    transcriber: Person
    verifier: Person


@event("pair.donor_status_decided")
class DonorStatusDecided(Body):
    """Quality assurance decided what the donor's status is, and which legends follow from it."""

    pair: Pair
    status: DonorStatus
    legends: tuple[str, ...]
    assessor: Person
    physician: Person | None = None
    """Who asked for and accepted the use in urgent need."""


@event("pair.chimerism_recorded")
class ChimerismRecorded(Body):
    """What share of the recipient's blood is the donor's: biology is compared with this, not with a textbook (D5)."""

    pair: Pair
    donor_percent: str
    method: str
    measured_on: str
    document_sha256: str


@event("pair.chain_allocated")
class ChainAllocated(Body):
    """A chain of identity belongs to this pair from here on."""

    pair: Pair
    coi: Annotated[str, NAMES("coi")]
    order: Order


class PairState(State):
    """One pair: who, how the donor stands, and which chains of identity it has."""

    room: ClassVar[str] = "pair"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.donor = ""
        self.recipient = ""
        self.donor_consented = False
        self.donor_status: DonorStatus = "pending"
        self.tests: dict[str, DonorTest] = {}
        self.legends: tuple[str, ...] = ()
        self.chimerism: ChimerismRecorded | None = None
        self.coi: list[str] = []

    @property
    def autologous(self) -> bool:
        return self.donor == self.recipient

    def apply(self, body: Body, seen: Seen) -> None:
        match body:
            case Formed():
                self.donor, self.recipient = body.donor, body.recipient
                self.legends = legends(self.autologous, "pending", ())
            case DonorConsented():
                self.donor_consented = True
            case DonorConsentWithdrawn():
                self.donor_consented = False
            case DonorTested():
                self.tests |= {t.test: t for t in body.tests}
            case DonorStatusDecided():
                self.donor_status, self.legends = body.status, body.legends
            case ChimerismRecorded():
                self.chimerism = body
            case ChainAllocated():
                self.coi.append(body.coi)
            case _:
                pass


def legends(autologous: bool, status: DonorStatus, tests: Iterable[DonorTest]) -> tuple[str, ...]:
    """The legends a label of this pair must carry (R069: 21 CFR 1271.65(b)(2), 1271.90(c)).

    Args:
        autologous: donor and recipient are one person.
        status: the donor's status.
        tests: every donor test known so far.
    """
    tests = tuple(tests)
    reactive = sorted(t.test for t in tests if t.finding == "reactive")
    incomplete = not tests or any(t.finding == "not_done" for t in tests)
    found = [AUTOLOGOUS_USE_ONLY] if autologous else []
    if incomplete or status == "pending":
        found.append(NOT_EVALUATED)
    if reactive:
        found += [BIOHAZARD, *(f"{REACTIVE}:{test}" for test in reactive)]
    if status in ("ineligible", "urgent_need"):
        found += [legend for legend in (BIOHAZARD, ADVISE_OF_RISKS) if legend not in found]
    return tuple(found)


def processable(pair: PairState) -> Refusal | None:
    """Whether the pair's material may be processed: the donor's status is known and allows it (R070)."""
    if pair.donor_status in PROCESSABLE:
        return None
    if pair.donor_status == "pending":
        return Refusal(
            "donor-status-pending",
            "The donor tests of pair {pair} are not decided; its material is in quarantine.",
            remedy="Wait for quality assurance to decide the donor's status, or document an urgent need.",
            rule="R070",
            pair=pair.name,
        )
    return Refusal(
        "donor-ineligible",
        "The donor of pair {pair} is ineligible; its material is segregated.",
        remedy="A physician and quality assurance can document an urgent medical need.",
        rule="R070",
        pair=pair.name,
    )


def formed(world: World, pair: str) -> PairState:
    """The pair under this number. Raises Refusal `unknown-pair`."""
    state = world.load(PairState, pair)
    if not state.exists:
        raise Refusal("unknown-pair", "There is no pair {pair}.", remedy="Form it first.", rule="D1", pair=pair)
    return state


@command("pair.form", "coordinator")
class Form(Command):
    """Form the pair of a donor and an intended recipient; for autologous use both are the same subject."""

    donor: str
    recipient: str
    pair: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        subject.known(world, self.donor)
        recipient = subject.known(world, self.recipient)
        if self.donor in recipient.pairs:
            raise Refusal(
                "pair-exists",
                "Donor {donor} and recipient {recipient} are pair {pair} already.",
                remedy="Use that pair.",
                rule="D1",
                donor=self.donor,
                recipient=self.recipient,
                pair=recipient.pairs[self.donor],
            )
        state = world.load(PairState, self.pair or world.issue("pair"))
        if state.exists:
            raise Refusal("pair-number-used", "The number {pair} is another pair's.", rule="D1", pair=state.name)
        body = Formed(pair=state.name, donor=self.donor, recipient=self.recipient)
        paired = subject.Paired(pair=state.name, donor=self.donor)
        return Decision(facts=(state.fact(body), recipient.fact(paired)))


@command("pair.record_donor_consent", "coordinator", "physician")
class RecordDonorConsent(Command):
    """Record the donor's own consent from its signed document."""

    pair: str
    document_sha256: FileHash
    version: str
    given_on: str

    def decide(self, world: World, by: By) -> Decision:
        state = formed(world, self.pair)
        body = DonorConsented(
            pair=self.pair, document_sha256=self.document_sha256, version=self.version, given_on=self.given_on
        )
        return Decision(facts=(state.fact(body),))


@command("pair.withdraw_donor_consent", "coordinator", "physician")
class WithdrawDonorConsent(Command):
    """Record that the donor withdrew consent; what was collected stays bound to the pair."""

    pair: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        state = formed(world, self.pair)
        return Decision(facts=(state.fact(DonorConsentWithdrawn(pair=self.pair), reason=self.reason),))


@command("pair.record_donor_tests", "coordinator", "analyst", "cell_laboratory", "quality_assurance")
class RecordDonorTests(Command):
    """Transcribe the donor's test report; a second person verifies it against the original (D11)."""

    pair: str
    tests: tuple[DonorTest, ...]
    document_sha256: FileHash
    laboratory: str
    role: str
    verifier: str
    verifier_role: str

    def decide(self, world: World, by: By) -> Decision:
        state = formed(world, self.pair)
        if not self.tests:
            raise Refusal("no-tests", "The report names no test.", rule="R070")
        body = DonorTested(
            pair=self.pair,
            tests=self.tests,
            document_sha256=self.document_sha256,
            laboratory=self.laboratory,
            transcriber=by.person,
            verifier=self.verifier,
        )
        sign = (
            Need(person=by.person, meaning="transcribed", role=self.role),
            Need(person=self.verifier, meaning="verified", role=self.verifier_role),
        )
        return Decision(facts=(state.fact(body),), sign=sign)


@command("pair.decide_donor_status", "quality_assurance")
class DecideDonorStatus(Command):
    """Decide the donor's status. Urgent need is documented by the physician who asked for it, with the reason."""

    pair: str
    status: DonorStatus
    reason: str | None = None
    physician: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        if self.physician is not None:
            two_people(by.person, self.physician)
        state = formed(world, self.pair)
        self._check(state)
        found = legends(state.autologous, self.status, state.tests.values())
        body = DonorStatusDecided(
            pair=self.pair, status=self.status, legends=found, assessor=by.person, physician=self.physician
        )
        sign = [Need(person=by.person, meaning="assessed", role="quality_assurance")]
        if self.physician is not None:
            sign.append(Need(person=self.physician, meaning="requested", role="physician"))
        return Decision(facts=(state.fact(body, reason=self.reason),), sign=tuple(sign))

    def _check(self, state: PairState) -> None:
        if self.status == "urgent_need" and (self.physician is None or not self.reason):
            raise Refusal(
                "urgent-need-undocumented",
                "Urgent need for pair {pair} has no physician or no reason.",
                remedy="Name the physician who asks for it, who signs, and the reason.",
                rule="R070",
                pair=self.pair,
            )
        if self.status != "eligible":
            return
        if not state.autologous and not state.donor_consented:
            raise Refusal(
                "donor-consent-missing",
                "The donor of pair {pair} has not consented.",
                remedy="Record the donor's own consent.",
                rule="R070",
                pair=self.pair,
            )
        missing = sorted(t.test for t in state.tests.values() if t.finding == "not_done")
        if not state.tests or missing:
            raise Refusal(
                "donor-tests-missing",
                "Donor tests of pair {pair} are missing: {tests}.",
                remedy="Record the results, or document an urgent need.",
                rule="R070",
                pair=self.pair,
                tests=", ".join(missing) or "-",
            )
        reactive = sorted(t.test for t in state.tests.values() if t.finding == "reactive")
        if reactive and not state.autologous:
            raise Refusal(
                "donor-tests-reactive",
                "Donor tests of pair {pair} are reactive: {tests}.",
                remedy="Decide ineligible, or document an urgent need.",
                rule="R070",
                pair=self.pair,
                tests=", ".join(reactive),
            )


@command("pair.record_chimerism", "physician", "coordinator", "analyst")
class RecordChimerism(Command):
    """Record the expected chimerism after a transplant, in percent of donor cells (D5)."""

    pair: str
    donor_percent: str
    method: str
    measured_on: str
    document_sha256: FileHash

    def decide(self, world: World, by: By) -> Decision:
        state = formed(world, self.pair)
        percent = decimal("donor_percent", self.donor_percent)
        if not 0 <= percent <= 100:
            raise Refusal(
                "not-a-percentage", "{value} is not between 0 and 100 %.", rule="R044", value=self.donor_percent
            )
        body = ChimerismRecorded(
            pair=self.pair,
            donor_percent=self.donor_percent,
            method=self.method,
            measured_on=self.measured_on,
            document_sha256=self.document_sha256,
        )
        return Decision(facts=(state.fact(body),))
