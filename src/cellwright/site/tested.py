"""Tests and what they found, as people read them: the test's name, the answer, the verdict, and why it is no pass."""

from typing import Final

from cellwright.factory.quality.specification import Specification
from cellwright.factory.quality.wording import REASONS, VERDICTS
from cellwright.factory.release.finding import Missing
from cellwright.language import _
from cellwright.site import recipes
from cellwright.site.pages import answer
from cellwright.site.refusals import Told, told

JUDGED: Final = frozenset({
    "test-missing", "safety-test-not-passed", "result-awaited", "may-not-be-pending",
})  # fmt: skip
"""Refusals about one test of the specification, which they name by its code, beside `test-not-passed`."""


def names(specification: Specification | None) -> dict[str, str]:
    """Code of every test, alternative and input of a specification to its name in the active language."""
    found: dict[str, str] = {}
    for test in specification.tests if specification is not None else ():
        said = recipes.said(test.name)
        found[test.code] = said
        found |= {one.code: recipes.said(one.name) for one in test.any_of}
    return found


def why(code: str) -> str:
    """Why something is not a pass, as a sentence; empty where nothing stands in the way."""
    return _(REASONS[code]) if code in REASONS else code


def missing(one: Missing, called: dict[str, str]) -> Told:
    """What stands between a lot and its release; a test by its name, with its value where it has one."""
    plain, values = told(one.why), {name: str(value) for name, value in one.why.values.items()}
    if one.why.code not in JUDGED | {"test-not-passed"}:
        return plain
    name, verdict = called.get(values["what"], values["what"].replace("_", " ")), values.get("verdict", "")
    judged = _(VERDICTS[verdict]) if verdict in VERDICTS else verdict
    if one.why.code in JUDGED:
        because = why(values.get("why", "")).rstrip(".。")
        return plain._replace(
            text=_(one.why.text).format_map({**values, "what": name, "verdict": judged, "why": because})
        )
    value = answer(values["value"], values["unit"]) if values["value"] != "-" else ""
    said = _("{name}: {found}.").format(name=name, found=", ".join(filter(None, (value, judged))))
    return plain._replace(text=f"{said} {why(values['why'])}".strip())
