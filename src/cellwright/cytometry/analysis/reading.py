"""Reading an analysis file: YAML without surprises, every problem at once, each with its line.

Everything written is text until its place says what it is: `"0.50"` and `0.50` are the same decimal, never a binary
fraction, and `no` is a word. Tags, aliases, merge keys and keys that stand twice are refused.
"""

from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec
import yaml

from cellwright.cytometry.acquisition import AcquisitionCheck
from cellwright.cytometry.analysis.definition import Analysis, Entry
from cellwright.cytometry.interval import Beads

LARGEST_FILE: Final = 1_000_000
"""Characters."""
LARGEST_EXPONENT: Final = 300
DEEPEST: Final = 20
"""Levels of mappings and lists."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file, at its line."""

    line: int
    where: str
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.where}: {self.what}" if self.where else f"line {self.line}: {self.what}"


class AnalysisError(ValueError):
    """An analysis that cannot be used; `problems` holds everything that was found."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.line, p.where)))
        super().__init__("; ".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Sheet:
    """An analysis as read.

    Attributes:
        sha256: of the file's bytes, with the Gating-ML file's hash inside where it names one.
        lines: path of each value -> its line.
    """

    analysis: Analysis
    sha256: str
    lines: dict[Path, int]

    def problem(self, path: Path, what: str) -> Problem:
        """A problem at the line of a value, or of the nearest thing around it."""
        return Problem(_line(self.lines, path), _words(path), what)


def read_analysis(source: bytes | str) -> Sheet:
    """An analysis from the bytes of its file.

    Raises:
        AnalysisError: with every problem of form; whether the parts fit each other is asked by `strategy`.
    """
    data = source.encode() if isinstance(source, str) else source
    plain, lines = _plain(data)
    problems: list[Problem] = []
    found = _converted(plain, Analysis, (), lines, problems)
    if problems:
        raise AnalysisError(*problems)
    assert isinstance(found, Analysis)
    return Sheet(found, sha256(data).hexdigest(), lines)


def analysis_schema() -> dict[str, Any]:
    """The JSON schema of an analysis file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Analysis)}


def _plain(data: bytes) -> tuple[Any, dict[Path, int]]:
    try:
        text = data.decode("utf-8")
        if len(text) > LARGEST_FILE:
            raise AnalysisError(Problem(1, "", f"{len(text)} characters, at most {LARGEST_FILE} are read"))
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise AnalysisError(Problem(1, "", "the file is not UTF-8")) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise AnalysisError(Problem((mark.line if mark else 0) + 1, "", str(error.problem))) from None
    except yaml.YAMLError as error:
        raise AnalysisError(Problem(1, "", str(error))) from None
    except RecursionError:
        raise AnalysisError(Problem(1, "", "the file is nested too deeply")) from None
    if not isinstance(node, yaml.MappingNode):
        raise AnalysisError(Problem(1, "", "the file is no mapping"))
    lines: dict[Path, int] = {}
    problems: list[Problem] = []
    value = _value(node, (), lines, problems, set())
    if problems:
        raise AnalysisError(*problems)
    return value, lines


def _value(node: yaml.Node, path: Path, lines: dict[Path, int], problems: list[Problem], seen: set[int]) -> Any:
    lines[path] = node.start_mark.line + 1
    if id(node) in seen or len(path) > DEEPEST:
        problems.append(Problem(lines[path], _words(path), "aliases and deep nesting are not read"))
        return None
    seen.add(id(node))
    if not node.tag.startswith("tag:yaml.org,2002:"):
        problems.append(Problem(lines[path], _words(path), f"a tag {node.tag} is not read"))
        return None
    if isinstance(node, yaml.ScalarNode):
        return None if node.tag.endswith(":null") and not node.style else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, (*path, n), lines, problems, seen) for n, one in enumerate(node.value)]
    found: dict[str, Any] = {}
    for key, one in node.value:
        name = str(key.value)
        if name in found or name == "<<":
            problems.append(
                Problem(key.start_mark.line + 1, _words(path), f"the key {name} stands twice or is not read")
            )
        found[name] = _value(one, (*path, name), lines, problems, seen)
    return found


def _converted(plain: Any, kind: Any, path: Path, lines: dict[Path, int], problems: list[Problem]) -> Any:
    """A plain value as its type. The parts of a struct are tried one by one, so that each can tell its own problem."""
    if isinstance(kind, UnionType) and plain is not None:
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
    if isinstance(kind, type) and issubclass(kind, Entry | AcquisitionCheck | Beads) and isinstance(plain, dict):
        before = len(problems)
        hints = get_type_hints(kind)
        for name, value in plain.items():
            if name in hints:
                _converted(value, hints[name], (*path, name), lines, problems)
        if len(problems) > before:
            return None
    elif (
        isinstance(plain, list) and get_origin(kind) is tuple and len(get_args(kind)) == 2 and get_args(kind)[1] is ...
    ):
        before = len(problems)
        for n, value in enumerate(plain):
            _converted(value, get_args(kind)[0], (*path, n), lines, problems)
        if len(problems) > before:
            return None
    try:
        found = msgspec.convert(plain, kind, strict=False)
        _finite(found)
        return found
    except (msgspec.ValidationError, ValueError, ArithmeticError) as error:
        problems.append(Problem(_line(lines, path), _words(path), str(error)))
        return None


def _finite(value: Any) -> None:
    """Refuse numbers that are none, or that no binary fraction holds. Raises ValueError."""
    if isinstance(value, tuple):
        for one in value:
            _finite(one)
    elif isinstance(value, dict):
        _finite(tuple(value.values()))
    elif isinstance(value, msgspec.Struct):
        _finite(tuple(getattr(value, name) for name in value.__struct_fields__))
    elif isinstance(value, Decimal | float) and not isfinite(value):
        raise ValueError(f"{value} is no finite number")
    elif isinstance(value, Decimal) and value and abs(value.adjusted()) > LARGEST_EXPONENT:
        raise ValueError(f"{value} is too large or too small")


def _line(lines: dict[Path, int], path: Path) -> int:
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _words(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
