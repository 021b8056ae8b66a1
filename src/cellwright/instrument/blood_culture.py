"""Automated blood-culture systems: bottles of BACTEC and BacT/ALERT style exports, and the house's own table.

Unproven for both makers: no real export could be had. Columns and states are recognised by the words of the makers'
manuals. A state that is not known is refused: growth must never be read as something else (R019).
"""

from decimal import Decimal
from typing import Final, Literal

from cellwright.instrument import culture
from cellwright.instrument.grid import Line, chosen, header_row, lines, text_rows
from cellwright.instrument.outcome import Outcome
from cellwright.instrument.reading import CultureBottle
from cellwright.instrument.source import Source
from cellwright.instrument.table import Incomplete, Unreadable
from cellwright.instrument.written import number, same_name, time
from cellwright.language import _

State = Literal["negative to date", "negative final", "positive", "invalid"]
STATES: Final[dict[str, State]] = {
    "negativetodate": "negative to date", "ongoing": "negative to date", "ongoingnegative": "negative to date",
    "inprogress": "negative to date", "currentnegative": "negative to date", "negative": "negative final",
    "negativefinal": "negative final", "finalnegative": "negative final", "outofprotocolnegative": "negative final",
    "positive": "positive", "instrumentpositive": "positive", "manualpositive": "positive", "invalid": "invalid",
    "anonymous": "invalid", "error": "invalid",
}  # fmt: skip
BOTTLE: Final = ("Bottle ID", "Bottle Barcode", "Sequence Number", "Bottle")
SAMPLE: Final = ("Accession Number", "Accession", "Accession #", "Sample ID", "Sample")
STATUS: Final = ("Status", "Bottle Status", "Test Result", "Result", "Determination")
LOADED: Final = ("Start Date/Time", "Load Time", "Loaded", "Protocol Start", "Date Loaded")
READ: Final = ("Last Read", "Status Date/Time", "Result Time", "Unload Time", "Read", "Export Time")
DETECTED: Final = ("Time to Detection (h)", "TTD (h)", "Time to Detection", "TTD", "Time to Positive")
INSTRUMENT: Final = ("Instrument", "Instrument ID", "Module")


def recognises(source: Source) -> bool:
    if source.is_workbook:
        return False
    rows = [line.replace('"', "") for line in source.head.splitlines()[:30]]
    return any(_named(same_name(row)) for row in rows)


def _named(row: str) -> bool:
    return all(any(same_name(name) in row for name in names) for names in (BOTTLE[:3], STATUS, LOADED))


def read(source: Source) -> Outcome:
    """All bottles."""
    rows = text_rows(source, usual=",")
    headers = (header_row(rows, (b, s, start)) for b in BOTTLE for s in STATUS for start in LOADED)
    header = next((place for place in headers if place is not None), None)
    if header is None:
        raise Unreadable(_("the header lacks columns of a {what}").format(what=_("blood-culture system")))
    return Outcome(tuple(_bottle(line, source) for line in lines(rows, header, source)))


def _bottle(line: Line, source: Source) -> CultureBottle:
    cells, place = line.cells, line.place
    used: set[str] = set()

    def text(*names: str) -> str:
        column, value = chosen(cells, *names)
        used.add(column)
        return value

    said = text(*STATUS)
    status = STATES.get(same_name(said))
    if status is None:
        raise Unreadable(_("{place}: {status!r} is no known state of a bottle").format(place=place, status=said))
    bottle, loaded = text(*BOTTLE), time(text(*LOADED), source, place)
    if not bottle or not loaded:
        raise Incomplete(_("{place}: a bottle without its number or its start").format(place=place))
    read_at = time(text(*READ), source, place)
    detected = _hours(text(*DETECTED), source, place)
    if (detected is not None) != (status == "positive"):
        source.warn("inconsistent", place, _("{status} does not go with the time to detection").format(status=said))
    medium, instrument, sample = text("Bottle Type", "Medium"), text(*INSTRUMENT), text(*SAMPLE)
    rest = {name: value for name, value in cells.items() if name not in used and value.strip()}
    return CultureBottle(bottle, sample, status, loaded, read_at, detected, medium, instrument, rest)


def _hours(text: str, source: Source, place: str) -> Decimal | None:
    """Hours, written as such or as `1 d 4 h` or `28:30`."""
    value = text.strip().lower()
    if not value or value in {"-", "n/a"}:
        return None
    if ":" in value:
        hours, _mark, minutes = value.partition(":")
        whole, part = number(hours, source, place), number(minutes, source, place)
        return None if whole is None or part is None else whole + part / 60
    return number(value.removesuffix("h").strip(), source, place)


def recognises_house(source: Source) -> bool:
    return not source.is_workbook and source.head.replace('"', "").startswith(",".join(culture.COLUMNS))


def read_house(source: Source) -> Outcome:
    """The house's own table of bottles."""
    found = [
        CultureBottle(one.bottle, one.sample, one.status, one.loaded.isoformat(), one.read.isoformat(),
                      instrument=one.instrument)
        for one in culture.read(source.data)
    ]  # fmt: skip
    return Outcome(tuple(found))
