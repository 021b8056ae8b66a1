"""`cellwright flow example`: a simulated sample with its analysis and its gates."""

from pathlib import Path
from typing import Annotated

import typer

from cellwright.cli.flow.arguments import Json
from cellwright.cli.flow.files import writing, wrote
from cellwright.cli.output import Exit, stop
from cellwright.language import _

LEAST = 2_000
USUAL = 20_000


def example(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=_("The folder to write into."))] = Path(),
    events: Annotated[int, typer.Option(metavar="N", help=_("Events of the sample."))] = USUAL,
    seed: Annotated[int, typer.Option(metavar="S", min=0, help=_("Which sample."))] = 1,
    json: Json = False,
) -> None:
    """Write a simulated sample with its analysis and its gates."""
    from datetime import UTC, datetime

    from cellwright import shipped
    from cellwright.cytometry import gating_ml
    from cellwright.cytometry.analysis import read_analysis, strategy
    from cellwright.cytometry.simulated import Cells, simulated_fcs

    if events < LEAST:
        stop(_("A sample has at least 2,000 events."), Exit.USAGE)
    usual = Cells()
    numbers = {name: int(getattr(usual, name) * events / USUAL) for name in usual.__dataclass_fields__}
    text = shipped.content("flow/car-t-panel.yaml").decode()
    # The sample stands alone: an example asks for no controls that nobody acquired.
    text = text[: text.index("\ncontrols:")]
    at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    contents = {
        "sample.fcs": simulated_fcs(Cells(**numbers), seed, "EXAMPLE-1", at, "SIMULATED"),
        "analysis.yaml": text.encode(),
        "gates.xml": gating_ml.write(strategy(read_analysis(text))).encode(),
        "template.yaml": shipped.content("flow/car-t-template.yaml"),
    }
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        with writing(folder / name):
            (folder / name).write_bytes(data)
    wrote([folder / name for name in contents], json=json)
