"""Elements of Gating-ML and FlowJo files by their local names, whatever prefix a tool gave them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree

from cellwright.cytometry.fault import GateError

_NAME: Final = re.compile(r"[^\W\d][\w.-]*")
_ESCAPE: Final = re.compile(r"_x([0-9A-F]{4,6})_")
TEXT_MAX: Final = 1 << 28
DEPTH_MAX: Final = 200
Element = ElementTree.Element


def parse(text: str | bytes) -> Element:
    """The root of a document. Raises GateError: it is no XML, declares entities, or nests too deep."""
    if len(text) > TEXT_MAX:
        raise GateError(f"an XML document of {len(text)} characters")
    declares = b"<!ENTITY" in text if isinstance(text, bytes) else "<!ENTITY" in text
    if declares:
        raise GateError("the XML document declares entities, which gates do not need")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise GateError(f"not readable as XML: {error}") from None
    _bounded(root)
    return root


def _bounded(root: Element) -> None:
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > DEPTH_MAX:
            raise GateError(f"the XML document nests deeper than {DEPTH_MAX} elements")
        level = [child for element in level for child in element]


def local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def tag(element: Element) -> str:
    """The local name of an element, empty for a comment."""
    return local(element.tag) if isinstance(element.tag, str) else ""


def children(element: Element, name: str) -> Iterator[Element]:
    """Children of a local name."""
    return (child for child in element if tag(child) == name)


def child(element: Element, name: str) -> Element:
    """The first child of a local name. Raises GateError if there is none."""
    found = next(children(element, name), None)
    if found is None:
        raise GateError(f"<{tag(element)}> has no <{name}>")
    return found


def said(element: Element, name: str) -> str | None:
    """An attribute by its local name, or None."""
    if name in element.attrib:
        return element.attrib[name]
    return next((value for key, value in element.attrib.items() if local(key) == name), None)


def needed(element: Element, name: str) -> str:
    """An attribute by its local name. Raises GateError if there is none."""
    value = said(element, name)
    if value is None:
        raise GateError(f"<{tag(element)}> has no attribute {name}")
    return value


def number(value: str | None, what: str) -> float:
    """A finite number. Raises GateError."""
    try:
        read = float(value or "")
    except ValueError:
        read = math.nan
    if not math.isfinite(read):
        raise GateError(f"{what} is {value!r}, expected a number")
    return read


def figure(element: Element, name: str) -> float:
    """An attribute that is a number. Raises GateError."""
    return number(needed(element, name), f"{name} of <{tag(element)}>")


def maybe(element: Element, name: str) -> float | None:
    """An attribute that is a number, or None. Raises GateError for something else."""
    value = said(element, name)
    return None if value is None else number(value, f"{name} of <{tag(element)}>")


def identifier(name: str) -> str:
    """A name as an XML identifier, which has no blanks: other characters are written `_x0020_` (ISO/IEC 9075-14, 9.1)."""
    if _NAME.fullmatch(name) and not _ESCAPE.search(name):
        return name
    kept = [one if _NAME.fullmatch("A" + one) else f"_x{ord(one):04X}_" for one in _ESCAPE.sub(r"_x005F_x\1_", name)]
    if kept and not _NAME.fullmatch(kept[0]):
        kept[0] = f"_x{ord(name[0]):04X}_"
    return "".join(kept)


def named(identifier: str) -> str:
    """The name that an XML identifier stands for."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if int(found[1], 16) < 0x110000 else found[0], identifier)
