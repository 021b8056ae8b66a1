"""Elements of Gating-ML and FlowJo files by their local names, whatever prefix a tool gave them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree

from cellwright.cytometry.fault import GateError

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
