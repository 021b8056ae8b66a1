"""The matrix from requirement to tests, made from the marks on the tests.

`python -m tools.matrix` writes the page in both languages; `--check` compares; `--strict` also fails for a requirement
that is due and has no test.
"""

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parent.parent
REQUIREMENTS: Final = ROOT / "docs" / "reference" / "requirements.toml"
PAGES: Final = {
    "en": ROOT / "docs" / "reference" / "requirements-matrix.md",
    "zh": ROOT / "docs" / "zh" / "reference" / "requirements-matrix.md",
}
WORDS: Final = {
    "en": {
        "title": "Requirements and their tests",
        "lead": "Made by `make matrix` from the marks on the tests and from `docs/reference/requirements.toml`. "
        "A test marked with a requirement shows that it holds; a requirement without one is open.",
        "count": "{shown} of {all} requirements have tests; {open} are open.",
        "open": "open",
        "due": "open, due",
        "tests": "Tests",
    },
    "zh": {
        "title": "需求及其测试",
        "lead": "由 `make matrix` 根据测试上的标记和 `docs/reference/requirements.toml` 生成。"
        "标有某需求的测试表明该需求成立；没有测试的需求为未完成。",
        "count": "{all} 项需求中 {shown} 项有测试，{open} 项未完成。",
        "open": "未完成",
        "due": "未完成，到期",
        "tests": "测试",
    },
}


@dataclass(frozen=True)
class Requirement:
    """One requirement in both languages, and whether a test for it is due."""

    id: str
    en: str
    zh: str
    due: bool


@dataclass(frozen=True)
class Chapter:
    """A group of requirements."""

    en: str
    zh: str
    requirements: tuple[Requirement, ...]


def chapters() -> list[Chapter]:
    """The requirements as the file groups them."""
    groups = tomllib.loads(REQUIREMENTS.read_text(encoding="utf-8"))
    return [
        Chapter(
            en=group.pop("en"),
            zh=group.pop("zh"),
            requirements=tuple(
                Requirement(id, text["en"], text["zh"], text.get("due", False)) for id, text in sorted(group.items())
            ),
        )
        for group in groups.values()
    ]


def requirements() -> dict[str, Requirement]:
    """Every requirement by its id."""
    return {requirement.id: requirement for chapter in chapters() for requirement in chapter.requirements}


def _marks(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "requirement":
                yield from (str(arg.value) for arg in call.args if isinstance(arg, ast.Constant))


def _targets(node: ast.stmt) -> set[str]:
    return {t.id for t in node.targets if isinstance(t, ast.Name)} if isinstance(node, ast.Assign) else set()


def _marked(body: list[ast.stmt], path: str, inherited: set[str]) -> Iterator[tuple[str, str]]:
    """(requirement, test) for every test below, with the marks of its class and its module.

    A state machine of Hypothesis is a test too: `TestX = mark(Machine.TestCase)`, or a class that derives from it.
    """
    own = inherited.union(
        *(_marks([node.value]) for node in body if isinstance(node, ast.Assign) and "pytestmark" in _targets(node))
    )
    for node in body:
        if isinstance(node, ast.ClassDef):
            marks = own.union(_marks(node.decorator_list))
            inside = list(_marked(node.body, f"{path}::{node.name}", marks))
            yield from inside or ((mark, f"{path}::{node.name}") for mark in marks if node.name.startswith("Test"))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield from ((mark, f"{path}::{node.name}") for mark in own.union(_marks(node.decorator_list)))
        elif isinstance(node, ast.Assign):
            for name in sorted(name for name in _targets(node) if name.startswith("Test")):
                yield from ((mark, f"{path}::{name}") for mark in own.union(_marks([node.value])))


def tests() -> dict[str, list[str]]:
    """The tests of each requirement that has any, as `tests/…py::name`, sorted."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        path = file.relative_to(ROOT).as_posix()
        for id, test in _marked(ast.parse(file.read_text(encoding="utf-8")).body, path, set()):
            found[id].add(test)
    return {id: sorted(names) for id, names in found.items()}


def page(language: str, shown: Mapping[str, list[str]]) -> str:
    """The matrix as a page of the manual."""
    words = WORDS[language]
    known = requirements()
    held = sum(id in shown for id in known)
    lines = [f"# {words['title']}", "", words["lead"], ""]
    lines += [words["count"].format(shown=held, all=len(known), open=len(known) - held), ""]
    for chapter in chapters():
        lines += [f"## {getattr(chapter, language)}", ""]
        for requirement in chapter.requirements:
            lines += [f"### {requirement.id}", "", getattr(requirement, language), ""]
            names = shown.get(requirement.id, [])
            state = words["due"] if requirement.due else words["open"]
            lines += [f"- `{name}`" for name in names] or [f"*{state}*"]
            lines.append("")
    return "\n".join(lines)


def faults(*, strict: bool) -> list[str]:
    """What keeps the matrix from being true."""
    shown, known = tests(), requirements()
    found = [f"{', '.join(names)}: {id} is no requirement" for id, names in shown.items() if id not in known]
    for language, path in PAGES.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != page(language, shown):
            found.append(f"{path.relative_to(ROOT)} is not what the tests say now; run `make matrix`")
    if strict:
        found += [f"{id} is due and has no test" for id, it in known.items() if it.due and id not in shown]
    return found


def main() -> int:
    """Write the pages, or with `--check` compare; list what is wrong."""
    if "--check" not in sys.argv[1:]:
        shown = tests()
        for language, path in PAGES.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page(language, shown), encoding="utf-8")
    found = faults(strict="--strict" in sys.argv[1:])
    print("\n".join(found) if found else "matrix      ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
