"""Refusals as a person reads them: in their language, with the way out."""

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse

from cellwright.factory.rule import Refusal
from cellwright.language import _
from cellwright.site import words
from cellwright.site.pages import render


class Told(NamedTuple):
    """A refusal in the language of the page."""

    text: str
    remedy: str
    rule: str
    code: str


def _said(refusal: Refusal) -> dict[str, Any]:
    """What fills the sentences: states and grades in the active language, and a long list of codes as their number."""
    values: dict[str, Any] = dict(refusal.values)
    values |= {name: words.status(str(values[name])) for name in ("status", "outcome") if name in values}
    if "severity" in values:
        values["severity"] = words.severity(str(values["severity"]))
    if refusal.code == "not-releasable":
        values["missing"] = _("{count} conditions").format(count=len(str(values["missing"]).split(", ")))
    return values


def told(refusal: Refusal) -> Told:
    """The sentences of a refusal, translated and filled in."""
    values = _said(refusal)
    return Told(
        _(refusal.text).format_map(values),
        _(refusal.remedy).format_map(values) if refusal.remedy else "",
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


def unreadable(request: HttpRequest) -> HttpResponse:
    """What was sent is too long, has too many fields, or names another host."""
    refusal = Refusal(
        "not-readable",
        "What was sent cannot be read; it is too long or not what a page of this site sends.",
        remedy="Nothing was recorded. Scan or type it again.",
        rule="R022",
    )
    return refused(request, refusal, status=400)


def missing(request: HttpRequest, what: str = "") -> HttpResponse:
    """There is no such page, or nothing of this name."""
    refusal = Refusal(
        "not-found",
        "There is nothing under {what}.",
        remedy="Look for it on the floor page or in the audit trail.",
        what=what or request.path,
    )
    return refused(request, refusal, status=404)
