"""A document as a tree that remembers what was read from it, so that nothing is left out in silence."""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree import ElementTree

DEEPEST: Final = 60
"""Levels of a document; the deepest that was seen has 14."""


class Document:
    """A tree of mappings, lists and values. Paths join keys with points; lists are walked through as if not there.

    What `first`, `values` and `rows` give out is remembered as read.
    """

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self.tree = tree
        self._read: set[str] = set()

    def values(self, *paths: str) -> list[str]:
        """All values at the first of the paths that has any, as text without escapes of HTML."""
        found: list[str] = []
        for path in paths:
            self._read.add(path)
            if not found:
                found = [text for one in _at(self.tree, path.split(".")) if (text := plain(one))]
        return found

    def first(self, *paths: str) -> str:
        """The first value at the first of the paths that has any; empty where there is none."""
        return next(iter(self.values(*paths)), "")

    def rows(self, path: str, **fields: str) -> list[dict[str, str]]:
        """For each mapping at a path, the named fields out of it; a field with several values joins them by `; `."""
        self._read |= {f"{path}.{field}" for field in fields.values()}
        rows = []
        for one in _at(self.tree, path.split(".")):
            if isinstance(one, Mapping):
                row = {
                    name: "; ".join(text for value in _at(one, field.split(".")) if (text := plain(value)))
                    for name, field in fields.items()
                }
                rows.append({name: text for name, text in row.items() if text})
        return [row for row in rows if row]

    def leaves(self) -> frozenset[str]:
        """The path of every value in the document."""
        return frozenset(_leaves(self.tree, "", 0))

    def unmapped(self) -> tuple[str, ...]:
        """Paths of values that nothing asked for, sorted."""
        return tuple(sorted(path for path in self.leaves() if not _under(path, self._read)))


def leaf_values(tree: Mapping[str, Any]) -> dict[str, list[str]]:
    """Every value of a tree by its path, as text, in the order of the document."""
    found: dict[str, list[str]] = {}
    for path, value in _leaf_values(tree, ""):
        found.setdefault(path, []).append(plain(value))
    return found


def _leaf_values(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _leaf_values(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list):
        for value in tree:
            yield from _leaf_values(value, path)
    elif tree not in (None, ""):
        yield path, tree


def _under(path: str, read: set[str]) -> bool:
    while path:
        if path in read:
            return True
        path = path.rpartition(".")[0]
    return False


def _at(tree: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(tree, list):
        for one in tree:
            yield from _at(one, path)
    elif not path:
        yield tree
    elif isinstance(tree, Mapping):
        if path[0] in tree:
            yield from _at(tree[path[0]], path[1:])
    elif path == ["#text"]:
        yield tree


def _leaves(tree: Any, path: str, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        raise ValueError(f"the document is nested deeper than {DEEPEST} levels")
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(tree, list):
        for value in tree:
            yield from _leaves(value, path, depth + 1)
    elif tree not in (None, ""):
        yield path


def plain(value: Any) -> str:
    """A value as text: truth as true or false, numbers as written, escapes of HTML undone, ends trimmed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, Mapping | list):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return html.unescape(str(value)).replace("\r\n", "\n").replace("\r", "\n").strip()


_DOCTYPE: Final = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def xml_tree(data: bytes) -> tuple[str, dict[str, Any]]:
    """Name and tree of an XML document; attributes stand under `@name`, text beside elements under `#text`.

    Raises:
        ValueError: not well formed, or with a document type, which registers do not write and which can be abused.
    """
    if _DOCTYPE.search(data):
        raise ValueError("the document brings a document type with it, which is refused")
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise ValueError(f"not well-formed XML: {error}") from None
    tree = _element(root, 0)
    return root.tag, tree if isinstance(tree, dict) else {"#text": tree}


def _element(element: ElementTree.Element, depth: int) -> Any:
    if depth > DEEPEST:
        raise ValueError(f"the document is nested deeper than {DEEPEST} levels")
    tree: dict[str, Any] = {f"@{name}": value for name, value in element.attrib.items()}
    for child in element:
        value = _element(child, depth + 1)
        if child.tag in tree:
            held = tree[child.tag]
            tree[child.tag] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            tree[child.tag] = value
    text = (element.text or "").strip()
    if not tree:
        return text
    if text:
        tree["#text"] = text
    return tree
