"""What is known of a patient when eligibility is judged, and the flat form in which the record keeps it.

    age@consent: "12"              completed years on that day; "24|25" on a birthday of 29 February (see `ages_on`)
    on.enrolment: "2026-03-02"     the day of a moment
    karnofsky: "80"                a measurement, its unit and its day
    karnofsky.unit: "%"
    karnofsky.on: "2026-02-20"
    egfr.method: "CKD-EPIcr"       the method or formula of a measurement
    albumin.at: "screening"        the visit at which something was found
    transplant: "no"               an event: no (never), ongoing, or yes with the day of the last time
    diagnosis: "B-ALL"             a finding: its code, several with commas, or yes / no
    HBsAg: "negative"              a laboratory test: positive / negative
    prior.CAR-T-19: "infused"      a product given before: infused / not_infused
    attest.life_expectancy: "yes"  a judgement: yes / no
    attest.life_expectancy.by: "physician"   the role of the one who signed it; a judgement counts in this role only

What is not there is unknown. The birth date is not there: ages are, so that the record of a verdict can be judged again
by a stranger without personal data.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final, get_args

import msgspec

from cellwright.factory.record import Immutable
from cellwright.factory.rule import Refusal
from cellwright.factory.trial.protocol import Moment

MOMENTS: Final[tuple[str, ...]] = get_args(Moment)
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class Finding(Immutable):
    """One thing known: its value as recorded, its unit if it has one, and its day if it is known."""

    value: str
    unit: str = ""
    on: date | None = None
    method: str = ""
    at: str = ""
    """The visit it belongs to, if that is recorded rather than its day."""

    @property
    def number(self) -> Decimal | None:
        return Decimal(self.value) if _DECIMAL.fullmatch(self.value) else None


class Signed(Immutable):
    """A judgement as it was signed: whether it holds, and in which role; empty if that is not recorded."""

    holds: bool
    by: str = ""


class Evidence(Immutable):
    """Everything known of a patient for a protocol."""

    ages: dict[str, tuple[int, ...]] = msgspec.field(default_factory=dict)
    """Moment to completed years; more than one where the calendar leaves it open."""
    days: dict[str, date] = msgspec.field(default_factory=dict)
    """Moment to its day."""
    findings: dict[str, Finding] = msgspec.field(default_factory=dict)
    prior: dict[str, bool] = msgspec.field(default_factory=dict)
    """Product to whether its infusion is recorded or attested."""
    attested: dict[str, "Signed"] = msgspec.field(default_factory=dict)


def ages_on(born: date, day: date) -> tuple[int, ...]:
    """Completed years of life on a day.

    Two numbers for a person born on 29 February, on 28 February of a common year: some laws let the year be complete
    then, others on 1 March. A rule that depends on it is then unknown and needs the sponsor's ruling.

    Raises:
        ValueError: the day is before the birth.
    """
    if day < born:
        raise ValueError(f"{day} is before the birth on {born}")
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    leap_birthday = (born.month, born.day) == (2, 29)
    if leap_birthday and (day.month, day.day) == (2, 28) and not _is_leap(day.year):
        return (years, years + 1)
    return (years,)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _unfit(key: str, value: str, expected: str) -> Refusal:
    return Refusal(
        "evidence-not-understood",
        "The evidence {key} is {value}, which is not {expected}.",
        remedy="Write it as the manual says; leave out what is not known.",
        rule="R044",
        key=key,
        value=value[:40],
        expected=expected,
    )


def read_evidence(flat: Mapping[str, str]) -> Evidence:
    """Evidence from its flat form.

    Raises:
        Refusal `evidence-not-understood`: a key or a value is not of the form above; nothing is guessed.
    """
    ages: dict[str, tuple[int, ...]] = {}
    days: dict[str, date] = {}
    prior: dict[str, bool] = {}
    attested: dict[str, dict[str, str]] = {}
    values: dict[str, dict[str, str]] = {}
    for key, value in flat.items():
        head, _, tail = key.partition(".")
        if not value.strip():
            raise _unfit(key, value, "filled in")
        if key.startswith("age@"):
            ages[_moment(key, key[4:])] = _ages(key, value)
        elif head == "on" and tail:
            days[_moment(key, tail)] = _day(key, value)
        elif head == "prior" and tail:
            prior[tail] = _either(key, value, "infused", "not_infused")
        elif head == "attest" and tail:
            statement, dot, by = tail.rpartition(".")
            name, part = (statement, "by") if dot and by == "by" else (tail, "value")
            attested.setdefault(name, {})[part] = value
        elif tail in ("unit", "on", "method", "at"):
            values.setdefault(head, {})[tail] = value
        elif not tail:
            values.setdefault(head, {})["value"] = value
        else:
            raise _unfit(key, value, "one of the known forms")
    return Evidence(ages=ages, days=days, findings=_findings(values), prior=prior, attested=_signed(attested))


def _signed(values: Mapping[str, Mapping[str, str]]) -> dict[str, Signed]:
    signed = {}
    for name, parts in values.items():
        if "value" not in parts:
            raise _unfit(f"attest.{name}", "-", "given, although the role is")
        holds = _either(f"attest.{name}", parts["value"], "yes", "no")
        signed[name] = Signed(holds=holds, by=parts.get("by", ""))
    return signed


def _findings(values: Mapping[str, Mapping[str, str]]) -> dict[str, Finding]:
    findings = {}
    for name, parts in values.items():
        if "value" not in parts:
            raise _unfit(name, "-", "given, although its unit or day is")
        on = _day(f"{name}.on", parts["on"]) if "on" in parts else None
        at = _moment(f"{name}.at", parts["at"]) if "at" in parts else ""
        method = parts.get("method", "")
        findings[name] = Finding(value=parts["value"], unit=parts.get("unit", ""), on=on, method=method, at=at)
    return findings


def write_evidence(evidence: Evidence) -> dict[str, str]:
    """The flat form, keys in order."""
    flat = {
        **{f"age@{moment}": "|".join(map(str, years)) for moment, years in evidence.ages.items()},
        **{f"on.{moment}": day.isoformat() for moment, day in evidence.days.items()},
        **{f"prior.{product}": "infused" if was else "not_infused" for product, was in evidence.prior.items()},
        **{f"attest.{statement}": "yes" if so.holds else "no" for statement, so in evidence.attested.items()},
        **{f"attest.{statement}.by": so.by for statement, so in evidence.attested.items() if so.by},
    }
    for name, finding in evidence.findings.items():
        flat[name] = finding.value
        if finding.unit:
            flat[f"{name}.unit"] = finding.unit
        if finding.method:
            flat[f"{name}.method"] = finding.method
        if finding.at:
            flat[f"{name}.at"] = finding.at
        if finding.on is not None:
            flat[f"{name}.on"] = finding.on.isoformat()
    return dict(sorted(flat.items()))


def _moment(key: str, name: str) -> str:
    if name not in MOMENTS:
        raise _unfit(key, name, "one of " + ", ".join(MOMENTS))
    return name


def _ages(key: str, value: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[0-9]{1,3}(\|[0-9]{1,3})?", value):
        raise _unfit(key, value, "a number of completed years")
    return tuple(map(int, value.split("|")))


def _day(key: str, value: str) -> date:
    try:
        if len(value) != 10:
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise _unfit(key, value, "a day such as 2026-03-02") from None


def _either(key: str, value: str, yes: str, no: str) -> bool:
    if value not in (yes, no):
        raise _unfit(key, value, f"{yes} or {no}")
    return value == yes
