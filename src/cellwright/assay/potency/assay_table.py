"""Bioassays in the text form of worked examples: a table of responses, and lines that say what it means.

The table has a header; the lines after it are a keyword, figures or dots, and a quoted text, each perhaps after `#`:

    Block   S1  S2  T1  T2
    Block-1 252 207 242 206
    # Model            . . . "Parallel lines"
    # Transformation   . . . "y' = log(y)"
    # A1@Regression    1 101746 101746 1887 0.000 ""
    # P1@Potency       . 18423.4 19228.5 20075.2 . ""

Lines with `@` are results printed by somebody else, kept to compare with. Preparations are letters or words followed by
a rank of dose (`S1`, `Test:2`), or rows that name dose and sample. Doses are ranks times the dilution ratio unless the
file states them (`StandardDilutions`, `Sample1Dilutions`), as amounts, contents or dilutions such as `1/10`.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal, cast

import msgspec
import numpy as np

from cellwright.assay.potency.arithmetic import NotArithmetic, number
from cellwright.assay.potency.layout import BLANK, Layout, LayoutError

SIZE_MAX: Final = 1_000_000
DESIGNS: Final = ("Completely randomised", "Randomised block")
BLANK_NAME: Final = "Blank"
"""The sample of rows or columns without any preparation, in slope-ratio assays."""
_LINE: Final = re.compile(
    r"^#?\s*(?P<key>[A-Za-z][^\s\".]*(?: slope\S*)?)\s(?P<figures>[^\"]*)(?:\"(?P<text>[^\"]*)\")?.*$"
)
_RANKED: Final = re.compile(r"^(?P<name>[A-Za-z_]+(?:[^:\s]*:)?)(?P<rank>\d+)$")
_DOSE: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)$")
Direction = Literal["increasing", "decreasing"]


class Printed(msgspec.Struct, frozen=True):
    """A line of results that the file prints: its block such as `A1`, its name, its figures as written; None for a dot."""

    block: str
    name: str
    figures: tuple[str | None, ...]


class AssayTable(msgspec.Struct, frozen=True):
    """A bioassay file.

    Attributes:
        stated: the keyword lines, such as `Model`; the first of each.
        layout: with transformed responses and doses as assumed.
        raw: responses as written.
        potency_units: what a ratio of 1 is, for each preparation after the standard; empty if the file does not say.
        assigned: stated potency of each, for percentages; empty if the file does not say.
        direction: how the response changes with the dose, where the file says so or prints a slope.
        printed: results of others.
    """

    stated: dict[str, str]
    layout: Layout
    raw: tuple[float, ...]
    potency_units: tuple[float, ...]
    assigned: tuple[float, ...]
    direction: Direction | None
    printed: tuple[Printed, ...]


def read(text: str) -> AssayTable:
    """A bioassay from the text of its file.

    Raises:
        LayoutError: no table, no model that this reader knows, a response that is no number; names the line.
    """
    if len(text) > SIZE_MAX:
        raise LayoutError("no bioassay file is as large as this")
    header, rows, stated, printed = _split(text)
    if stated.get("Model") not in {"Parallel lines", "Slope ratio"}:
        raise LayoutError(f"model {stated.get('Model', '')!r} is not known: Parallel lines or Slope ratio")
    if stated.get("Design") not in DESIGNS:
        raise LayoutError(f"design {stated.get('Design', '')!r} is not known: {' or '.join(DESIGNS)}")
    entries = _entries(header, rows)
    names = list(dict.fromkeys(entry.name for entry in entries if entry.name != BLANK_NAME))
    doses, units = _doses(names, entries, stated)
    layout = Layout(
        preparations=tuple(names),
        preparation=tuple(BLANK if entry.name == BLANK_NAME else names.index(entry.name) for entry in entries),
        dose=doses,
        response=_transformed(tuple(entry.value for entry in entries), stated),
        rows=tuple(entry.row for entry in entries) if "block" in stated.get("Design", "").lower() else (),
    )
    potency_units = units or _factor(stated, len(names) - 1)
    return AssayTable(
        stated=stated,
        layout=layout,
        raw=tuple(entry.value for entry in entries),
        potency_units=potency_units,
        assigned=_assigned(stated, potency_units),
        direction=_direction(stated, printed),
        printed=tuple(printed),
    )


class _Entry(msgspec.Struct, frozen=True):
    name: str
    level: str
    row: int
    value: float


def _split(text: str) -> tuple[list[str], list[tuple[int, list[str]]], dict[str, str], list[Printed]]:
    """Header, numbered rows of the table, stated lines, printed lines."""
    header: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    stated: dict[str, str] = {}
    printed: list[Printed] = []
    in_table = True
    for place, line in enumerate(text.splitlines(), 1):
        if not line.strip(" \t#"):
            continue
        if not header:
            header = line.split()
            continue
        cells = [cell.strip('"') for cell in line.split()]
        response = any(_is_response(cell) for cell in cells[1:]) and not line.lstrip().startswith("#")
        if in_table and response and len(cells) <= len(header):
            rows.append((place, cells))
            continue
        in_table = False
        _keyword(line, place, stated, printed)
    if not header or not rows:
        raise LayoutError("no table of responses at the head of the file")
    return header, rows, stated, printed


def _is_response(cell: str) -> bool:
    return cell == "NA" or re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", cell) is not None


def _keyword(line: str, place: int, stated: dict[str, str], printed: list[Printed]) -> None:
    match = _LINE.match(line.strip())
    if match is None:
        raise LayoutError(f"line {place}: neither a row of the table nor a keyword with its text")
    key = match["key"]
    if "@" in key:
        block, _at, name = key.partition("@")
        figures = tuple(None if figure == "." else figure for figure in match["figures"].split())
        printed.append(Printed(block, name, figures))
    else:
        stated.setdefault(key, (match["text"] or "").strip())


def _entries(header: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> list[_Entry]:
    """One entry for each response that is there; `NA` is a missing response."""
    samples = header.index("Sample") if "Sample" in header else None
    columns = [place for place, name in enumerate(header) if place and name not in {"Sample", "Label"}]
    found = []
    for order, (line, cells) in enumerate(rows):
        for column in columns:
            if column >= len(cells) or not _is_response(cells[column]):
                raise LayoutError(f"line {line}: no number under {header[column]}")
            if cells[column] == "NA":
                continue
            name, level = _place(header[column], cells[0], None if samples is None else cells[samples])
            found.append(_Entry(name, level, order, float(cells[column])))
    return found


def _place(column: str, row: str, sample: str | None) -> tuple[str, str]:
    """Preparation and dose label of a cell, from its column, or from its row and sample."""
    ranked = _RANKED.match(column)
    if sample is None:
        if ranked is None:
            raise LayoutError(f"column {column!r} does not end in a rank of dose")
        return ranked["name"].rstrip(":"), ranked["rank"]
    level = row if _DOSE.search(row) and not row.startswith("Replicate") else column
    match = _DOSE.search(level)
    if match is None:
        raise LayoutError(f"{level!r} does not end in a dose")
    return sample, match["number"]


def _doses(
    names: Sequence[str], entries: Sequence[_Entry], stated: dict[str, str]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Dose of each entry, and what a ratio of 1 is worth where the file states doses with assigned potencies."""
    levels = {name: sorted({entry.level for entry in entries if entry.name == name}, key=float) for name in names}
    given = [stated.get("StandardDilutions", "")]
    given += [stated.get(f"Sample{place}Dilutions", "") for place in range(1, len(names))]
    lists = [re.findall(r"[\d./]+", text) for text in given]
    explicit = all(len(lists[place]) == len(levels[name]) for place, name in enumerate(names))
    if not explicit:
        if stated["Model"] == "Slope ratio":
            raise LayoutError("a slope ratio needs its doses: StandardDilutions and Sample1Dilutions")
        ratio = _arithmetic(stated.get("DilutionRatio", ""), "DilutionRatio")
        ranks = {(name, level): rank for name in names for rank, level in enumerate(levels[name])}
        return tuple(ratio ** ranks[entry.name, entry.level] for entry in entries), ()
    table = {(entry.name, entry.level): 0.0 for entry in entries if entry.name == BLANK_NAME}
    for place, name in enumerate(names):
        amounts = [_arithmetic(text, "dilutions") for text in lists[place]]
        table |= {(name, level): _matching(level, rank, amounts) for rank, level in enumerate(levels[name])}
    content = any("IU" in text for text in given) or "content" in stated.get("Description", "")
    owners = [f"Sample{place}AssPot" if content else "StandardAssPot" for place in range(1, len(names))]
    units = tuple(_leading(stated.get(owner, "")) for owner in owners)
    return tuple(table[entry.name, entry.level] for entry in entries), units if all(units) else ()


def _matching(level: str, rank: int, amounts: Sequence[float]) -> float:
    """The stated dose of a label: the same number, or its inverse as a dilution, or the one of the same rank."""
    for amount in amounts:
        if np.isclose(amount, float(level), rtol=1e-9) or np.isclose(amount * float(level), 1.0, rtol=1e-9):
            return amount
    return amounts[rank]


def _leading(text: str) -> float:
    match = re.match(r"\d+(\.\d+)?", text)
    return float(match[0]) if match else 0.0


def _arithmetic(text: str, key: str) -> float:
    try:
        return number(text)
    except NotArithmetic as fault:
        raise LayoutError(f"{key}: {fault}") from fault


def _factor(stated: dict[str, str], others: int) -> tuple[float, ...]:
    """Assumed potency from `FactorA`, or from the first figure of `Factor`."""
    text = stated.get("FactorA") or stated.get("Factor", "").split(",")[0]
    return (_arithmetic(text, "Factor"),) * others if text.strip() else ()


def _assigned(stated: dict[str, str], units: tuple[float, ...]) -> tuple[float, ...]:
    """The stated potency that percentages refer to: its own line, or the scale of the second factor, or the assumed one."""
    own = tuple(_leading(stated.get(f"Sample{place}AssPot", "")) for place in range(1, len(units) + 1))
    if units and all(own):
        return own
    parts = stated.get("FactorB", "").split(",")
    if len(parts) > 1 and "x" not in parts[1]:
        return (100 / _arithmetic(parts[1], "FactorB"),) * len(units)
    return units


def _transformed(values: tuple[float, ...], stated: dict[str, str]) -> tuple[float, ...]:
    """Responses by the transformation that the file names; the base of a logarithm is in its function."""
    named, function = stated.get("Transformation", ""), stated.get("FUN", "")
    kind = named.replace(" ", "").removeprefix("y'=")
    array = np.asarray(values)
    if kind == "y":
        return values
    if kind == "y^2":
        return tuple(float(value) for value in array**2)
    if kind == "sqrt(y)":
        return tuple(float(value) for value in np.sqrt(array))
    if kind == "log(y)":
        if (array <= 0).any():
            raise LayoutError("a response that is not positive has no logarithm")
        return tuple(float(value) for value in (np.log10(array) if "log10" in function else np.log(array)))
    raise LayoutError(f"transformation {named!r} is not known: y, y^2, sqrt(y) or log(y)")


def _direction(stated: dict[str, str], printed: Sequence[Printed]) -> Direction | None:
    if stated.get("Direction") in {"increasing", "decreasing"}:
        return cast(Direction, stated["Direction"])
    for line in printed:
        if line.name.lower().replace(" ", "").startswith("commonslope"):
            figures = [figure for figure in line.figures if figure is not None]
            if figures:
                return "decreasing" if figures[0].startswith("-") else "increasing"
    return None
