"""`cellwright dossier`: everything about a lot in one file that a stranger verifies offline."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cellwright.cli.output import Exit, print_document, progress, say, stop
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.command.dossier.source import Reading

app = typer.Typer(add_completion=False)

SCHEMA = "cellwright.dossiers/1"
VERIFIER = "verify_dossier.py"


class Reader(StrEnum):
    """For whom a dossier is."""

    STRANGER = "stranger"
    HOSPITAL = "hospital"


@app.command(help=_("Write the dossier of a lot that a stranger can verify."))
def dossier(
    lot: Annotated[str | None, typer.Argument(metavar="LOT", help="The lot. / 批号。")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="File to write; with --all a folder. / 输出文件。")
    ] = Path(),
    folder: Annotated[Path, typer.Option("--dir", metavar="SITE", help="The site's folder. / 站点文件夹。")] = Path(),
    whole: Annotated[
        bool, typer.Option("--all", help="Every lot that was decided on, with the verifier. / 全部已决定批次。")
    ] = False,
    reader: Annotated[
        Reader, typer.Option("--for", help="Who reads it; only the hospital gets opened files. / 档案读者。")
    ] = Reader.STRANGER,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(metavar="NOTE", help="A checkpoint that the reader holds. / 读者持有的检查点。")
    ] = None,
    verifier: Annotated[bool, typer.Option("--verifier", help="Write the verifier alone. / 仅输出核验程序。")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document. / 输出 JSON。")] = False,
) -> None:
    """Write the dossier of a lot that a stranger can verify."""
    if (lot is not None) + whole + verifier != 1 or output == Path():
        stop(_("Name one lot, or --all, or --verifier; and with -o where to write."), Exit.USAGE)
    if verifier:
        _write_verifier(output)
        written = []
    else:
        written = _written(folder, lot, output, reader.value, [_note(path) for path in checkpoint or ()])
    if json:
        print_document(SCHEMA, {"written": written})
        return
    for one in written:
        say(_("Lot {lot}, {status}: {file}, {size} bytes").format(**one))
    say(_("Whoever receives it runs: python3 {verifier} FILE.zip").format(verifier=VERIFIER))


def _note(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        stop(_("{path} cannot be read: {why}").format(path=path, why=error.strerror), Exit.USAGE)


def _write_verifier(path: Path) -> None:
    from cellwright.command.dossier.standalone import shipped

    path.write_text(shipped(), encoding="utf-8")


def _written(
    folder: Path, lot: str | None, output: Path, reader: Literal["stranger", "hospital"], held: list[bytes]
) -> list[dict[str, object]]:
    """Write the dossiers asked for; what was written."""
    from cellwright.command.dossier.export import dossier as make
    from cellwright.command.dossier.source import open_reading
    from cellwright.command.site import NoSite
    from cellwright.factory.rule import Refusal
    from cellwright.ledger import LedgerError
    from cellwright.ledger.note import NoteError

    place = os.environ.get("CELLWRIGHT_LEDGER")
    try:
        _publish(folder)
        with open_reading(folder, place) as reading:
            lots = _decided(reading)
            chosen = [lot] if lot is not None else [one for one, status in lots.items() if status != "not_released"]
            if lot is None:
                output.mkdir(parents=True, exist_ok=True)
                _write_verifier(output / VERIFIER)
            written: list[dict[str, object]] = []
            with progress(_("Dossiers"), len(chosen)) as bar:
                for one in chosen:
                    data = make(reading, one, reader, held)
                    file = output if lot is not None else output / f"{_file_name(one)}.zip"
                    file.write_bytes(data)
                    status = lots.get(one, "not_released")
                    written.append({"lot": one, "status": status, "file": str(file), "size": len(data)})
                    bar.advance(note=one)
            return written
    except NoSite as error:
        stop(str(error), Exit.USAGE)
    except Refusal as refusal:
        stop(f"{_(refusal.text)} {_(refusal.remedy)}".format(**refusal.values))
    except (LedgerError, NoteError, OSError) as error:
        stop(str(error))


def _publish(folder: Path) -> None:
    """Have the site's newest events covered by a checkpoint. A served site publishes its own each second."""
    from cellwright.command.site import open_site
    from cellwright.ledger import Locked

    try:
        with open_site(folder, environment=os.environ) as site:
            site.publish()
    except Locked:
        return


def _decided(reading: "Reading") -> dict[str, str]:
    """Every lot with what was decided of it, in the order of the record."""
    lots: dict[str, str] = {}
    words = {
        "release.released": "released", "release.exceptionally_supplied": "exceptional_supply",
        "release.rejected": "rejected", "release.suspended": "suspended", "release.recalled": "recalled",
        "release.suspension_lifted": "released",
    }  # fmt: skip
    for event in reading.ledger.read():
        if event.type == "lot.issued":
            lots[event.body["lot"]] = "not_released"
        elif event.type in words and event.body.get("lot") in lots:
            lots[event.body["lot"]] = words[event.type]
    return lots


def _file_name(lot: str) -> str:
    """A lot's number as a file name: check characters such as `*` are not allowed everywhere."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in lot)
