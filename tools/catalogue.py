"""Keep the catalogues true: extract every marked message, keep its translation, compile, and say what is missing.

`python -m tools.catalogue` writes, `--check` only looks. Both fail when a message has no translation yet.
"""

import ast
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tools import events

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "cellwright"
LANGUAGES: Final = ("zh_Hans",)
KEYWORDS: Final = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
# A catalogue is the same bytes whenever it is made.
FIXED: Final = datetime(2026, 1, 1, tzinfo=UTC)
HEADER: Final = """\
# Messages of Cellwright in Simplified Chinese. `make i18n` keeps this file; write only the msgstr.
#"""


def po_path(language: str) -> Path:
    """The catalogue a translator writes."""
    return SOURCE / "locale" / language / "LC_MESSAGES" / "cellwright.po"


def mo_path(language: str) -> Path:
    """The catalogue the program reads."""
    return po_path(language).with_suffix(".mo")


def extracted() -> Catalog:
    """Every message marked in Python and in Jinja templates, with the files it stands in (no lines: they would churn),
    and the sentence that says what each event type means.
    """
    with (ROOT / "tools" / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    template = Catalog(project="cellwright", charset="utf-8")
    for name, _line, message, comments, context in extract_from_dir(
        SOURCE, methods, options, keywords=KEYWORDS, comment_tags=("Translators:",)
    ):
        template.add(message, locations=[(f"src/cellwright/{name}", 0)], auto_comments=comments, context=context)
    for sentence in events.summaries():
        template.add(sentence, locations=[("src/cellwright/factory", 0)])
    for path in sorted(SOURCE.rglob("*.py")):
        for sentence in unmarked(path.read_text(encoding="utf-8")):
            template.add(sentence, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    return template


# Constructors whose texts are message ids although nothing marks them (the factory imports nothing from above):
# which positions and which keywords are read by people. Conditional texts count with both branches.
CARRIERS: Final[dict[str, tuple[slice, tuple[str, ...]]]] = {
    "Refusal": (slice(1, 2), ("text", "remedy")),
    "Flaw": (slice(1, 2), ("what", "expected")),
    "Machine": (slice(0, 0), ("name",)),
}


def unmarked(source: str) -> list[str]:
    """Messages that a file carries without marking them: the texts of `CARRIERS`."""
    if not any(f"{name}(" in source for name in CARRIERS):
        return []
    return [text for node in ast.walk(ast.parse(source)) for text in _carried(node)]


def _carried(call: ast.AST) -> list[str]:
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in CARRIERS):
        return []
    places, keywords = CARRIERS[call.func.id]
    said = [*call.args[places], *(keyword.value for keyword in call.keywords if keyword.arg in keywords)]
    return [text for expression in said for text in _literals(expression)]


def _literals(expression: ast.expr) -> list[str]:
    """The text of a literal, and of both branches of a choice between literals; anything else carries none."""
    if isinstance(expression, ast.IfExp):
        return [*_literals(expression.body), *_literals(expression.orelse)]
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str) and " " in expression.value:
        return [expression.value]
    return []


def read(language: str) -> Catalog:
    """The catalogue as committed; an empty one for a language that has none yet."""
    path = po_path(language)
    if not path.is_file():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str) -> Catalog:
    """The committed catalogue with messages added and dropped as the source has them now; translations stay."""
    catalogue = read(language)
    catalogue.update(extracted(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    catalogue.header_comment = HEADER
    catalogue.fuzzy, catalogue.msgid_bugs_address = False, ""
    catalogue.project, catalogue.version = "cellwright", "1"
    catalogue.creation_date = catalogue.revision_date = FIXED
    catalogue.last_translator = catalogue.language_team = "The Cellwright contributors"
    for message in catalogue:
        message.locations = [(name, 0) for name in sorted({name for name, _ in message.locations})]
    return catalogue


def po_bytes(catalogue: Catalog) -> bytes:
    """The translator's file: sorted by message, files without lines."""
    buffer = BytesIO()
    write_po(buffer, catalogue, width=120, sort_output=True, include_lineno=False, ignore_obsolete=True)
    dates = (b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Generated-By')
    return b"".join(line for line in buffer.getvalue().splitlines(keepends=True) if not line.startswith(dates))


def mo_bytes(catalogue: Catalog) -> bytes:
    """The program's file."""
    catalogue.creation_date = catalogue.revision_date = FIXED
    buffer = BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def untranslated(catalogue: Catalog) -> list[Message]:
    """Messages with an empty or fuzzy translation, or without one of the plural forms."""

    def lacking(message: Message) -> bool:
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        return message.fuzzy or not all(forms)

    return [message for message in catalogue if message.id and lacking(message)]


def misfitted(catalogue: Catalog) -> list[Message]:
    """Messages whose translation names other `{fields}` than the original does: formatting it would fail or hide a value."""

    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}

    def differs(message: Message) -> bool:
        originals = message.id if isinstance(message.id, tuple | list) else (message.id,)
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        expected = set().union(*map(fields, originals))
        return any(form and fields(form) != expected for form in forms)

    return [message for message in catalogue if message.id and "{" in str(message.id) and differs(message)]


def faults(language: str) -> list[str]:
    """What keeps a catalogue from being true, each with what to do."""
    found = []
    catalogue = updated(language)
    if not po_path(language).is_file() or po_path(language).read_bytes() != po_bytes(catalogue):
        found.append(f"{language}: the catalogue differs from the source; run `make i18n`")
    elif not mo_path(language).is_file() or mo_path(language).read_bytes() != mo_bytes(read(language)):
        found.append(f"{language}: the compiled catalogue differs from the written one; run `make i18n`")
    found += [f"{language}: no translation of {message.id!r}" for message in untranslated(catalogue)]
    found += [f"{language}: other {{fields}} than in {message.id!r}" for message in misfitted(catalogue)]
    return found


def write(language: str) -> None:
    """Bring both files of a language up to date with the source."""
    catalogue = updated(language)
    po_path(language).parent.mkdir(parents=True, exist_ok=True)
    po_path(language).write_bytes(po_bytes(catalogue))
    mo_path(language).write_bytes(mo_bytes(read(language)))


def main() -> int:
    """Write the catalogues, or with `--check` only compare; list what is missing."""
    for language in LANGUAGES:
        if "--check" not in sys.argv[1:]:
            write(language)
    found = [fault for language in LANGUAGES for fault in faults(language)]
    print("\n".join(found) if found else "catalogues  ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
