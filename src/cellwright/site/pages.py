"""How a page is made: the template, the words, and what stands on every page (D12, record and proof in the footer)."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template import engines
from django.templatetags.static import static
from jinja2 import Environment, StrictUndefined
from jinja2.ext import i18n

from cellwright.language import CHINESE, LANGUAGES, _, active, localized, ngettext
from cellwright.ledger.canonical import parse_time
from cellwright.site import access, words
from cellwright.site.house import house
from cellwright.site.projection import Covered


def environment(**options: Any) -> Environment:
    """Jinja2 as the site uses it: everything escaped, nothing undefined, gettext by the active language."""
    made = Environment(**{**options, "undefined": StrictUndefined, "extensions": [i18n], "trim_blocks": True,
                          "lstrip_blocks": True})  # fmt: skip
    made.install_gettext_callables(_, ngettext, newstyle=False)  # type: ignore[attr-defined]
    made.globals.update(static=static, words=words, localized=localized, N=number)
    made.filters.update(
        moment=moment, day=day, clock=clock, number=number, coi=spaced, short=short, span=span, answer=answer
    )
    return made


def render(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A page of the site."""
    common = {"frame": frame(request), "csrf": get_token(request), "request": request}
    text = engines["jinja2"].get_template(f"cellwright/{template}").render({**common, **(context or {})})
    return HttpResponse(text, status=status)


def frame(request: HttpRequest) -> dict[str, Any]:
    """What stands on every page."""
    now = house()
    site = now.site.settings
    seat = getattr(request, "seat", None)
    roles: frozenset[str] = getattr(request, "roles", frozenset())
    covered: Covered | None = (
        getattr(request, "covered", None) if request.method == "GET" and "X-Live" not in request.headers else None
    )
    publishing = now.checking.status()
    return {
        "title": site.title_zh if active() == CHINESE else site.title_en,
        "simulated": site.simulated,
        "telling": now.telling,
        "fault": now.projector.fault,
        "broken_off": now.story_fault,
        "behind": None if covered is None or covered.whole else max(0, covered.size - 1),
        "now": now.desk.clock(),
        "zone": site.zone,
        "language": active(),
        "languages": LANGUAGES,
        "person": getattr(request, "person", None),
        "seat": seat,
        "roles": roles,
        "may": {"audit": bool(roles & access.AUDIT), "people": "security_officer" in roles,
                "content": bool(roles & access.CONTENT)},
        "record": now.projector.position,
        "verdict": now.checking.last,
        "checkpoint": publishing.last,
        "away": len(publishing.away) + (publishing.fault is not None),
        "idle_s": settings.IDLE_LIMIT_S,
        "path": request.get_full_path(),
    }  # fmt: skip


def _local(at: str | datetime) -> datetime:
    return (parse_time(at) if isinstance(at, str) else at.astimezone(UTC)).astimezone(
        ZoneInfo(house().site.settings.zone)
    )


def moment(at: str | datetime) -> str:
    """Date, time and offset, to the minute: `2026-03-02 09:31 UTC+08:00`."""
    local = _local(at)
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%d %H:%M:%S} UTC{offset[:3]}:{offset[3:]}"


def day(at: str | datetime) -> str:
    """The day in words of the language: `Mon 2 Mar 2026`, `2026年3月2日 周一`."""
    local = _local(at)
    if active() == CHINESE:
        return f"{local.year}年{local.month}月{local.day}日 周{'一二三四五六日'[local.weekday()]}"
    return f"{local:%a} {local.day} {local:%b %Y}"


def clock(at: str | datetime) -> str:
    """The time of day, `09:31`."""
    return f"{_local(at):%H:%M}"


def number(value: object) -> str:
    """A figure as people read it: digits grouped, powers of ten for cells, nothing rounded that a limit judges."""
    try:
        figure = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not figure.is_finite():
        return str(value)
    if abs(figure) >= 100_000:
        exponent = figure.adjusted()
        mantissa = (figure / Decimal(10) ** exponent).quantize(Decimal("0.001")).normalize()
        raised = str(exponent).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
        return f"{format(mantissa, 'f')} × 10{raised}"
    return f"{figure:,f}"


def answer(value: object, unit: str = "") -> str:
    """A reported value with its unit; a word such as `negative` in the active language."""
    word = words.answer(str(value))
    return word if word is not None else f"{number(value)} {unit}".strip()


def spaced(coi: str) -> str:
    """A COI identifier in groups, as it is read aloud: `CH A9999 26 00017K`; anything else as it is."""
    return f"{coi[:2]} {coi[2:7]} {coi[7:9]} {coi[9:]}" if len(coi) == 15 else coi


def short(name: str) -> str:
    """The part of a long identifier that tells it apart: the last six characters."""
    return name if len(name) <= 10 else f"…{name[-6:]}"


def span(seconds: float) -> str:
    """A time span: `3 d 4 h`, `2 h 41 min`, `12 min`."""
    minutes = int(abs(seconds)) // 60
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return _("{days} d {hours} h").format(days=days, hours=hours)
    if hours:
        return _("{hours} h {minutes} min").format(hours=hours, minutes=rest)
    return _("{minutes} min").format(minutes=rest)
