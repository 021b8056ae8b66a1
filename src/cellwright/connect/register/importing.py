"""Register documents into the portfolio ledger: kept whole, read, compared with what was known, recorded if new."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cellwright.command.portfolio.keeping import Outcome, Portfolio
from cellwright.connect.register.document import leaf_values
from cellwright.connect.register.forms import Content, Record, Unreadable, read_file
from cellwright.factory.portfolio.statement import RegisterRecord
from cellwright.ledger.files import FileRef

IMPORTER = "importer"
"""Who is named as the actor of what is read out of documents."""


class Change(NamedTuple):
    """A field of a record that is not as it was."""

    field: str
    before: Any
    after: Any


class Imported(NamedTuple):
    """What became of one record."""

    record: Record
    what: str
    """`new`, `changed`, `older` (a former state of the record), or `known`: this very record was read before."""
    changes: tuple[Change, ...]


class ImportedFile(NamedTuple):
    """What became of one file."""

    file: Path
    sha256: str
    records: tuple[Imported, ...]
    note: str = ""
    error: str = ""


def files_under(paths: list[Path]) -> Iterator[Path]:
    """The files named, and every file in the folders named, in order."""
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.is_file())
        else:
            yield path


def import_file(portfolio: Portfolio, path: Path) -> ImportedFile:
    """Read one file into the ledger. A file that cannot be read is kept and named, and changes nothing else.

    Raises:
        OSError: the file is not there.
        StorageFull, Unavailable: as the ledger does.
    """
    assert portfolio.files is not None, "a portfolio in memory keeps no documents"
    data = path.read_bytes()
    kept = portfolio.files.put(data)
    try:
        content: Content = read_file(data)
    except Unreadable as error:
        return ImportedFile(path, kept.sha256, (), error=str(error))
    statements = [statement(record, kept.sha256) for record in content.records]
    outcomes = portfolio.state(statements, IMPORTER, "the register's record changed")
    imported = [
        Imported(record, _what(portfolio, outcome), tuple(changes(portfolio, record, outcome)))
        for record, outcome in zip(content.records, outcomes, strict=True)
    ]
    return ImportedFile(path, kept.sha256, tuple(imported), content.note)


def _what(portfolio: Portfolio, outcome: Outcome) -> str:
    """`older` for a record that the register had updated before the one that is known; it is kept and changes nothing."""
    if outcome.what != "changed":
        return outcome.what
    current = portfolio.book.get(RegisterRecord, outcome.statement.id)
    return "changed" if current == outcome.statement else "older"


def statement(record: Record, file_sha256: str) -> RegisterRecord:
    """A record as the ledger takes it."""
    return RegisterRecord(
        id=record.id,
        register=record.form.register,
        form=record.form.name,
        number=record.number,
        file_sha256=file_sha256,
        record_sha256=record.sha256,
        content=record.fields.as_content(),
        unmapped=record.unmapped,
    )


def changes(portfolio: Portfolio, record: Record, outcome: Outcome) -> Iterator[Change]:
    """What is not as it was: the common fields, then the paths of the document that no common field holds."""
    before, after = outcome.before, outcome.statement
    current = portfolio.book.get(RegisterRecord, outcome.statement.id)
    if (
        outcome.what != "changed"
        or current != outcome.statement
        or not isinstance(before, RegisterRecord)
        or not isinstance(after, RegisterRecord)
    ):
        return
    yield from compared(before.content, after.content)
    old = _tree(portfolio, before)
    if old is None:
        return
    was, now = leaf_values(old), leaf_values(record.tree)
    for path in sorted({*before.unmapped, *after.unmapped}):
        if was.get(path) != now.get(path):
            yield Change(path, was.get(path), now.get(path))


def _tree(portfolio: Portfolio, before: RegisterRecord) -> Mapping[str, Any] | None:
    """The former record in the kept document, or None where that is not to be had any more."""
    assert portfolio.files is not None
    path = portfolio.files.path(FileRef(before.file_sha256, 0))
    if not path.is_file():
        return None
    read = read_file(path.read_bytes()).records
    return next((one.tree for one in read if one.sha256 == before.record_sha256), None)


def compared(before: Mapping[str, Any], after: Mapping[str, Any], within: str = "") -> Iterator[Change]:
    """The fields in which two contents differ, by name, those within others with a point."""
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        path = f"{within}{name}"
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from compared(old, new, f"{path}.")
        else:
            yield Change(path, old, new)
