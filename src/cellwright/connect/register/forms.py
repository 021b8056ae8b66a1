"""Which form a file has, and the records in it."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, NamedTuple

from cellwright.connect.register import asia, ctgov, europe, usdm
from cellwright.connect.register.document import Document, xml_tree
from cellwright.connect.register.fields import TrialFields
from cellwright.language import _

LARGEST: Final = 200_000_000
"""Bytes of a file at most."""


class Form(NamedTuple):
    """A form of document: its name, the register, and how number and fields are read from one record."""

    name: str
    register: str
    number: Callable[[Mapping[str, Any]], str]
    fields: Callable[[Document], TrialFields]


FORMS: Final = {
    form.name: form
    for form in (
        Form("ctgov-v2", "ctgov", ctgov.v2_number, ctgov.v2),
        Form("ctgov-classic", "ctgov", ctgov.classic_number, ctgov.classic),
        Form("ctgov-csv", "ctgov", ctgov.csv_number, ctgov.csv_row),
        Form("ictrp", "ictrp", asia.ictrp_number, asia.ictrp),
        Form("ctis", "ctis", europe.ctis_number, europe.ctis),
        Form("euctr", "euctr", europe.euctr_number, europe.euctr),
        Form("isrctn", "isrctn", europe.isrctn_number, europe.isrctn),
        Form("cde", "cde", asia.cde_number, asia.cde),
        Form("usdm", "usdm", usdm.usdm_number, usdm.usdm),
    )
}
_KEYS: Final = (
    ("protocolSection", "ctgov-v2"),
    ("id_info", "ctgov-classic"),
    ("a2_eudract_number", "euctr"),
    ("ctNumber", "ctis"),
    ("isrctn", "isrctn"),
    ("TrialID", "ictrp"),
    ("登记号", "cde"),
)
"""A key that only records of one form have, and the form."""


class Record(NamedTuple):
    """A record as read."""

    form: Form
    number: str
    fields: TrialFields
    sha256: str
    """Of the record alone, in canonical JSON."""
    unmapped: tuple[str, ...]
    leaves: int
    """How many paths hold values."""
    tree: Mapping[str, Any]
    """The record as it stands in the document."""

    @property
    def id(self) -> str:
        """Form and number: what the ledger calls it."""
        safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-"
                       for letter in self.number)  # fmt: skip
        return f"{self.form.name}-{safe}"[:80]


class Unreadable(ValueError):
    """A file that is of none of the forms, or broken; says what is wrong with it."""


class Content(NamedTuple):
    """What a file holds: records, or a note why it holds none that is a trial."""

    records: tuple[Record, ...]
    note: str = ""


def read_file(data: bytes) -> Content:
    """Every record of a file, whatever register it is from.

    A file that is understood but holds no trial (a schema, a licence) gives no records and a note.

    Raises:
        Unreadable: a file that is damaged, or too large.
    """
    if len(data) > LARGEST:
        raise Unreadable(_("The file has more than {limit} bytes.").format(limit=LARGEST))
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    try:
        if head[:1] in (b"{", b"["):
            return _json(data)
        if head[:5].lower() in (b"<html", b"<!doc"):
            return _html(data)
        if head[:1] == b"<":
            return _xml(data)
        return _text(data)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def _json(data: bytes) -> Content:
    tree = json.loads(data, parse_float=Decimal)
    if isinstance(tree, Mapping) and "openapi" in tree:
        return Content((), _("an interface description, no trial; kept as it is"))
    if isinstance(tree, Mapping) and isinstance(tree.get("studies"), list):
        tree = tree["studies"]
    trees = tree if isinstance(tree, list) else [tree]
    if not all(isinstance(one, Mapping) for one in trees):
        raise ValueError(_("The file is no list of records."))
    return Content(tuple(_record(one) for one in trees))


def _record(tree: Mapping[str, Any]) -> Record:
    name = next((form for key, form in _KEYS if key in tree), "")
    if not name and "study" in tree and "usdmVersion" in tree:
        name = "usdm"
    if not name:
        raise ValueError(_("None of the keys that tell the registers apart is there."))
    return record(FORMS[name], tree)


def record(form: Form, tree: Mapping[str, Any]) -> Record:
    """Read one record of a known form. Raises ValueError for one without a number."""
    number = form.number(tree).strip()
    if not number:
        raise ValueError(_("A record has no number."))
    doc = Document(tree)
    fields = form.fields(doc)
    stamp = sha256(canonical(tree)).hexdigest()
    return Record(form, number, fields, stamp, doc.unmapped(), len(doc.leaves()), tree)


_MOVING: Final = frozenset({"record_last_import", "required_header"})
"""What an aggregator or a download writes into a record, which says nothing of the trial."""


def canonical(tree: Mapping[str, Any]) -> bytes:
    """A record in one form of bytes: keys sorted, no spaces; the times of a download are left out."""
    steady = {key: value for key, value in tree.items() if key not in _MOVING}
    return json.dumps(steady, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _xml(data: bytes) -> Content:
    name, tree = xml_tree(data)
    if name == "clinical_study":
        return Content((record(FORMS["ctgov-classic"], tree),))
    trials = list(_trials(tree))
    if not trials:
        raise ValueError(_("The XML document {name} is of no known register.").format(name=name))
    return Content(tuple(_record(one) for one in trials))


def _trials(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The trials of an XML document: the elements `Trial` of the portal, or a list of classic records."""
    for key in ("Trial", "trial", "clinical_study"):
        found = tree.get(key, ())
        yield from (found if isinstance(found, list) else [found] if isinstance(found, Mapping) else ())
    if "TrialID" in tree:
        yield tree


def _html(data: bytes) -> Content:
    for encoding in ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        tree = asia.page_tree(text)
        if "登记号" in tree:
            return Content((record(FORMS["cde"], tree),))
    raise ValueError(_("The page holds no register number of China's register of drug trials."))


def _text(data: bytes) -> Content:
    text = data.decode("utf-8-sig")
    first = text.partition("\n")[0]
    if "NCT Number" not in first:
        return Content((), _("plain text that holds no trial; kept as it is"))
    csv.field_size_limit(10_000_000)
    rows = csv.DictReader(io.StringIO(text), strict=True)
    return Content(tuple(record(FORMS["ctgov-csv"], dict(row)) for row in rows))
