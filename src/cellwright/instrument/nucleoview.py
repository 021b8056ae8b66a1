"""ChemoMetec NucleoView (NucleoCounter NC-200, NC-250 …): one count as lines of name and value."""

import re
from decimal import Decimal
from typing import Final

import msgspec

from cellwright.instrument.counting import counting
from cellwright.instrument.grid import Line
from cellwright.instrument.outcome import Outcome
from cellwright.instrument.source import Source
from cellwright.instrument.table import Incomplete
from cellwright.instrument.written import time
from cellwright.language import _

COLUMNS: Final = {
    "sample": "Sample", "operator": "Operator", "viability": "Viability (%)", "viable_e6_per_ml": "Live (cells/ml)",
    "dead_e6_per_ml": "Dead (cells/ml)", "total_e6_per_ml": "Total (cells/ml)",
    "diameter_um": "Estimated cell diameter (um)", "dilution": "Multiplication factor",
}  # fmt: skip
_IMAGE: Final = re.compile(r"(?P<day>\d{8})-(?P<number>\d{4})-(?P<unit>[^-]*)-?(?P<sample>.*)")
_CHECK: Final = re.compile(r"//\[([0-9A-F]{8})\]")
_NOTE: Final = re.compile(r"(?P<value>[^(]+?)\s*\((?P<note>[A-Za-z][^)]*)\)")


def recognises(source: Source) -> bool:
    head = source.head
    return not source.is_workbook and "Live (cells/ml);" in head and "Image;" in head


def read(source: Source) -> Outcome:
    """The count. What the program itself calls not determined or out of range has no value, and says so."""
    cells = _pairs(source)
    if _CHECK.search(source.text) is None:
        raise Incomplete(_("the last line, a check mark of the program, is missing: the file breaks off"))
    for name in list(cells):
        cells[name] = _stated(name, cells[name], source)
    image = _IMAGE.fullmatch(cells.get("Image", ""))
    cells["Sample"] = image["sample"] if image and image["sample"] else cells.get("Image", "")
    one = counting(Line(_("line {number}").format(number=1), cells), COLUMNS, source, per_ml=Decimal("1e-6"))
    at = _time(cells, source)
    one = msgspec.structs.replace(one, at=at)
    return Outcome((one,), instrument=cells.get("Instrument type", ""), serial_number=cells.get("Instrument s/n", ""),
                   software=f"NucleoView {cells.get('Application SW version', '')}".strip(), operator=one.operator,
                   at=at)  # fmt: skip


def _pairs(source: Source) -> dict[str, str]:
    cells: dict[str, str] = {}
    for line in source.text.splitlines():
        name, mark, value = line.partition(";")
        name = name.strip().replace("[", "(").replace("]", ")")
        if mark and name and not name.startswith("//"):
            cells[name] = value.rstrip(" ;,").strip()
    return cells


def _stated(name: str, value: str, source: Source) -> str:
    """A value without the program's own doubt about it; blank where it is doubted."""
    if value == "Not determined":
        source.warn("instrument", name, _("not determined by the instrument"))
        return ""
    note = _NOTE.fullmatch(value)
    if note and name.endswith("ml)"):
        source.warn("instrument", name, f"{value}")
        return ""
    return value


def _time(cells: dict[str, str], source: Source) -> str:
    local = time(cells.get("Date time", ""), source, "Date time")
    if not local:
        source.warn("incomplete", "Date time", _("the file does not say when it was measured"))
        return ""
    hours = cells.get("Time zone offset", "")
    if not re.fullmatch(r"[+-]?\d{1,2}", hours):
        return local
    return f"{local}{'-' if hours.startswith('-') else '+'}{abs(int(hours)):02}:00"
