"""Claims of being the first, held against the events of the ledger."""

from typing import Literal

from cellwright.factory.portfolio.book import Book
from cellwright.factory.portfolio.statement import Claim, Condition, Dated, Programme
from cellwright.factory.record import Immutable

Verdict = Literal["contradicted", "open", "not contradicted"]


class Precedence(Immutable):
    """What the ledger says to a claim of being the first.

    `contradicted`: another event is certainly earlier. `open`: another may be earlier, or the claim's own is missing or
    undated. `not contradicted`: nothing in the ledger is earlier, which proves no more than the ledger is complete.
    """

    claim: str
    verdict: Verdict
    own: str | None
    """The event that the claim is about."""
    others: tuple[str, ...]
    """Events of others that are or may be earlier."""
    compared: int
    """How many programmes of the speciality the ledger has in all."""


def check(book: Book, claim: Claim) -> Precedence | None:
    """Hold a claim against the ledger; None for a claim that says nothing of being the first."""
    asked = claim.check
    if asked is None:
        return None
    speciality = {one.id for one in book.all(Condition) if one.speciality == asked.speciality}
    programmes = [one for one in book.all(Programme) if one.condition in speciality]
    own: Dated | None = None
    others = []
    for programme in programmes:
        for event in book.events(programme.id):
            fits = event.event == asked.event and event.agency == asked.agency and event.standing == "effective"
            if fits and event.basis.grade not in ("M", "X"):
                if programme.id == asked.of:
                    own = own or event
                else:
                    others.append(event)
    verdict, earlier = _verdict(own, others)
    return Precedence(
        claim=claim.id,
        verdict=verdict,
        own=own.id if own else None,
        others=tuple(one.id for one in earlier),
        compared=len(programmes),
    )


def _verdict(own: Dated | None, others: list[Dated]) -> tuple[Verdict, list[Dated]]:
    if own is None or own.interval is None:
        return "open", others
    mine = own.interval
    certainly = [one for one in others if one.interval is not None and one.interval.last < mine.first]
    if certainly:
        return "contradicted", certainly
    perhaps = [one for one in others if one.interval is None or one.interval.first < mine.last]
    return ("open", perhaps) if perhaps else ("not contradicted", [])
