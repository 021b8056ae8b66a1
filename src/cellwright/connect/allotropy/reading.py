"""Any file of any instrument: by our own reader where there is one, else by the library, in the same form."""

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any, Final

from cellwright.connect.allotropy.client import Allotropy, installed
from cellwright.connect.allotropy.vendor import VENDORS, Vendor, vendor_of
from cellwright.instrument import FORMATS, Incomplete, Reading, UnknownFormat, read
from cellwright.instrument.reading import Figure, Figures
from cellwright.instrument.source import Source
from cellwright.language import _

MADE_UP: Final = frozenset({
    "measurement identifier", "calculated data identifier", "processed data identifier", "data source aggregate document",
    "device type", "detection type", "$asm.manifest",
})  # fmt: skip
"""Names under which the library states what it adds itself, not what the file says."""


def read_any(path: Path, worker: Allotropy, *, vendor: str = "") -> Reading:
    """Read a file, by content: our own formats first, the library's after them.

    Args:
        vendor: a reader of the library by its own word, for files whose content is not recognised.

    Raises:
        UnknownFormat: no reader knows the content.
        Unreadable, Incomplete, NoAllotropy, WorkerFailed, OSError: as the readers and the worker raise them.
    """
    data = path.read_bytes()
    source = Source(data, path.name)
    if not vendor:
        try:
            return read(data)
        except UnknownFormat:
            pass
    known = next((one for one in VENDORS if one.code == vendor), None) if vendor else vendor_of(source)
    if known is None and not vendor:
        raise UnknownFormat(_("the content is of no instrument known here; name its reader with --vendor"))
    return _by_library(source, path.name, known, vendor, worker)


def _by_library(source: Source, name: str, known: Vendor | None, vendor: str, worker: Allotropy) -> Reading:
    code = known.code if known else vendor
    document = worker.read(source.data, _named(source, name, known), code)
    aggregate: dict[str, Any] = next(value for key, value in document.items() if key.endswith("aggregate document"))
    measurements = tuple(figures(aggregate))
    if not measurements:
        raise Incomplete(_("the file holds no measurement"))
    device, system = aggregate.get("device system document", {}), aggregate.get("data system document", {})
    software = f"{system.get('software name', '')} {system.get('software version', '')}"
    return Reading(
        format=f"allotropy:{code}", instrument=known.instrument if known else code, reader="allotropy",
        version=installed(), proven=known is not None, sha256=source.sha256, size=len(source.data),
        measurements=measurements, warnings=tuple(source.warnings), software=software.strip(),
        serial_number=str(device.get("equipment serial number", "")), operator=measurements[0].operator,
        at=measurements[0].at, header={"document": str(document.get("$asm.manifest", ""))},
    )  # fmt: skip


def _named(source: Source, name: str, known: Vendor | None) -> str:
    """The file's own name, with an ending that goes with its content: the library chooses its way by it."""
    if known is None:
        return name
    if source.is_workbook:
        right: tuple[str, ...] = tuple(end for end in known.endings if end.startswith("xls"))
    elif source.data.startswith(b"PK"):
        right = tuple(end for end in known.endings if end == "zip")
    else:
        right = tuple(end for end in known.endings if end not in {"xlsx", "zip"})
    ending = PurePath(name).suffix.lower().removeprefix(".")
    if ending in right or not right:
        return name
    # A table of one program may be saved with commas or with tabs; the library tells them apart by the ending only.
    best = "csv" if "csv" in right and "," in source.head.split("\n")[0] + source.head.split("\n")[-1] else right[0]
    return f"{PurePath(name).stem}.{best}"


def figures(aggregate: Mapping[str, Any]) -> Iterator[Figures]:
    """Each measurement of a document, flat: names joined by ` / `, quantities with their unit, curves as series."""
    for group in _groups(aggregate):
        inner = group.get("measurement aggregate document", {})
        shared = [*_flat({k: v for k, v in inner.items() if k != "measurement document"}, ""),
                  *_flat({k: v for k, v in group.items() if k != "measurement aggregate document"}, "")]  # fmt: skip
        for one in inner.get("measurement document", []):
            series: dict[str, tuple[float | None, ...]] = {}
            found = [*_flat(one, "", series), *shared]
            sample = one.get("sample document", {})
            well = sample.get("well location identifier") or sample.get("location identifier") or ""
            at = one.get("measurement time", "")
            yield Figures(
                sample=str(sample.get("sample identifier", "")), well=str(well), operator=str(group.get("analyst", "")),
                # 1970 is what the library writes where a file states no time.
                at="" if at.startswith("1970-01-01") else at, figures=tuple(found), series=series,
            )  # fmt: skip


def _groups(aggregate: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for value in aggregate.values():
        if isinstance(value, list):
            yield from (one for one in value if isinstance(one, dict) and "measurement aggregate document" in one)


def _flat(node: Any, name: str, series: dict[str, tuple[float | None, ...]] | None = None) -> Iterator[Figure]:
    if isinstance(node, Mapping):
        if "cube-structure" in node:
            if series is not None:
                _series(node, name, series)
        elif set(node) == {"value", "unit"}:
            yield _figure(name, node["value"], str(node["unit"]))
        else:
            for key, value in node.items():
                if key not in MADE_UP:
                    yield from _flat(value, _joined(name, key), series)
    elif isinstance(node, list):
        for place, value in enumerate(node, 1):
            yield from _flat(value, f"{name} {place}" if len(node) > 1 else name, series)
    else:
        yield _figure(name, node, "")


def _joined(name: str, key: str) -> str:
    """Without the library's containers, which say nothing of their own."""
    bare = key.removesuffix(" aggregate document").removesuffix(" document")
    parts = [] if name.rsplit(" / ", 1)[-1].split(" ")[0] == bare.split(" ")[0] and key.endswith("document") else [bare]
    return " / ".join(filter(None, [name, *parts]))


def _figure(name: str, value: Any, unit: str) -> Figure:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Figure(name, None, "" if value is None else str(value), unit)
    # Minus zero is the library's sign for a value that is not there; it must never be read as 0.
    if isinstance(value, float) and (not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0)):
        return Figure(name, None, _("no value"), unit)
    return Figure(name, Decimal(repr(value)), "", unit)


def _series(cube: Mapping[str, Any], name: str, series: dict[str, tuple[float | None, ...]]) -> None:
    structure, data = cube["cube-structure"], cube["data"]
    label = str(cube.get("label", name))
    for kind in ("dimensions", "measures"):
        for described, values in zip(structure[kind], data.get(kind, ()), strict=False):
            kept = tuple(float(v) if isinstance(v, int | float) and not isinstance(v, bool) else None for v in values)
            series[f"{label}: {described['concept']} ({described.get('unit', '')})"] = kept


def known_formats() -> list[tuple[str, str, str, bool]]:
    """Format, instrument, reader and whether it is proven, of all that can be read."""
    ours = [(one.name, one.instrument, one.reader, one.proven) for one in FORMATS]
    return ours + [(f"allotropy:{one.code}", one.instrument, "allotropy", True) for one in VENDORS]
