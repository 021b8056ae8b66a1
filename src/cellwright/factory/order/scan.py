"""What a scanner or a keyboard brought in, read as the identifier that was expected and as nothing else.

A code is interpreted only when its data identifier is the one expected (R079). What is typed needs its check character,
where its kind has one, and a second person in any case (R064, R077, R080).
"""

from collections.abc import Iterable
from datetime import date
from typing import Final, Literal, NamedTuple, TypeVar

from cellwright.factory.record import Immutable
from cellwright.factory.rule import By, Need, Refusal
from cellwright.identifier import scan as reading
from cellwright.identifier.isbt128.chain_of_identity import type_chain_of_identity
from cellwright.identifier.isbt128.compound import DATA_IDENTIFIER as COMPOUND
from cellwright.identifier.isbt128.donation import DonationNumber, type_donation
from cellwright.identifier.isbt128.product import UNDIVIDED
from cellwright.identifier.refusal import IdentifierError
from cellwright.identifier.refusal import Refusal as Unreadable

T = TypeVar("T")
GROUP_SEPARATOR: Final = "\x1d"
"""FNC1 as a scanner sends it inside GS1 data."""
How = Literal["scanned", "typed"]
MAX_SCAN = 512
"""Characters; more than any label of the trade holds. Longer input is not read at all."""


class Scan(Immutable):
    """One reading of one label."""

    text: str
    how: How = "scanned"
    second: str | None = None
    """The second person who read the same text, where it was typed."""


SEPARATOR = "|"
"""Between the two identifiers in the code of a house label: the item or the copy's serial, and whose it is."""


class Label(NamedTuple):
    """What a label said: the item or the label's own serial, and whose it is when the label carries that too."""

    text: str
    coi: str | None = None


def _not_understood(scan: Scan, kind: str, why: object, rule: str) -> Refusal:
    return Refusal(
        "scan-not-understood",
        "{scanned} is not a {kind}: {why}",
        remedy="Scan the label that is asked for; if it is damaged, open an identity case.",
        rule=rule,
        scanned=scan.text[:MAX_SCAN],
        kind=kind,
        why=str(why),
    )


def _bounded(scan: Scan, kind: str) -> str:
    """The text without a line end. The separator of GS1 data is the only unprintable character a label may hold."""
    text = scan.text.strip(" \t\r\n")
    if not text or len(text) > MAX_SCAN or not text.replace(GROUP_SEPARATOR, "").isprintable():
        raise Refusal(
            "scan-not-understood",
            "{scanned} is not a {kind}: it is empty, too long, or has unprintable characters.",
            remedy="Scan the label that is asked for; if it is damaged, open an identity case.",
            rule="R079",
            scanned=text[:40],
            kind=kind,
        )
    return text


def _names_itself(text: str) -> bool:
    """Whether a machine said what the code is: by a symbology or by a data identifier."""
    return text.startswith(("]", "=", "&"))


def _interpreted(scan: Scan, text: str, expecting: reading.Expected[T]) -> T:
    outcome = reading.interpret(text, expecting)
    if isinstance(outcome, Unreadable):
        raise _not_understood(scan, expecting.name, outcome, outcome.requirement)
    return outcome.value


def chain_of_identity(scan: Scan) -> str:
    """The COI identifier of a scan, fifteen characters; also out of the compound symbol of a container.

    Raises:
        Refusal `scan-not-understood`: another kind of code, or not a COI identifier (R079, R080).
    """
    text = _bounded(scan, "chain-of-identity identifier")
    if _names_itself(text):
        return str(_interpreted(scan, text, reading.CHAIN_OF_IDENTITY))
    try:
        return str(type_chain_of_identity(text).value)
    except IdentifierError as why:
        raise _not_understood(scan, "chain-of-identity identifier", why.refusal, why.refusal.requirement) from None


def donation(scan: Scan, on: date) -> str:
    """The donation number of a scan with its full year, `A9999-2026-000001`: the key under which it is claimed (R084).

    A machine reads `=` with fifteen characters; a person types thirteen and the check character (R077). The resolved
    form itself, as other records of this house write it, is accepted from a machine.

    Raises:
        Refusal `scan-not-understood`: another kind of code, a wrong character, a missing or wrong check character.
    """
    text = _bounded(scan, "donation number")
    if scan.how == "scanned" and _names_itself(text):
        return str(_interpreted(scan, text, reading.DONATION).number.seen_on(on))
    try:
        number = type_donation(text).value if scan.how == "typed" else _plain_donation(text)
        return str(number.seen_on(on))
    except IdentifierError as why:
        raise _not_understood(scan, "donation number", why.refusal, why.refusal.requirement) from None


def _plain_donation(text: str) -> DonationNumber:
    parts = text.split("-")
    return DonationNumber(parts[0] + parts[1][2:] + parts[2] if len(parts) == 3 else text)


def container_name(din: str, division: str) -> str:
    """The name of one container of a donation: its number with the division code (R060)."""
    return f"{din}-{division}"


def item(scan: Scan, kind: str) -> str:
    """The text of a house label: container, bag, sample, seal, shipper, position.

    Raises:
        Refusal `scan-not-understood`: empty, too long, unprintable, or a code of another kind (R079).
    """
    text = reading.split_symbology(_bounded(scan, kind)).text
    if text.startswith(("&", "=")) or GROUP_SEPARATOR in text or not text:
        raise Refusal(
            "scan-not-understood",
            "{scanned} is not a {kind}: its data identifier says that it is another kind of code.",
            remedy="Scan the label that is asked for; if it is damaged, open an identity case.",
            rule="R079",
            scanned=text,
            kind=kind,
        )
    return text


def wristband(scan: Scan) -> str:
    """The number of a wristband: a GS1 service relation number (AI 8018, with 8019 if it is there), or a house number.

    Raises:
        Refusal `scan-not-understood`: another kind of code, or a wrong check digit (R079, R085).
    """
    text = _bounded(scan, "wristband")
    if reading.split_symbology(text).symbology in reading.GS1_SYMBOLOGIES:
        read = _interpreted(scan, text, reading.RECIPIENT)
        return f"{read.relation}" if read.instance is None else f"{read.relation}-{read.instance}"
    return item(scan, "wristband")


def label(scan: Scan, kind: str, on: date | None = None) -> Label:
    """The label of a container: a house label `container` or `serial|COI`, or the compound symbol of ISBT 128 with
    donation, division and chain of identity.

    Args:
        on: the day it was scanned, which the full year of a donation number follows from; a compound symbol is read
            only where it is given.

    Raises:
        Refusal `scan-not-understood`: no label of a container (R079, R083).
    """
    text = _bounded(scan, kind)
    if on is not None and reading.split_symbology(text).text.startswith(COMPOUND):
        read = _interpreted(scan, text, reading.CONTAINER)
        division = read.product.division if read.product is not None else UNDIVIDED
        return Label(container_name(str(read.donation.number.seen_on(on)), division), str(read.chain))
    name, _, whose = item(scan, kind).partition(SEPARATOR)
    return Label(name, whose or None)


def two_people(first: str, second: str) -> None:
    """Raises Refusal `same-person-twice` where two people must answer for one thing, whatever their roles (D3, D10)."""
    if first == second:
        raise Refusal(
            "same-person-twice",
            "{person} cannot sign this twice.",
            remedy="A second qualified person signs.",
            rule="D10",
            person=first,
        )


def confirmed(by: By, role: str, scans: Iterable[Scan]) -> tuple[Need, ...]:
    """The signatures of the second persons behind what was typed; none where everything was read by a machine.

    Raises:
        Refusal `second-person-needed`: something was typed and nobody else has read it (R064, R080).
    """
    needs: dict[str, Need] = {}
    for scan in scans:
        if scan.how == "scanned":
            continue
        if scan.second is None or scan.second == by.person:
            raise Refusal(
                "second-person-needed",
                "{scanned} was typed, and nobody but {person} has read it.",
                remedy="Scan the label, or let a second person read it and sign.",
                rule="R064",
                scanned=scan.text[:MAX_SCAN],
                person=by.person,
            )
        needs[scan.second] = Need(person=scan.second, meaning="verified", role=role)
    return tuple(needs.values())
