"""The recipe a lot is made by, as pages need it."""

from functools import lru_cache

from cellwright.factory.recipe.recipe import Recipe, Step
from cellwright.factory.rule import Refusal
from cellwright.language import active, localized
from cellwright.site import models
from cellwright.site.house import house


def recipe(name: str, version: str) -> Recipe:
    """A recipe in one version. Raises Refusal `definition-not-approved`."""
    return house().desk.definition(Recipe, name, version)


def said(text: object) -> str:
    """A text of a definition in the active language."""
    return localized({"en": text.en, "zh": text.zh})  # type: ignore[attr-defined]


@lru_cache(maxsize=5_000)
def _title(name: str, version: str, step: str, language: str) -> str:
    try:
        return said(recipe(name, version).step(step).title)
    except (Refusal, KeyError):
        return step


def step_title(lot: models.Lot) -> str:
    """The step a lot is at, in the active language; empty before the first."""
    return _title(lot.recipe, lot.recipe_version, lot.step, active()) if lot.step else ""


def titled(made: Recipe, step: str) -> str:
    """The title of a step in the active language, or its id if the recipe has none of this name."""
    try:
        return said(made.step(step).title)
    except KeyError:
        return step


def next_step(made: Recipe, done: frozenset[str], running: str | None) -> Step | None:
    """The step under way, else the first that may begin; None when all is done."""
    if running is not None:
        return made.step(running)
    ready = made.ready(done)
    return ready[0] if ready else None
