"""The manual's page of figures: kept as JSON lines beside it, written only by a benchmark run."""

import json
import os
import platform
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import Finding

REFERENCE: Final = Path(__file__).parent.parent / "docs" / "reference"
LINES: Final = REFERENCE / "benchmarks.jsonl"
PAGES: Final = {
    "en": REFERENCE / "benchmarks.md",
    "zh": REFERENCE.parent / "zh" / "reference" / "benchmarks.md",
}
WORDS: Final = {
    "en": {
        "title": "Benchmarks",
        "lead": "Written by `python -m benchmarks NAME --full` (or `--write`), never by hand. Contenders take turns within one "
        "run; a ratio is the median over the rounds of the rival's seconds over ours, so above 1 ours is faster, with the "
        "lowest and highest in brackets. Only ratios inside one run mean anything; seconds are those of a shared machine.",
        "none": "No run has been written yet.",
        "columns": ("measure", "rival", "ratio", "asked", "work"),
        "figures": ("measure", "value", "limit"),
        "machine": "Machine: {cpus} CPUs, {system}, Python {python}. Size: {size}.",
        "full": "full",
        "daily": "daily",
    },
    "zh": {
        "title": "基准测试",
        "lead": "由 `python -m benchmarks NAME --full`（或 `--write`）写入，从不手工填写。各参测者在同一次运行中轮流执行；"
        "比值为各轮中对手用时除以我方用时的中位数，大于 1 表示我方更快，括号内为最低与最高。"
        "只有同一次运行内的比值才有意义；秒数来自共用机器。",
        "none": "尚无写入的运行结果。",
        "columns": ("测量", "对手", "比值", "要求", "工作量"),
        "figures": ("测量", "数值", "限值"),
        "machine": "机器：{cpus} 个 CPU，{system}，Python {python}。规模：{size}。",
        "full": "完整",
        "daily": "日常",
    },
}


def surroundings(*, full: bool) -> dict[str, Any]:
    """What a reader needs to judge the seconds; nothing that names the machine."""
    return {
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "full": full,
    }


def read() -> dict[str, dict[str, Any]]:
    """The last written run of each benchmark."""
    if not LINES.is_file():
        return {}
    runs = (json.loads(line) for line in LINES.read_text(encoding="utf-8").splitlines() if line)
    return {run["benchmark"]: run for run in runs}


def keep(name: str, findings: Sequence[Finding], *, full: bool) -> None:
    """Put a run in place of the benchmark's former one and write the pages anew."""
    runs = read() | {
        name: {
            "benchmark": name,
            "surroundings": surroundings(full=full),
            "findings": [finding.line() for finding in findings],
        }
    }
    LINES.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(runs[key], ensure_ascii=False, sort_keys=True) for key in sorted(runs)]
    LINES.write_text("\n".join(lines) + "\n", encoding="utf-8")
    write()


def write() -> None:
    """Write the page in both languages from the kept lines."""
    for language, path in PAGES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(language, read()), encoding="utf-8")


def page(language: str, runs: dict[str, dict[str, Any]]) -> str:
    """The page as Markdown."""
    words: dict[str, Any] = WORDS[language]
    parts = [f"# {words['title']}", words["lead"]]
    if not runs:
        parts.append(words["none"])
    for name, run in sorted(runs.items()):
        where = run["surroundings"]
        size = words["full" if where["full"] else "daily"]
        parts += [f"## {name}", words["machine"].format(**where | {"size": size})]
        comparisons = [finding for finding in run["findings"] if finding["kind"] == "comparison"]
        figures = [finding for finding in run["findings"] if finding["kind"] == "figure"]
        if comparisons:
            parts.append(_table(words["columns"], [_compared(finding) for finding in comparisons]))
        if figures:
            parts.append(_table(words["figures"], [_measured(finding) for finding in figures]))
    return "\n\n".join(parts) + "\n"


def _compared(finding: dict[str, Any]) -> tuple[str, ...]:
    spread = f"**{finding['ratio']:.2f}** ({finding['low']:.2f} – {finding['high']:.2f})"
    asked = "" if finding["target"] is None else f"≥ {finding['target']:g} {'✓' if finding['held'] else '✗'}"
    return finding["measure"], finding["rival"], spread, asked, finding["work"]


def _measured(finding: dict[str, Any]) -> tuple[str, ...]:
    sign = "≥" if finding["at_least"] else "≤"
    limit = "" if finding["limit"] is None else f"{sign} {finding['limit']:g} {'✓' if finding['held'] else '✗'}"
    return finding["measure"], f"{finding['value']:.4g} {finding['unit']}", limit


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
