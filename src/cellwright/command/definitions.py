"""Approved definitions as rules read them: found by name and version in the record, parsed from bytes kept by hash."""

from collections.abc import Callable
from typing import Any, TypeVar

from cellwright.factory import definition
from cellwright.factory.approval import DefinitionState
from cellwright.factory.people import stamp
from cellwright.factory.plant.plant import Plant
from cellwright.factory.portfolio.product import Product
from cellwright.factory.quality.specification import Specification
from cellwright.factory.recipe.recipe import Recipe
from cellwright.factory.retention import Retention
from cellwright.factory.rule import Refusal, World
from cellwright.factory.trial.protocol import Protocol as TrialProtocol

D = TypeVar("D")

KINDS: dict[type[Any], str] = {
    Plant: "plant", Product: "product", Recipe: "recipe", Retention: "retention", Specification: "specification",
    TrialProtocol: "trial",
}  # fmt: skip


class Definitions:
    """Reads definitions by content; what was parsed once is kept."""

    def __init__(self, fetch: Callable[[str], bytes]) -> None:
        self._fetch = fetch
        self._parsed: dict[str, Any] = {}

    def get(self, world: World, kind: type[D], name: str, version: str | None) -> D:
        """The named version, or the one effective now.

        Raises Refusal `definition-not-approved` if there is none.
        """
        state = world.load(DefinitionState, KINDS[kind])
        found = state.find(name, version, stamp(world.now))
        if found is None:
            raise Refusal(
                "definition-not-approved",
                "The {kind} {name} {version} is not approved or not in force.",
                remedy="Quality assurance approves the version first.",
                rule="R039",
                kind=KINDS[kind],
                name=name,
                version=version or "",
            )
        parsed = self._parsed.get(found.sha256)
        if parsed is None:
            text = self._fetch(found.sha256).decode()
            parsed = self._parsed[found.sha256] = definition.read(kind, text, f"{name}.yaml")  # type: ignore[type-var]
        assert isinstance(parsed, kind)
        return parsed
