"""What a scanner sent, read as what was expected or refused with a reason.

A scanner that is set up to send it puts the AIM symbology identifier (ISO/IEC 15424) before the data: ``]d2`` GS1
DataMatrix, ``]C1`` GS1-128, ``]Q1`` QR code. GS1 data are read only with it, because nothing else tells them from other
digits; ISBT 128 structures and the house's own numbers name themselves.

    >>> from cellwright.identifier import scan
    >>> outcome = scan.interpret("]d1=A99992112345600", expecting=scan.CHAIN_OF_IDENTITY)
    >>> str(outcome)
    '=A99992112345600 is donation number; chain-of-identity identifier &/ is expected. Scan the right code. [R079]'
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from cellwright.identifier.gs1 import element_string as gs1
from cellwright.identifier.gs1.element_string import ElementString
from cellwright.identifier.gs1.key import Gsrn, Sscc
from cellwright.identifier.house import HouseNumber, LabelSerial, LotNumber, SampleNumber, ShipperNumber
from cellwright.identifier.isbt128 import structure as isbt
from cellwright.identifier.isbt128.blood_group import BloodGroup
from cellwright.identifier.isbt128.chain_of_identity import ChainOfIdentityId
from cellwright.identifier.isbt128.compound import CompoundMessage, read_compound, split_structures
from cellwright.identifier.isbt128.consignment import ConsignmentContainer
from cellwright.identifier.isbt128.date import CodedDate, CodedTime
from cellwright.identifier.isbt128.donation import DonationScan
from cellwright.identifier.isbt128.donor_registration import DonorRegistrationId
from cellwright.identifier.isbt128.patient import PatientBirthDate, PatientNumber
from cellwright.identifier.isbt128.product import ProductCode
from cellwright.identifier.isbt128.structure import Structure
from cellwright.identifier.refusal import Code, IdentifierError, Refusal, refuse
from cellwright.language import N_

T = TypeVar("T")
H = TypeVar("H", bound=HouseNumber)

_AIM: Final = re.compile(r"\]([A-Za-z][0-9A-Za-z])", re.ASCII)
#: Symbology identifiers of GS1 data: DataMatrix, GS1-128, QR code, DataBar, DotCode.
GS1_SYMBOLOGIES: Final = ("d2", "C1", "Q3", "e0", "J1")
#: Symbology identifiers of other data this house prints or accepts: DataMatrix, Code 128, its ISBT concatenation, QR code.
PLAIN_SYMBOLOGIES: Final = ("d1", "C0", "C4", "Q1")
_CONCATENATION: Final = "C4"
#: What a scanner may add after the data.
_ENDINGS: Final = ("\r\n", "\r", "\n", "\t")
_GS1_NAME: Final = N_("GS1 element string")
_UNKNOWN: Final = N_("an unknown code")


@dataclass(frozen=True, slots=True)
class Payload:
    """The data of a scan and the symbology the scanner named, ``None`` when it named none."""

    text: str
    symbology: str | None

    @property
    def raw(self) -> str:
        """What the scanner sends: AIM identifier, where it has one, and the data."""
        return self.text if self.symbology is None else f"]{self.symbology}{self.text}"


@dataclass(frozen=True, slots=True)
class Scan(Generic[T]):
    """A scan that was what was expected.

    Attributes:
        value: the typed identifier.
        payload: data and symbology as read.
    """

    value: T
    payload: Payload


@dataclass(frozen=True, slots=True)
class Expected(Generic[T]):
    """One kind of thing a step may ask to be scanned.

    Attributes:
        name: what it is, a message of the catalogue.
        form: how it is written.
        symbologies: AIM identifiers it may come with.
        read: the parser; raises IdentifierError.
        symbology_required: whether a scan without AIM identifier is refused.
    """

    name: str
    form: str
    symbologies: tuple[str, ...]
    read: Callable[[Payload], T]
    symbology_required: bool = False


@dataclass(frozen=True, slots=True)
class ContainerScan:
    """What the compound symbol of a container says: whose it is, which donation, which product and division.

    Attributes:
        chain: the chain-of-identity identifier.
        donation: the donation number.
        product: the product code with division, ``None`` when the label has none.
        message: the whole message, for expiry and what else it holds.
    """

    chain: ChainOfIdentityId
    donation: DonationScan
    product: ProductCode | None
    message: CompoundMessage


@dataclass(frozen=True, slots=True)
class RecipientScan:
    """A patient's service relation as on a wristband: GSRN and its instance."""

    relation: Gsrn
    instance: str | None


def interpret(raw: str, expecting: Expected[T]) -> Scan[T] | Refusal:
    """A scan as what was expected, or the reason why it is not (R079).

    Args:
        raw: what the scanner sent, with or without AIM identifier and line end.
        expecting: the kind of thing the step asks for.
    """
    payload = split_symbology(raw)
    try:
        _check_symbology(payload, expecting)
        return Scan(expecting.read(payload), payload)
    except IdentifierError as error:
        return error.refusal


def split_symbology(raw: str) -> Payload:
    """The data without AIM identifier and one line end."""
    ending = next((ending for ending in _ENDINGS if raw.endswith(ending)), "")
    text = raw[: len(raw) - len(ending)]
    match = _AIM.match(text)
    return Payload(text[match.end() :], match[1]) if match else Payload(text, None)


def name_of(payload: Payload) -> str:
    """What a scan is, as a message of the catalogue; "an unknown code" when nothing fits."""
    if payload.symbology in GS1_SYMBOLOGIES:
        return _GS1_NAME
    row = isbt.recognise(payload.text)
    if row is not None:
        return row.name
    kinds = (LotNumber, SampleNumber, LabelSerial, ShipperNumber)
    return next((kind.LAYOUT.name for kind in kinds if kind.LAYOUT.pattern.fullmatch(payload.text)), _UNKNOWN)


def _check_symbology(payload: Payload, expecting: Expected[T]) -> None:
    if not payload.text:
        raise refuse(Code.EMPTY, "", expecting.name, "R079", form=expecting.form)
    if payload.symbology in expecting.symbologies:
        return
    if payload.symbology is None and not expecting.symbology_required:
        return
    name, shown = name_of(payload), _shown(payload)
    known = (*GS1_SYMBOLOGIES, *PLAIN_SYMBOLOGIES)
    if payload.symbology in known and name != _UNKNOWN and name != expecting.name:
        raise refuse(Code.WRONG_DATA_IDENTIFIER, shown, expecting.name, "R079", detail=name, form=expecting.form)
    detail = f"]{payload.symbology}" if payload.symbology else N_("no symbology identifier sent")
    wanted = " ".join(f"]{symbology}" for symbology in expecting.symbologies)
    raise refuse(Code.WRONG_SYMBOLOGY, shown, expecting.name, "R079", detail=detail, form=wanted)


def _shown(payload: Payload) -> str:
    return gs1.shown(payload.text) if payload.symbology in GS1_SYMBOLOGIES else isbt.shown(payload.text)


def _parts(payload: Payload) -> Sequence[tuple[Structure, str]] | None:
    """The structures of a compound message or a concatenation; ``None`` for a single structure."""
    if isbt.recognise(payload.text) is isbt.COMPOUND:
        return [(part.structure, part.text) for part in read_compound(payload.text).parts]
    return split_structures(payload.text) if payload.symbology == _CONCATENATION else None


def _structure(row: Structure, kind: type[T]) -> Expected[T]:
    """The expectation of one ISBT 128 structure, alone or as the only one of its kind in a compound message."""

    def read(payload: Payload) -> T:
        parts = _parts(payload)
        text = payload.text if parts is None else next((text for found, text in parts if found is row), None)
        if text is None:
            shown = isbt.shown(payload.text)
            raise refuse(Code.MISSING_ELEMENT, shown, row.name, "R083", detail=row.name, form=row.data_identifier)
        content = row.interpret(text)
        assert isinstance(content, kind), f"structure {row.number} gave {type(content).__name__}"
        return content

    return Expected(row.name, row.data_identifier, PLAIN_SYMBOLOGIES, read)


def _read_container(payload: Payload) -> ContainerScan:
    message = read_compound(payload.text, required=(isbt.DONATION, isbt.CHAIN_OF_IDENTITY))
    chain, donation = message.content(isbt.CHAIN_OF_IDENTITY), message.content(isbt.DONATION)
    product = message.content(isbt.PRODUCT)
    assert isinstance(chain, ChainOfIdentityId)
    assert isinstance(donation, DonationScan)
    assert product is None or isinstance(product, ProductCode)
    return ContainerScan(chain, donation, product, message)


def _house(kind: type[H]) -> Expected[H]:
    def read(payload: Payload) -> H:
        found = name_of(payload)
        if found not in (_UNKNOWN, kind.LAYOUT.name):
            shown, form = isbt.shown(payload.text), kind.LAYOUT.shown
            raise refuse(
                Code.WRONG_DATA_IDENTIFIER, shown, kind.LAYOUT.name, "R079", position=1, detail=found, form=form
            )
        return kind(payload.text)

    return Expected(kind.LAYOUT.name, kind.LAYOUT.shown, PLAIN_SYMBOLOGIES, read)


def elements(*required: str) -> Expected[ElementString]:
    """A GS1 element string that has the required AIs (R086)."""

    def read(payload: Payload) -> ElementString:
        return gs1.read_element_string(payload.text, required)

    form = "".join(f"({ai})" for ai in required)
    return Expected(_GS1_NAME, form, GS1_SYMBOLOGIES, read, symbology_required=True)


def _read_shipping_container(payload: Payload) -> Sscc:
    return Sscc(gs1.read_element_string(payload.text, ("00",))["00"])


def _read_recipient(payload: Payload) -> RecipientScan:
    found = gs1.read_element_string(payload.text, ("8018",))
    return RecipientScan(Gsrn(found["8018"]), found.get("8019"))


DONATION: Final = _structure(isbt.DONATION, DonationScan)
CHAIN_OF_IDENTITY: Final = _structure(isbt.CHAIN_OF_IDENTITY, ChainOfIdentityId)
PRODUCT: Final = _structure(isbt.PRODUCT, ProductCode)
BLOOD_GROUP: Final = _structure(isbt.BLOOD_GROUP, BloodGroup)
EXPIRY_DATE: Final = _structure(isbt.EXPIRY_DATE, CodedDate)
EXPIRY_TIME: Final = _structure(isbt.EXPIRY_TIME, CodedTime)
COLLECTION_TIME: Final = _structure(isbt.COLLECTION_TIME, CodedTime)
CONSIGNMENT: Final = _structure(isbt.CONSIGNMENT, ConsignmentContainer)
DONOR_REGISTRATION: Final = _structure(isbt.DONOR_REGISTRATION, DonorRegistrationId)
PATIENT_BIRTH: Final = _structure(isbt.PATIENT_BIRTH, PatientBirthDate)
PATIENT_NUMBER: Final = _structure(isbt.PATIENT_NUMBER, PatientNumber)
CONTAINER: Final = Expected(N_("symbol of a container"), "=+ = &/", PLAIN_SYMBOLOGIES, _read_container)
LOT: Final = _house(LotNumber)
SAMPLE: Final = _house(SampleNumber)
LABEL: Final = _house(LabelSerial)
SHIPPER: Final = _house(ShipperNumber)
SHIPPING_CONTAINER: Final = Expected(Sscc.LAYOUT.name, "(00)", GS1_SYMBOLOGIES, _read_shipping_container, True)
RECIPIENT: Final = Expected(N_("patient's wristband"), "(8018)", GS1_SYMBOLOGIES, _read_recipient, True)
TRADE_ITEM: Final = elements("01", "17", "10", "21")
MATERIAL: Final = elements("01", "17", "10")
