"""Where the portfolio ledger lies, how it begins, and how a statement gets into it.

portfolio.db   the record: an ordinary ledger of its own origin, never a site's
files/         register documents by content

A statement whose exact content stood on its stream before is not recorded again. So a second import of the same file
records nothing, and a statement that a user said anew is not undone by what the program ships.
"""

import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, NamedTuple, Self
from uuid import UUID, uuid5

from cellwright import shipped
from cellwright.factory.definition import read
from cellwright.factory.portfolio.book import Book, Recorded
from cellwright.factory.portfolio.clock import WorkingCalendar
from cellwright.factory.portfolio.seed import Seed
from cellwright.factory.portfolio.statement import (
    RegisterRecord,
    Stated,
    Statement,
    event_type,
    read_statement,
    write_statement,
)
from cellwright.factory.record import Immutable, plain
from cellwright.ledger import Clock, Draft, Ledger, Locked, open_ledger, system_clock
from cellwright.ledger.event import DRAFTS_MAX
from cellwright.ledger.files import FolderStore

ORIGIN: Final = "cellwright/portfolio"
"""Name of this log; a site's log is named after the site."""
OPENED: Final = "portfolio.opened"
SEEDS: Final = ("portfolio/e-town.yaml",)
CALENDAR: Final = "portfolio/calendar-cn.yaml"
_NAMESPACE: Final = UUID("6f0f5a56-3c1e-5c0e-9a3c-6f8a3f0f7d11")
VARIABLE: Final = "CELLWRIGHT_PORTFOLIO"


class NotThePortfolio(ValueError):
    """The ledger in the folder is another log, or none."""


class Outcome(NamedTuple):
    """What became of a statement that was handed in."""

    statement: Statement
    what: Literal["new", "changed", "known"]
    before: Statement | None = None
    """What stood under its name until now."""


@cache
def seeds() -> tuple[Seed, ...]:
    """The files that a ledger begins with."""
    return tuple(read(Seed, shipped.content(file).decode(), file) for file in SEEDS)


@cache
def working_calendar() -> WorkingCalendar:
    """China's working days and the clocks of review."""
    return read(WorkingCalendar, shipped.content(CALENDAR).decode(), CALENDAR)


def home() -> Path:
    """The folder of the portfolio where none is named: $CELLWRIGHT_PORTFOLIO, else a folder of the user's data."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "cellwright" / "portfolio"


class Portfolio:
    """An open portfolio: its ledger, its files, and the book of what the ledger says. Close it, or use it in a `with`."""

    def __init__(self, ledger: Ledger, files: FolderStore | None, where: Path | None) -> None:
        self.ledger = ledger
        self.files = files
        self.where = where
        """The folder; None for a portfolio in memory."""
        self._recorded: list[Recorded] = []
        self._known: dict[str, set[str]] = {}
        self._read = 0
        self._book: Book | None = None
        self._catch_up()

    def _catch_up(self) -> None:
        for event in self.ledger.read(self._read):
            self._read = event.pos + 1
            if event.type == OPENED:
                if event.body.get("origin") != ORIGIN:
                    raise NotThePortfolio(f"the ledger is of {event.body.get('origin')}, not of {ORIGIN}")
            elif event.pos == 0:
                raise NotThePortfolio("the ledger is not one of a portfolio: it does not begin with its origin")
            elif event.type.startswith("portfolio."):
                statement = read_statement(event.type, event.body)
                self._recorded.append(Recorded(statement, event.at))
                self._known.setdefault(event.stream, set()).add(_stamp(statement))
                self._book = None

    @property
    def book(self) -> Book:
        """Everything that the ledger says."""
        if self._book is None:
            self._book = Book(self._recorded)
        return self._book

    def state(self, statements: Iterable[Statement], actor: str, reason: str | None = None) -> list[Outcome]:
        """Record statements; those that are known are left alone.

        Args:
            actor: who says so.
            reason: why, for statements that change what stood under their name.

        Raises:
            ReadOnly, Unavailable: as the ledger does; what was recorded before stands.
        """
        outcomes: list[Outcome] = []
        drafts: list[Draft] = []
        versions: dict[str, int] = {}
        current: dict[str, Statement] = {}
        for statement in statements:
            stream = f"{statement.kind}/{statement.id}"
            stamp = _stamp(statement)
            known = self._known.setdefault(stream, set())
            before = current.get(stream, self._last(statement))
            if stamp in known:
                outcomes.append(Outcome(statement, "known", before))
                continue
            outcomes.append(Outcome(statement, "new" if before is None else "changed", before))
            known.add(stamp)
            current[stream] = statement
            version = versions.get(stream, len(self._history(statement)))
            versions[stream] = version + 1
            why = None if before is None else (reason or "stated anew")
            drafts.append(_draft(statement, stream, version, stamp, actor, why))
        for first in range(0, len(drafts), DRAFTS_MAX):
            self.ledger.append(drafts[first : first + DRAFTS_MAX])
        if drafts:
            self._catch_up()
        return outcomes

    def _history(self, statement: Statement) -> Sequence[Recorded]:
        return self.book.history.get((statement.kind, statement.id), ())

    def _last(self, statement: Statement) -> Statement | None:
        history = self._history(statement)
        return history[-1].statement if history else None

    def close(self) -> None:
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _stamp(statement: Statement) -> str:
    """What makes a statement the same as another: its content; for a register's record the record, not its file."""
    if isinstance(statement, RegisterRecord):
        return statement.record_sha256
    return uuid5(_NAMESPACE, repr(_whole(statement))).hex


def _whole(value: object) -> object:
    """A value with all its defaults: whether a default is written down must not make two statements of one."""
    if isinstance(value, Immutable):
        return {name: _whole(field) for name, field in plain(value).items()}
    if isinstance(value, tuple | list):
        return [_whole(one) for one in value]
    return value


def _draft(statement: Statement, stream: str, version: int, stamp: str, actor: str, reason: str | None) -> Draft:
    return Draft(
        stream=stream,
        type=event_type(statement),
        body=write_statement(statement),
        id=str(uuid5(_NAMESPACE, f"{stream}#{version}#{stamp}")),
        actor=actor,
        reason=reason,
        tags=_tags(statement),
    )


def _tags(statement: Statement) -> tuple[str, ...]:
    names = ("programme", "product", "party", "area", "about", "of") if isinstance(statement, Stated) else ()
    return tuple(f"{name}/{value}" for name in names if isinstance(value := getattr(statement, name, None), str))


def open_portfolio(folder: Path | None = None, *, write: bool = False, clock: Clock = system_clock) -> Portfolio:
    """Open the portfolio of a folder, or of the user; it begins with what the program ships.

    Reading where nothing lies yet leaves nothing behind: the shipped statements are read in memory.

    Args:
        folder: None for the user's own.
        write: make the ledger where there is none.

    Raises:
        NotThePortfolio: the folder holds another log.
        LedgerError: the ledger cannot be opened.
    """
    where = folder or home()
    file = where / "portfolio.db"
    if not file.exists() and not write and folder is None:
        return _begun(Portfolio(open_ledger("memory:", clock=clock), None, None))
    where.mkdir(parents=True, exist_ok=True)
    try:
        ledger = open_ledger(file, clock=clock, create=True)
    except Locked:
        if write:
            raise
        # Another process is writing; whoever only reads looks over its shoulder.
        return Portfolio(open_ledger(file, read_only=True), FolderStore(where / "files"), where)
    try:
        return _begun(Portfolio(ledger, FolderStore(where / "files"), where))
    except BaseException:
        ledger.close()
        raise


def _begun(portfolio: Portfolio) -> Portfolio:
    """The same with its first event and what this version of the program ships."""
    if portfolio.ledger.head().size == 0:
        opened = Draft(stream="portfolio/portfolio", type=OPENED, body={"origin": ORIGIN},
                       id=str(uuid5(_NAMESPACE, OPENED)), actor="cellwright")  # fmt: skip
        portfolio.ledger.append([opened], {"portfolio/portfolio": 0})
    for seed in seeds():
        portfolio.state(seed.statements(), "cellwright", f"shipped in version {seed.version} of {seed.id}")
    return portfolio
