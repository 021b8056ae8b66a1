"""The file of a patient who is looked at for a trial, and the evidence that follows from it.

    zone: Asia/Shanghai
    born: 2014-05-03
    moments: {consent: 2026-03-02T23:30:00Z, screening: 2026-02-28}
    findings: {diagnosis: B-ALL, albumin: {value: "28", unit: g/L, at: screening}}
    prior: {CAR-T-19: {chain: CHA9999…}}
    attested: {life_expectancy_weeks_ge_12: {holds: true, role: physician, by: MD-1}}

An infusion given before counts in two ways only (D13): read from our own record by its chain of identity, or attested
with its document by two people. A bare word does not count; the product is then unknown. The birth date leaves this
page as completed years, nothing else.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

import msgspec

from cellwright.factory.record import Immutable
from cellwright.factory.rule import Refusal
from cellwright.factory.trial.evidence import MOMENTS, Evidence, Finding, Signed, ages_on
from cellwright.factory.trial.window import day_of


class Attested(Immutable):
    """An infusion or its absence at another hospital, with the document's hash and the two people who answer for it."""

    document_sha256: str
    transcriber: str
    verifier: str
    outcome: Literal["infused", "not_infused"] = "infused"

    @property
    def stands(self) -> bool:
        """Whether there is a document and two different people."""
        whole = len(self.document_sha256) == 64 and all(c in "0123456789abcdef" for c in self.document_sha256)
        return whole and bool(self.transcriber and self.verifier) and self.transcriber != self.verifier


class Prior(Immutable):
    """Where an earlier product is to be found: in our record, by its chain of identity, or attested."""

    chain: str = ""
    attested: Attested | None = None


class Judged(Immutable):
    """A judgement: whether it holds, who signed and in which role."""

    holds: bool
    role: str
    by: str


class Found(Immutable):
    """A finding with what belongs to it."""

    value: str
    unit: str = ""
    on: date | None = None
    method: str = ""
    at: str = ""


class Patient(Immutable):
    """What a hospital says of a patient for a trial."""

    zone: str = "UTC"
    """IANA name of the zone in which the days of the patient are counted."""
    born: date | None = None
    moments: dict[str, Any] = msgspec.field(default_factory=dict)
    """Moment to its day, or to its instant, which becomes a day in the zone."""
    findings: dict[str, str | Found] = msgspec.field(default_factory=dict)
    prior: dict[str, Prior] = msgspec.field(default_factory=dict)
    attested: dict[str, Judged] = msgspec.field(default_factory=dict)


def read_patient(plain: object) -> Patient:
    """A patient from the parsed file.

    Raises:
        Refusal `patient-not-understood`: unknown keys, wrong types or moments that are none.
    """
    try:
        patient = msgspec.convert(plain, Patient, strict=True)
    except msgspec.ValidationError as error:
        raise _unfit(str(error)) from error
    for moment in patient.moments:
        if moment not in MOMENTS:
            raise _unfit(f"{moment} is none of the moments {', '.join(MOMENTS)}")
    for name, found in patient.findings.items():
        if isinstance(found, Found) and found.at and found.at not in MOMENTS:
            raise _unfit(f"{name} was found at {found.at}, which is none of the moments {', '.join(MOMENTS)}")
    return patient


def _unfit(why: str) -> Refusal:
    return Refusal(
        "patient-not-understood",
        "The patient's file is not understood: {why}.",
        remedy="Write it as the manual says; leave out what is not known.",
        rule="R044",
        why=why,
    )


def evidence_of(patient: Patient, recorded: Mapping[str, bool]) -> Evidence:
    """The evidence for a judgement.

    Args:
        recorded: product to whether its infusion is in our own record; a product that is not there was not found.

    Raises:
        Refusal `patient-not-understood`: a zone that is none, an instant without zone, a day before the birth.
    """
    try:
        days = {name: _day(when, patient.zone) for name, when in patient.moments.items()}
        born = patient.born
        ages = {} if born is None else {name: ages_on(born, day) for name, day in days.items()}
    except (ValueError, LookupError, OSError) as error:
        raise _unfit(str(error)) from error
    return Evidence(
        ages=ages,
        days=days,
        findings={name: _finding(found) for name, found in patient.findings.items()},
        prior=_prior(patient, recorded),
        attested={name: Signed(holds=one.holds, by=one.role) for name, one in patient.attested.items() if one.by},
    )


def _day(when: object, zone: str) -> date:
    if isinstance(when, str):
        when = datetime.fromisoformat(when) if "T" in when else date.fromisoformat(when)
    if isinstance(when, datetime):
        return day_of(when, zone)
    if isinstance(when, date):
        return when
    raise ValueError(f"{when} is no day and no instant")


def _finding(found: str | Found) -> Finding:
    if isinstance(found, str):
        return Finding(value=found)
    return Finding(value=found.value, unit=found.unit, on=found.on, method=found.method, at=found.at)


def _prior(patient: Patient, recorded: Mapping[str, bool]) -> dict[str, bool]:
    known = dict(recorded)
    for product, prior in patient.prior.items():
        if product not in known and prior.attested is not None and prior.attested.stands:
            known[product] = prior.attested.outcome == "infused"
    return known
