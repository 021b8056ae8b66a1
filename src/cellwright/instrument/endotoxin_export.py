"""Endotoxin exports: kinetic plates with onset times, and cartridges that carry their own curve.

Unproven: no real export of any maker could be had. Columns are recognised by the names in makers' manuals and in the
house's own form; a column that is not recognised is kept in `others`, and an unknown role is refused, never guessed.
"""

import re
from decimal import Decimal
from typing import Final, Literal, cast

import msgspec

from cellwright.instrument.grid import Line, chosen, header_row, lines, text_rows
from cellwright.instrument.outcome import Outcome
from cellwright.instrument.reading import EndotoxinWell, Sign
from cellwright.instrument.source import Source
from cellwright.instrument.table import Incomplete, Unreadable
from cellwright.instrument.written import number, same_name, time
from cellwright.language import _

Role = Literal["standard", "sample", "spiked sample", "negative control"]
ROLES: Final[dict[str, Role]] = {
    "standard": "standard", "std": "standard", "sample": "sample", "unknown": "sample", "unk": "sample",
    "spikedsample": "spiked sample", "spike": "spiked sample", "spiked": "spiked sample", "ppc": "spiked sample",
    "positiveproductcontrol": "spiked sample", "negativecontrol": "negative control", "blank": "negative control",
    "nc": "negative control", "lrw": "negative control",
}  # fmt: skip
ONSET: Final = ("Onset Time (s)", "Onset Time (sec)", "Onset Time", "Reaction Time (s)", "Reaction Time")
ROLE: Final = ("Role", "Type", "Well Type", "Sample Type")
CARTRIDGE: Final = ("Sample Reaction Time", "Spike Reaction Time", "Cartridge Lot")
_VALUE: Final = re.compile(r"(?P<sign>[<>]?)\s*(?P<number>.+)")
NO_REACTION: Final = frozenset({"", "***", "no reaction", "none", "-", "n/a"})


def recognises_plate(source: Source) -> bool:
    head = same_name(source.head)
    return not source.is_workbook and any(same_name(name) in head for name in ONSET[:4]) and "well" in head


def recognises_cartridge(source: Source) -> bool:
    head = same_name(source.head)
    return not source.is_workbook and all(same_name(name) in head for name in CARTRIDGE)


def read_plate(source: Source) -> Outcome:
    """All wells of a kinetic plate."""
    rows = text_rows(source, usual=",")
    header = next(
        (at for name in ONSET for role in ROLE if (at := header_row(rows, ("Well", role, name))) is not None), None
    )
    if header is None:
        raise Unreadable(_("the header lacks columns of a {what}").format(what=_("kinetic endotoxin plate")))
    return Outcome(tuple(_well(line, source) for line in lines(rows, header, source)))


def _well(line: Line, source: Source) -> EndotoxinWell:
    place, cells = line.place, line.cells
    used: set[str] = set()

    def text(*names: str) -> str:
        column, value = chosen(cells, *names)
        used.add(column)
        return value

    def exact(*names: str) -> Decimal | None:
        return number(text(*names), source, f"{place}, {names[0]}")

    role = ROLES.get(same_name(text(*ROLE)))
    if role is None:
        raise Unreadable(_("{place}: {role!r} is no role of a well: {known}").format(
            place=place, role=chosen(cells, *ROLE)[1], known=", ".join(sorted(set(ROLES.values())))))  # fmt: skip
    onset = text(*ONSET)
    value, sign = _censored(text("EU/mL", "Endotoxin (EU/mL)", "Value"), source, place)
    nominal = exact("Nominal (EU/mL)", "Standard (EU/mL)", "Concentration (EU/mL)", "Nominal", "Spike (EU/mL)")
    if role == "standard" and nominal is None:
        raise Incomplete(_("{place}: a standard without its concentration").format(place=place))
    one = EndotoxinWell(
        text("Well"), role, text("Sample", "Sample ID", "Sample Name"), nominal,
        None if onset.lower() in NO_REACTION else number(onset, source, place), exact("Dilution", "Dilution Factor"),
        value, sign, exact("Recovery (%)", "Spike Recovery (%)", "PPC Recovery (%)"),
        time(text("Time", "Date/Time", "Date"), source, place), text("Operator", "User", "Analyst"),
    )  # fmt: skip
    rest = {name: text_ for name, text_ in cells.items() if name not in used and text_.strip()}
    return msgspec.structs.replace(one, others=rest)


def read_cartridge(source: Source) -> Outcome:
    """All cartridges: two channels of the sample and two of the spiked sample each, as their means are exported."""
    rows = text_rows(source, usual=",")
    header = header_row(rows, CARTRIDGE)
    if header is None:
        raise Unreadable(_("the header lacks columns of a {what}").format(what=_("endotoxin cartridge")))
    found: list[EndotoxinWell] = []
    for line in lines(rows, header, source):
        found += _channels(line, source)
    return Outcome(tuple(found))


def _channels(line: Line, source: Source) -> list[EndotoxinWell]:
    cells, place = line.cells, line.place
    sample = chosen(cells, "Sample ID", "Sample", "Sample Name")[1]
    if not sample:
        raise Incomplete(_("{place}: no sample").format(place=place))
    value, sign = _censored(chosen(cells, "Sample Value (EU/mL)", "Sample Value", "EU/mL")[1], source, place)
    found = []
    for role, prefix in (("sample", "Sample"), ("spiked sample", "Spike")):
        times = re.split(r"[/; ]+", chosen(cells, f"{prefix} Reaction Time")[1])
        for channel, onset in enumerate(times, 1):
            found.append(
                EndotoxinWell(
                    f"{prefix} {channel}", cast(Role, role), sample,
                    number(chosen(cells, "Spike (EU/mL)", "Spike Value")[1], source, place) if prefix == "Spike" else None,
                    None if onset.lower() in NO_REACTION else number(onset, source, place),
                    number(chosen(cells, "Dilution", "Dilution Factor")[1], source, place),
                    value if prefix == "Sample" else None, sign if prefix == "Sample" else "",
                    number(chosen(cells, "Spike Recovery (%)", "Spike Recovery")[1].removesuffix("%"), source, place)
                    if prefix == "Spike" else None,
                    time(chosen(cells, "Test Date/Time", "Date/Time", "Date")[1], source, place),
                    chosen(cells, "Operator", "User", "Operator ID")[1],
                    {name: text for name, text in cells.items() if text.strip()},
                )
            )  # fmt: skip
    return found


def _censored(text: str, source: Source, place: str) -> tuple[Decimal | None, Sign]:
    match = _VALUE.fullmatch(text.strip())
    if match is None:
        return None, ""
    return number(match["number"], source, place), cast(Sign, match["sign"])
