"""Definitions: the files that say what a plant, a product, a recipe, a specification or a trial protocol is.

A definition is written in YAML by people and read by this page into one type of its own; `notation` has the rules of
writing. Whatever is wrong with a file is reported at once, each problem with its file, line, what is wrong and what is
expected; a file with a problem gives no definition at all. Types state their own sense in `check`, which yields a
`Flaw` for each contradiction it finds; what only several files together can show is checked in `library`.

Every statement in a file that is not self-evident carries a `Basis`: a grade and a source. What a source does not
support is an assumption and is shown as one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, cast

import msgspec
from msgspec import Meta

from cellwright.factory.notation import Broken, Flaw, Path, Problem, Sheet, dump, structure
from cellwright.factory.record import Immutable

__all__ = [
    "ASSUMED", "Basis", "Broken", "Count", "Definition", "Entry", "Flaw", "Grade", "Name", "Path", "Problem", "Sheet",
    "Text", "Words", "bases", "examine", "read", "repeated", "unknown", "write",
]  # fmt: skip


class Entry(Immutable):
    """A piece of a definition."""


Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
"""The identifier of a definition or of a piece of it: letters, digits, point, dash, underscore."""
Words = Annotated[str, Meta(pattern=r"\S")]
"""Text that is not blank."""
Count = Annotated[int, Meta(ge=1)]


class Text(Entry):
    """What a person reads, in both languages of the house (D24: controlled text, approved with the version)."""

    en: Words
    zh: Words

    def as_dict(self) -> dict[str, str]:
        """For `language.localized`."""
        return {"en": self.en, "zh": self.zh}


class Definition(Entry):
    """The head that all definitions share."""

    id: Name
    version: Name
    sha256: str = ""
    """SHA-256 (hex) of the file's bytes; set by the reader, never written in the file. Locks a lot to it (R039)."""

    sources: dict[str, str] = msgspec.field(default_factory=dict)
    """Where the statements come from: a key of this file, and what a stranger needs to find the place."""

    def check(self) -> Iterator[Flaw]:
        """Yield what contradicts itself in this definition. Placeholders stand where the file is broken elsewhere."""
        yield from ()


Grade = Literal["A", "B", "C", "D", "M", "X"]
"""How well a statement is known. A: read at the primary place (regulator, register, company filing, paper). B: read in
news or a mirror of a filing. C: read on a secondary page. D: derived or inferred from such a reading, said how.
M: from memory, not verified. X: an assumption, nothing found. M and X are never shown as facts."""


class Basis(Entry):
    """Where a statement comes from and how far it may be trusted."""

    grade: Grade
    source: str = ""
    """Key in the file's `sources`, or several with a comma between; needed for A, B, C and D."""
    note: Text | None = None

    @property
    def is_fact(self) -> bool:
        """Whether the statement may be shown as a fact, with its source."""
        return self.grade in ("A", "B", "C")

    @property
    def standing(self) -> Literal["fact", "derived", "unverified", "assumption"]:
        """The word that has to stand beside the statement wherever it is shown."""
        if self.is_fact:
            return "fact"
        return {"D": "derived", "M": "unverified", "X": "assumption"}[self.grade]  # type: ignore[return-value]

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(key for key in re.split(r",\s*", self.source) if key)


ASSUMED = Basis(grade="X")


D = TypeVar("D", bound=Definition)


def read(kind: type[D], text: str, file: str = "text") -> D:
    """A definition from its text.

    Raises:
        Broken: the text is not a definition of this kind; every problem found is in it.
    """
    sheet = examine(kind, text, file)
    if sheet.problems or sheet.value is None:
        raise Broken(sheet.problems)
    return sheet.value


def examine(kind: type[D], text: str, file: str) -> Sheet[D]:
    """Read a text and keep whatever is wrong with it, structure, sense and sources, instead of raising."""
    sheet = structure(kind, text, file)
    if sheet.value is not None:
        sheet.value = msgspec.structs.replace(sheet.value, sha256=sheet.sha256)  # type: ignore[type-var]
        for flaw in (*sheet.value.check(), *_sourced(sheet.value)):
            sheet.add(flaw)
    return sheet


def write(definition: Definition) -> str:
    """A definition as text that `read` gives back unchanged; what is left at its default is left out."""
    plain = {key: value for key, value in msgspec.to_builtins(definition).items() if key != "sha256"}
    return dump(plain)


def unknown(name: str, known: Iterable[str]) -> bool:
    """Whether a reference leads nowhere. A placeholder among the known names leaves the question open."""
    names = tuple(known)
    return bool(name) and name not in names and "" not in names


def repeated(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Position and name of each name that stood earlier in the sequence."""
    seen = set()
    for index, name in enumerate(names):
        if name and name in seen:
            yield index, name
        seen.add(name)


def _graded(basis: Basis, sources: Mapping[str, str], path: Path) -> Iterator[Flaw]:
    """Flaws of a statement's grade against the file's list of sources."""
    if basis.grade in ("A", "B", "C", "D") and not basis.sources:
        yield Flaw((*path, "grade"), "Grade {grade} has no source.", expected="a source, or grade X", grade=basis.grade)
    for key in basis.sources:
        if key not in sources:
            yield Flaw(
                (*path, "source"),
                "Source {key} is not in the file's list.",
                expected="one of: {known}",
                key=key,
                known=", ".join(sources) or "-",
            )


@cache
def _fields(kind: type[Any]) -> tuple[tuple[str, str], ...]:
    """Name in the program and name in the file of each field."""
    return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(kind))


def bases(item: Any, path: Path = ()) -> Iterator[tuple[Path, Basis]]:
    """Every basis inside a piece of a definition, with its path."""
    if isinstance(item, Basis):
        yield path, item
    elif isinstance(item, Immutable):
        for name, key in _fields(cast("Any", type(item))):
            yield from bases(getattr(item, name), (*path, key))
    elif isinstance(item, tuple):
        for index, inner in enumerate(item):
            yield from bases(inner, (*path, index))


def _sourced(definition: Definition) -> Iterator[Flaw]:
    """Flaws of all grades in a definition, and sources that nothing uses."""
    used: set[str] = set()
    for path, basis in bases(definition):
        used.update(basis.sources)
        yield from _graded(basis, definition.sources, path)
    for key in definition.sources:
        if key not in used:
            yield Flaw(("sources", key), "Source {key} supports nothing here.", expected="no unused source", key=key)
