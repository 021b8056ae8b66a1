"""Bio-Rad QX100, QX200, QX600: results tables of QuantaSoft and of QX Manager; and bare tables of counted droplets.

Unproven for both programs: written from their column names in public scripts, since no real export could be had. The
table of counts (`exper, replicate, assay, n, k, v`) is the one in which published QX200 counts are handed on.
"""

from decimal import Decimal
from typing import Final

import msgspec

from cellwright.instrument.grid import Line, chosen, header_row, lines, text_rows
from cellwright.instrument.outcome import Outcome
from cellwright.instrument.reading import PartitionWell
from cellwright.instrument.source import Source
from cellwright.instrument.table import Incomplete, Unreadable
from cellwright.instrument.written import number, same_name, whole
from cellwright.language import _

DROPLET_NL: Final = Decimal("0.85")
"""Volume of a droplet that the maker's software assumes."""
QUANTASOFT: Final = ("Well", "Target", "Concentration", "Positives", "AcceptedDroplets")
QX_MANAGER: Final = ("Well", "Target", "Conc(copies/uL)", "Positives", "Accepted Droplets")
COUNTS: Final = ("exper", "replicate", "assay", "n", "k", "v")
_RELATIVE: Final = Decimal("0.01")


def recognises_quantasoft(source: Source) -> bool:
    head = source.head
    return not source.is_workbook and "AcceptedDroplets" in head and "Concentration" in head


def recognises_qx_manager(source: Source) -> bool:
    head = same_name(source.head)
    return not source.is_workbook and "conccopies/ul" in head and "accepted droplets" in source.head.lower()


def recognises_counts(source: Source) -> bool:
    return not source.is_workbook and source.head.replace('"', "").startswith(",".join(COUNTS))


def read_quantasoft(source: Source) -> Outcome:
    """All wells of a QuantaSoft table."""
    return _wells(source, QUANTASOFT, "QuantaSoft")


def read_qx_manager(source: Source) -> Outcome:
    """All wells of a QX Manager table."""
    return _wells(source, QX_MANAGER, "QX Manager")


def _wells(source: Source, needed: tuple[str, ...], program: str) -> Outcome:
    rows = text_rows(source, usual=",")
    header = header_row(rows, needed)
    if header is None:
        raise Unreadable(_("the header lacks columns of a {what}").format(what=program))
    return Outcome(tuple(_well(line, source) for line in lines(rows, header, source)), software=program)


def _well(line: Line, source: Source) -> PartitionWell:
    cells = line.cells
    used: set[str] = set()

    def text(*names: str) -> str:
        column, value = chosen(cells, *names)
        used.add(column)
        return value

    accepted = whole(text("AcceptedDroplets"), source, f"{line.place}, AcceptedDroplets")
    positive = whole(text("Positives"), source, f"{line.place}, Positives")
    if accepted is None or positive is None or positive > accepted:
        raise Incomplete(_("{place}: no counts of droplets, or more positive than accepted").format(place=line.place))
    printed = text("Concentration", "Conc(copies/uL)")
    called = "" if printed.lower() in {"no call", "nan"} else printed
    if printed and not called:
        source.warn("instrument", line.place, printed)
    sample = " ".join(filter(None, (text("Sample", "Sample description 1"), text("Sample description 2"))))
    one = PartitionWell(
        well=text("Well"), sample=sample, target=text("Target"), positive=positive, negative=accepted - positive,
        role=text("SampleType", "ExptType"), per_ul=number(called, source, f"{line.place}, Concentration"),
        threshold=number(text("Threshold", "Threshold1"), source, f"{line.place}, Threshold"), partition_nl=DROPLET_NL,
    )  # fmt: skip
    _agree(one, accepted, line.place, source)
    rest = {name: value for name, value in cells.items() if name not in used and value.strip()}
    return msgspec.structs.replace(one, others=rest)


def _agree(one: PartitionWell, accepted: int, place: str, source: Source) -> None:
    """The printed concentration is that of the printed counts, or the table was edited."""
    if not one.per_ul or not one.positive or not one.negative:
        return
    found = -(Decimal(one.negative) / accepted).ln() / DROPLET_NL * 1000
    if abs(found - one.per_ul) > _RELATIVE * one.per_ul + Decimal("0.06"):
        said = _("{printed} copies/µL are printed, the droplets make {found:.4g}")
        source.warn("inconsistent", place, said.format(printed=one.per_ul, found=found))


def read_counts(source: Source) -> Outcome:
    """A table of counts: experiment, replicate, assay, partitions n, positive k, volume of a partition v in nL."""
    found = []
    for line in lines(text_rows(source, usual=","), 0, source):
        counted, positive = (whole(line.cells[name], source, line.place) for name in ("n", "k"))
        volume = number(line.cells["v"], source, line.place)
        if counted is None or positive is None or volume is None or positive > counted:
            raise Incomplete(
                _("{place}: no counts of droplets, or more positive than accepted").format(place=line.place)
            )
        found.append(
            PartitionWell(line.cells["replicate"], line.cells["exper"], line.cells["assay"], positive,
                          counted - positive, partition_nl=volume)
        )  # fmt: skip
    return Outcome(tuple(found))
