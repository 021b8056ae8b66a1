"""A report on paper: the record's figures and the picture of each gate, set by typst into a PDF. Needs the extra `documents`."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cellwright.cytometry.analysis import AnalysisRecord, Sheet, record_sha256
from cellwright.cytometry.plot.picture import Picture
from cellwright.language import N_, _, active, localized

WARNINGS: Final[Mapping[str, str]] = {
    "small-count": N_("rests on few events"),
    "below-detection": N_("below the limit of detection"),
    "below-quantification": N_("detected, below the limit of quantification"),
    "gates-proposed": N_("gates proposed, not approved"),
    "events-too-few": N_("too few events: not evaluable"),
    "acquisition-incomplete": N_("the acquisition is not in order"),
    "control-missing": N_("a control is missing"),
    "control-failed": N_("a control failed"),
}
STATUS: Final[Mapping[str, str]] = {
    "passed": N_("passed"),
    "failed": N_("failed"),
    "missing": N_("missing"),
    "out_of_date": N_("out of date"),
    "not_its_own": N_("not its own"),
}
VERDICTS: Final[Mapping[str, str]] = {
    "accepted": N_("accepted"),
    "accepted_with_exclusions": N_("accepted, some events left out"),
    "rejected": N_("rejected"),
    "not_evaluable": N_("not evaluable"),
}
_PAGE: Final = """
#set page(paper: "a4", margin: (x: 18mm, y: 16mm), footer: context [#set text(8pt, fill: gray)
#{footer} #h(1fr) #counter(page).display("1 / 1", both: true)])
#set text(font: ("Noto Sans", "Noto Sans CJK SC", "WenQuanYi Micro Hei"), size: 9.5pt, lang: "{language}")
#set table(stroke: (x, y) => (bottom: 0.4pt + gray), inset: (x: 4pt, y: 4pt))
"""


class NoTypesetter(RuntimeError):
    """The extra `documents` is not installed."""


def note_words(word: str) -> str:
    """What a warning or a flaw of a figure means, in the active language; the word itself if it is not known."""
    return _(WARNINGS[word]) if word in WARNINGS else word


def report_pdf(
    sheet: Sheet, record: AnalysisRecord, pictures: Sequence[tuple[str, Picture]], *, simulated: bool
) -> bytes:
    """A PDF of an analysis that was carried out: the same bytes for the same record and pictures.

    Args:
        simulated: says on every page that the sample was.

    Raises:
        NoTypesetter: typst is not installed.
    """
    try:
        import typst
    except ImportError:
        raise NoTypesetter(_("A report on paper needs the extra: pip install 'cellwright[documents]'")) from None
    with tempfile.TemporaryDirectory() as folder:
        for n, (_name, picture) in enumerate(pictures):
            (Path(folder) / f"{n}.svg").write_text(picture.svg, encoding="utf-8")
        page = Path(folder) / "report.typ"
        page.write_text(_source(sheet, record, pictures, simulated=simulated), encoding="utf-8")
        return bytes(typst.compile(str(page), root=folder, timestamp=0))


def _source(sheet: Sheet, record: AnalysisRecord, pictures: Sequence[tuple[str, Picture]], *, simulated: bool) -> str:
    footer = f"{record.analysis} {record.version} · {_('record')} {record_sha256(record)[:16]}"
    head = _PAGE.replace("{footer}", _text(footer)).replace("{language}", active()[:2])
    parts = [head]
    if simulated:
        parts.append(f'#align(center)[#text(fill: red, weight: "bold")[#{_text(_("SIMULATED, NOT FOR HUMAN USE"))}]]')
    parts += [f"= #{_text(localized({'en': sheet.analysis.name.en, 'zh': sheet.analysis.name.zh}))}", _facts(record)]
    parts += [_outputs(sheet, record), _controls(record)]
    images = ", ".join(f'image("{n}.svg", width: 100%, alt: {_text(p.alt)})' for n, (_n, p) in enumerate(pictures))
    parts.append(f"#grid(columns: (1fr, 1fr, 1fr), gutter: 6pt, {images})" if pictures else "")
    return "\n\n".join(parts)


def _text(text: str) -> str:
    """A typst string literal; nothing in it is markup."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def _table(columns: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [f'text(weight: "bold", {_text(one)})' for one in header]
    cells += [_text(one) for row in rows for one in row]
    return f"#table(columns: {columns}, {', '.join(cells)})"


def _facts(record: AnalysisRecord) -> str:
    file = record.file
    verdict = record.acquisition.verdict if record.acquisition else "–"
    rows = [
        (_("Sample"), file.sample), (_("Instrument"), file.cytometer), (_("Acquired"), file.acquired),
        (_("Events"), str(file.events)), (_("Raw file"), file.sha256), (_("Analysis"), record.definition_sha256),
        (_("Acquisition"), _(VERDICTS[verdict]) if verdict in VERDICTS else verdict),
    ]  # fmt: skip
    cells = ", ".join(f"text(fill: gray, {_text(key)}), {_text(value or '–')}" for key, value in rows)
    return f"#table(columns: (auto, 1fr), stroke: none, inset: 2.5pt, {cells})"


def _outputs(sheet: Sheet, record: AnalysisRecord) -> str:
    names = {one.output: localized({"en": one.name.en, "zh": one.name.zh}) for one in sheet.analysis.outputs}
    rows = []
    for one in record.outputs:
        between = f"{one.low} – {one.high or '∞'}" if one.low else "–"
        notes = ", ".join(note_words(word) for word in (*filter(None, (one.flaw,)), *one.warnings))
        unit = "" if one.unit == "1" else one.unit.replace("uL", "µL")
        rows.append(
            (names[one.output], f"{one.value or '–'} {unit}".strip(), between, f"{one.events} / {one.of}", notes)
        )
    confidence = f"{100 * float(sheet.analysis.confidence):g} %"
    header = (_("Figure"), _("Value"), _("Interval {confidence}").format(confidence=confidence), _("Events"), _("Note"))
    return _table("(2.2fr, auto, auto, auto, 1.6fr)", header, rows)


def _controls(record: AnalysisRecord) -> str:
    rows = [
        (c.control, _(STATUS[c.status]), f"{c.value} (≤ {c.limit})" if c.limit else "", c.sha256[:16])
        for c in record.controls
    ]
    return _table("(1fr, auto, auto, auto)", (_("Control"), _("Status"), _("Value"), _("File")), rows) if rows else ""
