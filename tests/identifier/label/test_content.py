"""What a label must say before it is drawn."""

import pytest

from cellwright.identifier import Code, IdentifierError
from cellwright.identifier.isbt128.blood_group import DonationType, blood_group
from cellwright.identifier.label import DonorStatus, Field, LabelKind, Recipient, SymbolRole
from cellwright.identifier.symbol import read_back

from . import example

#: The argument that fills a field, for those a template may require.
ARGUMENT = {
    Field.CHAIN: "chain",
    Field.DONATION: "donation",
    Field.PRODUCT: "product",
    Field.LOT: "lot",
    Field.SAMPLE: "sample",
    Field.EXPIRY: "expiry",
    Field.COLLECTED: "collected",
    Field.PREPARED: "prepared",
    Field.PRODUCT_NAME: "product_name",
    Field.QUANTITY: "quantity",
    Field.STORAGE: "storage",
    Field.MAKER: "maker",
    Field.TEST: "test",
    Field.PATIENT_NAME: "patient",
    Field.PATIENT_BIRTH: "patient",
}
REQUIRED = [
    (kind, name) for kind in LabelKind for name in sorted(example.REGISTER.for_print(kind).required - {Field.SERIAL})
]


@pytest.mark.parametrize(("kind", "name"), REQUIRED)
def test_a_label_without_a_required_field_is_refused(kind: LabelKind, name: Field) -> None:
    with pytest.raises(IdentifierError) as caught:
        example.content(kind, **{ARGUMENT[name]: None})
    assert caught.value.refusal.code is Code.MISSING_FIELD


@pytest.mark.requirement("R060")
@pytest.mark.parametrize(
    "kind", [kind for kind in LabelKind if kind not in (LabelKind.SAMPLE_TUBE, LabelKind.STOCK_CONTAINER)]
)
def test_a_container_label_without_donation_number_is_refused_even_with_a_chain_of_identity(kind: LabelKind) -> None:
    with pytest.raises(IdentifierError) as caught:
        example.content(kind, donation=None)
    assert caught.value.refusal.detail == "DIN / 献血编号"


@pytest.mark.requirement("R069")
@pytest.mark.parametrize(
    ("recipient", "donation"),
    [
        (Recipient.ALLOGENEIC, DonationType.AUTOLOGOUS_ONLY),
        (Recipient.AUTOLOGOUS, DonationType.AUTOLOGOUS_BIOHAZARD),
    ],
)
def test_a_blood_group_code_that_contradicts_the_status_is_refused(
    recipient: Recipient, donation: DonationType
) -> None:
    with pytest.raises(IdentifierError) as caught:
        example.content(
            LabelKind.COLLECTION_CONTAINER,
            status=DonorStatus(recipient, screening_complete=True, testing_complete=True),
            blood_group=blood_group("O RhD positive", donation),
        )
    assert caught.value.refusal.requirement == "R069"


@pytest.mark.parametrize("kind", LabelKind)
def test_every_symbol_reads_back(kind: LabelKind) -> None:
    label = example.content(kind)
    texts = {role: read_back(symbol).text for role, symbol in label.symbols}
    assert tuple(texts) == tuple(role for role in label.template.symbols if role in texts)
    assert texts[SymbolRole.LABEL] == label.serial.text
    if SymbolRole.CONTAINER in texts:
        assert example.CHAIN.text in texts[SymbolRole.CONTAINER]
        assert example.DONATION.text in texts[SymbolRole.CONTAINER]


def test_the_container_of_a_set_carries_its_flag() -> None:
    label = example.content(LabelKind.COLLECTION_CONTAINER, donation_flags="02")
    texts = {role: symbol.text for role, symbol in label.symbols}
    assert texts[SymbolRole.DONATION] == f"={example.DONATION}02"
    assert example.content(LabelKind.COLLECTION_CONTAINER).symbols != label.symbols


def test_personal_data_are_in_no_symbol_and_in_no_representation() -> None:
    for kind in LabelKind:
        label = example.content(kind)
        texts = "".join(symbol.text for _, symbol in label.symbols)
        for secret in ("WANG", "王芳", "1970", "000123"):
            assert secret not in texts.replace(example.SAMPLE.text, "")
            assert secret not in repr(label.patient)
