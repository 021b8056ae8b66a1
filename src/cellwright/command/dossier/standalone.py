"""Puts the verifier together: one file of plain Python that a stranger can read, keep and run without us.

It is the modules of `PARTS`, word for word, but that a private name which two of them use is told apart by its module,
and that the Chinese of every sentence is brought along. The composed file is shipped as
`cellwright/shipped/verify_dossier.py`; a test composes it again and compares.

    python -m cellwright.command.dossier.standalone    # writes the shipped file anew
"""

import ast
import io
import re
import tokenize
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from cellwright.language import CHINESE, translate

PARTS: Final = (
    ("cellwright.ledger", "plaincrypto.py"),
    ("cellwright.ledger", "plainlattice.py"),
    ("cellwright.command.dossier", "archive.py"),
    ("cellwright.command.dossier", "finding.py"),
    ("cellwright.command.dossier", "note.py"),
    ("cellwright.command.dossier", "required.py"),
    ("cellwright.command.dossier", "signed.py"),
    ("cellwright.command.dossier", "check.py"),
    ("cellwright.command.dossier", "phrases.py"),
    ("cellwright.command.dossier", "words.py"),
    ("cellwright.command.dossier", "telling.py"),
)
SHIPPED: Final = ("cellwright.shipped", "verify_dossier.py")
HEAD: Final = '''#!/usr/bin/env python3
# ruff: noqa
# fmt: off
# mypy: ignore-errors
"""Verifies a Cellwright dossier: the record of one lot of a cell therapy, offline, with Python's standard library.

    python3 verify_dossier.py DOSSIER.zip [--key VERIFIER_KEY]... [--checkpoint NOTE]... [--witness KEY]...
                              [--language en|zh] [--json]

It checks that the archive is whole, that the site sealed its list of contents, that every event stands in the record
that the site's checkpoint speaks of, that every signature of a person is over exactly what it claims and was theirs to
give, and that every enclosed file is the one the record names. With --key it checks too that the site is the one you
know, with --checkpoint that its record continues a checkpoint you received, with --witness that a witness cosigned it. Needs Python 3.11 or later.
Exit code 0: everything holds. 1: something does not, and is named. 2: wrong use.

Composed from cellwright (Apache-2.0); do not edit.
"""

'''
_N: Final = '''
def N_(text):
    """A sentence; its Chinese stands in the table at the end."""
    return text
'''


def shipped() -> str:
    """The verifier as shipped with this version."""
    package, name = SHIPPED
    return files(package).joinpath(name).read_text(encoding="utf-8")


def compose() -> str:
    """The text of the stand-alone verifier."""
    imports: dict[str, None] = {}
    bodies: list[str] = []
    messages: dict[str, None] = {}
    taken: set[str] = set()
    for package, name in PARTS:
        source = files(package).joinpath(name).read_text(encoding="utf-8")
        tree = ast.parse(source)
        clashing = _defined(tree) & taken
        taken |= _defined(tree)
        messages |= dict.fromkeys(_messages(tree))
        kept = _without_imports(source, tree, imports)
        bodies.append(f"# {'-' * 20} {name}\n\n{_told_apart(kept, clashing, name.removesuffix('.py')).strip()}\n")
    said = titles() | {message: translate(message, CHINESE) for message in messages}
    table = "".join(f"    {text!r}: {said[text]!r},\n" for text in sorted(said))
    end = f'CHINESE.update({{\n{table}}})\n\nif __name__ == "__main__":\n    sys.exit(main(sys.argv[1:]))\n'
    future = "from __future__ import annotations\n\n"
    others = sorted(line for line in imports if "__future__" not in line)
    return HEAD + future + "".join(others) + "\n" + _N + "\n\n" + "\n\n".join(bodies) + "\n\n" + end


def titles() -> dict[str, str]:
    """Titles in the shipped recipes, English -> Chinese: an event holds the English one."""
    recipes = files(SHIPPED[0]).joinpath("recipe").iterdir()
    found: dict[str, str] = {}
    for recipe in sorted(recipes, key=lambda file: file.name):
        if recipe.name.endswith(".yaml"):
            _titles(yaml.safe_load(recipe.read_text(encoding="utf-8")), found)
    return found


def _titles(value: Any, found: dict[str, str]) -> None:
    if isinstance(value, list):
        for one in value:
            _titles(one, found)
    elif isinstance(value, dict):
        title = value.get("title")
        if isinstance(title, dict) and {"en", "zh"} <= title.keys():
            found.setdefault(str(title["en"]), str(title["zh"]))
        for one in value.values():
            _titles(one, found)


def messages_of(package: str, name: str) -> list[str]:
    """The sentences of one part, in English."""
    return _messages(ast.parse(files(package).joinpath(name).read_text(encoding="utf-8")))


def _defined(tree: ast.Module) -> set[str]:
    """Names that a module defines."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def _messages(tree: ast.Module) -> list[str]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    marked = (call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "N_")
    return [node.value for node in marked if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _without_imports(source: str, tree: ast.Module, imports: dict[str, None]) -> str:
    """The source without the imports at its top; those of the standard library are collected."""
    lines = source.splitlines(keepends=True)
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert node.end_lineno is not None
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("cellwright"):
                imports[ast.unparse(node) + "\n"] = None
            for number in range(node.lineno - 1, node.end_lineno):
                lines[number] = ""
    return re.sub(r"\n{4,}", "\n\n\n", "".join(lines))


def _told_apart(source: str, clashing: set[str], module: str) -> str:
    """The source with these names followed by the module's own."""
    if not clashing:
        return source
    assert all(name.startswith("_") for name in clashing), f"{module} and an earlier part both define {clashing}"
    lines = source.splitlines(keepends=True)
    spots = [
        token.start
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.NAME and token.string in clashing
    ]
    for row, column in reversed(spots):
        line = lines[row - 1]
        end = column + next(
            len(name) for name in sorted(clashing, key=len, reverse=True) if line.startswith(name, column)
        )
        lines[row - 1] = f"{line[:end]}_{module}{line[end:]}"
    return "".join(lines)


def write() -> None:
    """Write the shipped file anew."""
    package, name = SHIPPED
    Path(str(files(package).joinpath(name))).write_text(compose(), encoding="utf-8")


if __name__ == "__main__":
    write()
