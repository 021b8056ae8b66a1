"""The notation of definition files: YAML, read strictly into a msgspec type, with every problem of the file at once.

The rules are strict, because a file here ends in a patient:

- decimals are text (`"0.5"`), never floating point; durations are ISO 8601 (`PT30M`, `P9D`), dates are `2026-03-02`;
- a key stands once in its mapping, unknown keys are refused, and so are aliases, merge keys and tags;
- only `true`, `false`, `null` and plain integers are anything else than text: `no`, `1:30` and `010` are refused.

Reading goes on after a problem with a placeholder in the place of what could not be read, so that one look at the
answer is enough to mend the file. A value with placeholders never leaves as a definition.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from typing import Any, Generic, TypeVar, cast

import msgspec
import yaml
from msgspec import inspect

from cellwright.factory.record import Immutable
from cellwright.language import N_, _

LARGEST_FILE = 1_000_000
"""Characters; a longer file is refused before it is parsed."""
DEEPEST_NESTING = 40
"""Levels of mappings and lists; a recipe has about twelve."""

Path = tuple[str | int, ...]
"""The way to a value inside a file, for example `("operations", 0, "phases", 2, "after")`."""


class Flaw:
    """A contradiction inside a definition, or between definitions.

    Attributes:
        path: the way to the value it concerns.
        what: English sentence with named placeholders, a message identifier.
        expected: English sentence, what would be right.
        values: what fills the placeholders.
    """

    __slots__ = ("expected", "path", "values", "what")

    def __init__(self, path: Path, what: str, *, expected: str, **values: object) -> None:
        self.path, self.what, self.expected, self.values = path, what, expected, values


class Problem(msgspec.Struct, frozen=True):
    """A flaw at its place in a file."""

    file: str
    line: int
    where: str
    """The path in words, for example `operations[0].phases[2].after`."""
    what: str
    expected: str
    values: dict[str, Any] = {}

    def __str__(self) -> str:
        what, expected = _(self.what).format(**self.values), _(self.expected).format(**self.values)
        place = f"{self.file}:{self.line}: " + (f"{self.where}: " if self.where else "")
        return place + _("{what} Expected: {expected}").format(what=what, expected=expected)


class Broken(ValueError):
    """One or more files are not what they must be; `problems` holds all of them, by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line, p.where)))
        super().__init__("\n".join(map(str, self.problems)))


D = TypeVar("D", bound=Immutable)


class Sheet(Generic[D]):
    """A file as read: its definition, its problems, and the line of everything in it.

    Attributes:
        value: None if nothing could be made of the file; with placeholders in it as long as `problems` is not empty.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.sha256 = sha256(text.encode()).hexdigest()
        self.value: D | None = None
        self.problems: list[Problem] = []
        self.lines: dict[Path, int] = {(): 1}
        self.broken: list[Path] = []

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest thing around it that stands in the file."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def add(self, flaw: Flaw) -> None:
        """Take a flaw in as a problem of this file, unless what it speaks of is known to be broken already."""
        if any(flaw.path[: len(b)] == b or b[: len(flaw.path)] == flaw.path for b in self.broken):
            return
        self.state(flaw.path, flaw.what, flaw.expected, flaw.values)

    def state(
        self, path: Path, what: str, expected: str, values: Mapping[str, Any] | None = None, line: int | None = None
    ) -> None:
        self.problems.append(
            Problem(self.file, line or self.line(path), words(path), what, expected, dict(values or {}))
        )


def words(path: Path) -> str:
    """A path as people write it: `operations[0].phases[2].after`."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


@cache
def _shape(kind: type[Any]) -> inspect.Type:
    return inspect.type_info(kind)


def structure(kind: type[D], text: str, file: str) -> Sheet[D]:
    """Read a text as a type. Only its structure is judged; `definition.examine` judges sense and sources too."""
    sheet: Sheet[D] = Sheet(file, text)
    node = _compose(sheet, text)
    if node is not None:
        value = _Reader(sheet).value(_shape(cast("Any", kind)), node, ())
        sheet.value = value if isinstance(value, kind) else None
    return sheet


_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|nan)", re.IGNORECASE)
_AMBIGUOUS = re.compile(
    r"(y|yes|n|no|on|off|true|false|null|~|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9]*)?|0[0-9xob].*)", re.I
)
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_DURATION = re.compile(r"P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,6})?)S)?)?")
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{t}" for t in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq")
)


def duration(text: str) -> timedelta:
    """An ISO 8601 duration in weeks, days, hours, minutes and seconds; months and years have no fixed length.

    Raises:
        ValueError: the text is not such a duration.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    weeks, days, hours, minutes = (int(g or 0) for g in match.groups()[:4])
    microseconds = int(Decimal(match[5] or 0) * 1_000_000)
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, microseconds=microseconds)


def _compose(sheet: Sheet[Any], text: str) -> yaml.Node | None:
    """The tree of nodes of a text; None after a problem that hides the rest of the file."""
    if len(text) > LARGEST_FILE:
        sheet.state(
            (), N_("The file has {n} characters."), N_("at most {most}"), {"n": len(text), "most": LARGEST_FILE}
        )
        return None
    depth = 0
    try:
        for event in yaml.parse(text, yaml.CSafeLoader):
            line = _line(event)
            if isinstance(event, yaml.AliasEvent):
                sheet.state(
                    (), N_("An alias (*{name}) stands here."), N_("the value itself"), {"name": event.anchor}, line
                )
                return None
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST_NESTING:
                sheet.state(
                    (), N_("The nesting is too deep."), N_("at most {most} levels"), {"most": DEEPEST_NESTING}, line
                )
                return None
        node: yaml.Node | None = yaml.compose(text, yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        detail = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        sheet.state(
            (), N_("The file is not YAML: {detail}."), "YAML 1.1", {"detail": detail}, mark.line + 1 if mark else 1
        )
        return None
    if node is None:
        sheet.state((), N_("The file is empty."), N_("a definition"))
    return node


class _Unusable:
    """Stands for a value that cannot be made; the problem is stated already."""


_UNUSABLE = _Unusable()


class _Reader:
    """Builds values of a type from nodes, stating problems on the way and going on with placeholders."""

    def __init__(self, sheet: Sheet[Any]) -> None:
        self.sheet = sheet

    def wrong(self, path: Path, what: str, expected: str, line: int | None = None, /, **values: object) -> None:
        self.sheet.broken.append(path)
        self.sheet.state(path, what, expected, values, line)

    def value(self, kind: inspect.Type, node: yaml.Node, path: Path) -> Any:
        """The value of a node read as a type, or a placeholder of that type after stating what is wrong."""
        self.sheet.lines.setdefault(path, _line(node))
        if node.tag not in _PLAIN_TAGS:
            self.wrong(path, N_("The tag {tag} stands here."), N_("no tag"), tag=node.tag)
            return blank(kind)
        match kind:
            case inspect.Metadata():
                return self.value(kind.type, node, path)
            case inspect.StructType():
                return self.struct(kind, node, path)
            case inspect.DictType():
                return self.mapping(kind, node, path)
            case inspect.VarTupleType() | inspect.ListType() | inspect.FrozenSetType():
                return self.sequence(kind, node, path)
            case inspect.UnionType():
                return self.either(kind, node, path)
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(path, N_("A {found} stands here."), "{expected}", found=_noun(node), expected=describe(kind))
            return blank(kind)
        return self.scalar(kind, node, path)

    def pairs(self, node: yaml.MappingNode, path: Path) -> dict[str, tuple[yaml.ScalarNode, yaml.Node]]:
        """Keys of a mapping with their key and value nodes; a key that stands twice keeps its first value."""
        found: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
        for key, value in node.value:
            line = _line(key)
            if not isinstance(key, yaml.ScalarNode):
                self.wrong(path, N_("A {found} is used as a key."), N_("a word"), line, found=_noun(key))
            elif key.value in found:
                first = _line(found[key.value][0])
                self.wrong(
                    (*path, key.value),
                    N_("The key {key} stands here again."),
                    N_("each key once; it stood in line {first}"),
                    line,
                    key=key.value,
                    first=first,
                )
            else:
                found[key.value] = key, value
                self.sheet.lines[(*path, key.value)] = line
        return found

    def struct(self, kind: inspect.StructType, node: yaml.Node, path: Path) -> Any:
        if not isinstance(node, yaml.MappingNode):
            self.wrong(path, N_("A {found} stands here."), "{expected}", found=_noun(node), expected=describe(kind))
            return blank(kind)
        pairs = self.pairs(node, path)
        # The hash comes from the reader; a file that states its own is refused like any unknown key.
        fields = {f.encode_name: f for f in kind.fields if f.encode_name != "sha256"}
        for key, (key_node, _value) in pairs.items():
            if key not in fields:
                near = get_close_matches(key, fields, 1)
                known = f"{near[0]} (?)" if near else ", ".join(fields)
                line = _line(key_node)
                self.wrong((*path, key), N_("The key {key} is not known here."), "{known}", line, key=key, known=known)
        values = {}
        for key, field in fields.items():
            if key in pairs:
                values[field.name] = self.value(field.type, pairs[key][1], (*path, key))
            elif field.required:
                line = _line(node)
                expected = describe(field.type)
                self.wrong(
                    (*path, key), N_("The key {key} is missing."), "{expected}", line, key=key, expected=expected
                )
                values[field.name] = blank(field.type)
        if any(v is _UNUSABLE for v in values.values()):
            return _UNUSABLE
        try:
            return kind.cls(**values)
        except (ValueError, TypeError) as error:
            if not any(b[: len(path)] == path for b in self.sheet.broken):
                self.wrong(path, "{error}", N_("values that fit together"), error=str(error))
            return _UNUSABLE

    def mapping(self, kind: inspect.DictType, node: yaml.Node, path: Path) -> Any:
        if not isinstance(node, yaml.MappingNode):
            self.wrong(path, N_("A {found} stands here."), "{expected}", found=_noun(node), expected=describe(kind))
            return {}
        items = {}
        for key, (key_node, value_node) in self.pairs(node, path).items():
            name = self.scalar(kind.key_type, key_node, (*path, key), quoted=True)
            items[name] = self.value(kind.value_type, value_node, (*path, key))
        return items

    def sequence(self, kind: Any, node: yaml.Node, path: Path) -> Any:
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(path, N_("A {found} stands here."), "{expected}", found=_noun(node), expected=describe(kind))
            return blank(kind)
        least = kind.min_length or 0
        if len(node.value) < least:
            self.wrong(path, N_("The list has {n} entries."), N_("at least {least}"), n=len(node.value), least=least)
        items = [self.value(kind.item_type, item, (*path, i)) for i, item in enumerate(node.value)]
        if any(v is _UNUSABLE for v in items):
            return _UNUSABLE
        return tuple(items) if isinstance(kind, inspect.VarTupleType) else _gather(kind, items)

    def either(self, kind: inspect.UnionType, node: yaml.Node, path: Path) -> Any:
        """A value that may be null, or one of several shapes told apart by what the node is."""
        null = isinstance(node, yaml.ScalarNode) and not node.style and node.value in ("", "~", "null")
        if null and any(isinstance(t, inspect.NoneType) for t in kind.types):
            return None
        choices = [t for t in kind.types if not isinstance(t, inspect.NoneType)]
        fits = [t for t in choices if _fits(t, node)]
        return self.value((fits or choices)[0], node, path)

    def scalar(self, kind: inspect.Type, node: yaml.ScalarNode, path: Path, *, quoted: bool = False) -> Any:
        text = node.value
        bare = not node.style and not quoted
        try:
            return _parse(kind, text, bare)
        except _Unfit as unfit:
            expected = unfit.expected or describe(kind)
            self.wrong(path, N_("{found} stands here."), "{expected}", found=_shown(text), expected=expected)
            return blank(kind)


class _Unfit(ValueError):
    def __init__(self, expected: str = "") -> None:
        self.expected = expected


def _parse(kind: inspect.Type, text: str, bare: bool) -> Any:
    """A scalar as the type wants it. Raises _Unfit with what is expected."""
    match kind:
        case inspect.Metadata():
            return _parse(kind.type, text, bare)
        case inspect.StrType():
            return _text(kind, text, bare)
        case inspect.LiteralType():
            if bare and all(isinstance(v, int) for v in kind.values) and _INTEGER.fullmatch(text):
                text = int(text)  # type: ignore[assignment]
            if text in kind.values:
                return text
        case inspect.BoolType():
            if bare and text in ("true", "false"):
                return text == "true"
        case inspect.IntType():
            if bare and _INTEGER.fullmatch(text) and _bounded(kind, int(text)):
                return int(text)
        case inspect.DecimalType():
            if _INTEGER.fullmatch(text) or (not bare and _DECIMAL.fullmatch(text)):
                return Decimal(text)
            if bare and _DECIMAL.fullmatch(text):
                raise _Unfit(f'the decimal in quotes: "{text}"')
        case inspect.DateType():
            if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                try:
                    return date.fromisoformat(text)
                except ValueError as error:
                    raise _Unfit(f"a day of the calendar ({error})") from None
        case inspect.TimeDeltaType():
            if _DURATION.fullmatch(text):
                return duration(text)
        case _:
            raise AssertionError(f"definitions do not use {kind}")
    raise _Unfit


def _needs_quotes(text: str) -> bool:
    """Whether text means something else, here or in YAML, when it stands without quotes."""
    return bool(text == "" or _NUMBER.fullmatch(text) or _AMBIGUOUS.fullmatch(text))


class _Dumper(yaml.CSafeDumper):
    def text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, '"' if _needs_quotes(text) else None)


_Dumper.add_representer(str, _Dumper.text)


def dump(plain: Mapping[str, Any]) -> str:
    """Plain dictionaries, lists, texts, integers and booleans in the notation that `structure` reads."""
    return str(yaml.dump(plain, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120))


def _text(kind: inspect.StrType, text: str, bare: bool) -> str:
    if bare and _needs_quotes(text):
        raise _Unfit(f'text in quotes: "{text}"')
    if kind.pattern and not re.search(kind.pattern, text):
        raise _Unfit
    if kind.max_length is not None and len(text) > kind.max_length:
        raise _Unfit
    return text


def _bounded(kind: inspect.IntType, number: int) -> bool:
    lowest, highest = kind.ge, kind.le
    return (lowest is None or number >= lowest) and (highest is None or number <= highest)


def _gather(kind: Any, items: list[Any]) -> Any:
    return frozenset(items) if isinstance(kind, inspect.FrozenSetType) else items


def _fits(kind: inspect.Type, node: yaml.Node) -> bool:
    match kind:
        case inspect.Metadata():
            return _fits(kind.type, node)
        case inspect.StructType() | inspect.DictType():
            return isinstance(node, yaml.MappingNode)
        case inspect.VarTupleType() | inspect.ListType() | inspect.FrozenSetType():
            return isinstance(node, yaml.SequenceNode)
    if not isinstance(node, yaml.ScalarNode):
        return False
    try:
        _parse(kind, node.value, not node.style)
    except _Unfit:
        return False
    return True


def blank(kind: inspect.Type) -> Any:
    """A placeholder that lets the rest of a broken file be examined; it never leaves the reader as a definition."""
    match kind:
        case inspect.Metadata():
            return blank(kind.type)
        case inspect.StructType():
            return kind.cls(**{f.name: blank(f.type) for f in kind.fields if f.required})
        case inspect.UnionType():
            return None if any(isinstance(t, inspect.NoneType) for t in kind.types) else blank(kind.types[0])
        case inspect.DictType():
            return {}
        case inspect.VarTupleType():
            return ()
        case inspect.ListType() | inspect.FrozenSetType():
            return _gather(kind, [])
        case inspect.LiteralType():
            return kind.values[0]
        case inspect.BoolType():
            return False
        case inspect.IntType():
            return max(0, kind.ge or 0)
        case inspect.DecimalType():
            return Decimal(0)
        case inspect.DateType():
            return date(1970, 1, 1)
        case inspect.TimeDeltaType():
            return timedelta()
    return ""


def describe(kind: inspect.Type) -> str:
    """What a value of a type looks like, in words for the writer of a file."""
    match kind:
        case inspect.Metadata():
            return describe(kind.type)
        case inspect.StructType():
            return _("a mapping with {keys}").format(keys=", ".join(f.encode_name for f in kind.fields if f.required))
        case inspect.UnionType():
            return _(" or ").join(describe(t) for t in kind.types if not isinstance(t, inspect.NoneType))
        case inspect.DictType():
            return _("a mapping")
        case inspect.VarTupleType() | inspect.ListType() | inspect.FrozenSetType():
            return _("a list")
        case inspect.LiteralType():
            return _("one of: {values}").format(values=", ".join(map(str, kind.values)))
        case inspect.BoolType():
            return _("true or false")
        case inspect.IntType():
            return _("an integer") if kind.ge is None else _("an integer of at least {least}").format(least=kind.ge)
        case inspect.DecimalType():
            return _('a decimal in quotes, for example "0.5"')
        case inspect.DateType():
            return _("a date, for example 2026-03-02")
        case inspect.TimeDeltaType():
            return _("an ISO 8601 duration in weeks, days, hours, minutes or seconds, for example PT30M or P9D")
        case inspect.StrType(pattern=r"\S"):
            return _("text that is not blank")
        case inspect.StrType() if kind.pattern and kind.max_length:
            words = _("text that matches {pattern}, at most {most} long")
            return words.format(pattern=kind.pattern, most=kind.max_length)
        case inspect.StrType() if kind.pattern:
            return _("text that matches {pattern}").format(pattern=kind.pattern)
    return _("text")


def _line(place: Any) -> int:
    """The line, counted from 1, where an event or a node of a parsed text begins."""
    line: int = place.start_mark.line
    return line + 1


def _noun(node: yaml.Node) -> str:
    match node:
        case yaml.MappingNode():
            return _("mapping")
        case yaml.SequenceNode():
            return _("list")
    return _("single value")


def _shown(text: str) -> str:
    short = text if len(text) <= 60 else text[:57] + "..."
    return repr(short) if text else _("nothing")


def schema(kind: type[Immutable]) -> dict[str, Any]:
    """The JSON schema (2020-12) of a kind of definition, for editors; decimals and durations are strings."""
    made = msgspec.json.schema(kind)
    for part in made.get("$defs", {}).values():
        if isinstance(part.get("properties"), dict):
            part["properties"].pop("sha256", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
