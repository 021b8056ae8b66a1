"""The data structures of ISBT 128 (ST-001 Table 2): which data identifier opens which, and how each is read.

A scan is interpreted only after its data identifier equals the expected one (R079); :func:`recognise` names what was
scanned instead. Structures that no rule of the factory needs are named and measured, so that a foreign compound message
can be taken apart, but their content stays uninterpreted.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from cellwright.identifier.isbt128.blood_group import BloodGroup
from cellwright.identifier.isbt128.chain_of_identity import ChainOfIdentityId, read_chain_of_identity
from cellwright.identifier.isbt128.consignment import ConsignmentContainer
from cellwright.identifier.isbt128.date import CodedDate, CodedTime, Occasion, read_date, read_date_time
from cellwright.identifier.isbt128.donation import DonationNumber, DonationScan, read_donation
from cellwright.identifier.isbt128.donor_registration import DonorRegistrationId
from cellwright.identifier.isbt128.facility import FIRST
from cellwright.identifier.isbt128.patient import (
    HIDDEN,
    PatientBirthDate,
    PatientNumber,
    read_birth_date,
    read_patient_number,
)
from cellwright.identifier.isbt128.processor import ProcessorLotNumber, ProcessorProductCode
from cellwright.identifier.isbt128.product import ProductCode, ProductDivisions
from cellwright.identifier.refusal import Code, IdentifierError, refuse
from cellwright.identifier.text import Layout
from cellwright.language import N_


@dataclass(frozen=True, slots=True)
class Uninterpreted:
    """A structure that is known by name only."""

    number: str
    content: str


Content = (
    DonationScan
    | BloodGroup
    | ProductCode
    | CodedDate
    | CodedTime
    | PatientBirthDate
    | PatientNumber
    | ConsignmentContainer
    | ProductDivisions
    | ProcessorProductCode
    | ProcessorLotNumber
    | DonorRegistrationId
    | ChainOfIdentityId
    | Uninterpreted
)


@dataclass(frozen=True, slots=True)
class Structure:
    """One row of the table.

    Attributes:
        number: the standard's number, such as ``"001"``; empty for structures it leaves to others.
        name: what the structure holds, a message of the catalogue.
        data_identifier: the characters that open it.
        length: characters after the data identifier; ``None`` when the content says so itself.
        read: the parser of the whole structure; ``None`` leaves the content uninterpreted.
        personal: whether the content identifies a patient.
        national: whether a country or a facility defines the content.
    """

    number: str
    name: str
    data_identifier: str
    length: int | None
    read: Callable[[str], Content] | None = None
    personal: bool = False
    national: bool = False

    def interpret(self, text: str) -> Content:
        """The content of a text that must be this structure.

        Raises:
            IdentifierError: another data identifier (R079), or content that does not fit.
        """
        found = recognise(text)
        if found is not self:
            raise wrong_structure(text, self.name, self.data_identifier)
        if self.read is not None:
            return self.read(text)
        content = text[len(self.data_identifier) :]
        if len(content) != self.length:
            lengths = f"{len(content)} / {self.length}"
            raise refuse(Code.WRONG_LENGTH, text, self.name, "R079", detail=lengths, form=self.data_identifier)
        return Uninterpreted(self.number, content)


C = TypeVar("C", bound=Content)


def _of(kind: Callable[[str], C], layout: Layout, data_identifier: str) -> Callable[[str], C]:
    """A parser that counts a wrong place in the whole scan, not in the content."""

    def read(text: str) -> C:
        content = text[len(data_identifier) :]
        layout.check(content, text, len(data_identifier))
        return kind(content)

    return read


def _row(
    number: str, name: str, data_identifier: str, length: int, kind: Callable[[str], C], layout: Layout
) -> Structure:
    return Structure(number, name, data_identifier, length, _of(kind, layout, data_identifier))


def _date(number: str, name: str, data_identifier: str, occasion: Occasion) -> Structure:
    return Structure(number, name, data_identifier, 6, partial(read_date, occasion=occasion))


def _time(number: str, name: str, data_identifier: str, occasion: Occasion) -> Structure:
    return Structure(number, name, data_identifier, 10, partial(read_date_time, occasion=occasion))


def _read_chain(text: str) -> ChainOfIdentityId:
    return read_chain_of_identity(text).value


DONATION: Final = Structure("001", DonationNumber.LAYOUT.name, "=", 15, read_donation)
BLOOD_GROUP: Final = _row("002", BloodGroup.LAYOUT.name, "=%", 4, BloodGroup, BloodGroup.LAYOUT)
PRODUCT: Final = _row("003", ProductCode.LAYOUT.name, "=<", 8, ProductCode, ProductCode.LAYOUT)
EXPIRY_DATE: Final = _date("004", N_("expiry date"), "=>", Occasion.EXPIRY)
EXPIRY_TIME: Final = _time("005", N_("expiry date and time"), "&>", Occasion.EXPIRY)
COLLECTION_DATE: Final = _date("006", N_("collection date"), "=*", Occasion.COLLECTION)
COLLECTION_TIME: Final = _time("007", N_("collection date and time"), "&*", Occasion.COLLECTION)
PRODUCTION_DATE: Final = _date("008", N_("production date"), "=}", Occasion.PRODUCTION)
PRODUCTION_TIME: Final = _time("009", N_("production date and time"), "&}", Occasion.PRODUCTION)
COMPOUND: Final = Structure("023", N_("compound message"), "=+", None)
PATIENT_BIRTH: Final = Structure("024", N_("patient date of birth"), "=#", 10, read_birth_date, personal=True)
PATIENT_NUMBER: Final = Structure("025", N_("patient number"), "&#", None, read_patient_number, personal=True)
CONSIGNMENT: Final = _row(
    "028", ConsignmentContainer.LAYOUT.name, "=$", 16, ConsignmentContainer, ConsignmentContainer.LAYOUT
)
DIVISIONS: Final = _row("032", ProductDivisions.LAYOUT.name, "=,", 6, ProductDivisions, ProductDivisions.LAYOUT)
PROCESSOR_PRODUCT: Final = _row(
    "034", ProcessorProductCode.LAYOUT.name, "=/", 16, ProcessorProductCode, ProcessorProductCode.LAYOUT
)
PROCESSOR_LOT: Final = _row(
    "035", ProcessorLotNumber.LAYOUT.name, "&,1", 18, ProcessorLotNumber, ProcessorLotNumber.LAYOUT
)
DONOR_REGISTRATION: Final = _row(
    "039", DonorRegistrationId.LAYOUT.name, "&:", 19, DonorRegistrationId, DonorRegistrationId.LAYOUT
)
CHAIN_OF_IDENTITY: Final = Structure("040", ChainOfIdentityId.LAYOUT.name, "&/", 15, _read_chain)

#: Structures with rules of their own here.
READ: Final = (
    DONATION,
    BLOOD_GROUP,
    PRODUCT,
    EXPIRY_DATE,
    EXPIRY_TIME,
    COLLECTION_DATE,
    COLLECTION_TIME,
    PRODUCTION_DATE,
    PRODUCTION_TIME,
    COMPOUND,
    PATIENT_BIRTH,
    PATIENT_NUMBER,
    CONSIGNMENT,
    DIVISIONS,
    PROCESSOR_PRODUCT,
    PROCESSOR_LOT,
    DONOR_REGISTRATION,
    CHAIN_OF_IDENTITY,
)
#: Structures that are named and measured only.
NAMED: Final = (
    Structure("010", N_("special testing"), "&(", 5),
    Structure("012", N_("red cell antigens"), "=\\", 18),
    Structure("013", N_("red cell antigens, Finnish"), "&\\", 18),
    Structure("014", N_("platelet antigens"), "&{", 18),
    Structure("017", N_("container maker and catalogue number"), "=)", 10),
    Structure("018", N_("container lot number"), "&)", 10),
    Structure("019", N_("donor number"), "=;", 21, personal=True),
    Structure("020", N_("staff number"), "='", 11),
    Structure("021", N_("maker and catalogue number"), "=-", 10),
    Structure("022", N_("lot number of a supply"), "&-", 10),
    Structure("026", N_("expiry month"), "=]", 6),
    Structure("033", N_("processing facility information"), "&+", 11),
    Structure("036", N_("supplementary number"), "&,2", 18),
)
#: Structures whose meaning a country or a facility sets; never used inside a compound message (R083).
NATIONAL: Final = (
    Structure("", N_("nationally defined donor number"), "&;", None, personal=True, national=True),
    Structure("", N_("confidential unit exclusion"), "&!", None, personal=True, national=True),
)
_LOCAL: Final = Structure("", N_("code of a facility or country"), "&", None, national=True)
_BY_DATA_IDENTIFIER: Final = {row.data_identifier: row for row in (*READ, *NAMED, *NATIONAL) if row is not DONATION}
BY_NUMBER: Final = {row.number: row for row in (*READ, *NAMED)}
_FIRST: Final = re.compile(f"[{FIRST}]", re.ASCII)
_UNKNOWN: Final = N_("an unknown code")


def recognise(text: str) -> Structure | None:
    """The structure whose data identifier opens the text; ``None`` when there is none."""
    row = _BY_DATA_IDENTIFIER.get(text[:3]) or _BY_DATA_IDENTIFIER.get(text[:2])
    if row is not None:
        return row
    second = text[1:2]
    if text[:1] == "=" and _FIRST.match(second):
        return DONATION
    return _LOCAL if text[:1] == "&" and second.isascii() and second.islower() else None


def shown(text: str) -> str:
    """The text as a refusal may repeat it: personal content is left out."""
    row = recognise(text)
    if row is COMPOUND and any(f.personal and f.data_identifier in text for f in _BY_DATA_IDENTIFIER.values()):
        return COMPOUND.data_identifier + HIDDEN
    return row.data_identifier + HIDDEN if row is not None and row.personal else text


def wrong_structure(text: str, expected: str, form: str) -> IdentifierError:
    """The refusal of a text that is another structure than the expected one (R079)."""
    if not text:
        return refuse(Code.EMPTY, text, expected, "R079", form=form)
    row = recognise(text)
    detail = _UNKNOWN if row is None else row.name
    return refuse(Code.WRONG_DATA_IDENTIFIER, shown(text), expected, "R079", position=1, detail=detail, form=form)
