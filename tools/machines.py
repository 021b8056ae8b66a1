"""The page of state machines, made from the tables that the program runs by."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final

from cellwright.language import CHINESE, ENGLISH, translate

ROOT = Path(__file__).parent.parent
PAGES: Final = {
    "en": ROOT / "docs" / "reference" / "state-machines.md",
    "zh": ROOT / "docs" / "zh" / "reference" / "state-machines.md",
}
WORDS: Final = {
    "en": {
        "title": "State machines",
        "lead": "Made by `make reference` from the tables that the program runs by. A row is a state, a column a command; what stands "
        "where they meet is the state that follows. Where nothing stands, the command is refused and changes nothing. States and "
        "commands carry the names of their standards.",
        "state": "state",
        "itself": "by itself",
        "rule": "Requirement: {rule}",
    },
    "zh": {
        "title": "状态机",
        "lead": "由 `make reference` 根据程序运行所依的表生成。行为状态，列为命令；交叉处为随后的状态。空白处命令被拒绝且不作任何改变。"
        "状态和命令使用其标准中的名称。",
        "state": "状态",
        "itself": "自行",
        "rule": "需求：{rule}",
    },
}


def machines() -> list[Any]:
    """Every table of the recipe room, by name."""
    import cellwright.factory.recipe as room
    from cellwright.factory.recipe.machine import Machine

    modules = [import_module(f"{room.__name__}.{module.name}") for module in iter_modules(room.__path__)]
    found = {value.name: value for module in modules for value in vars(module).values() if isinstance(value, Machine)}
    return [found[name] for name in sorted(found)]


def page(language: str) -> str:
    """The page as Markdown: one table for each machine."""
    words = WORDS[language]
    tongue = CHINESE if language == "zh" else ENGLISH
    lines = [f"# {words['title']}", "", words["lead"], ""]
    for machine in machines():
        head = [words["state"], *machine.commands, words["itself"]]
        lines += [f"## {translate(machine.name, tongue)}", "", words["rule"].format(rule=machine.rule), ""]
        lines += [_row(head), _row(["---"] * len(head))]
        for state in machine.states:
            commanded = [machine.commanded.get(state, {}).get(command, "") for command in machine.commands]
            lines.append(_row([f"**{state}**", *commanded, ", ".join(machine.completion.get(state, ()))]))
        lines.append("")
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def write() -> None:
    """Write the page in both languages."""
    for language, path in PAGES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(language), encoding="utf-8")


def faults() -> list[str]:
    """Pages that differ from the tables."""
    return [
        f"{path.relative_to(ROOT)} differs from the tables; run `make reference`"
        for language, path in PAGES.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != page(language)
    ]


if __name__ == "__main__":
    write()
