"""Scan-back of printed labels: one altered character is refused, an old copy is known."""

from collections.abc import Iterator

import pytest

from cellwright.identifier import Code, IdentifierError, Refusal
from cellwright.identifier.label import (
    LabelContent,
    LabelKind,
    Legend,
    Verified,
    refuse_superseded,
    reprint,
    verify_printed,
)
from cellwright.identifier.scan import Payload

from . import example


def _read(label: LabelContent) -> list[Payload]:
    return [Payload(symbol.text, symbol.symbology.value) for _, symbol in label.symbols]


def _seen(label: LabelContent) -> list[Legend]:
    return [printed.legend for printed in label.legends]


@pytest.mark.requirement("R090")
@pytest.mark.parametrize("kind", LabelKind)
def test_a_label_that_reads_as_intended_is_verified(kind: LabelKind) -> None:
    label = example.content(kind)
    outcome = verify_printed(label, list(reversed(_read(label))), _seen(label))
    assert isinstance(outcome, Verified)
    assert (outcome.serial, outcome.template) == (label.serial, f"{kind}/1")
    assert set(outcome.symbols) == set(_read(label))


def _altered(text: str) -> Iterator[str]:
    for place, character in enumerate(text):
        other = "1" if character == "0" else "0" if character.isdigit() else "B" if character == "A" else "A"
        yield text[:place] + other + text[place + 1 :]


@pytest.mark.requirement("R090")
@pytest.mark.parametrize("kind", LabelKind)
def test_one_altered_character_in_any_place_of_any_symbol_is_refused(kind: LabelKind) -> None:
    label = example.content(kind)
    read = _read(label)
    count = 0
    for index, payload in enumerate(read):
        for text in _altered(payload.text):
            wrong = [*read[:index], Payload(text, payload.symbology), *read[index + 1 :]]
            assert isinstance(verify_printed(label, wrong, _seen(label)), tuple)
            count += 1
    assert count == sum(len(payload.text) for payload in read)


@pytest.mark.requirement("R090")
def test_the_field_that_differs_is_named() -> None:
    label = example.content(LabelKind.FINAL_PRODUCT_BAG)
    read = _read(label)
    wrong = [Payload(read[0].text.replace("=<S12951A0", "=<S12951B0"), read[0].symbology), *read[1:]]
    outcome = verify_printed(label, wrong, _seen(label))
    assert isinstance(outcome, tuple)
    (refusal,) = outcome
    assert (refusal.code, refusal.detail, refusal.position) == (Code.CONTENT_DIFFERS, "product code", 9)
    assert (refusal.scanned, refusal.form) == ("=<S12951B0", "=<S12951A0")


@pytest.mark.requirement("R090")
def test_the_label_of_another_bag_is_refused() -> None:
    label = example.content(LabelKind.FINAL_PRODUCT_BAG)
    other = example.changed(label, product=label.product.divided(2)[1] if label.product else None)
    outcome = verify_printed(label, _read(other), _seen(label))
    assert isinstance(outcome, tuple)
    assert {refusal.detail for refusal in outcome} == {"product code"}


@pytest.mark.requirement("R090")
@pytest.mark.parametrize("kind", LabelKind)
def test_a_symbol_that_is_missing_or_foreign_is_refused(kind: LabelKind) -> None:
    label = example.content(kind)
    read = _read(label)
    for index in range(len(read)):
        outcome = verify_printed(label, read[:index] + read[index + 1 :], _seen(label))
        assert isinstance(outcome, tuple)
        assert [refusal.code for refusal in outcome] == [Code.SYMBOL_UNREADABLE]
    extra = verify_printed(label, [*read, Payload("=%5100", "C0")], _seen(label))
    assert isinstance(extra, tuple)
    assert extra[0].detail == "blood group"
    wrong_kind = verify_printed(label, [Payload(read[0].text, "Q1"), *read[1:]], _seen(label))
    assert isinstance(wrong_kind, tuple)
    assert wrong_kind[0].code is Code.WRONG_SYMBOLOGY


@pytest.mark.requirement("R069")
@pytest.mark.parametrize("kind", LabelKind)
def test_a_label_whose_legend_is_missing_cannot_be_verified(kind: LabelKind) -> None:
    label = example.content(kind, simulated=True)
    for left_out in label.legends:
        seen = [legend for legend in _seen(label) if legend is not left_out.legend]
        outcome = verify_printed(label, _read(label), seen)
        assert isinstance(outcome, tuple)
        assert [(refusal.code, refusal.requirement) for refusal in outcome] == [(Code.MISSING_LEGEND, "R069")]
        assert outcome[0].detail == left_out.legend.value


@pytest.mark.requirement("R090")
def test_a_reprint_needs_a_reason_and_supersedes_the_former_copy() -> None:
    first = example.content(LabelKind.CASSETTE)
    with pytest.raises(IdentifierError) as caught:
        reprint(first, example.SERIALS[1], "  ")
    assert caught.value.refusal.code is Code.REASON_MISSING
    with pytest.raises(IdentifierError):
        reprint(first, first.serial, "smudged")
    second = reprint(first, example.SERIALS[1], "smudged")
    assert (second.replaces, second.content.serial) == (first.serial, example.SERIALS[1])
    assert isinstance(verify_printed(second.content, _read(first), _seen(first)), tuple)


@pytest.mark.requirement("R090")
def test_an_old_copy_scanned_later_is_known_and_the_valid_one_named() -> None:
    first, second, third, other = example.SERIALS
    successors = {first: second, second: third}
    for old in (first, second):
        with pytest.raises(IdentifierError) as caught:
            refuse_superseded(old, successors)
        refusal = caught.value.refusal
        assert isinstance(refusal, Refusal)
        assert (refusal.code, refusal.form) == (Code.SUPERSEDED_LABEL, str(third))
    for valid in (third, other):
        refuse_superseded(valid, successors)
