"""Label templates under version control: what a kind of label must say, its size and its symbols (R091)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cellwright.identifier.label.legend import Bilingual, Legend
from cellwright.identifier.refusal import Code, refuse
from cellwright.language import N_

_IN_FORCE: Final = N_("the label version in force")


class LabelKind(StrEnum):
    """What the label is stuck to."""

    COLLECTION_CONTAINER = "collection_container"
    IN_PROCESS_CONTAINER = "in_process_container"
    SAMPLE_TUBE = "sample_tube"
    FINAL_PRODUCT_BAG = "final_product_bag"
    CASSETTE = "cassette"
    STOCK_CONTAINER = "stock_container"


class Field(StrEnum):
    """One thing a label says."""

    CHAIN = "chain_of_identity"
    DONATION = "donation_number"
    PRODUCT = "product_code"
    LOT = "lot_number"
    SAMPLE = "sample_number"
    EXPIRY = "expiry"
    COLLECTED = "collected"
    PREPARED = "prepared"
    BLOOD_GROUP = "blood_group"
    PRODUCT_NAME = "product_name"
    QUANTITY = "quantity"
    STORAGE = "storage"
    MAKER = "maker"
    TEST = "test"
    PATIENT_NAME = "patient_name"
    PATIENT_BIRTH = "patient_birth_date"
    PATIENT_NUMBER = "patient_number"
    SERIAL = "label_serial"
    TRADE = "trade_item"


#: What stands before the value on the label.
CAPTIONS: Final[Mapping[Field, Bilingual]] = {
    Field.CHAIN: Bilingual("COI", "身份链"),
    Field.DONATION: Bilingual("DIN", "献血编号"),
    Field.PRODUCT: Bilingual("Product code", "产品代码"),
    Field.LOT: Bilingual("Lot", "批号"),
    Field.SAMPLE: Bilingual("Sample", "样品号"),
    Field.EXPIRY: Bilingual("Expires", "有效期至"),
    Field.COLLECTED: Bilingual("Collected", "采集时间"),
    Field.PREPARED: Bilingual("Prepared", "制备时间"),
    Field.BLOOD_GROUP: Bilingual("Blood group", "血型"),
    Field.PRODUCT_NAME: Bilingual("Product", "产品"),
    Field.QUANTITY: Bilingual("Content", "内容量"),
    Field.STORAGE: Bilingual("Storage", "贮存"),
    Field.MAKER: Bilingual("Made by", "生产者"),
    Field.TEST: Bilingual("Test", "检验"),
    Field.PATIENT_NAME: Bilingual("Patient", "患者"),
    Field.PATIENT_BIRTH: Bilingual("Born", "出生日期"),
    Field.PATIENT_NUMBER: Bilingual("Patient no.", "患者编号"),
    Field.SERIAL: Bilingual("Label", "标签号"),
    Field.TRADE: Bilingual("GS1", "GS1"),
}


class SymbolRole(StrEnum):
    """What a symbol on the label is for."""

    DONATION = "donation"
    CONTAINER = "container"
    CHAIN = "chain"
    LOT = "lot"
    SAMPLE = "sample"
    TRADE = "trade"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class LabelTemplate:
    """One version of one kind of label.

    Attributes:
        kind: what it is stuck to.
        version: counted from 1; a changed template is a new version.
        required: fields without which it is not printed; any other field is printed when given.
        symbols: the symbols, drawn in this order where their content is given.
        width: millimetres.
        height: millimetres.
        module: millimetres of a module of the symbols.
        accompanying: legends that go with the thing on paper because they do not fit on it (21 CFR 1271.370(b)(4)).
    """

    kind: LabelKind
    version: int
    required: frozenset[Field]
    symbols: tuple[SymbolRole, ...]
    width: float
    height: float
    module: float
    accompanying: frozenset[Legend] = frozenset()

    @property
    def id(self) -> str:
        """Kind and version, such as ``final_product_bag/1``, as the record names the template."""
        return f"{self.kind}/{self.version}"


@dataclass(frozen=True)
class TemplateRegister:
    """All versions of all kinds; the old ones are archived and read, never printed.

    Attributes:
        versions: every template there ever was, each id once.
        in_force: the version that may be printed, by kind; a kind may have none.
    """

    versions: tuple[LabelTemplate, ...]
    in_force: Mapping[LabelKind, int]
    _by_id: dict[str, LabelTemplate] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id = {template.id: template for template in self.versions}
        assert len(by_id) == len(self.versions), "each version is registered once"
        assert all(f"{kind}/{version}" in by_id for kind, version in self.in_force.items()), "in force means known"
        object.__setattr__(self, "_by_id", by_id)

    def for_print(self, kind: LabelKind, version: int | None = None) -> LabelTemplate:
        """The template in force.

        Args:
            kind: what the label is for.
            version: the version asked for; the one in force when absent.

        Raises:
            IdentifierError: the version is obsolete, not yet in force, or unknown (R091).
        """
        current = self.in_force.get(kind)
        if current is None or version not in (None, current):
            asked = kind.value if version is None else f"{kind}/{version}"
            state = N_("obsolete or not in force") if asked in self._by_id else N_("unknown")
            form = "" if current is None else f"{kind}/{current}"
            raise refuse(Code.OBSOLETE_TEMPLATE, asked, _IN_FORCE, "R091", detail=state, form=form)
        return self._by_id[f"{kind}/{current}"]

    def archived(self, template_id: str) -> LabelTemplate:
        """Any version by its id, to read an old record; raises IdentifierError for an unknown one."""
        if template_id not in self._by_id:
            raise refuse(
                Code.OBSOLETE_TEMPLATE, template_id, N_("an archived label version"), "R091", detail=N_("unknown")
            )
        return self._by_id[template_id]

    def succeeded_by(self, template: LabelTemplate) -> "TemplateRegister":
        """The register after a new version came into force; the former one stays archived.

        Raises:
            IdentifierError: the version is not the next one of its kind (R091).
        """
        latest = max((known.version for known in self.versions if known.kind is template.kind), default=0)
        if template.version != latest + 1:
            form = f"{template.kind}/{latest + 1}"
            raise refuse(
                Code.OBSOLETE_TEMPLATE, template.id, N_("the next version"), "R091", detail=N_("not next"), form=form
            )
        return TemplateRegister((*self.versions, template), {**self.in_force, template.kind: template.version})


_WHOSE: Final = frozenset({Field.CHAIN, Field.DONATION, Field.SERIAL})
_PATIENT: Final = frozenset({Field.PATIENT_NAME, Field.PATIENT_BIRTH})

#: The templates the house begins with.
FIRST_TEMPLATES: Final = (
    LabelTemplate(
        LabelKind.COLLECTION_CONTAINER,
        1,
        _WHOSE | _PATIENT | {Field.COLLECTED, Field.PRODUCT_NAME, Field.QUANTITY, Field.STORAGE},
        (SymbolRole.DONATION, SymbolRole.CONTAINER, SymbolRole.LABEL),
        100.0,
        75.0,
        0.4,
    ),
    LabelTemplate(
        LabelKind.IN_PROCESS_CONTAINER,
        1,
        _WHOSE | {Field.PRODUCT, Field.LOT, Field.PREPARED, Field.PRODUCT_NAME},
        (SymbolRole.CONTAINER, SymbolRole.LOT, SymbolRole.LABEL),
        90.0,
        55.0,
        0.35,
    ),
    LabelTemplate(
        LabelKind.SAMPLE_TUBE,
        1,
        frozenset({Field.CHAIN, Field.SAMPLE, Field.LOT, Field.TEST, Field.SERIAL}),
        (SymbolRole.SAMPLE, SymbolRole.CHAIN, SymbolRole.LABEL),
        60.0,
        28.0,
        0.3,
        frozenset({Legend.REACTIVE, Legend.ADVISE_PATIENT, Legend.INVESTIGATIONAL}),
    ),
    LabelTemplate(
        LabelKind.FINAL_PRODUCT_BAG,
        1,
        _WHOSE
        | _PATIENT
        | {Field.PRODUCT, Field.LOT, Field.EXPIRY, Field.PRODUCT_NAME, Field.QUANTITY, Field.STORAGE, Field.MAKER},
        (SymbolRole.CONTAINER, SymbolRole.LOT, SymbolRole.TRADE, SymbolRole.LABEL),
        100.0,
        100.0,
        0.4,
    ),
    LabelTemplate(
        LabelKind.CASSETTE,
        1,
        _WHOSE | _PATIENT | {Field.PRODUCT, Field.LOT, Field.EXPIRY, Field.PRODUCT_NAME, Field.STORAGE},
        (SymbolRole.CONTAINER, SymbolRole.LOT, SymbolRole.LABEL),
        100.0,
        75.0,
        0.4,
    ),
    LabelTemplate(
        LabelKind.STOCK_CONTAINER,
        1,
        frozenset({Field.LOT, Field.PREPARED, Field.PRODUCT_NAME, Field.QUANTITY, Field.SERIAL}),
        (SymbolRole.LOT, SymbolRole.LABEL),
        90.0,
        55.0,
        0.35,
    ),
)


def first_register() -> TemplateRegister:
    """The register the house begins with: version 1 of every kind in force."""
    return TemplateRegister(FIRST_TEMPLATES, {template.kind: template.version for template in FIRST_TEMPLATES})
