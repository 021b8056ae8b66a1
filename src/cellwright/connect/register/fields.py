"""What the records of all registers have in common."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cellwright.connect.register import terms


class DateField(msgspec.Struct, frozen=True, omit_defaults=True):
    """A date as precisely as the register gives it."""

    when: str
    kind: str = "not_stated"
    """`actual`, `estimated`, or `not_stated`: the register does not say."""
    text: str = ""
    """As written, where it could not be read."""


class AgeField(msgspec.Struct, frozen=True, omit_defaults=True):
    text: str
    value: str = ""
    unit: str = ""


class Number(msgspec.Struct, frozen=True, omit_defaults=True):
    """A register number that a record states, and where in the document it stands."""

    register: str
    value: str
    path: str
    sure: bool = True
    """Stated as a number of this very trial, not merely mentioned."""


Row = dict[str, str]


class TrialFields(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A record in the common form. Texts are without escapes; what a register does not have is left empty."""

    title: str = ""
    official_title: str = ""
    acronym: str = ""
    status: str = "not_stated"
    status_text: str = ""
    why_stopped: str = ""
    study_type: str = ""
    design: tuple[str, ...] = ()
    phase: str = ""
    phase_text: str = ""
    dates: dict[str, DateField] = {}
    enrolment: str = ""
    enrolment_kind: str = ""
    sponsor: str = ""
    collaborators: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    arms: tuple[Row, ...] = ()
    interventions: tuple[Row, ...] = ()
    primary_outcomes: tuple[Row, ...] = ()
    secondary_outcomes: tuple[Row, ...] = ()
    other_outcomes: tuple[Row, ...] = ()
    criteria: str = ""
    inclusion: tuple[str, ...] = ()
    exclusion: tuple[str, ...] = ()
    sex: str = ""
    minimum_age: AgeField | None = None
    maximum_age: AgeField | None = None
    age_groups: tuple[str, ...] = ()
    healthy_volunteers: str = ""
    countries: tuple[str, ...] = ()
    summary: str = ""
    description: str = ""
    url: str = ""
    numbers: tuple[Number, ...] = ()
    other_ids: tuple[str, ...] = ()
    """Identifiers that are no register's: the sponsor's own, grants."""
    quirks: tuple[str, ...] = ()
    """What of this record had to be read with care; see `QUIRKS`."""

    def as_content(self) -> dict[str, Any]:
        """Plain values for the ledger."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return plain


QUIRKS = {
    "date-without-day": "A date has no day; it is kept as a month or a year.",
    "date-kind-missing": "A date does not say whether it is actual or estimated.",
    "date-unreadable": "A date could not be read and is kept as written.",
    "phase-missing": "No phase is stated.",
    "age-not-in-years": "An age is not in years.",
    "age-group-only": "The ages are given as groups only.",
    "maximum-age-missing": "No maximum age is stated.",
    "escaped-comparators": "Comparators were escaped in the criteria.",
    "no-exclusion-heading": "The criteria have no heading for exclusions.",
    "no-arms": "No arms are stated.",
    "no-eligibility-text": "The form carries no text of eligibility.",
    "coded-value": "A value is a code that is not translated.",
}


def dates(**given: tuple[str, str]) -> dict[str, DateField]:
    """Dates by name from text and kind; empty ones are left out."""
    made = {}
    for name, (text, kind) in given.items():
        if text:
            read = terms.when(text)
            word = kind.strip().lower()
            known = {"actual": "actual", "estimated": "estimated", "anticipated": "estimated"}.get(word, "not_stated")
            made[name] = DateField(when=read, kind=known, text="" if read else text)
    return made


def age_field(text: str) -> AgeField | None:
    """An age limit; None where the register states none."""
    if not text or text.strip().upper() in ("N/A", "NONE", "NA", "NO LIMIT"):
        return None
    read = terms.age(text)
    return AgeField(text=text, value=read.value, unit=read.unit)


def numbers(stated: Iterable[tuple[str, str, bool]], own: str) -> tuple[Number, ...]:
    """Register numbers in texts, each with its path, without the record's own and without doubles.

    Args:
        stated: text, path in the document, and whether the field is one of this trial's own identifiers.
        own: the number under which the record itself stands.
    """
    found: dict[str, Number] = {}
    for text, path, sure in stated:
        for register, value in terms.numbers(text):
            if value != own and (value not in found or (sure and not found[value].sure)):
                found[value] = Number(register=register, value=value, path=path, sure=sure)
    return tuple(found.values())


def quirks(fields: TrialFields, *more: str, kinds: bool = True) -> tuple[str, ...]:
    """What had to be read with care, seen from the fields themselves, and more that only the reader knew.

    Args:
        kinds: whether the register says of dates of the study that they are actual or estimated.
    """
    found = set(more)
    for name, one in fields.dates.items():
        if not one.when:
            found.add("date-unreadable")
        elif len(one.when) < 10:
            found.add("date-without-day")
        if kinds and name in ("start", "primary_completion", "completion") and one.kind == "not_stated":
            found.add("date-kind-missing")
    if not fields.phase:
        found.add("phase-missing")
    for limit in (fields.minimum_age, fields.maximum_age):
        if limit is not None and limit.unit not in ("years", ""):
            found.add("age-not-in-years")
    if fields.maximum_age is None and "age-group-only" not in found:
        found.add("maximum-age-missing")
    if not fields.arms:
        found.add("no-arms")
    return tuple(sorted(found))


def with_quirks(fields: TrialFields, *more: str, kinds: bool = True) -> TrialFields:
    return msgspec.structs.replace(fields, quirks=quirks(fields, *more, kinds=kinds))


def listed(rows: Iterable[Mapping[str, str]]) -> tuple[Row, ...]:
    return tuple(dict(row) for row in rows)
