"""The bytes of an export as text or as a workbook, with what is odd about their encoding."""

import io
import zipfile
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from cellwright.instrument.reading import Kind, Warned
from cellwright.instrument.table import Unreadable
from cellwright.language import _

SIZE_MAX: Final = 200_000_000
UNPACKED_MAX: Final = 1_000_000_000
ROWS_MAX: Final = 2_000_000
"""Limits of a file, of a workbook unpacked, and of one sheet."""
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
Cell = str | float | bool | None


class Source:
    """The bytes of one file. Warnings gather here while it is read.

    Raises:
        Unreadable: when built from no bytes, or from more than `SIZE_MAX`.
    """

    def __init__(self, data: bytes, name: str = "") -> None:
        if not data:
            raise Unreadable(_("the file is empty"))
        if len(data) > SIZE_MAX:
            raise Unreadable(_("the file is larger than {size} bytes").format(size=SIZE_MAX))
        self.data, self.name = data, name
        self.warnings: list[Warned] = []
        self._sheets: dict[str, list[list[Any]]] = {}

    def warn(self, kind: Kind, place: str, text: str) -> None:
        """Record something odd, once."""
        found = Warned(kind, place, text)
        if found not in self.warnings:
            self.warnings.append(found)

    @cached_property
    def sha256(self) -> str:
        return sha256(self.data).hexdigest()

    @cached_property
    def is_workbook(self) -> bool:
        """Whether the bytes are a spreadsheet file, whatever the file is called."""
        if self.data.startswith(_OLE):
            return True
        return self.data.startswith(b"PK\x03\x04") and b"xl/" in self.data

    @cached_property
    def is_binary(self) -> bool:
        """Whether the bytes are no text, of any encoding that instruments write."""
        head = self.data[:4096]
        return self.is_workbook or head.startswith((b"PK", b"%PDF", b"\x89PNG")) or (
            b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))
        )  # fmt: skip

    @cached_property
    def text(self) -> str:
        """The text, with a warning unless it is plain UTF-8. Raises Unreadable if the bytes are no text."""
        if self.is_binary:
            raise Unreadable(_("the file is not text"))
        if self.data.startswith((b"\xff\xfe", b"\xfe\xff")):
            try:
                return self.data.decode("utf-16")
            except UnicodeDecodeError as error:
                raise Unreadable(_("the UTF-16 text breaks off at byte {place}").format(place=error.start)) from None
        try:
            text = self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            return self._legacy(error.start)
        if "\ufffd" in text:
            self.warn("encoding", "", _("characters were lost when the file was saved before (replacement characters)"))
        return text

    def _legacy(self, place: int) -> str:
        """Windows-1252, or a mixture of it with UTF-8, piece by piece."""
        pieces, mixed, rest = [], False, self.data
        while rest:
            try:
                pieces.append(rest.decode("utf-8"))
                mixed |= not rest.isascii()
                break
            except UnicodeDecodeError as error:
                good = rest[: error.start]
                mixed |= not good.isascii()
                pieces.append(good.decode("utf-8") + rest[error.start : error.end].decode("cp1252", "replace"))
                rest = rest[error.end :]
        if mixed:
            said = _("UTF-8 and Windows-1252 are mixed from byte {place}; both were read").format(place=place)
        else:
            said = _("the text is not UTF-8 at byte {place}; it was read as Windows-1252").format(place=place)
        self.warn("encoding", "", said)
        return "".join(pieces).removeprefix("\ufeff")

    @cached_property
    def _workbook(self) -> Any:
        from python_calamine import CalamineWorkbook

        if not self.is_workbook:
            raise Unreadable(_("the file is not a workbook"))
        if self.data.startswith(b"PK"):
            try:
                with zipfile.ZipFile(io.BytesIO(self.data)) as packed:
                    size = sum(entry.file_size for entry in packed.infolist())
            except (zipfile.BadZipFile, ValueError, OSError):
                raise Unreadable(_("the workbook is damaged or breaks off")) from None
            if size > UNPACKED_MAX:
                raise Unreadable(_("the workbook is larger than {size} bytes").format(size=UNPACKED_MAX))
        try:
            return CalamineWorkbook.from_filelike(io.BytesIO(self.data))
        except BaseException as error:
            _unless_stopped(error)
            raise Unreadable(_("the workbook is damaged or breaks off")) from error

    @property
    def sheets(self) -> Sequence[str]:
        """Names of the workbook's sheets."""
        return list(self._workbook.sheet_names)

    def sheet(self, name: str) -> list[list[Any]]:
        """The cells of a sheet, row by row from its very first, blank as ''. Raises Unreadable if it is damaged."""
        if name in self._sheets:
            return self._sheets[name]
        try:
            rows: list[list[Any]] = self._workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        except BaseException as error:
            _unless_stopped(error)
            raise Unreadable(_("sheet {name} is damaged").format(name=name)) from error
        if len(rows) > ROWS_MAX:
            raise Unreadable(_("sheet {name} has more than {count} rows").format(name=name, count=ROWS_MAX))
        self._sheets[name] = rows
        return rows

    @cached_property
    def head(self) -> str:
        """What a format is recognised by: the first text lines, or the first cells of the first sheet."""
        if self.is_workbook:
            name = self.sheets[0] if self.sheets else ""
            rows = self.sheet(name)[:60] if name else []
            return "\n".join([name, *("\t".join(written(cell) for cell in row) for row in rows)])
        return "" if self.is_binary else self.text[:20_000]


def _unless_stopped(error: BaseException) -> None:
    """Let through what stops the program. All else that the library raises, its panics too, is a damaged workbook."""
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
        raise error


def written(cell: object) -> str:
    """A cell as text: a whole number without its point, a truth value in capitals as the program shows it."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return "" if cell is None else str(cell).strip()
