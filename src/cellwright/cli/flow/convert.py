"""`cellwright flow convert`: events in another form, on the scale of the light, none of them rounded."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cellwright.cli.flow.arguments import DataSet, Json, OneFile, Output
from cellwright.cli.flow.files import parquet, sample_of, unreadable, writing, wrote
from cellwright.cli.output import Exit, stop
from cellwright.language import _

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellwright.cytometry import FcsFile

KEPT: Final = frozenset({
    "$SMNO", "$CYT", "$CYTSN", "$DATE", "$BTIM", "$ETIM", "$BEGINDATETIME", "$ENDDATETIME", "$SRC", "$EXP", "$OP",
    "SAMPLE ID", "TUBE NAME", "CELLWRIGHT SIMULATED",
})  # fmt: skip
"""Keywords that stay true of the events in another form."""


def convert(file: OneFile, output: Output, data_set: DataSet = 0, json: Json = False) -> None:
    """Write the events in another form."""
    if output.suffix not in (".parquet", ".csv", ".fcs"):
        stop(_("The form follows from the name: .parquet, .csv or .fcs."), Exit.USAGE)
    sample = sample_of(file, data_set)
    columns = {channel.name: _exact(sample, channel.name) for channel in sample.channels}
    match output.suffix:
        case ".parquet":
            parquet(columns, output, file)
        case ".csv":
            with writing(output, file):
                _csv(columns, output)
        case ".fcs":
            with writing(output, file):
                _fcs(file, sample, columns, output)
    wrote([output], json=json)


def _exact(sample: "FcsFile", name: str) -> "NDArray[Any]":
    """Values at the least width that holds them: as stored where no amplifier or gain stands between, else in double."""
    channel = sample.channel(name)
    values = sample.raw(name)
    return values if channel.linear else channel.scale(values)


def _csv(columns: dict[str, "NDArray[Any]"], path: Path) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(map(_digits(column), column.tolist()) for column in columns.values()), strict=True))


def _digits(column: "NDArray[Any]") -> Any:
    """How a value is written so that it is read back the same: 9 digits for single precision, 17 for double."""
    if column.dtype.kind == "u":
        return str
    return ("{:.9g}" if column.dtype.itemsize == 4 else "{:.17g}").format


def _fcs(file: Path, sample: "FcsFile", columns: dict[str, "NDArray[Any]"], path: Path) -> None:
    from cellwright.cytometry import Channel, FcsError, GateError, write_fcs
    from cellwright.cytometry.compensation import to_keyword

    text = {key: value for key, value in sample.text.items() if key in KEPT and value.strip()}
    try:
        if sample.spillover is not None:
            text["$SPILLOVER"] = to_keyword(sample.spillover)
        linear = [Channel(c.name, stain=c.stain, range=c.range) for c in sample.channels]
        datatype = "F" if all(map(_single, columns.values())) else "D"
        write_fcs(path, list(columns.values()), linear, text=text, datatype="F" if datatype == "F" else "D")
    except (FcsError, GateError) as error:
        unreadable(file, error)


def _single(column: "NDArray[np.generic]") -> bool:
    """Whether single precision holds every value exactly."""
    import numpy as np

    with np.errstate(over="ignore"):
        return bool(
            np.array_equal(column, column.astype(np.float32).astype(np.float64), equal_nan=column.dtype.kind == "f")
        )
