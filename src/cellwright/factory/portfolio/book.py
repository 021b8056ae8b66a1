"""The book: all statements of a portfolio ledger folded, found by name or alias in either language."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from cellwright.factory.portfolio.statement import (
    Alias,
    Application,
    Area,
    Claim,
    Condition,
    Dated,
    Membership,
    Party,
    PortfolioProduct,
    ProductTarget,
    Programme,
    RegisterRecord,
    Source,
    Stated,
    Statement,
    Trial,
)

S = TypeVar("S")


class Recorded(NamedTuple):
    """A statement and when the ledger took it in, UTC."""

    statement: Statement
    at: str = ""


class Found(NamedTuple):
    """What a name means: the thing, and the alias by which it was found, if it was not its own name."""

    kind: str
    thing: Any
    by: Alias | None = None


class Book:
    """Statements as they stand now, and as they stood before.

    Args:
        recorded: statements in the order of the ledger.
    """

    def __init__(self, recorded: Iterable[Recorded]) -> None:
        self._now: dict[str, dict[str, Any]] = {}
        self.history: dict[tuple[str, str], list[Recorded]] = {}
        """Kind and name to everything said under it, oldest first."""
        for one in recorded:
            said = one.statement
            self.history.setdefault((said.kind, said.id), []).append(one)
            kind = self._now.setdefault(said.kind, {})
            if not (isinstance(said, RegisterRecord) and _is_older(said, kind.get(said.id))):
                kind[said.id] = said
            if isinstance(said, Stated) and said.supersedes:
                kind.pop(said.supersedes, None)

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> "Book":
        return cls(Recorded(one) for one in statements)

    def all(self, kind: type[S]) -> tuple[S, ...]:
        """Every statement of a kind that is not superseded, in the order of the ledger."""
        return tuple(self._now.get(kind.kind, {}).values())  # type: ignore[attr-defined]

    def get(self, kind: type[S], name: str) -> S:
        """A statement by name. Raises KeyError."""
        found: S = self._now.get(kind.kind, {})[name]  # type: ignore[attr-defined]
        return found

    def locator(self, source: str) -> str:
        """Where a source leads to; its name where the ledger does not know it."""
        known: Mapping[str, Source] = self._now.get("source", {})
        return known[source].locator if source in known else source

    def find(self, name: str) -> Found | None:
        """What a name or alias means, whatever its letters' case and width: product, programme, party, area, trial."""
        wanted = fold(name)
        for kind in (PortfolioProduct, Programme, Party, Area, Trial, Condition):
            for one in self.all(kind):
                if wanted in map(fold, _names(one)):
                    return Found(kind.kind, one)
        for alias in self.all(Alias):
            if fold(alias.name) == wanted:
                found = self.find(alias.of)
                return found._replace(by=alias) if found else None
        for record in self.all(RegisterRecord):
            if wanted in (fold(record.id), fold(record.number)):
                return Found("record", record)
        return None

    def near(self, name: str) -> tuple[str, ...]:
        """Names that hold these letters, for whoever mistyped."""
        wanted = fold(name)
        kinds: tuple[type[Any], ...] = (PortfolioProduct, Party, Area)
        return tuple(one.id for kind in kinds for one in self.all(kind) if wanted[:3] in fold(one.id))

    # --- what belongs to what

    def programmes(self, product: str) -> tuple[Programme, ...]:
        return tuple(one for one in self.all(Programme) if one.product == product)

    def events(self, programme: str) -> tuple[Dated, ...]:
        """The events of a programme; those with a date first, by the last day on which they may have happened."""
        found = [one for one in self.all(Dated) if one.programme == programme]
        return tuple(sorted(found, key=_when))

    def products_of(self, party: str) -> tuple[PortfolioProduct, ...]:
        return tuple(one for one in self.all(PortfolioProduct) if one.holder == party)

    def targets(self, product: str) -> tuple[ProductTarget, ...]:
        return tuple(one for one in self.all(ProductTarget) if one.product == product)

    def trials(self, programme: str) -> tuple[Trial, ...]:
        return tuple(one for one in self.all(Trial) if one.programme == programme)

    def applications(self, programme: str) -> tuple[Application, ...]:
        return tuple(one for one in self.all(Application) if one.programme == programme)

    def aliases(self, name: str) -> tuple[Alias, ...]:
        return tuple(one for one in self.all(Alias) if one.of == name)

    def claims(self, about: str) -> tuple[Claim, ...]:
        return tuple(one for one in self.all(Claim) if one.about == about)

    def records(self, trial: Trial) -> tuple[RegisterRecord, ...]:
        """The register records of a trial, by the numbers that the trial and the record state."""
        numbers = {one.value for one in trial.numbers}
        return tuple(one for one in self.all(RegisterRecord) if numbers & set(record_numbers(one)))

    def memberships(self, party: str) -> tuple[Membership, ...]:
        return tuple(one for one in self.all(Membership) if one.party == party)

    def members(self, area: str) -> Iterator[Membership]:
        """Memberships in an area or in an area within it."""
        for one in self.all(Membership):
            if area in self.within(one.area):
                yield one

    def within(self, area: str) -> tuple[str, ...]:
        """An area and everything around it, from the inside out. Raises KeyError."""
        found: list[str] = []
        step: str | None = area
        while step is not None and step not in found:
            found.append(step)
            step = self.get(Area, step).within
        return tuple(found)


def _is_older(record: RegisterRecord, known: RegisterRecord | None) -> bool:
    """Whether a record was updated by its register before the one that is known: an old file read late changes nothing."""
    return known is not None and "" < _updated(record) < _updated(known)


def _updated(record: RegisterRecord) -> str:
    stated = record.content.get("dates", {})
    return str(stated.get("updated", {}).get("when", ""))


def record_numbers(record: RegisterRecord) -> tuple[str, ...]:
    """Every register number that a record states of its own trial."""
    numbers = record.content.get("numbers", ())
    return (record.number, *(str(one["value"]) for one in numbers if one.get("sure", True)))


def fold(name: str) -> str:
    """A name as it is compared: compatible width, no case, no spaces or dashes."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def _names(one: Any) -> Iterator[str]:
    yield one.id
    name = getattr(one, "name", None)
    if name is not None:
        yield from (name.en, name.zh)


def _when(event: Dated) -> tuple[bool, str, str]:
    known = event.interval
    return (known is None, known.last.isoformat() if known else "", known.first.isoformat() if known else "")
