"""What every command prints, and how it ends.

Standard output carries the answer: text for a person, or with `--json` exactly one document that names its `schema`.
Standard error carries progress and complaints. The exit code is 0 for ok, 1 for a finding or a refusal, 2 for wrong usage.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any, NoReturn, TextIO

import msgspec


class Exit(IntEnum):
    """How a command ended: all is well; something was found or refused; it was called wrongly."""

    OK = 0
    FINDING = 1
    USAGE = 2


def _encode(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} has no form in a JSON document")


def document(schema: str, body: Mapping[str, Any]) -> str:
    """One JSON document with its schema's name first; decimals as strings, times in UTC with Z, keys as given."""
    encoder = msgspec.json.Encoder(enc_hook=_encode, decimal_format="string")
    plain = {"schema": schema} | {key: _plain(value) for key, value in body.items()}
    return msgspec.json.format(encoder.encode(plain), indent=2).decode()


def _plain(value: Any) -> Any:
    """The same value with every time moved to UTC; a time without a zone is a fault of the programmer."""
    if isinstance(value, datetime):
        assert value.tzinfo is not None, "a time in a document carries its zone"
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, msgspec.Struct):
        return _plain(msgspec.structs.asdict(value))
    if isinstance(value, Decimal):
        return str(value)
    return value


def print_document(schema: str, body: Mapping[str, Any]) -> None:
    """Write the one document of `--json` to standard output."""
    sys.stdout.write(document(schema, body) + "\n")


def say(text: str = "") -> None:
    """A line of the answer, for a person, on standard output."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """A line about the work, not its answer, on standard error."""
    sys.stderr.write(text + "\n")


def stop(text: str, code: Exit = Exit.FINDING) -> NoReturn:
    """Say why on standard error and end with the code."""
    complain(text)
    raise SystemExit(int(code))


class Progress:
    """A line on standard error that grows old gracefully: redrawn on a terminal, one line per tenth otherwise."""

    def __init__(self, label: str, total: int, stream: TextIO | None = None) -> None:
        assert total >= 0
        self.label = label
        self.total = total
        self.done = 0
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._shown = -1
        self._last = 0.0

    def advance(self, count: int = 1, note: str = "") -> None:
        """Count work as done; the note says what is at hand."""
        self.done += count
        now = time.monotonic()
        tenth = 10 * self.done // self.total if self.total else 10
        if self._live and (now - self._last > 0.1 or self.done >= self.total):
            self._last = now
            self._stream.write(f"\r\x1b[K{self.label}  {self.done}/{self.total}  {note}"[:160])
            self._stream.flush()
        elif not self._live and tenth > self._shown:
            self._shown = tenth
            self._stream.write(f"{self.label}  {self.done}/{self.total}\n")

    def close(self) -> None:
        """End the line."""
        if self._live and self._last:
            self._stream.write("\n")
        self._stream.flush()


@contextmanager
def progress(label: str, total: int) -> Iterator[Progress]:
    """Show how far a piece of work has come, on standard error, for whatever takes more than a second."""
    bar = Progress(label, total)
    try:
        yield bar
    finally:
        bar.close()
