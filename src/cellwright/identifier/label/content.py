"""The content of one label: typed fields, the legends that follow from the donor's status, and the symbols."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Final

from cellwright.identifier.gs1.element_string import ElementString
from cellwright.identifier.house import LabelSerial, LotNumber, SampleNumber
from cellwright.identifier.isbt128.blood_group import BloodGroup
from cellwright.identifier.isbt128.chain_of_identity import ChainOfIdentityId
from cellwright.identifier.isbt128.compound import write_compound
from cellwright.identifier.isbt128.date import CodedDate, CodedTime
from cellwright.identifier.isbt128.donation import DonationNumber
from cellwright.identifier.isbt128.product import ProductCode
from cellwright.identifier.label.legend import (
    Bilingual,
    DonorStatus,
    Legend,
    PrintedLegend,
    Recipient,
    required_legends,
)
from cellwright.identifier.label.template import CAPTIONS, Field, LabelTemplate, SymbolRole
from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.scan import Payload
from cellwright.identifier.symbol import Symbol, Symbology, as_text, encode
from cellwright.language import N_

_COMPLETE: Final = N_("all fields its template requires")


@dataclass(frozen=True, slots=True)
class NamedPatient:
    """The person on a named label: personal data, shown for the moment of printing and kept out of the record (D6)."""

    name: str = field(repr=False)
    born: date = field(repr=False)
    number: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class LabelContent:
    """What one label says.

    A field that is ``None`` is not printed. Legends follow from ``status`` and are not chosen.

    Raises:
        IdentifierError: a field the template requires is missing, or the blood group code contradicts the status (R069).
    """

    template: LabelTemplate
    serial: LabelSerial
    status: DonorStatus | None
    investigational: bool = False
    simulated: bool = False
    chain: ChainOfIdentityId | None = None
    donation: DonationNumber | None = None
    donation_flags: str | None = None
    product: ProductCode | None = None
    lot: LotNumber | None = None
    sample: SampleNumber | None = None
    expiry: CodedDate | CodedTime | None = None
    collected: CodedTime | None = None
    prepared: CodedTime | None = None
    blood_group: BloodGroup | None = None
    product_name: Bilingual | None = None
    quantity: Bilingual | None = None
    storage: Bilingual | None = None
    maker: Bilingual | None = None
    test: Bilingual | None = None
    patient: NamedPatient | None = None
    trade: ElementString | None = None

    def __post_init__(self) -> None:
        missing = sorted(self.template.required - set(self.values))
        if missing:
            detail = str(CAPTIONS[missing[0]])
            form = ", ".join(str(CAPTIONS[name]) for name in sorted(self.template.required))
            raise refuse(Code.MISSING_FIELD, self.template.id, _COMPLETE, "R091", detail=detail, form=form)
        self._check_blood_group()

    @cached_property
    def legends(self) -> tuple[PrintedLegend, ...]:
        """The legends this label must bear, most important first (R069)."""
        return tuple(printed for printed in self._required if printed.legend not in self.template.accompanying)

    @cached_property
    def accompanying(self) -> tuple[PrintedLegend, ...]:
        """The required legends that the papers must bear in the label's place."""
        return tuple(printed for printed in self._required if printed.legend in self.template.accompanying)

    @cached_property
    def _required(self) -> tuple[PrintedLegend, ...]:
        return required_legends(self.status, investigational=self.investigational, simulated=self.simulated)

    @cached_property
    def values(self) -> Mapping[Field, str]:
        """The fields as printed for people, in the order of the label."""
        patient = self.patient
        named = {
            Field.PRODUCT_NAME: self.product_name,
            Field.PATIENT_NAME: patient and patient.name,
            Field.PATIENT_BIRTH: patient and patient.born.isoformat(),
            Field.PATIENT_NUMBER: patient and patient.number,
            Field.CHAIN: self.chain and self.chain.eye_readable,
            Field.DONATION: self.donation and self.donation.eye_readable,
            Field.PRODUCT: self.product,
            Field.LOT: self.lot and self.lot.eye_readable,
            Field.SAMPLE: self.sample and self.sample.eye_readable,
            Field.TEST: self.test,
            Field.COLLECTED: self.collected and f"{self.collected.local:%Y-%m-%d %H:%M}",
            Field.PREPARED: self.prepared and f"{self.prepared.local:%Y-%m-%d %H:%M}",
            Field.EXPIRY: self.expiry and f"{self.expiry.local:%Y-%m-%d %H:%M}",
            Field.BLOOD_GROUP: self.blood_group and (self.blood_group.group or self.blood_group),
            Field.QUANTITY: self.quantity,
            Field.STORAGE: self.storage,
            Field.MAKER: self.maker,
            Field.TRADE: self.trade and self.trade.eye_readable,
            Field.SERIAL: self.serial.eye_readable,
        }
        return {name: str(value) for name, value in named.items() if value is not None}

    @cached_property
    def symbols(self) -> tuple[tuple[SymbolRole, Symbol], ...]:
        """The symbols of the template whose content is given, encoded.

        Raises:
            IdentifierError: a content no symbol can hold.
        """
        return tuple((role, encode(*content)) for role, content in self.contents)

    @property
    def payloads(self) -> tuple[Payload, ...]:
        """What a reader has to report, symbol by symbol, without drawing any of them."""
        return tuple(Payload(as_text(content), symbology.value) for _, (content, symbology) in self.contents)

    @property
    def contents(self) -> tuple[tuple[SymbolRole, tuple[str | ElementString, Symbology]], ...]:
        """What each symbol of the template holds, in the order of the label."""
        contents = self._symbol_contents()
        return tuple((role, contents[role]) for role in self.template.symbols if role in contents)

    def _symbol_contents(self) -> dict[SymbolRole, tuple[str | ElementString, Symbology]]:
        donation = self.donation and self.donation.data_structure(self.donation_flags)
        contents: dict[SymbolRole, tuple[str | ElementString, Symbology]] = {
            SymbolRole.LABEL: (self.serial.text, Symbology.DATA_MATRIX)
        }
        if self.chain and donation:
            others = (self.product, self.expiry, self.blood_group, self.chain)
            parts = [donation, *(other.data_structure for other in others if other)]
            contents[SymbolRole.CONTAINER] = (write_compound(parts), Symbology.DATA_MATRIX)
        if donation:
            contents[SymbolRole.DONATION] = (donation, Symbology.CODE_128)
        if self.chain:
            contents[SymbolRole.CHAIN] = (self.chain.data_structure, Symbology.DATA_MATRIX)
        if self.lot:
            contents[SymbolRole.LOT] = (self.lot.text, Symbology.DATA_MATRIX)
        if self.sample:
            contents[SymbolRole.SAMPLE] = (self.sample.text, Symbology.DATA_MATRIX)
        if self.trade:
            contents[SymbolRole.TRADE] = (self.trade, Symbology.GS1_DATA_MATRIX)
        return contents

    def _check_blood_group(self) -> None:
        """A coded donation type must not say something else than the legends beside it."""
        code = self.blood_group
        if code is None or (code.donation_type is None and code.message is None):
            return
        legends = {printed.legend for printed in self.legends}
        autologous = self.status is not None and self.status.recipient is Recipient.AUTOLOGOUS
        says_hazard, is_hazard = code.is_biohazard, Legend.BIOHAZARD in legends
        if (code.is_autologous and not autologous) or (says_hazard and not is_hazard):
            detail = N_("the blood group code contradicts the donor's status")
            raise refuse(
                Code.MISSING_LEGEND, self.template.id, N_("one statement"), "R069", detail=detail, form=code.text
            )
