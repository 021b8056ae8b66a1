"""The drawing of labels, read back as a whole."""

import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from cellwright.identifier import Code, IdentifierError
from cellwright.identifier.label import (
    Bilingual,
    DonorStatus,
    LabelKind,
    NamedPatient,
    Recipient,
    draw,
    print_label,
    render_png,
)
from cellwright.identifier.scan import Payload
from cellwright.identifier.symbol import Picture, decode

from . import example


def _texts(svg: str) -> list[str]:
    root = ET.fromstring(svg)
    return [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.requirement("R069")
@pytest.mark.parametrize("kind", LabelKind)
def test_every_field_and_legend_is_drawn_in_both_languages(kind: LabelKind) -> None:
    status = DonorStatus(
        Recipient.AUTOLOGOUS,
        screening_complete=False,
        testing_complete=False,
        reactive=(Bilingual("syphilis", "梅毒"),),
    )
    label = example.content(kind, status=status, blood_group=None, simulated=True, investigational=True)
    texts = _texts(print_label(label, example.REGISTER).svg)
    for value in label.values.values():
        assert value in texts
    assert len(label.legends) + len(label.accompanying) == 6
    assert bool(label.accompanying) == (kind is LabelKind.SAMPLE_TUBE)
    for printed in label.legends:
        line = next(text for text in texts if text.startswith(printed.text.en))
        assert line.endswith(printed.text.zh)


def test_text_is_escaped() -> None:
    label = example.content(LabelKind.SAMPLE_TUBE, test=Bilingual("A<B & C>", "甲<乙"))
    assert "A<B & C> / 甲<乙" in _texts(draw(label))


@pytest.mark.parametrize("kind", LabelKind)
def test_a_text_that_would_be_unreadable_is_refused(kind: LabelKind) -> None:
    long = Bilingual("x" * 200, "长" * 50)
    changes = {"test": long} if kind is LabelKind.SAMPLE_TUBE else {"product_name": long}
    with pytest.raises(IdentifierError) as caught:
        draw(example.content(kind, **changes))
    assert caught.value.refusal.code is Code.DOES_NOT_FIT


def test_a_long_name_shrinks_and_stays() -> None:
    patient = NamedPatient("Maria-Magdalena von und zu Beispielhausen-Musterdorf", example.PATIENT.born)
    texts = _texts(draw(example.content(LabelKind.FINAL_PRODUCT_BAG, patient=patient)))
    assert patient.name in texts


@pytest.mark.requirement("R090")
@pytest.mark.parametrize("kind", [LabelKind.SAMPLE_TUBE, LabelKind.FINAL_PRODUCT_BAG, LabelKind.COLLECTION_CONTAINER])
def test_the_whole_picture_of_a_label_reads_as_intended(kind: LabelKind, read_png: Callable[[bytes], Picture]) -> None:
    label = example.content(kind)
    printed = print_label(label, example.REGISTER)
    found = decode(read_png(render_png(printed.svg, dots_per_inch=203)))
    assert set(found) == {Payload(symbol.text, symbol.symbology.value) for _, symbol in label.symbols}


def test_fonts_without_chinese_are_refused(tmp_path: object) -> None:
    svg = draw(example.content(LabelKind.SAMPLE_TUBE))
    with pytest.raises(IdentifierError) as caught:
        render_png(svg, font_files=[f"{tmp_path}/no-such-font.ttf"])
    assert "Chinese" in caught.value.refusal.expected


@pytest.mark.requirement("R069")
def test_the_biohazard_legend_bears_its_symbol() -> None:
    status = DonorStatus(Recipient.AUTOLOGOUS, screening_complete=True, testing_complete=True, risk=True)
    hazardous = draw(example.content(LabelKind.CASSETTE, status=status))
    assert 'clipPath id="holes"' in hazardous
    assert 'clipPath id="holes"' not in draw(example.content(LabelKind.CASSETTE))
