"""What changed in the portfolio since a day, or ever under a name."""

from collections.abc import Iterator
from typing import Any

import msgspec

from cellwright.command.portfolio.answers import Answer
from cellwright.factory.portfolio.book import Book, Found
from cellwright.factory.portfolio.statement import Statement, write_statement


def differences(book: Book, since: str = "", found: Found | None = None) -> list[Answer]:
    """Statements recorded from a time on, each with what stood under its name before; oldest first.

    Args:
        since: ISO time or day, UTC; empty for all.
        found: only what concerns this thing; then also what was never changed.
    """
    told = []
    for (kind, name), history in book.history.items():
        if found is not None and not _concerns(history[-1].statement, found):
            continue
        for index, one in enumerate(history):
            if one.at >= since and (since or index or found is not None):
                before = history[index - 1].statement if index else None
                told.append({
                    "kind": kind,
                    "id": name,
                    "recorded_at": one.at,
                    "what": "changed" if index else "new",
                    "changes": list(_fields(before, one.statement)),
                })  # fmt: skip
    return sorted(told, key=lambda one: (one["recorded_at"], one["kind"], one["id"]))


def _concerns(statement: Statement, found: Found) -> bool:
    """Whether a statement is about a thing: it is the thing, or one of its fields names it."""
    wanted = found.thing.id
    if statement.kind == found.kind and statement.id == wanted:
        return True
    names = ("product", "programme", "party", "area", "about", "of", "holder")
    named = [getattr(statement, name, None) for name in names]
    return wanted in named or any(isinstance(one, str) and one.startswith(f"{wanted}-") for one in named)


def _fields(before: Statement | None, after: Statement) -> Iterator[Answer]:
    """The fields in which a statement is not as it was; nothing for a first one."""
    if before is None:
        return
    old, new = _plain(before), _plain(after)
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield {"field": name, "before": old.get(name), "after": new.get(name)}


def _plain(statement: Statement) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(write_statement(statement)))
    content = plain.pop("content", None)
    return plain | {f"content.{name}": value for name, value in (content or {}).items()}
