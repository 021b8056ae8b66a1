"""Which of the library's readers a file is for, by its content: names of files lie."""

import re
import zipfile
from io import BytesIO
from typing import Final, NamedTuple

from cellwright.instrument.source import Source


class Vendor(NamedTuple):
    """One of the library's readers.

    Attributes:
        code: the library's own word.
        instrument: maker and model.
        mark: what the head of its files holds.
        endings: of file names that the library lets pass; the first for a file of another name.
    """

    code: str
    instrument: str
    mark: re.Pattern[str]
    endings: tuple[str, ...]


def _vendor(code: str, instrument: str, mark: str, *endings: str) -> Vendor:
    return Vendor(code, instrument, re.compile(mark, re.MULTILINE), endings)


VENDORS: Final[tuple[Vendor, ...]] = (
    _vendor("APPBIO_ABSOLUTE_Q", "Applied Biosystems QuantStudio Absolute Q",
            r"^Run,Date,Instrument,Plate,Group,Name,Well,Total,Dye|^Run name,Group,Sample,Well,DF,QC,Total|^AbsoluteQ zip$",
            "csv", "zip"),
    _vendor("BD_BIOSCIENCES_FACSDIVA", "BD FACSDiva", r"<bdfacs ", "xml"),
    _vendor("CFXMAESTRO", "Bio-Rad CFX (CFX Maestro)", r"^,?Well,Fluor,Target,Content", "csv"),
    _vendor("CTL_IMMUNOSPOT", "CTL ImmunoSpot", r"^Software version: ImmunoSpot", "txt"),
    _vendor("FLOWJO", "FlowJo workspace", r"<Workspace [^>]*flowJoVersion", "wsp"),
    _vendor("MABTECH_APEX", "Mabtech IRIS/ASTOR (Apex)", r"\A(?:Plate Information|Plate Info)\n[\s\S]*Plate Read Date:", "xlsx"),
    _vendor("MOLDEV_SOFTMAX_PRO", "Molecular Devices SoftMax Pro", r"\A##BLOCKS=", "txt"),
    _vendor("MSD_WORKBENCH", "Meso Scale Discovery Workbench",
            r"^FileName :\t|^Sample,Assay,Well,Spot,|\AMSD Data\n|^Digital_Signature", "txt", "csv", "xlsx"),
    _vendor("NOVABIO_FLEX2", "Nova Biomedical BioProfile FLEX2", r'^"?(?:Date & Time"?,"?)?Sample ID"?,"?Sample Type"?,"?Gln', "csv"),
    _vendor("REVVITY_MATRIX", "Revvity Cellaca MX (Matrix)",
            r"^Well Name\tLive Count\tLive Cells/mL|^,,Row,Column,Well Name,Live Count", "csv", "xlsx"),
    _vendor("ROCHE_CEDEX_BIOHT", "Roche Cedex Bio HT", r"#ARC-FILE#\t.*CEDEX BIO", "txt"),
    _vendor("ROCHE_CEDEX_HIRES", "Roche Cedex HiRes", r"^Cedex ID[,\t]System name", "csv", "xlsx"),
    _vendor("THERMO_SKANIT", "Thermo Fisher SkanIt", r"^Measurement results\t*\n.*\.skax", "xlsx"),
)  # fmt: skip
"""Every one tried on real files of the instrument."""


def vendor_of(source: Source) -> Vendor | None:
    """The reader for these bytes; None if the content shows none of them."""
    head = _head(source)
    return next((one for one in VENDORS if one.mark.search(head)), None)


def _head(source: Source) -> str:
    if source.data.startswith(b"PK") and not source.is_workbook:
        try:
            names = zipfile.ZipFile(BytesIO(source.data)).namelist()
        except zipfile.BadZipFile:
            return ""
        return (
            "AbsoluteQ zip"
            if {name.rsplit("_", 1)[-1] for name in names} >= {"summary.csv", "multichannel.csv"}
            else ""
        )
    if source.is_binary and not source.is_workbook:
        return ""
    return source.head.replace("\r\n", "\n")
