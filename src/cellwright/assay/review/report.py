"""The review as a page for the screen and as a PDF; both say the same and hold the same pictures."""

import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

from cellwright.assay.review.drawing import trend_svg
from cellwright.assay.review.summary import LineReview, Review, TestReview
from cellwright.language import N_, _, active

OUTCOMES: Final = {
    "released": N_("released"),
    "released out of specification": N_("released out of specification"),
    "rejected": N_("rejected"),
    "pending": N_("pending"),
}
_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d1d1d}"
    "table{border-collapse:collapse;margin:.6rem 0}td,th{border-bottom:1px solid #ccc;padding:.2rem .7rem;text-align:left;"
    "font-variant-numeric:tabular-nums}svg{width:100%;height:auto}h2{margin-top:2rem}.simulated{color:#b3261e;"
    "font-weight:700}.failing{color:#b3261e}@media print{h2{break-before:auto}section{break-inside:avoid}}"
)
_PAGE: Final = """
#set page(paper: "a4", margin: (x: 18mm, y: 16mm), footer: context [#set text(8pt, fill: gray)
#text(fill: red)[#{stamp}] #h(1fr) #counter(page).display("1 / 1", both: true)])
#set text(font: ("Noto Sans", "Noto Sans CJK SC", "WenQuanYi Micro Hei"), size: 9.5pt, lang: "{language}")
#set table(stroke: (x, y) => (bottom: 0.4pt + gray), inset: (x: 4pt, y: 3pt))
"""

Table = list[tuple[str, ...]]


class NoTypesetter(RuntimeError):
    """The extra `documents` is not installed."""


def html(review: Review) -> str:
    """The review as one page that needs no other file."""
    title = _title(review)
    parts = [
        f'<!doctype html><html lang="{active()}"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
    ]
    if review.dataset.simulated:
        parts.append(f'<p class="simulated">{escape(_("SIMULATED, NOT FOR HUMAN USE"))}</p>')
    parts.append(_html_table(_outcome_rows(review)))
    for one in review.tests:
        parts.append(f"<section><h2>{escape(_heading(one))}</h2>{trend_svg(one, _heading(one))}")
        parts.append(_html_table(_figures(one)) + _html_table(_line_rows(one)))
        if one.failing:
            parts.append(f'<p class="failing">{escape(_failing(one))}</p>')
        parts.append("</section>")
    return "".join((*parts, "</body></html>\n"))


def pdf(review: Review) -> bytes:
    """The review on paper: the same bytes for the same review.

    Raises:
        NoTypesetter: typst is not installed.
    """
    try:
        import typst
    except ImportError:
        raise NoTypesetter(_("A report on paper needs the extra: pip install 'cellwright[documents]'")) from None
    with tempfile.TemporaryDirectory() as folder:
        stamp = _typst(_("SIMULATED, NOT FOR HUMAN USE") if review.dataset.simulated else "")
        head = _PAGE.replace("{language}", active()[:2]).replace("{stamp}", stamp)
        parts = [head, f"= #{_typst(_title(review))}"]
        if review.dataset.simulated:
            parts.append(f'#text(fill: red, weight: "bold")[#{_typst(_("SIMULATED, NOT FOR HUMAN USE"))}]')
        parts.append(_typst_table(_outcome_rows(review)))
        for place, one in enumerate(review.tests):
            (Path(folder) / f"{place}.svg").write_text(trend_svg(one, _heading(one)), encoding="utf-8")
            picture = f'#image("{place}.svg", width: 100%, alt: {_typst(_heading(one))})'
            block = [
                f"== #{_typst(_heading(one))}",
                picture,
                _typst_table(_figures(one)),
                _typst_table(_line_rows(one)),
            ]
            block += [f"#text(fill: red)[#{_typst(_failing(one))}]"] if one.failing else []
            parts.append("#block(breakable: false)[\n" + "\n\n".join(block) + "\n]")
        page = Path(folder) / "review.typ"
        page.write_text("\n\n".join(parts), encoding="utf-8")
        return bytes(typst.compile(str(page), root=folder, timestamp=0))


def _title(review: Review) -> str:
    period = f"{review.dataset.begin} – {review.dataset.end}"
    return _("Annual product review: {product}, {period}").format(product=review.dataset.product, period=period)


def _heading(one: TestReview) -> str:
    return f"{one.test.name} ({one.test.unit})" if one.test.unit else one.test.name


def _failing(one: TestReview) -> str:
    named = ", ".join(one.failing)
    return _("Outside the limits, {count} results: {lots}").format(count=one.failures, lots=named)


def _outcome_rows(review: Review) -> Table:
    total = len(review.dataset.lots.id)
    rows: Table = [(_("Lots"), _("Number"), "%")]
    for outcome, count in sorted(review.outcomes.items(), key=lambda item: -item[1]):
        rows.append((_(OUTCOMES.get(outcome, outcome)), str(count), f"{100 * count / total:.1f}"))
    return [*rows, (_("all"), str(total), "100.0")]


def _figures(one: TestReview) -> Table:
    limits = f"{_limit(one.test.lower)} – {_limit(one.test.upper)}"
    header = (_("Results"), _("Censored"), _("Outside"), _("Not shown to comply"), _("Limits"), _("Mean"), _("SD"),
              _("5 %, median, 95 %"))  # fmt: skip
    quantiles = ", ".join(f"{value:.4g}" for value in one.quantiles or ())
    row = (str(one.results), str(one.censored), str(one.failures), str(one.not_shown), limits, _figure(one.mean),
           _figure(one.standard_deviation), quantiles or "–")  # fmt: skip
    return [header, row]


def _line_rows(one: TestReview) -> Table:
    rows: Table = [(_("Method version"), _("From"), _("To"), _("Results"), _("Trend per year"), "Ppk", _("Signals"),
                    _("Covariates"))]  # fmt: skip
    return [*rows, *(_line_row(line) for line in one.lines)]


def _line_row(found: LineReview) -> tuple[str, ...]:
    line = found.line
    slope = "–"
    if line.slope is not None:
        slope = f"{line.slope.value:+.3g} ({line.slope.lower:+.3g}, {line.slope.upper:+.3g})"
    index = found.capability.centred if found.capability else None
    ppk = f"{index.value:.2f} ({index.lower:.2f}, {index.upper:.2f})" if index else "–"
    signals = ", ".join(f"{rule.removeprefix('nelson ')}: {count}" for rule, count in sorted(found.signals.items()))
    effects = ", ".join(f"{name} {effect.value:+.3g}" for name, effect in line.effects.items() if effect.p < 0.05)
    return line.version, found.first, found.last, str(len(line.places)), slope, ppk, signals or "–", effects or "–"


def _limit(limit: float | None) -> str:
    return "…" if limit is None else f"{limit:g}"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _html_table(rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _typst_table(rows: Sequence[Sequence[str]]) -> str:
    cells = [f'text(weight: "bold", size: 8pt, {_typst(cell)})' for cell in rows[0]]
    cells += [f"text(size: 8pt, {_typst(cell)})" for row in rows[1:] for cell in row]
    return f"#table(columns: {len(rows[0])}, {', '.join(cells)})"


def _typst(text: str) -> str:
    """A typst string literal; nothing in it is markup."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
