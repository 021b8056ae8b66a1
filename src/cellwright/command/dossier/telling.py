# ruff: noqa: T201 - a program that speaks on standard output
"""Tells what a dossier holds: the verdict first, then the patient's story, in English or Chinese.

Standard library only; a part of the stand-alone verifier.
"""

import json
import sys
from pathlib import Path
from typing import Any

from cellwright.command.dossier.check import Findings, verify_dossier

WORDS: dict[str, tuple[str, str]] = {}
"""Event type -> sentence in English and Chinese."""
SENTENCES = {
    "simulated": ("SIMULATED, NOT FOR HUMAN USE", "模拟数据，不得用于人体"),
    "ok": ("Everything holds.", "全部核验通过。"),
    "bad": ("SOMETHING DOES NOT HOLD:", "核验未通过："),
    "site": ("Site {site}, lot {lot}, chain of identity {coi}", "站点 {site}，批号 {lot}，同一性链标识 {coi}"),
    "counts": (
        "{events} events, {signatures} signatures, {files} files; record of {size} events at the checkpoint.",
        "{events} 条事件，{signatures} 个签名，{files} 个文件；检查点处的记录共 {size} 条事件。",
    ),
    "no-pins": (
        "The site's keys were taken from the dossier itself. Compare them with what the site published:",
        "站点公钥取自本档案自身，请与站点公布的公钥核对：",
    ),
    "no-ml-dsa": (
        "The post-quantum signature (ML-DSA-44) was NOT checked: it needs the Python package cryptography.",
        "后量子签名（ML-DSA-44）未核验：需要安装 Python 的 cryptography 包。",
    ),
    "usage": (
        "usage: verify_dossier.py DOSSIER.zip [--key VERIFIER_KEY]... [--language en|zh] [--json]",
        "用法：verify_dossier.py DOSSIER.zip [--key 公钥]... [--language en|zh] [--json]",
    ),
    "unreadable": ("{path} cannot be read.", "无法读取 {path}。"),
    "by": ("by", "操作人"),
}


class _Gaps(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


def sentence(event: dict[str, Any], language: int) -> str:
    """One event in words; an event type without words is shown by its name."""
    pair = WORDS.get(event["type"])
    if pair is None:
        return str(event["type"])
    return pair[language].format_map(_Gaps(_flat(event["body"])))


def _flat(body: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in body.items():
        if isinstance(value, list):
            flat[key] = ", ".join(str(v) for v in value if not isinstance(v, (dict, list))) or str(len(value))
        elif not isinstance(value, dict):
            flat[key] = value
    return flat


def story(found: Findings, language: int) -> list[str]:
    """The lines of the story: every event of the lot, its order and its quality, with time and person."""
    lines = []
    for event in found.events:
        room = event["stream"].partition("/")[0]
        if room in ("person", "definition", "equipment", "material", "room", "site", "ledger"):
            continue
        actor = event["actor"].partition("/")[2]
        lines.append(f"{event['at'][:19]}Z  {sentence(event, language)}  [{SENTENCES['by'][language]} {actor}]")
    return lines


def told(found: Findings, language: int) -> str:
    """The whole report as text."""

    def say(key: str, **values: object) -> str:
        return SENTENCES[key][language].format(**values)

    lines = [say("simulated"), ""] if found.simulated else []
    lines.append(say("ok") if found.ok else say("bad"))
    lines += [f"  ✕ {problem}" for problem in found.problems]
    if found.events and found.manifest:
        site = found.events[0]["body"].get("title", {}).get("en" if language == 0 else "zh", "")
        lines.append(say("site", site=site, lot=found.manifest["lot"], coi=found.manifest["coi"] or "–"))
        lines.append(
            say(
                "counts",
                events=len(found.events),
                signatures=found.signatures,
                files=found.files,
                size=found.manifest["size"],
            )
        )
    for note in found.notes:
        lines.append(say(note))
        if note == "no-pins":
            lines += [f"  {key[:60]}…" if len(key) > 200 else f"  {key}" for key in found.keys]
    if found.ok:
        lines += ["", *story(found, language)]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run as a program. Returns the exit code."""
    pins, paths, language, as_json = [], [], 0, False
    rest = iter(arguments)
    for word in rest:
        if word == "--key":
            pins.append(next(rest, ""))
        elif word == "--language":
            language = 1 if next(rest, "en").startswith("zh") else 0
        elif word == "--json":
            as_json = True
        else:
            paths.append(word)
    if len(paths) != 1 or paths[0].startswith("-"):
        print(SENTENCES["usage"][language], file=sys.stderr)
        return 2
    try:
        archive = Path(paths[0]).read_bytes()
    except OSError:
        print(SENTENCES["unreadable"][language].format(path=paths[0]), file=sys.stderr)
        return 2
    found = verify_dossier(archive, pins)
    if as_json:
        report = {"schema": "cellwright.dossier-report.v1", "ok": found.ok, "problems": found.problems,
                  "notes": found.notes, "events": len(found.events), "signatures": found.signatures}  # fmt: skip
        print(json.dumps(report, ensure_ascii=False, sort_keys=True))
    else:
        print(told(found, language))
    return 0 if found.ok else 1
