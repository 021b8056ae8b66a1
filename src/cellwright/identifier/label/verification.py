"""Scan-back: a printed label is compared with what it was meant to say before it may be applied (R090).

Symbols are compared character by character. What no reader sees, the legends, the person who scans confirms; a legend not
confirmed leaves the label unverified (R069).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cellwright.identifier.house import LabelSerial
from cellwright.identifier.isbt128 import structure as isbt
from cellwright.identifier.isbt128.compound import split_structures
from cellwright.identifier.label.content import LabelContent
from cellwright.identifier.label.legend import Legend
from cellwright.identifier.refusal import Code, IdentifierError, Refusal, refuse
from cellwright.identifier.scan import Payload, name_of
from cellwright.identifier.symbol import Symbol
from cellwright.language import N_

_SYMBOL: Final = N_("a readable symbol")
_INTENDED: Final = N_("the intended content")
_LEGEND: Final = N_("the legend")
_HEAD: Final = 7


@dataclass(frozen=True, slots=True)
class Verified:
    """A printed label that says what it was meant to say.

    Attributes:
        serial: the label.
        template: id of its template.
        symbols: what was read from it.
        legends: the legends confirmed.
    """

    serial: LabelSerial
    template: str
    symbols: tuple[Payload, ...]
    legends: tuple[Legend, ...]


@dataclass(frozen=True, slots=True)
class Reprint:
    """Another print of a label: a new serial, the former one superseded.

    Attributes:
        content: what to print.
        replaces: the serial that is no longer valid.
        reason: why, in the words of who asked for it.
    """

    content: LabelContent
    replaces: LabelSerial
    reason: str


def verify_printed(
    intended: LabelContent, decoded: Sequence[Payload], legends_seen: Collection[Legend]
) -> Verified | tuple[Refusal, ...]:
    """Compare what was read from a printed label with what it was meant to say.

    Args:
        intended: the content that was sent to the printer.
        decoded: every symbol read from the print, in any order.
        legends_seen: the legends that the person who holds the label confirms.

    Returns:
        the verified label, or every difference: one character, a missing or a foreign symbol, a legend not confirmed.
    """
    wanted = [symbol for _, symbol in intended.symbols]
    unread = [symbol for symbol in wanted if _payload(symbol) not in decoded]
    foreign = [payload for payload in dict.fromkeys(decoded) if all(payload != _payload(symbol) for symbol in wanted)]
    refusals: list[Refusal] = []
    for symbol in unread:
        name = name_of(_payload(symbol))
        match = next((payload for payload in foreign if name_of(payload) == name), None)
        if match is None:
            refusals.append(_refusal(Code.SYMBOL_UNREADABLE, symbol.text, _SYMBOL, detail=name))
        else:
            foreign.remove(match)
            refusals += _differences(symbol, match)
    refusals += [
        _refusal(Code.CONTENT_DIFFERS, payload.text, _INTENDED, detail=name_of(payload)) for payload in foreign
    ]
    refusals += [
        _refusal(
            Code.MISSING_LEGEND,
            intended.template.id,
            _LEGEND,
            "R069",
            detail=printed.legend.value,
            form=str(printed.text),
        )
        for printed in intended.legends
        if printed.legend not in legends_seen
    ]
    if refusals:
        return tuple(refusals)
    legends = tuple(printed.legend for printed in intended.legends)
    return Verified(intended.serial, intended.template.id, tuple(_payload(symbol) for symbol in wanted), legends)


def reprint(content: LabelContent, serial: LabelSerial, reason: str) -> Reprint:
    """The same content under a new serial.

    Raises:
        IdentifierError: no reason is given, or the serial is the old one (R090).
    """
    if not reason.strip():
        raise refuse(Code.REASON_MISSING, str(content.serial), N_("a reason"), "R090")
    if serial == content.serial:
        raise refuse(Code.SUPERSEDED_LABEL, str(serial), N_("a new label serial"), "R090", detail=serial.text)
    return Reprint(replace(content, serial=serial), content.serial, reason.strip())


def refuse_superseded(scanned: LabelSerial, successors: Mapping[LabelSerial, LabelSerial]) -> None:
    """Refuse a label that was printed again.

    Args:
        scanned: the serial read from the label.
        successors: superseded serials and what replaced them.

    Raises:
        IdentifierError: the label is superseded; the refusal names the valid one (R090).
    """
    valid = scanned
    while valid in successors:
        valid = successors[valid]
    if valid != scanned:
        detail = N_("printed again")
        raise refuse(Code.SUPERSEDED_LABEL, str(scanned), N_("the label"), "R090", detail=detail, form=str(valid))


def _payload(symbol: Symbol) -> Payload:
    return Payload(symbol.text, symbol.symbology.value)


def _differences(intended: Symbol, found: Payload) -> list[Refusal]:
    """What differs, structure by structure where both can be taken apart."""
    if found.text == intended.text:
        detail, form = f"]{found.symbology}", f"]{intended.symbology.value}"
        return [_refusal(Code.WRONG_SYMBOLOGY, found.text, _INTENDED, detail=detail, form=form)]
    wanted, read = _structures(intended.text), _structures(found.text)
    if [row for row, _ in wanted] != [row for row, _ in read]:
        wanted, read = [(None, intended.text)], [(None, found.text)]
    refusals = []
    for (row, text), (_, other) in zip(wanted, read, strict=True):
        if text != other:
            place = next((n for n, (a, b) in enumerate(zip(text, other, strict=False), 1) if a != b), None)
            name = row.name if row else name_of(found)
            refusals.append(_refusal(Code.CONTENT_DIFFERS, other, _INTENDED, position=place, detail=name, form=text))
    return refusals


def _structures(text: str) -> list[tuple[isbt.Structure | None, str]]:
    if isbt.recognise(text) is not isbt.COMPOUND:
        return [(None, text)]
    try:
        return [(None, text[:_HEAD]), *split_structures(text, _HEAD)]
    except IdentifierError:
        return [(None, text)]


def _refusal(
    code: Code,
    scanned: str,
    expected: str,
    requirement: str = "R090",
    *,
    position: int | None = None,
    detail: str = "",
    form: str = "",
) -> Refusal:
    return Refusal(code, scanned, expected, requirement, position, detail, form)
