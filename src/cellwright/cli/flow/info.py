"""`cellwright flow info`: what files hold, or what is wrong with them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from cellwright.cli.flow.arguments import Files, Json
from cellwright.cli.flow.files import is_simulated, why
from cellwright.cli.output import Exit, print_document, say
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.cytometry import FcsFile

INFO: Final = "cellwright.flow-info/1"


def info(files: Files, json: Json = False) -> None:
    """Say what files hold."""
    told = [_described(path) for path in files]
    if json:
        print_document(INFO, {"files": told})
    else:
        for one in told:
            _tell(one)
    raise typer.Exit(Exit.FINDING if any(one["error"] for one in told) else Exit.OK)


def _described(path: Path) -> dict[str, Any]:
    from cellwright.cytometry import FcsError, read_fcs_all

    try:
        samples = read_fcs_all(path)
    except (FcsError, OSError) as error:
        return {"file": str(path), "error": why(error), "data_sets": []}
    return {"file": str(path), "error": "", "data_sets": [_data_set(sample) for sample in samples]}


def _data_set(sample: "FcsFile") -> dict[str, Any]:
    return {
        "version": sample.version,
        "sha256": sample.sha256,
        "sample": sample.sample_id,
        "cytometer": sample.cytometer,
        "acquired": sample.acquired[0].isoformat() if sample.acquired else "",
        "events": sample.events,
        "channels": [
            {"name": c.name, "stain": c.stain, "bits": c.bits, "range": f"{c.range:.10g}"} for c in sample.channels
        ],
        "spillover": list(sample.spillover.detectors) if sample.spillover is not None else [],
        "repairs": [str(repair) for repair in sample.repairs],
        "simulated": is_simulated(sample),
    }


def _tell(one: dict[str, Any]) -> None:
    if one["error"]:
        say(_("{file}: cannot be read: {why}").format(file=one["file"], why=one["error"]))
        return
    for number, data in enumerate(one["data_sets"]):
        if data["simulated"]:
            say(_("SIMULATED, NOT FOR HUMAN USE"))
        text = _("{file} [{number}]: FCS {version}, {events} events, {channels} channels")
        say(text.format(file=one["file"], number=number, channels=len(data["channels"]),
                        version=data["version"], events=data["events"]))  # fmt: skip
        facts = (data["sample"], data["cytometer"], data["acquired"])
        say("  " + _("sample {sample}, instrument {instrument}, acquired {acquired}").format(
            **dict(zip(("sample", "instrument", "acquired"), (fact or "–" for fact in facts), strict=True))))  # fmt: skip
        for channel in data["channels"]:
            say(f"  {channel['name']:<16} {channel['stain']:<20} {channel['bits']:>3}  {channel['range']:>10}")
        for repair in data["repairs"]:
            say("  " + _("repaired: {what}").format(what=repair))
