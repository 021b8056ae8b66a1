"""The manual: build it in both languages, and keep it from rotting.

`--build` runs Sphinx for English and Chinese with warnings as errors. `--check` compares the pages with the program:
every verb and option, event type, setting and requirement has its heading, every page exists in both languages with the
same headings, and every command that a page shows exists.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tools import events, machines

ROOT = Path(__file__).parent.parent
DOCS: Final = ROOT / "docs"
BUILT: Final = DOCS / "_build" / "html"
SOURCES: Final = {"en": DOCS, "zh": DOCS / "zh"}
TARGETS: Final = {"en": BUILT, "zh": BUILT / "zh"}
FENCE: Final = re.compile(r"^(?P<fence>```+)(?P<kind>[^\n`]*)\n(?P<body>.*?)^(?P=fence)\s*$", re.MULTILINE | re.DOTALL)


def pages(language: str) -> list[Path]:
    """Every page of a language, relative to its folder."""
    source = SOURCES[language]
    found = (path.relative_to(source) for path in source.rglob("*.md"))
    return sorted(path for path in found if path.parts[0] not in {"_build", "zh"})


def text(language: str, page: Path | str) -> str:
    """The Markdown of a page; empty when it is missing."""
    path = SOURCES[language] / page
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def headings(markdown: str) -> list[tuple[int, str]]:
    """(level, title) of every heading outside of code."""
    lines = FENCE.sub("", markdown).splitlines()
    return [(len(match[1]), match[2].strip()) for line in lines if (match := re.match(r"(#+)\s+(.*)", line))]


def blocks(markdown: str, kind: str) -> list[str]:
    """The code blocks of one kind, such as `console`."""
    return [match["body"] for match in FENCE.finditer(markdown) if match["kind"].strip() == kind]


def commands(markdown: str) -> list[str]:
    """The command lines of the `console` blocks: those after a `$ ` prompt."""
    return [line[2:] for block in blocks(markdown, "console") for line in block.splitlines() if line.startswith("$ ")]


def options(verb: str) -> list[str]:
    """The long options of a verb, as its own help names them; of the frame for the empty verb."""
    import typer

    from cellwright.cli import app

    root: Any = typer.main.get_command(app)
    command = root.get_command(None, verb) if verb else root
    parts = [command, *getattr(command, "commands", {}).values()]
    names = {name for part in parts for parameter in part.params for name in parameter.opts}
    return sorted(name for name in names if name.startswith("--"))


def settings() -> list[str]:
    """The environment variables that the program reads: every CELLWRIGHT_… named in the source."""
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    return sorted({name for source in sources for name in re.findall(r"\"(CELLWRIGHT_[A-Z_]+)\"", source)})


def _cli_faults() -> Iterator[str]:
    from cellwright.cli import verbs

    for language in SOURCES:
        page = text(language, "reference/cli.md")
        titles = {title for _, title in headings(page)}
        for verb in ["", *verbs()]:
            heading = f"cellwright {verb}".strip()
            if heading not in titles:
                yield f"{language} reference/cli.md has no heading {heading!r}"
            yield from (
                f"{language} reference/cli.md does not name {heading} {option}"
                for option in options(verb)
                if f"`{option}" not in page and option != "--help"
            )


def _setting_faults() -> Iterator[str]:
    for language in SOURCES:
        titles = {title for _, title in headings(text(language, "reference/settings.md"))}
        yield from (f"{language} reference/settings.md: no heading {it}" for it in settings() if it not in titles)


def _parity_faults() -> Iterator[str]:
    for page in sorted({*pages("en"), *pages("zh")}):
        english, chinese = (headings(text(language, page)) for language in SOURCES)
        if not english or not chinese:
            yield f"{page} is missing in {'English' if not english else 'Chinese'}"
        elif [level for level, _ in english] != [level for level, _ in chinese]:
            yield f"{page} has other headings in Chinese ({len(chinese)}) than in English ({len(english)})"


def _command_faults() -> Iterator[str]:
    from cellwright.cli import VERBS

    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for language in SOURCES:
        for page in pages(language):
            markdown = text(language, page)
            shown = [*commands(markdown), *(line for block in blocks(markdown, "sh") for line in block.splitlines())]
            for line in shown:
                words = line.split()
                if words[:1] == ["cellwright"] and len(words) > 1 and words[1] not in VERBS and words[1][0] != "-":
                    yield f"{language} {page}: cellwright has no verb {words[1]}"
                if words[:1] == ["make"] and len(words) > 1 and f"\n{words[1]}:" not in makefile:
                    yield f"{language} {page}: there is no `make {words[1]}`"


def faults() -> list[str]:
    """What the manual says wrongly or leaves out."""
    return [
        *_parity_faults(),
        *_cli_faults(),
        *_setting_faults(),
        *_command_faults(),
        *events.faults(),
        *machines.faults(),
    ]


def build() -> bool:
    """Build both languages beside each other, warnings as errors. Output: docs/_build/html, Chinese in its `zh`."""
    running = []
    for language, source in SOURCES.items():
        doctrees = DOCS / "_build" / f"doctrees-{language}"
        command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-c", str(DOCS)]
        command += ["-d", str(doctrees), str(source), str(TARGETS[language])]
        surroundings = os.environ | {"CELLWRIGHT_MANUAL": language}
        running.append((language, subprocess.Popen(command, cwd=ROOT, env=surroundings)))
    results = [(language, process.wait()) for language, process in running]
    for language, code in results:
        if code == 0:
            print(f"docs {language}     ok  {TARGETS[language].relative_to(ROOT)}/index.html")
    return all(code == 0 for _, code in results)


def main() -> int:
    """Build, check, or both."""
    good = True
    if "--check" in sys.argv[1:]:
        found = faults()
        print("\n".join(found) if found else "manual      ok")
        good = not found
    if "--build" in sys.argv[1:]:
        good = build() and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
