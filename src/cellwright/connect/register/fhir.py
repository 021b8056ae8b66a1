"""A register record as HL7 FHIR R5: a ResearchStudy, and its eligibility as an EvidenceVariable.

Dates keep their precision: FHIR has years and months as well as days. Ages become a range with a unit of UCUM; the texts
of the criteria become characteristics, exclusions marked. What is written is checked by fhir.resources, the extra
`registers`.
"""

from typing import Any, Final

import msgspec

from cellwright.connect.register.fields import AgeField, TrialFields
from cellwright.factory.portfolio.statement import RegisterRecord
from cellwright.language import _

Tree = dict[str, Any]


class NoForm(ValueError):
    """The form is not known, or what checks it is not installed."""


SYSTEMS: Final = {
    "ctgov": "https://clinicaltrials.gov", "isrctn": "https://www.isrctn.com",
    "euctr": "https://www.clinicaltrialsregister.eu", "ctis": "https://euclinicaltrials.eu",
    "cde": "http://www.chinadrugtrials.org.cn", "chictr": "https://www.chictr.org.cn",
    "ictrp": "https://trialsearch.who.int", "who": "https://www.who.int", "jrct": "https://jrct.mhlw.go.jp",
    "usdm": "https://www.cdisc.org/ddf",
}  # fmt: skip
_UCUM: Final = {"minutes": "min", "hours": "h", "days": "d", "weeks": "wk", "months": "mo", "years": "a"}
_PROGRESS: Final = {
    "recruiting": "active", "not_yet_recruiting": "approved", "active_not_recruiting": "closed-to-accrual",
    "enrolling_by_invitation": "active", "completed": "completed", "terminated": "administratively-completed",
    "withdrawn": "withdrawn", "suspended": "temporarily-closed-to-accrual", "ongoing": "active",
}  # fmt: skip
"""State of a trial to a code of the R5 value set `research-study-status`; other states stay text only."""
_PROGRESS_SYSTEM: Final = "http://hl7.org/fhir/research-study-status"
_UNSAID: Final = ("keywords", "age_groups", "healthy_volunteers", "enrolment_kind", "quirks", "design", "study_type",
                  "sex", "acronym", "url", "arms")  # fmt: skip
"""Common fields for which no element is written."""


def bundle(record: RegisterRecord) -> tuple[Tree, tuple[str, ...]]:
    """A collection of the two resources, and the names of what they do not express.

    Raises:
        NoForm: fhir.resources is not installed.
    """
    fields = msgspec.convert(dict(record.content), TrialFields)
    study, variable = research_study(record, fields), evidence_variable(record, fields)
    _checked(study, variable)
    lost = [name for name in _UNSAID if getattr(fields, name) not in ("", (), None)]
    lost += [f"unmapped: {path}" for path in record.unmapped]
    entries = [{"resource": study}, {"resource": variable}]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}, tuple(lost)


def _checked(study: Tree, variable: Tree) -> None:
    try:
        from fhir.resources.evidencevariable import EvidenceVariable
        from fhir.resources.researchstudy import ResearchStudy
    except ImportError as error:
        raise NoForm(_("Writing FHIR needs the extra: pip install cellwright[registers]")) from error
    ResearchStudy.model_validate(study)
    EvidenceVariable.model_validate(variable)


def _text(text: str) -> Tree:
    return {"text": text}


def _resource_id(record: RegisterRecord, kind: str) -> str:
    safe = "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in record.number)
    return f"{kind}-{safe}"[:64]


def research_study(record: RegisterRecord, fields: TrialFields) -> Tree:
    """The ResearchStudy of a record."""
    identifiers = [{"system": SYSTEMS.get(record.register, record.register), "value": record.number}]
    identifiers += [{"system": SYSTEMS.get(one.register, one.register), "value": one.value} for one in fields.numbers]
    identifiers += [{"value": one} for one in fields.other_ids]
    parties = [{"name": fields.sponsor, "role": _text("lead-sponsor")}] if fields.sponsor else []
    parties += [{"name": one, "role": _text("collaborator")} for one in fields.collaborators]
    outcomes = [
        {"name": row["measure"], "type": [_text(kind)], **_described(row)}
        for kind, rows in (("primary", fields.primary_outcomes), ("secondary", fields.secondary_outcomes),
                           ("exploratory", fields.other_outcomes))
        for row in rows if row.get("measure")
    ]  # fmt: skip
    study: Tree = {
        "resourceType": "ResearchStudy",
        "id": _resource_id(record, "study"),
        "status": "active",
        "identifier": identifiers,
        "title": fields.title or fields.official_title or record.number,
        "description": fields.description or fields.summary,
        "descriptionSummary": fields.summary,
        "label": [{"type": _text("official"), "value": fields.official_title}] if fields.official_title else [],
        "phase": _text(fields.phase_text or fields.phase) if fields.phase else None,
        "condition": [_text(one) for one in fields.conditions],
        "focus": [{"concept": _text(name)} for row in fields.interventions if (name := row.get("name"))],
        "associatedParty": parties,
        "region": [_text(one) for one in fields.countries],
        "period": _period(fields),
        "progressStatus": _progress(fields),
        "whyStopped": _text(fields.why_stopped) if fields.why_stopped else None,
        "recruitment": _recruitment(record, fields),
        "outcomeMeasure": outcomes,
        "comparisonGroup": [
            {"name": row["label"], "description": row.get("description") or row["label"]}
            for row in fields.arms if row.get("label")
        ],
    }  # fmt: skip
    return {name: value for name, value in study.items() if value not in (None, "", [], {})}


def _described(row: dict[str, str]) -> Tree:
    parts = [text for text in (row.get("description"), row.get("time_frame")) if text]
    return {"description": "\n".join(parts)} if parts else {}


def _period(fields: TrialFields) -> Tree:
    ends = {"start": fields.dates.get("start"), "end": fields.dates.get("completion")}
    return {name: one.when for name, one in ends.items() if one is not None and one.when}


def _progress(fields: TrialFields) -> list[Tree]:
    if not fields.status_text:
        return []
    state = _text(fields.status_text)
    code = _PROGRESS.get(fields.status)
    if code:
        state = {"coding": [{"system": _PROGRESS_SYSTEM, "code": code}], **state}
    return [{"state": state}]


def _recruitment(record: RegisterRecord, fields: TrialFields) -> Tree:
    made: Tree = {"eligibility": {"reference": f"EvidenceVariable/{_resource_id(record, 'eligibility')}"}}
    if fields.enrolment.isdigit():
        actual = fields.enrolment_kind == "actual"
        made["actualNumber" if actual else "targetNumber"] = int(fields.enrolment)
    return made


def evidence_variable(record: RegisterRecord, fields: TrialFields) -> Tree:
    """The eligibility of a record: the age range, then every criterion as it stands."""
    characteristics = [one for one in (_age(fields),) if one]
    for texts, exclude in ((fields.inclusion, False), (fields.exclusion, True)):
        for number, text in enumerate(texts, 1):
            characteristics.append(
                {"linkId": f"{'E' if exclude else 'I'}{number}", "description": text, "exclude": exclude}
            )
    made: Tree = {
        "resourceType": "EvidenceVariable",
        "id": _resource_id(record, "eligibility"),
        "status": "active",
        "title": f"Eligibility of {record.number}",
        "description": fields.criteria,
        "characteristic": characteristics,
    }
    return {name: value for name, value in made.items() if value not in ("", [])}


def _age(fields: TrialFields) -> Tree | None:
    limits = {"low": fields.minimum_age, "high": fields.maximum_age}
    given = {name: quantity for name, one in limits.items() if (quantity := _quantity(one))}
    if not given:
        return None
    return {
        "linkId": "age",
        "description": "Age",
        "exclude": False,
        "definitionByTypeAndValue": {"type": _text("age"), "valueRange": given},
    }


def _quantity(age: AgeField | None) -> Tree | None:
    if age is None or age.unit not in _UCUM or not age.value:
        return None
    return {"value": float(age.value) if "." in age.value else int(age.value), "unit": age.unit,
            "system": "http://unitsofmeasure.org", "code": _UCUM[age.unit]}  # fmt: skip
