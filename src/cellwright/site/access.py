"""Who may open which page. A page that does not say so opens for nobody (R022)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.http import HttpRequest, HttpResponse

from cellwright.factory.people import ADMINISTRATIVE_ROLES, CONTENT_ROLES, ROLES, PersonState
from cellwright.site import models
from cellwright.site.projection import Covered

EVERYBODY: Final = ROLES
"""Whoever is signed in and holds any role."""
CONTENT: Final = CONTENT_ROLES
"""Everybody whose work touches the content of records."""
AUDIT: Final = frozenset({"quality_assurance", "authorised_person", "process_engineer"}) | ADMINISTRATIVE_ROLES
"""Who searches the audit trail, sign-ins of others included."""
NAMES: Final = frozenset({"coordinator", "collection_nurse", "nurse", "physician", "prescriber", "cell_laboratory"})
"""Who may see a person's name and birth date for a moment: labelling and bedside work needs them (D6)."""


@dataclass(frozen=True)
class Permission:
    """What a page asks of whoever opens it."""

    roles: frozenset[str] = frozenset()
    public: bool = False
    """Opens without a session; roles do not count then."""

    def allows(self, roles: frozenset[str]) -> bool:
        """Whether somebody who holds these roles may open the page."""
        return self.public or bool(self.roles & roles)


class Asked(HttpRequest):
    """A request after `middleware.Authority`: it knows its session and its person."""

    seat: models.Seat
    person: PersonState
    roles: frozenset[str]
    covered: Covered
    """How far the tables had followed the record when the page was asked for."""


V = TypeVar("V", bound=Callable[..., HttpResponse])


def page(roles: frozenset[str] = frozenset(), *, public: bool = False) -> Callable[[V], V]:
    """Say who may open a page: holders of one of these roles, or everybody."""
    assert public != bool(roles), "a page is public or asks for a role"

    def declare(view: V) -> V:
        view.permission = Permission(roles, public)  # type: ignore[attr-defined]
        return view

    return declare


def permission_of(view: Callable[..., Any]) -> Permission:
    """What a page declares; a page without a declaration opens for nobody."""
    found = getattr(view, "permission", None)
    return found if isinstance(found, Permission) else Permission()
