"""The page of event types, made from the register of facts that the program itself reads by."""

import ast
import re
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from cellwright.language import CHINESE, ENGLISH, translate

ROOT = Path(__file__).parent.parent
PAGES: Final = {
    "en": ROOT / "docs" / "reference" / "events.md",
    "zh": ROOT / "docs" / "zh" / "reference" / "events.md",
}
FOLDERS: Final = tuple(ROOT / "src" / "cellwright" / name for name in ("factory", "command"))
"""Where bodies of events are declared."""
WORDS: Final = {
    "en": {
        "title": "Event types",
        "lead": "Made by `make reference` from the register that the program reads by. Each event carries the envelope of "
        "[the ledger's format](ledger-format.md); listed here are the bodies. A field with `?` may be left out.",
        "schema": "schema",
        "colon": ": ",
    },
    "zh": {
        "title": "事件类型",
        "lead": "由 `make reference` 根据程序自身所用的登记表生成。每个事件都带有[账本格式](ledger-format.md)所述的信封；"
        "此处列出其正文。带 `?` 的字段可以省略。",
        "schema": "模式",
        "colon": "：",
    },
}


def summary(kind: type) -> str:
    """The first line of a body's docstring; empty when it has none."""
    return (kind.__doc__ or "").strip().partition("\n")[0].strip()


def register() -> dict[tuple[str, int], type[Any]]:
    """Every (type, schema) with its body."""
    from cellwright.command.issuing import BlockReserved
    from cellwright.factory.record import REGISTER
    from cellwright.factory.register import ROOMS

    assert ROOMS and BlockReserved
    return dict(sorted(REGISTER.items()))


def summaries() -> list[str]:
    """The sentences that the catalogues carry so that the page exists in both languages, read without importing."""
    sources = (path.read_text(encoding="utf-8") for folder in FOLDERS for path in folder.rglob("*.py"))
    nodes = (node for source in sources if "@event(" in source for node in ast.walk(ast.parse(source)))
    bodies = (node for node in nodes if isinstance(node, ast.ClassDef) and any(map(_registers, node.decorator_list)))
    return sorted({(ast.get_docstring(body) or "").partition("\n")[0].strip() for body in bodies} - {""})


def _registers(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "event"


def spelled(annotation: Any) -> str:
    """A type as a reader of JSON thinks of it: `text`, `list of text`, or the part's name."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return spelled(arguments[0])
    if origin in (list, tuple, set, frozenset):
        return f"list of {spelled(arguments[0])}" if arguments else "list"
    if origin is dict:
        return f"map of {spelled(arguments[1])}"
    if arguments and type(None) in arguments:
        return " | ".join(spelled(part) for part in arguments if part is not type(None))
    if arguments and origin is not None:
        return " | ".join(spelled(part) if isinstance(part, type) else str(part) for part in arguments)
    plain = {str: "text", int: "whole number", bool: "yes or no"}
    return plain.get(annotation, getattr(annotation, "__name__", re.sub(r"[\w.]*\.", "", str(annotation))))


CHINESE_TYPES: Final = (
    (r"list of (\S+)", r"\1 的列表"),
    (r"map of (\S+)", r"\1 的映射"),
    (r"\btext\b", "文本"),
    (r"whole number", "整数"),
    (r"yes or no", "是或否"),
)


def _said(kind: str, language: str) -> str:
    """The name of a type in the page's language; names of parts and values stay as they stand in the record."""
    for english, chinese in CHINESE_TYPES if language == "zh" else ():
        kind = re.sub(english, chinese, kind)
    return kind


def page(language: str) -> str:
    """The page as Markdown: one heading per event type, with the fields of its body."""
    import msgspec

    words = WORDS[language]
    tongue = CHINESE if language == "zh" else ENGLISH
    lines = [f"# {words['title']}", "", words["lead"], ""]
    for (name, schema), kind in register().items():
        lines += [f"## {name}" if schema == 1 else f"## {name} ({words['schema']} {schema})", ""]
        lines += [translate(summary(kind), tongue), ""] if summary(kind) else []
        for field in msgspec.structs.fields(kind):
            mark = "" if field.required else "?"
            lines.append(f"- `{field.encode_name}`{mark}{words['colon']}{_said(spelled(field.type), language)}")
        lines.append("")
    return "\n".join(lines)


def write() -> None:
    """Write the page in both languages."""
    for language, path in PAGES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(language), encoding="utf-8")


def faults() -> list[str]:
    """Pages that differ from the register, and bodies that do not say what they mean."""
    found = [f"event {name}: its body has no docstring" for (name, _), kind in register().items() if not summary(kind)]
    for language, path in PAGES.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != page(language):
            found.append(f"{path.relative_to(ROOT)} differs from the register; run `make reference`")
    return found


if __name__ == "__main__":
    write()
