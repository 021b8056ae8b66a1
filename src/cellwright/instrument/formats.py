"""The formats this house reads itself, and the one call that reads any of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from cellwright.instrument import (
    blood_culture,
    droplet,
    endotoxin_export,
    nc_view,
    nucleoview,
    plate,
    qiacuity,
    quantstudio_text,
    quantstudio_workbook,
    vi_cell_blu,
    vi_cell_xr,
)
from cellwright.instrument.outcome import Outcome
from cellwright.instrument.reading import PlateValue, Reading
from cellwright.instrument.source import Source
from cellwright.instrument.table import Incomplete, Unreadable
from cellwright.language import _


class UnknownFormat(Unreadable):
    """The bytes are of no format that this house reads itself."""


class Format(NamedTuple):
    """A format, how it is recognised by content, and who reads it.

    Attributes:
        version: of the reader; raised with every change of what it reads.
        proven: whether it was tried on real files of the instrument.
    """

    name: str
    instrument: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Outcome]
    version: str = "1"
    proven: bool = True

    @property
    def reader(self) -> str:
        """The module that reads it, as a result names it (R017)."""
        return str(self.read.__module__)


def _house_plate(source: Source) -> bool:
    return not source.is_workbook and source.head.replace('"', "").startswith(",".join(plate.COLUMNS))


def _read_house_plate(source: Source) -> Outcome:
    return Outcome(tuple(
        PlateValue(one.well, one.role, one.sample, one.target, one.value, one.censored, one.unit, one.plate,  # type: ignore[arg-type]
                   one.at.isoformat(), one.operator, one.instrument)
        for one in plate.read(source.data)
    ))  # fmt: skip


FORMATS: Final[tuple[Format, ...]] = (
    Format("vi-cell-xr", "Beckman Coulter Vi-CELL XR", vi_cell_xr.recognises, vi_cell_xr.read),
    Format("vi-cell-blu", "Beckman Coulter Vi-CELL BLU", vi_cell_blu.recognises, vi_cell_blu.read),
    Format("nucleoview", "ChemoMetec NucleoCounter (NucleoView)", nucleoview.recognises, nucleoview.read),
    Format("nc-view", "ChemoMetec NucleoCounter (NC-View)", nc_view.recognises, nc_view.read),
    Format("quantstudio-workbook", "Applied Biosystems QuantStudio", quantstudio_workbook.recognises,
           quantstudio_workbook.read),
    Format("quantstudio-text", "Applied Biosystems QuantStudio", quantstudio_text.recognises, quantstudio_text.read),
    Format("qiacuity", "QIAGEN QIAcuity", qiacuity.recognises, qiacuity.read),
    Format("quantasoft", "Bio-Rad QX200", droplet.recognises_quantasoft, droplet.read_quantasoft, proven=False),
    Format("qx-manager", "Bio-Rad QX200/QX600", droplet.recognises_qx_manager, droplet.read_qx_manager, proven=False),
    Format("droplet-counts", "Bio-Rad QX200", droplet.recognises_counts, droplet.read_counts),
    Format("endotoxin-cartridge", "Endosafe-type cartridge reader", endotoxin_export.recognises_cartridge,
           endotoxin_export.read_cartridge, proven=False),
    Format("endotoxin-plate", "Kinetic endotoxin plate reader", endotoxin_export.recognises_plate,
           endotoxin_export.read_plate, proven=False),
    Format("culture-house", "Automated culture, house form", blood_culture.recognises_house, blood_culture.read_house),
    Format("blood-culture", "BACTEC or BacT/ALERT type system", blood_culture.recognises, blood_culture.read,
           proven=False),
    Format("plate-house", "Plate reader, house form", _house_plate, _read_house_plate),
)  # fmt: skip
"""In the order in which they are tried; each knows its own and refuses the others'."""


def detect(source: Source) -> Format | None:
    """The format of these bytes by their content, never by the file's name; None if it is none of ours."""
    return next((one for one in FORMATS if one.recognises(source)), None)


def read(source: bytes | str | Path, *, format: str | None = None) -> Reading:
    """Read a file of an instrument: raw bytes in, typed measurements out.

    Args:
        source: the bytes, or where they are.
        format: what it must be, by the name in `FORMATS`; else any that the content shows.

    Raises:
        UnknownFormat: of no format that this house reads itself, or not of the one asked for.
        Unreadable: not what the instrument writes; says where and what was expected.
        Incomplete: sound as far as it goes, but it breaks off or lacks what must be there (R019).
        OSError: the file cannot be opened.
    """
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    opened = Source(data, "" if isinstance(source, bytes) else Path(source).name)
    found = detect(opened)
    if found is None or format not in {None, found.name}:
        said = _("the content is of no instrument known here") if found is None else _("this is {found}, not {asked}")
        raise UnknownFormat(said.format(found=found.name if found else "", asked=format))
    outcome = found.read(opened)
    if not outcome.measurements:
        raise Incomplete(_("the file holds no measurement"))
    return Reading(
        format=found.name, instrument=outcome.instrument or found.instrument, reader=found.reader, version=found.version,
        proven=found.proven, sha256=opened.sha256, size=len(data), measurements=outcome.measurements,
        warnings=tuple(opened.warnings), serial_number=outcome.serial_number, software=outcome.software,
        operator=outcome.operator, at=outcome.at, header=outcome.header,
    )  # fmt: skip
