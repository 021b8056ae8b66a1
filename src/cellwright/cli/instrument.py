"""`cellwright instrument`: files of laboratory instruments, read by content."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cellwright.cli.output import Exit, complain, print_document, progress, say
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.connect.allotropy import Allotropy
    from cellwright.instrument import Reading

app = typer.Typer(add_completion=False, no_args_is_help=True)

READ: Final = "cellwright.instrument-reading/1"
FORMATS: Final = "cellwright.instrument-formats/1"
SHOWN: Final = 12
"""Measurements shown to a person; the JSON document holds all."""

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help=_("Exports of instruments, of any kind."))]
Json = Annotated[bool, typer.Option("--json", help=_("Print one JSON document instead of text."))]


@app.callback()
def _instrument() -> None:
    """Read the files of laboratory instruments."""


@app.command(help=_("Read files: what was measured, by which reader, with the hash of the bytes and every warning."))
def read(
    files: Files,
    vendor: Annotated[
        str, typer.Option(metavar="NAME", help=_("A reader of allotropy by its own name, for content not recognised."))
    ] = "",
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help=_("For one file read by allotropy."))] = 120.0,
    curves: Annotated[bool, typer.Option("--curves", help=_("Curves of each well in the document too."))] = False,
    json: Json = False,
) -> None:
    """Read files of instruments."""
    from cellwright.connect.allotropy import Allotropy

    with Allotropy(timeout_s=timeout) as worker, progress(_("Reading"), len(files)) as bar:
        told = []
        for path in files:
            told.append(_read(path, worker, vendor, curves=curves))
            bar.advance(note=path.name)
    if json:
        print_document(READ, {"files": told})
    else:
        for one in told:
            _tell(one)
    raise typer.Exit(Exit.FINDING if any(one["error"] for one in told) else Exit.OK)


def _read(path: Path, worker: "Allotropy", vendor: str, *, curves: bool) -> dict[str, Any]:
    from cellwright.connect.allotropy import NoAllotropy, WorkerFailed, read_any
    from cellwright.instrument import Incomplete, Unreadable

    try:
        reading = read_any(path, worker, vendor=vendor)
    except OSError as error:
        return {"file": str(path), "error": error.strerror or str(error), "kind": "cannot be opened"}
    except (Unreadable, Incomplete, NoAllotropy, WorkerFailed) as error:
        return {"file": str(path), "error": str(error), "kind": type(error).__name__}
    return {"file": str(path), "error": "", **described(reading, curves=curves)}


def described(reading: "Reading", *, curves: bool) -> dict[str, Any]:
    """A reading as a document: decimals as strings, curves only where asked for."""
    import msgspec

    body: dict[str, Any] = msgspec.to_builtins(reading)
    for one in body["measurements"]:
        for name in ("curves", "series"):
            if name in one and not curves:
                one[name] = {key: len(values) for key, values in one[name].items()}
    return body


def _tell(one: dict[str, Any]) -> None:
    if one["error"]:
        complain(_("{file}: cannot be read: {why}").format(file=one["file"], why=one["error"]))
        return
    text = _("{file}: {instrument}, {count} measurements, read by {reader} {version}")
    say(text.format(count=len(one["measurements"]), **{k: one[k] for k in ("file", "instrument", "reader", "version")}))
    say(f"  SHA-256 {one['sha256']}")
    if not one["proven"]:
        say("  " + _("this reader was never tried on a real file of the instrument: compare it with the original"))
    for warning in one["warnings"]:
        say("  " + _("warning ({kind}): {text}").format(
            kind=warning["kind"], text=" ".join(filter(None, (warning["place"], warning["text"])))))  # fmt: skip
    for measured in one["measurements"][:SHOWN]:
        say("  " + _line(measured))
    if len(one["measurements"]) > SHOWN:
        say("  " + _("… and {count} more").format(count=len(one["measurements"]) - SHOWN))


def _line(measured: dict[str, Any]) -> str:
    """The figures of a measurement that are there, in their order."""
    kept = {
        k: v
        for k, v in measured.items()
        if k not in {"type", "others", "curves", "series", "figures"} and v not in ("", None)
    }
    parts = [f"{name} {value}" for name, value in kept.items()]
    parts += [f"{f['name']} {f['number']} {f['unit']}" for f in measured.get("figures", ()) if f["number"] is not None][
        :4
    ]
    return "  ".join(parts)


@app.command(help=_("Say which instruments can be read, by which reader, and whether it was tried on real files."))
def formats(json: Json = False) -> None:
    """List what can be read."""
    from cellwright.connect.allotropy.reading import known_formats

    rows = [dict(zip(("format", "instrument", "reader", "proven"), row, strict=True)) for row in known_formats()]
    if json:
        print_document(FORMATS, {"formats": rows})
        return
    for row in rows:
        word = _("proven") if row["proven"] else _("UNPROVEN")
        say(f"{row['format']:<36} {row['instrument']:<44} {word}")
