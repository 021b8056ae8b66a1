"""Refusals as a person reads them: in their language, with the way out."""

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse

from cellwright.factory.rule import Refusal
from cellwright.language import _
from cellwright.site.pages import render


class Told(NamedTuple):
    """A refusal in the language of the page."""

    text: str
    remedy: str
    rule: str
    code: str


def told(refusal: Refusal) -> Told:
    """The sentences of a refusal, translated and filled in."""
    return Told(
        _(refusal.text).format_map(refusal.values),
        _(refusal.remedy).format_map(refusal.values) if refusal.remedy else "",
        refusal.rule,
        refusal.code,
    )


def refused(request: HttpRequest, refusal: Refusal, *, status: int = 409) -> HttpResponse:
    """A page that says what was refused, why, and what would make it possible."""
    return render(request, "refused.jinja", {"refusal": told(refusal)}, status=status)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that this site did not hand out, or handed out too long ago."""
    refusal = Refusal(
        "form-not-ours",
        "This form is too old, or does not come from this site.",
        remedy="Nothing was recorded. Open the page again.",
        rule="R022",
    )
    return refused(request, refusal, status=403)


def missing(request: HttpRequest, what: str = "") -> HttpResponse:
    """There is no such page, or nothing of this name."""
    refusal = Refusal(
        "not-found",
        "There is nothing under {what}.",
        remedy="Look for it on the floor page or in the audit trail.",
        what=what or request.path,
    )
    return refused(request, refusal, status=404)
