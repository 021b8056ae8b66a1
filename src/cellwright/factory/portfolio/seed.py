"""The file that a portfolio ledger begins with: statements by kind, in the notation of all definition files."""

from collections.abc import Iterator

from cellwright.factory.definition import Definition, Flaw, repeated, unknown
from cellwright.factory.portfolio.product import interval
from cellwright.factory.portfolio.statement import (
    Alias,
    Application,
    Area,
    Claim,
    Condition,
    Dated,
    Membership,
    Party,
    PortfolioProduct,
    ProductTarget,
    Programme,
    Source,
    Stated,
    Statement,
    Statistic,
    StatisticDefinition,
    Trial,
)


class Seed(Definition):
    """A file of statements. Each list may be left out; names are unique within their kind, references lead somewhere."""

    areas: tuple[Area, ...] = ()
    parties: tuple[Party, ...] = ()
    memberships: tuple[Membership, ...] = ()
    products: tuple[PortfolioProduct, ...] = ()
    targets: tuple[ProductTarget, ...] = ()
    conditions: tuple[Condition, ...] = ()
    programmes: tuple[Programme, ...] = ()
    applications: tuple[Application, ...] = ()
    trials: tuple[Trial, ...] = ()
    events: tuple[Dated, ...] = ()
    aliases: tuple[Alias, ...] = ()
    claims: tuple[Claim, ...] = ()
    definitions: tuple[StatisticDefinition, ...] = ()
    statistics: tuple[Statistic, ...] = ()

    @property
    def lists(self) -> dict[str, tuple[Stated, ...]]:
        return {name: getattr(self, name) for name in LISTS}

    def statements(self) -> Iterator[Statement]:
        """Everything the file says, sources first, in the order in which one thing names another."""
        for key, locator in sorted(self.sources.items()):
            yield Source(id=key, locator=locator)
        for statements in self.lists.values():
            yield from statements

    def check(self) -> Iterator[Flaw]:
        for name, statements in self.lists.items():
            for index, double in repeated(one.id for one in statements):
                yield Flaw((name, index, "id"), "{name} stands here again.", expected="each once", name=double)
        yield from self._references()
        for name, field in DATES:
            for index, one in enumerate(getattr(self, name)):
                when = getattr(one, field)
                try:
                    if when:
                        interval(when)
                except ValueError as error:
                    yield Flaw((name, index, field), "{error}.", expected="a day of the calendar", error=error)

    def _references(self) -> Iterator[Flaw]:
        names = {kind: [one.id for one in statements] for kind, statements in self.lists.items()}
        for kind, field, target in REFERENCES:
            for index, one in enumerate(getattr(self, kind)):
                said = getattr(one, field)
                for name in said if isinstance(said, tuple) else (said,):
                    if name is not None and unknown(name, names[target]):
                        what = "{name} is not in this file."
                        yield Flaw(
                            (kind, index, field), what, expected="a name out of {known}", name=name, known=target
                        )


LISTS = (
    "areas", "parties", "memberships", "products", "targets", "conditions", "programmes", "applications", "trials",
    "events", "aliases", "claims", "definitions", "statistics",
)  # fmt: skip
DATES = (("events", "when"), ("memberships", "since"), ("memberships", "until"), ("claims", "when"),
         ("statistics", "period"), ("trials", "started"))  # fmt: skip
REFERENCES = (
    ("areas", "within", "areas"),
    ("memberships", "party", "parties"),
    ("memberships", "area", "areas"),
    ("products", "holder", "parties"),
    ("products", "depends_on", "products"),
    ("targets", "product", "products"),
    ("programmes", "product", "products"),
    ("programmes", "condition", "conditions"),
    ("applications", "programme", "programmes"),
    ("applications", "applicant", "parties"),
    ("trials", "programme", "programmes"),
    ("trials", "sponsor", "parties"),
    ("trials", "collaborators", "parties"),
    ("events", "programme", "programmes"),
    ("events", "application", "applications"),
    ("events", "trial", "trials"),
    ("statistics", "definition", "definitions"),
    ("statistics", "area", "areas"),
    ("statistics", "share_of", "areas"),
)
"""List, field, and the list in which what the field names must stand."""
