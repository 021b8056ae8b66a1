"""`cellwright verify`: is a site's record what was written, and what others hold checkpoints of?"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cellwright.cli.output import Exit, print_document, progress, say, stop
from cellwright.language import N_, _

if TYPE_CHECKING:
    from cellwright.command.verification import SiteVerification
    from cellwright.ledger import Ledger

app = typer.Typer(add_completion=False)

SCHEMA = "cellwright.verification/1"
KINDS = {
    "bytes": N_("bytes"), "checkpoint": N_("checkpoint"), "claim": N_("claim"), "file": N_("file"), "head": N_("head"),
    "identity": N_("identity"), "index": N_("index"), "key": N_("key"), "keys": N_("keys"), "ledger": N_("ledger"),
    "place": N_("place"), "schema": N_("schema"), "settings": N_("settings"), "signature": N_("signature"),
    "simulated": N_("simulated"), "tag": N_("tag"), "type": N_("type"),
}  # fmt: skip
"""What kinds of findings are called for a person; the JSON document keeps the codes."""


@app.command(help=_("Check a site's whole record against its checkpoints."))
def verify(
    site: Annotated[
        str, typer.Argument(metavar="SITE", help="The site's folder, or its database. / 站点文件夹或数据库地址。")
    ],
    checkpoint: Annotated[
        list[Path] | None, typer.Option(metavar="NOTE", help="A checkpoint that you hold. / 您持有的检查点。")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="A key of the site that you know. / 您已知的站点公钥。")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document. / 输出 JSON。")] = False,
) -> None:
    """Check a site's whole record against its checkpoints."""
    held = [(str(path), _note(path)) for path in checkpoint or ()]
    result = _verified(site, held, key or [])
    if json:
        print_document(SCHEMA, _document(site, result))
    else:
        _tell(result)
    raise typer.Exit(Exit.OK if result.ok else Exit.FINDING)


def _note(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        stop(_("{path} cannot be read: {why}").format(path=path, why=error.strerror), Exit.USAGE)


def _verified(site: str, held: list[tuple[str, bytes]], keys: list[str]) -> "SiteVerification":
    from cellwright.command.dossier.source import open_reading
    from cellwright.command.site import NoSite
    from cellwright.command.verification import unreadable
    from cellwright.ledger import LedgerError, open_ledger

    try:
        if "://" in site:
            with open_ledger(site, read_only=True) as ledger:
                return _watched(ledger, held=held, keys=keys)
        with open_reading(Path(site), os.environ.get("CELLWRIGHT_LEDGER")) as reading:
            return _watched(reading.ledger, folder=reading.folder, settings=reading.settings, held=held, keys=keys)
    except NoSite as error:
        stop(str(error), Exit.USAGE)
    except LedgerError as error:
        return unreadable(str(error), len(held))


def _watched(ledger: "Ledger", **more: object) -> "SiteVerification":
    """The verification, with its progress on standard error."""
    from cellwright.command.verification import verify_site

    with progress(_("Verifying"), ledger.head().size) as bar:
        return verify_site(ledger, progress=bar.advance, **more)  # type: ignore[arg-type]


def _document(site: str, result: "SiteVerification") -> dict[str, object]:
    return {
        "ok": result.ok,
        "simulated": result.simulated,
        "site": site,
        "origin": result.origin,
        "events": result.size,
        "root": result.root,
        "checkpoint": result.checkpoint,
        "checkpoints": result.checkpoints,
        "held": result.held,
        "signatures": result.signatures,
        "claims": result.claims,
        "files": result.files,
        "places": result.places,
        "places_away": result.away,
        "unchecked": result.unchecked,
        "findings": [{"kind": one.kind, "event": one.pos, "text": one.text} for one in result.findings],
    }


def _tell(result: "SiteVerification") -> None:
    if result.simulated:
        say(_("SIMULATED, NOT FOR HUMAN USE"))
    text = _("{origin}: {events} events, {signatures} signatures, {claims} claims, {files} files")
    say(
        text.format(
            origin=result.origin or "–",
            events=result.size,
            signatures=result.signatures,
            claims=result.claims,
            files=result.files,
        )
    )
    text = _("Checkpoint at {size} events; {count} checkpoints compared, {held} of them yours.")
    say(text.format(size=result.checkpoint, count=result.checkpoints, held=result.held))
    for away in result.away:
        say(_("Not reached: {why}").format(why=away))
    for text in result.unchecked:
        say(_("Not checked: {what}").format(what=text))
    for finding in result.findings:
        say(
            f"✕ {_(KINDS.get(finding.kind, finding.kind))}{'' if finding.pos is None else f' {finding.pos}'}: {finding.text}"
        )
    if result.ok:
        say(_("ok"))
    else:
        say(
            _("{count} findings. The record is not what was written, or not all of it.").format(
                count=len(result.findings)
            )
        )
