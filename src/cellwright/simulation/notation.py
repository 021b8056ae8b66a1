"""The file form of a model: YAML, the same data as the builder makes, with every error of a file and its line at once.

    name: clinic
    unit: min
    resources:
      nurse: {capacity: 2}
    processes:
      visit:
        arrivals: {exponential: 10}
        steps:
          - use: nurse
            for: {exponential: 15}

A distribution is a number, or its name with its parameters. A step is a mapping whose first word says what is done.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from cellwright.language import _
from cellwright.simulation import step
from cellwright.simulation.draw import MAKERS, Draw, ModelError, attribute, constant, empirical
from cellwright.simulation.model import Breakdown, Found, ModelData, ProcessPlan, Resource, unknown
from cellwright.simulation.vocabulary import STEPS

LARGEST: Final = 5_000_000
"""Characters of a file."""


class FileError(ModelError):
    """Everything that is wrong with a file, a line each: `file:line: where: what`."""

    def __init__(self, problems: list[tuple[int, str]], file: str) -> None:
        self.problems = sorted(dict.fromkeys(problems))
        super().__init__("\n".join(f"{file}:{line}: {what}" for line, what in self.problems))


def load(path: str | Path) -> ModelData:
    """Read a model's file. Raises FileError with every problem of the file; OSError if it cannot be read."""
    return read(Path(path).read_text(encoding="utf-8"), str(path))


def read(text: str, file: str = "model") -> ModelData:
    """Read a model's text: its form, its names, its programs. Raises FileError with every problem of the text."""
    sheet = _Sheet()
    data = None
    if len(text) > LARGEST:
        sheet.say(1, _("The file has {n} characters, at most {most} are read.").format(n=len(text), most=LARGEST))
    else:
        data = _composed(sheet, text)
    if data is not None and not sheet.problems:
        _judged(sheet, data)
    if sheet.problems or data is None:
        raise FileError(sheet.problems, file)
    return data


def _judged(sheet: "_Sheet", data: ModelData) -> None:
    """What only the whole shows; an error that names a process and step gets that step's line."""
    from cellwright.simulation.program import compiled

    try:
        compiled(data)
    except ModelError as error:
        for what in str(error).split("\n"):
            line = next((n for place, n in sheet.places if _names(what, place)), 1)
            sheet.say(line, what)


def _names(what: str, place: str) -> bool:
    """Whether an error begins with a place, and not with a longer name that begins so too."""
    after = what[len(place) : len(place) + 1]
    return what.startswith(place) and not (after.isascii() and (after.isalnum() or after in ("_", "-")))


def _composed(sheet: "_Sheet", text: str) -> ModelData | None:
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.CSafeLoader)):
            sheet.say(1, _("References (*name) are not read; write the value itself."))
            return None
        node = yaml.compose(text, yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        sheet.say(
            mark.line + 1 if mark else 1, _("The file is not YAML: {why}").format(why=getattr(error, "problem", error))
        )
        return None
    if not isinstance(node, yaml.MappingNode):
        sheet.say(1, _("A model is a mapping with name, resources and processes."))
        return None
    return _Reader(sheet).model(node)


class _Sheet:
    """The problems found, and where each step stands."""

    def __init__(self) -> None:
        self.problems: list[tuple[int, str]] = []
        self.places: list[tuple[str, int]] = []

    def say(self, line: int, what: str) -> None:
        self.problems.append((line, what))


class _Wrong(Exception):
    """A value that cannot be read; the problem is stated already."""


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1


class _Reader:
    def __init__(self, sheet: _Sheet) -> None:
        self.sheet = sheet

    def wrong(self, node: yaml.Node, what: str) -> _Wrong:
        self.sheet.say(_line(node), what)
        return _Wrong()

    def each(self, pairs: Mapping[str, yaml.Node], read: Callable[[str, yaml.Node], Any]) -> list[Any]:
        """What could be read of several; the others have said why not."""
        made = []
        for key, node in pairs.items():
            try:
                made.append(read(key, node))
            except _Wrong:
                continue
            except ModelError as error:
                self.sheet.say(_line(node), str(error))
        return made

    def pairs(self, node: yaml.Node, known: Mapping[str, bool] | None = None) -> dict[str, yaml.Node]:
        """A mapping by its keys. `known`: which keys there may be, and whether each must be."""
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(node, _("A mapping is expected here."))
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in found:
                self.sheet.say(_line(key), _("The key {key} stands here twice.").format(key=name))
            elif known is not None and name not in known:
                self.sheet.say(_line(key), unknown(name, known))
            found[name] = value
        missing = [k for k, needed in (known or {}).items() if needed and k not in found]
        if missing:
            raise self.wrong(node, _("Missing: {keys}.").format(keys=", ".join(missing)))
        return found

    def text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value:
            raise self.wrong(node, _("A word is expected here."))
        return str(node.value)

    def number(self, node: yaml.Node) -> float:
        try:
            return float(self.text(node))
        except ValueError:
            raise self.wrong(node, _("A number is expected here, not {found}.").format(found=node.value)) from None

    def whole(self, node: yaml.Node) -> int:
        try:
            return int(self.text(node))
        except ValueError:
            raise self.wrong(
                node, _("A whole number is expected here, not {found}.").format(found=node.value)
            ) from None

    def truth(self, node: yaml.Node) -> bool:
        if self.text(node) not in ("true", "false"):
            raise self.wrong(node, _("true or false is expected here, not {found}.").format(found=node.value))
        return bool(node.value == "true")

    def items(self, node: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.wrong(node, _("A list is expected here."))
        return list(node.value)

    def draw(self, node: yaml.Node) -> Draw:
        if isinstance(node, yaml.ScalarNode):
            return self.checked(node, lambda: constant(self.number(node)))
        pairs = self.pairs(node)
        name, value = next(iter(pairs.items()), ("", node))
        if len(pairs) != 1 or name not in (*MAKERS, "empirical", "attribute"):
            raise self.wrong(
                node, _("A distribution is a number, or one of {names} with its parameters.").format(
                    names=", ".join((*MAKERS, "empirical", "attribute"))
                )
            )  # fmt: skip
        if name == "attribute":
            return attribute(self.text(value))
        numbers = (
            [self.number(value)] if isinstance(value, yaml.ScalarNode) else [self.number(n) for n in self.items(value)]
        )
        if name == "empirical":
            return self.checked(node, lambda: empirical(numbers))
        maker: Any = MAKERS[name]
        needed = maker.__code__.co_varnames[: maker.__code__.co_argcount]
        if len(numbers) != len(needed):
            raise self.wrong(
                node, _("{name} takes {parameters}.").format(name=name, parameters=", ".join(needed))
            )  # fmt: skip
        return self.checked(node, lambda: maker(*numbers))

    def checked(self, node: yaml.Node, make: Callable[[], Draw]) -> Draw:
        try:
            return make()
        except ModelError as error:
            raise self.wrong(node, str(error)) from None

    def table(self, node: yaml.Node) -> tuple[tuple[float, float], ...]:
        rows = [[self.number(n) for n in self.items(row)] for row in self.items(node)]
        if any(len(row) != 2 for row in rows):
            raise self.wrong(node, _("Each row is a time and a number: [0, 2]."))
        return tuple((a, b) for a, b in rows)

    def units(self, node: yaml.Node, how_many: int) -> dict[str, int]:
        if isinstance(node, yaml.ScalarNode):
            return {self.text(node): how_many}
        return {name: self.whole(n) for name, n in self.pairs(node).items()}

    # --- the parts of a model -------------------------------------------------------------------------------------------

    def model(self, node: yaml.Node) -> ModelData | None:
        top = {"name": True, "unit": False, "resources": False, "stocks": False, "processes": True, "breakdowns": False, "found": False}  # fmt: skip
        try:
            parts = self.pairs(node, top)
        except _Wrong:
            return None
        named = self.each({k: parts[k] for k in ("name", "unit") if k in parts}, lambda _k, n: self.text(n))
        resources = self.part(parts, "resources", self.resource) + self.part(parts, "stocks", self.stock)
        processes = self.part(parts, "processes", self.process)
        breakdowns = self.part(parts, "breakdowns", self.breakdown(resources))
        found = self.listed(parts, "found", self.found)
        if self.sheet.problems:
            return None
        return ModelData(
            name=named[0], unit=named[1] if "unit" in parts else "h", resources=tuple(resources),
            processes=tuple(processes), breakdowns=tuple(breakdowns), found=tuple(found),
        )  # fmt: skip

    def part(self, parts: Mapping[str, yaml.Node], key: str, read: Callable[[str, yaml.Node], Any]) -> list[Any]:
        if key not in parts:
            return []
        try:
            return self.each(self.pairs(parts[key]), read)
        except _Wrong:
            return []

    def listed(self, parts: Mapping[str, yaml.Node], key: str, read: Callable[[str, yaml.Node], Any]) -> list[Any]:
        if key not in parts:
            return []
        try:
            return self.each({str(i): n for i, n in enumerate(self.items(parts[key]), 1)}, read)
        except _Wrong:
            return []

    def resource(self, name: str, node: yaml.Node) -> Resource:
        self.sheet.places.append((_("Resource {name}:").format(name=name).rstrip(":："), _line(node)))
        if isinstance(node, yaml.ScalarNode):
            return Resource(name=name, capacity=self.whole(node))
        parts = self.pairs(node, {"capacity": True, "calendar": False, "period": False})
        calendar = self.table(parts["calendar"]) if "calendar" in parts else ()
        return Resource(
            name=name, capacity=self.whole(parts["capacity"]), calendar=tuple((t, int(n)) for t, n in calendar),
            period=self.number(parts["period"]) if "period" in parts else 0.0,
        )  # fmt: skip

    def stock(self, name: str, node: yaml.Node) -> Resource:
        return Resource(name=name, capacity=self.whole(node), stock=True)

    def breakdown(self, resources: list[Resource]) -> Callable[[str, yaml.Node], Breakdown]:
        capacity = {r.name: r.capacity for r in resources}

        def read(name: str, node: yaml.Node) -> Breakdown:
            self.sheet.places.append((_("breakdown of {name}").format(name=name), _line(node)))
            parts = self.pairs(node, {"between": True, "repair": True, "units": False, "interrupts": False})
            return Breakdown(
                resource=name, between=self.draw(parts["between"]), repair=self.draw(parts["repair"]),
                units=self.whole(parts["units"]) if "units" in parts else capacity.get(name, 1),
                interrupts=self.truth(parts["interrupts"]) if "interrupts" in parts else True,
            )  # fmt: skip

        return read

    def process(self, name: str, node: yaml.Node) -> ProcessPlan:
        parts = self.pairs(
            node, {"arrivals": False, "priority": False, "first": False, "rate": False, "period": False, "steps": True}
        )
        steps: list[step.AnyStep] = []
        for one in self.items(parts["steps"]):
            try:
                made = self.steps(one)
            except _Wrong:
                continue
            for k in range(len(steps) + 1, len(steps) + len(made) + 1):
                where = _("process {process}, step {number}").format(process=name, number=k)
                self.sheet.places.insert(0, (where, _line(one)))
            steps.extend(made)
        end = _("process {process}, step {number}").format(process=name, number=len(steps) + 1)
        self.sheet.places.append((end, _line(node)))
        self.sheet.places.append((_("process {process}").format(process=name), _line(node)))
        return ProcessPlan(
            name=name, arrivals=self.draw(parts["arrivals"]) if "arrivals" in parts else None, steps=tuple(steps),
            priority=self.whole(parts["priority"]) if "priority" in parts else 0,
            first=self.whole(parts["first"]) if "first" in parts else -1,
            rate=self.table(parts["rate"]) if "rate" in parts else (),
            period=self.number(parts["period"]) if "period" in parts else 0.0,
        )  # fmt: skip

    def found(self, _number: str, node: yaml.Node) -> Found:
        parts = self.pairs(
            node,
            {"process": True, "at": False, "label": False, "left": False, "holds": False, "values": False, "priority": False},
        )  # fmt: skip
        return Found(
            process=self.text(parts["process"]), at=self.number(parts["at"]) if "at" in parts else 0.0,
            label=self.text(parts["label"]) if "label" in parts else None,
            left=self.number(parts["left"]) if "left" in parts else None,
            holds={k: self.whole(n) for k, n in self.pairs(parts["holds"]).items()} if "holds" in parts else {},
            values={k: self.number(n) for k, n in self.pairs(parts["values"]).items()} if "values" in parts else {},
            priority=self.whole(parts["priority"]) if "priority" in parts else None,
        )  # fmt: skip

    def steps(self, node: yaml.Node) -> list[step.AnyStep]:
        """One entry of the list: mostly one step; `use` is three."""
        if isinstance(node, yaml.ScalarNode):
            node_pairs: dict[str, yaml.Node] = {self.text(node): yaml.ScalarNode("tag:yaml.org,2002:null", "")}
        else:
            node_pairs = self.pairs(node)
        word = next(iter(node_pairs), "")
        if word not in STEPS:
            raise self.wrong(node, unknown(word, STEPS))
        allowed, make, _first = STEPS[word]
        strange = [k for k in list(node_pairs)[1:] if k not in allowed]
        if strange:
            raise self.wrong(node_pairs[strange[0]], unknown(strange[0], allowed or ("-",)))
        return make(self, node, node_pairs)
