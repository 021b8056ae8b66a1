"""What every assay command answers, as text, document, pictures and paper."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import typer

from cellwright.cli.output import Exit, complain, print_document, say, stop
from cellwright.language import N_, _

if TYPE_CHECKING:
    from cellwright.assay.check import Check
    from cellwright.assay.picture import Picture
    from cellwright.instrument import Reading

NAME_MAX: Final = 60
OUTCOMES: Final = {"pass": N_("pass"), "fail": N_("fail"), "not evaluable": N_("not evaluable")}


class Answer(msgspec.Struct, frozen=True):
    """The outcome of one file.

    Attributes:
        valid: whether the assay's own rules hold; a file that cannot be read is not.
        body: for the document.
        lines: for a person.
        table: for paper; its first row is its head.
        pictures: name -> picture.
    """

    file: str
    title: str
    valid: bool
    body: dict[str, Any]
    lines: tuple[str, ...]
    table: tuple[tuple[str, ...], ...] = ()
    pictures: "dict[str, Picture]" = {}
    sha256: str = ""


def refused(file: Path, why: str) -> Answer:
    """The answer for a file that gives none."""
    line = _("{file}: cannot be read: {why}").format(file=file, why=why)
    return Answer(str(file), file.name, valid=False, body={"error": why}, lines=(line,))


def finish(schema: str, answers: Sequence[Answer], *, json: bool, pictures: Path | None, pdf: Path | None) -> None:
    """Print all answers, write what was asked for, and end: 1 if any assay is not valid."""
    if pictures is not None:
        _write_pictures(answers, pictures)
    if pdf is not None:
        _write_pdf(answers, pdf)
    if json:
        told = [
            {"file": one.file, "sha256": one.sha256, "valid": one.valid, "error": "", **plain(one.body)}
            for one in answers
        ]
        print_document(schema, {"assays": told})
    else:
        for one in answers:
            for line in one.lines:
                say(line)
    raise typer.Exit(Exit.OK if all(one.valid for one in answers) else Exit.FINDING)


def _write_pictures(answers: Sequence[Answer], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in answers:
            for name, picture in one.pictures.items():
                path = folder / f"{Path(one.file).stem[:NAME_MAX]}-{_file_name(name)}.svg"
                path.write_text(picture.svg, encoding="utf-8")
                complain(str(path))
    except OSError as error:
        stop(_("{path} cannot be written: {why}").format(path=folder, why=error.strerror), Exit.USAGE)


def _file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text)[:NAME_MAX]


def _write_pdf(answers: Sequence[Answer], path: Path) -> None:
    from cellwright.assay.picture import NoTypesetter, sheet_pdf

    parts = [(one.title, (*one.table,), tuple(one.pictures.values())) for one in answers if "error" not in one.body]
    footer = "  ".join(f"{Path(one.file).name} SHA-256 {one.sha256[:16]}…" for one in answers[:2])
    try:
        path.write_bytes(sheet_pdf(_("Assay report"), footer, parts))
    except NoTypesetter as error:
        stop(str(error))
    except OSError as error:
        stop(_("{path} cannot be written: {why}").format(path=path, why=error.strerror), Exit.USAGE)
    complain(str(path))


def plain(value: Any) -> Any:
    """Values as a document holds them: no infinities, numpy's numbers as Python's."""
    if isinstance(value, msgspec.Struct):
        return plain(msgspec.structs.asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def check_lines(checks: "Sequence[Check]") -> list[str]:
    """Rules that are no pass, with their reasons."""
    return [
        f"  {_(OUTCOMES[one.outcome])}: {one.reason or one.rule} ({one.limit})"
        for one in checks
        if one.outcome != "pass"
    ]


def check_rows(checks: "Sequence[Check]") -> list[tuple[str, ...]]:
    """Rules as rows of a table."""
    return [(one.rule, one.limit, figure(one.found), _(OUTCOMES[one.outcome])) for one in checks]


def verdict(valid: bool) -> str:
    """The word for a person."""
    return _("valid") if valid else _("NOT VALID")


def figure(value: float | None) -> str:
    """Six significant digits, trailing noughts kept as worked examples print them; a dash where there is none."""
    if value is None or not isfinite(value):
        return "–"
    return f"{value:#.6g}".rstrip(".")


def opened(file: Path) -> "Reading | Answer":
    """A reading of our own formats, or the answer that says why there is none."""
    from cellwright.instrument import Incomplete, Unreadable, read

    try:
        return read(file)
    except OSError as error:
        return refused(file, error.strerror or str(error))
    except (Unreadable, Incomplete) as error:
        return refused(file, str(error))


def source(reading: "Reading") -> dict[str, Any]:
    """Where an assay's numbers come from (R017)."""
    return {
        "instrument": reading.instrument, "serial_number": reading.serial_number, "reader": reading.reader,
        "reader_version": reading.version, "proven": reading.proven, "operator": reading.operator, "at": reading.at,
        "simulated": is_simulated(reading),
        "warnings": [msgspec.structs.asdict(one) for one in reading.warnings],
    }  # fmt: skip


def is_simulated(reading: "Reading") -> bool:
    """Whether the file says that simulation made it, in any of its cells (D12)."""
    return any("SIMULATED" in text for one in reading.measurements for text in getattr(one, "others", {}).values())


def source_lines(reading: "Reading") -> list[str]:
    """What a person must know of the file."""
    lines = ["  " + _("SIMULATED, NOT FOR HUMAN USE")] if is_simulated(reading) else []
    if not reading.proven:
        lines.append(
            "  " + _("this reader was never tried on a real file of the instrument: compare it with the original")
        )
    for one in reading.warnings:
        said = " ".join(filter(None, (one.place, one.text)))
        lines.append("  " + _("warning ({kind}): {text}").format(kind=one.kind, text=said))
    return lines
