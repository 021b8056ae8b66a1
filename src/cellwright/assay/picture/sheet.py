"""An assay on paper: a title, a table of figures and its pictures, set by typst. Needs the extra `documents`."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cellwright.assay.picture.canvas import Picture
from cellwright.assay.review.report import NoTypesetter
from cellwright.language import _, active

_PAGE: Final = """
#set page(paper: "a4", margin: (x: 18mm, y: 16mm), footer: context [#set text(8pt, fill: gray)
#{footer} #h(1fr) #counter(page).display("1 / 1", both: true)])
#set text(font: ("Noto Sans", "Noto Sans CJK SC", "WenQuanYi Micro Hei"), size: 9.5pt, lang: "{language}")
#set table(stroke: (x, y) => (bottom: 0.4pt + gray), inset: (x: 4pt, y: 3pt))
"""
Table = Sequence[Sequence[str]]


def sheet_pdf(title: str, footer: str, parts: Sequence[tuple[str, Table, Sequence[Picture]]]) -> bytes:
    """The same bytes for the same content.

    Args:
        footer: on every page, such as the hash of the raw file.
        parts: heading, a table whose first row is its head, pictures.

    Raises:
        NoTypesetter: typst is not installed.
    """
    try:
        import typst
    except ImportError:
        raise NoTypesetter(_("A report on paper needs the extra: pip install 'cellwright[documents]'")) from None
    with tempfile.TemporaryDirectory() as folder:
        text = [_PAGE.replace("{language}", active()[:2]).replace("{footer}", _quoted(footer)), f"= #{_quoted(title)}"]
        for number, (heading, table, pictures) in enumerate(parts):
            text.append(f"== #{_quoted(heading)}")
            text.append(_table(table))
            for place, picture in enumerate(pictures):
                name = f"{number}-{place}.svg"
                (Path(folder) / name).write_text(picture.svg, encoding="utf-8")
                text.append(f'#image("{name}", width: 100%, alt: {_quoted(picture.alt)})')
        page = Path(folder) / "sheet.typ"
        page.write_text("\n\n".join(text), encoding="utf-8")
        return bytes(typst.compile(str(page), root=folder, timestamp=0))


def _table(rows: Table) -> str:
    if not rows:
        return ""
    cells = [f'text(weight: "bold", size: 8pt, {_quoted(cell)})' for cell in rows[0]]
    cells += [f"text(size: 8pt, {_quoted(cell)})" for row in rows[1:] for cell in row]
    return f"#table(columns: {len(rows[0])}, {', '.join(cells)})"


def _quoted(text: str) -> str:
    """A typst string literal; nothing in it is markup."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
