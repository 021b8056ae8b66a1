"""Contents of labels for the tests, all of the test facility A9999."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from cellwright.identifier import (
    DEMO,
    ChainOfIdentityIssuer,
    DonationNumberIssuer,
    HouseNumberIssuer,
    LabelSerial,
    LotNumber,
    SampleNumber,
)
from cellwright.identifier.gs1.element_string import read_eye_readable
from cellwright.identifier.isbt128.blood_group import DonationType, blood_group
from cellwright.identifier.isbt128.date import CodedTime, Occasion
from cellwright.identifier.isbt128.product import ProductCode
from cellwright.identifier.label import (
    Bilingual,
    DonorStatus,
    LabelContent,
    LabelKind,
    NamedPatient,
    Recipient,
    first_register,
)

REGISTER = first_register()
AUTOLOGOUS = DonorStatus(Recipient.AUTOLOGOUS, screening_complete=True, testing_complete=True)
CHAIN = ChainOfIdentityIssuer(DEMO).issue(2026, 7)
DONATION = DonationNumberIssuer(DEMO).issue(2026, 42).number
LOT = HouseNumberIssuer(LotNumber, DEMO).issue(2026, 7)
SAMPLE = HouseNumberIssuer(SampleNumber, DEMO).issue(2026, 123)
SERIALS = [HouseNumberIssuer(LabelSerial, DEMO).issue(2026, sequence) for sequence in range(4)]
PATIENT = NamedPatient("WANG Fang 王芳", date(1970, 1, 31), "H-000123")


def _at(occasion: Occasion, year: int, hour: int) -> CodedTime:
    return CodedTime(occasion, datetime(year, 3, 2, hour, 12))  # noqa: DTZ001 - local time by the standard


COMMON: dict[str, Any] = {
    "status": AUTOLOGOUS,
    "chain": CHAIN,
    "donation": DONATION,
    "lot": LOT,
    "product": ProductCode("S12951A0"),
    "product_name": Bilingual("CD19 CAR-T cells, cryopreserved", "CD19 CAR-T细胞，冻存"),
    "storage": Bilingual("at or below -150 °C", "−150 °C及以下"),
}
SPECIFIC: dict[LabelKind, dict[str, Any]] = {
    LabelKind.COLLECTION_CONTAINER: {
        "lot": None,
        "product": None,
        "product_name": Bilingual("MNC, apheresis", "单个核细胞，单采"),
        "storage": Bilingual("2 to 8 °C", "2–8 °C"),
        "collected": _at(Occasion.COLLECTION, 2026, 8),
        "quantity": Bilingual("about 180 mL", "约180 mL"),
        "patient": PATIENT,
        "blood_group": blood_group("O RhD positive", DonationType.AUTOLOGOUS_ONLY),
    },
    LabelKind.IN_PROCESS_CONTAINER: {"prepared": _at(Occasion.PRODUCTION, 2026, 9)},
    LabelKind.SAMPLE_TUBE: {
        "sample": SAMPLE,
        "test": Bilingual("Endotoxin", "细菌内毒素"),
        "product": None,
        "donation": None,
        "product_name": None,
        "storage": None,
    },
    LabelKind.FINAL_PRODUCT_BAG: {
        "expiry": _at(Occasion.EXPIRY, 2027, 14),
        "quantity": Bilingual("68 mL, 2.0e8 CAR+ cells", "68 mL，2.0e8个CAR+细胞"),
        "maker": Bilingual("Test Facility, Example City", "测试机构，示例市"),
        "patient": PATIENT,
        "trade": read_eye_readable("(01)09501101530003(17)270302(10)LA9999260000007B(21)1"),
    },
    LabelKind.STOCK_CONTAINER: {
        "status": None,
        "chain": None,
        "donation": None,
        "product": None,
        "product_name": Bilingual("MIL62, drug substance", "MIL62原液"),
        "prepared": _at(Occasion.PRODUCTION, 2026, 9),
        "quantity": Bilingual("40 L", "40 L"),
    },
    LabelKind.CASSETTE: {"expiry": _at(Occasion.EXPIRY, 2027, 14), "patient": PATIENT},
}


def content(kind: LabelKind, **changes: Any) -> LabelContent:
    """The example content of a kind of label, with changes."""
    fields = {**COMMON, **SPECIFIC[kind], **changes}
    return LabelContent(template=REGISTER.for_print(kind), serial=fields.pop("serial", SERIALS[0]), **fields)


def changed(label: LabelContent, **changes: Any) -> LabelContent:
    """The content with changes."""
    return replace(label, **changes)
