"""What a scanner or a keyboard brought in, read as the identifier that was expected and as nothing else.

A code is interpreted only when its data identifier is the one expected (R079). What is typed needs its check character,
where its kind has one, and a second person in any case (R064, R077, R080).
"""

from collections.abc import Iterable
from datetime import date
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from cellwright.factory.record import Immutable
from cellwright.factory.rule import By, Need, Refusal, World
from cellwright.identifier.isbt128.chain_of_identity import read_chain_of_identity, type_chain_of_identity
from cellwright.identifier.isbt128.donation import DonationNumber, read_donation, type_donation
from cellwright.identifier.refusal import IdentifierError

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


def _refused(scan: Scan, kind: str, why: IdentifierError) -> Refusal:
    return Refusal(
        "scan-not-understood",
        "{scanned} is not a {kind}: {why}",
        remedy="Scan the label that is asked for; if it is damaged, open an identity case.",
        rule=why.refusal.requirement,
        scanned=scan.text[:MAX_SCAN],
        kind=kind,
        why=str(why.refusal),
    )


def _bounded(scan: Scan, kind: str) -> str:
    text = scan.text.strip()
    if not text or len(text) > MAX_SCAN or not text.isprintable():
        raise Refusal(
            "scan-not-understood",
            "{scanned} is not a {kind}: it is empty, too long, or has unprintable characters.",
            remedy="Scan the label that is asked for; if it is damaged, open an identity case.",
            rule="R079",
            scanned=text[:40],
            kind=kind,
        )
    return text


def chain_of_identity(scan: Scan) -> str:
    """The COI identifier of a scan, fifteen characters.

    Raises:
        Refusal `scan-not-understood`: another kind of code, or not a COI identifier (R079, R080).
    """
    text = _bounded(scan, "chain-of-identity identifier")
    try:
        if text.startswith(("&", "=")):
            return str(read_chain_of_identity(text).value)
        return str(type_chain_of_identity(text).value)
    except IdentifierError as why:
        raise _refused(scan, "chain-of-identity identifier", why) from None


def donation(scan: Scan, on: date) -> str:
    """The donation number of a scan with its full year, `A9999-2026-000001`: the key under which it is claimed (R084).

    A machine reads `=` with fifteen characters; a person types thirteen and the check character (R077). The resolved
    form itself, as other records of this house write it, is accepted from a machine.

    Raises:
        Refusal `scan-not-understood`: another kind of code, a wrong character, a missing or wrong check character.
    """
    text = _bounded(scan, "donation number")
    try:
        if scan.how == "typed":
            return str(type_donation(text).value.seen_on(on))
        if text.startswith(("=", "&")):
            return str(read_donation(text).number.seen_on(on))
        return str(_plain_donation(text).seen_on(on))
    except IdentifierError as why:
        raise _refused(scan, "donation number", why) from None


def _plain_donation(text: str) -> DonationNumber:
    parts = text.split("-")
    return DonationNumber(parts[0] + parts[1][2:] + parts[2] if len(parts) == 3 else text)


def container_name(din: str, division: str) -> str:
    """The name of one container of a donation: its number with the division code (R060)."""
    return f"{din}-{division}"


def item(scan: Scan, kind: str) -> str:
    """The text of a house label: container, bag, sample, seal, shipper, wristband, position.

    Raises:
        Refusal `scan-not-understood`: empty, too long, unprintable, or a code of another kind (R079).
    """
    text = _bounded(scan, kind)
    if text.startswith(("&", "=")):
        raise Refusal(
            "scan-not-understood",
            "{scanned} is not a {kind}: its data identifier says that it is another kind of code.",
            remedy="Scan the label that is asked for; if it is damaged, open an identity case.",
            rule="R079",
            scanned=text,
            kind=kind,
        )
    return text


def label(scan: Scan, kind: str) -> Label:
    """A house label with one or two identifiers: `container` or `serial|COI`.

    Raises:
        Refusal `scan-not-understood`: no house label (R079).
    """
    text, _, whose = item(scan, kind).partition(SEPARATOR)
    return Label(text, whose or None)


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


@runtime_checkable
class KnowsOwners(Protocol):
    """A world that can tell whose an item is. It is asked only to explain a stop; the store itself keeps the law."""

    def claim(self, key: str) -> str | None:
        """The value of a live claim such as `container/X`, or None."""
        ...


def owner(world: World, key: str) -> str | None:
    """The chain of identity (or `stock/…`) that an item belongs to, where the world can tell."""
    return world.claim(key) if isinstance(world, KnowsOwners) else None
