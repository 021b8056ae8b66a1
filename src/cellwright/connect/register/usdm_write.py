"""A register record as a study definition of CDISC USDM, version 4.

A register knows less than the model asks for: cells, elements, roles of data. Those required parts are written with the
least that is true and the record's own hash stands in an extension, so that nobody takes them for a protocol.
"""

from collections.abc import Iterable
from itertools import count, pairwise
from typing import Any, Final

import msgspec

from cellwright.connect.register.fhir import SYSTEMS
from cellwright.connect.register.fields import TrialFields
from cellwright.factory.portfolio.statement import RegisterRecord

Tree = dict[str, Any]
VERSION: Final = "4.0.0"
CDISC: Final = ("http://www.cdisc.org", "2024-09-27")
EXTENSION: Final = "https://cellwright.org/usdm/register-record"
_PHASES: Final = {
    "1": ("C15600", "Phase I Trial"), "1/2": ("C15693", "Phase I/II Trial"), "2": ("C15601", "Phase II Trial"),
    "2/3": ("C15694", "Phase II/III Trial"), "3": ("C15602", "Phase III Trial"), "4": ("C15603", "Phase IV Trial"),
    "early 1": ("C54721", "Early Phase I Trial"), "not applicable": ("C48660", "Not Applicable"),
}  # fmt: skip
_UNSAID: Final = ("keywords", "dates", "status_text", "why_stopped", "collaborators", "countries", "age_groups",
                  "minimum_age", "maximum_age", "acronym", "url", "quirks", "design", "healthy_volunteers")  # fmt: skip


class _Writer:
    """Gives each instance its id, as the model wants it: the class and a running number."""

    def __init__(self) -> None:
        self._numbers: dict[str, Any] = {}

    def make(self, kind: str, **fields: Any) -> Tree:
        number = next(self._numbers.setdefault(kind, count(1)))
        return {"id": f"{kind}_{number}", **fields, "instanceType": kind}

    def code(self, code: str, decode: str) -> Tree:
        return self.make("Code", code=code, codeSystem=CDISC[0], codeSystemVersion=CDISC[1], decode=decode)


def study_definition(record: RegisterRecord) -> tuple[Tree, tuple[str, ...]]:
    """The wrapper that exchanges a study, and the names of what it does not express."""
    fields = msgspec.convert(dict(record.content), TrialFields)
    writer = _Writer()
    organizations = [_organization(writer, "C93453", "Study Registry", record.register)]
    if fields.sponsor:
        organizations.append(_organization(writer, "C70793", "Clinical Study Sponsor", fields.sponsor))
    numbers = [(record.number, 0), *((one.value, 0) for one in fields.numbers),
               *((one, len(organizations) - 1) for one in fields.other_ids)]  # fmt: skip
    criteria, items = _criteria(writer, fields)
    interventions = [_intervention(writer, row) for row in fields.interventions if row.get("name")]
    version = writer.make(
        "StudyVersion",
        versionIdentifier=_version(fields),
        rationale=fields.summary or fields.description or fields.title or record.number,
        studyIdentifiers=[
            writer.make("StudyIdentifier", text=text, scopeId=organizations[scope]["id"]) for text, scope in numbers
        ],
        titles=_titles(writer, fields, record.number),
        organizations=organizations,
        eligibilityCriterionItems=items,
        studyInterventions=interventions,
        studyDesigns=[_design(writer, fields, criteria, interventions)],
        extensionAttributes=[
            writer.make("ExtensionAttribute", url=EXTENSION, valueString=f"{record.form} sha256:{record.record_sha256}")
        ],
    )
    study = {"id": None, "name": record.number, "label": fields.title, "description": None, "versions": [version],
             "documentedBy": [], "instanceType": "Study"}  # fmt: skip
    lost = [name for name in _UNSAID if getattr(fields, name) not in ("", (), None, {})]
    lost += [f"unmapped: {path}" for path in record.unmapped]
    return {"study": study, "usdmVersion": VERSION, "systemName": "cellwright", "systemVersion": "1"}, tuple(lost)


def _version(fields: TrialFields) -> str:
    updated = fields.dates.get("updated") or fields.dates.get("update_posted")
    return updated.when if updated and updated.when else "1"


def _organization(writer: _Writer, code: str, decode: str, name: str) -> Tree:
    return writer.make("Organization", name=name, label=name, type=writer.code(code, decode),
                       identifierScheme="URL" if name in SYSTEMS else "name", identifier=SYSTEMS.get(name, name),
                       legalAddress=None, managedSites=[])  # fmt: skip


def _titles(writer: _Writer, fields: TrialFields, number: str) -> list[Tree]:
    given = (("C207615", "Brief Study Title", fields.title or number),
             ("C207616", "Official Study Title", fields.official_title))  # fmt: skip
    return [
        writer.make("StudyTitle", text=text, type=writer.code(code, decode)) for code, decode, text in given if text
    ]


def _criteria(writer: _Writer, fields: TrialFields) -> tuple[list[Tree], list[Tree]]:
    """Criteria in the order of the record, each naming the next, and the items that hold their texts."""
    criteria: list[Tree] = []
    items: list[Tree] = []
    for texts, letter, code, decode in (
        (fields.inclusion, "INC", "C25532", "Inclusion Criteria"),
        (fields.exclusion, "EXC", "C25370", "Exclusion Criteria"),
    ):
        for number, text in enumerate(texts, 1):
            item = writer.make("EligibilityCriterionItem", name=f"{letter}{number}", text=text, dictionaryId=None)
            items.append(item)
            criteria.append(writer.make("EligibilityCriterion", name=f"{letter}{number}",
                                        category=writer.code(code, decode), identifier=str(number),
                                        criterionItemId=item["id"], nextId=None, previousId=None))  # fmt: skip
    for before, after in pairwise(criteria):
        before["nextId"], after["previousId"] = after["id"], before["id"]
    return criteria, items


def _intervention(writer: _Writer, row: dict[str, str]) -> Tree:
    return writer.make("StudyIntervention", name=row["name"], description=row.get("description"),
                       role=writer.code("C207614", row.get("type", "Intervention")),
                       type=writer.code("C1909", row.get("type", "Intervention")))  # fmt: skip


def _design(writer: _Writer, fields: TrialFields, criteria: list[Tree], interventions: Iterable[Tree]) -> Tree:
    arms = [
        writer.make("StudyArm", name=row["label"], label=row["label"], description=row.get("description"),
                    type=writer.code("C174266", row.get("type", "Investigational Arm")),
                    dataOriginDescription="stated in a register", populationIds=[],
                    dataOriginType=writer.code("C188866", "Data Generated Within Study"))
        for row in fields.arms if row.get("label")
    ]  # fmt: skip
    epoch = writer.make("StudyEpoch", name="study", label="study", description="the whole study; a register has no epochs",
                        type=writer.code("C101526", "Treatment Epoch"))  # fmt: skip
    cells = [writer.make("StudyCell", armId=arm["id"], epochId=epoch["id"], elementIds=[]) for arm in arms]
    planned = writer.make("Quantity", value=int(fields.enrolment), unit=None) if fields.enrolment.isdigit() else None
    population = writer.make(
        "StudyDesignPopulation",
        name="population",
        includesHealthySubjects=fields.healthy_volunteers.lower()
        in ("true", "yes", "accepts healthy volunteers", "有"),
        plannedEnrollmentNumber=planned,
        plannedSex=[writer.code("C49636" if fields.sex.upper() == "ALL" else "C28421", fields.sex)]
        if fields.sex
        else [],
        criterionIds=[one["id"] for one in criteria],
    )
    code = _PHASES.get(fields.phase)
    return writer.make(
        "InterventionalStudyDesign",
        name="design",
        rationale="not stated in the register",
        studyType=writer.code("C98388", fields.study_type or "Interventional Study"),
        studyPhase=writer.make("AliasCode", standardCode=writer.code(*code), standardCodeAliases=[]) if code else None,
        arms=arms,
        epochs=[epoch],
        studyCells=cells,
        indications=[
            writer.make("Indication", name=text, description=text, codes=[], isRareDisease=False)
            for text in fields.conditions
        ],
        objectives=list(_objectives(writer, fields)),
        population=population,
        eligibilityCriteria=criteria,
        studyInterventionIds=[one["id"] for one in interventions],
        model=writer.code("C82639", next(iter(fields.design), "not stated")),
    )


def _objectives(writer: _Writer, fields: TrialFields) -> Iterable[Tree]:
    levels = (
        (fields.primary_outcomes, ("C85826", "Primary Objective"), ("C94496", "Primary Endpoint")),
        (fields.secondary_outcomes, ("C85827", "Secondary Objective"), ("C139173", "Secondary Endpoint")),
    )
    for rows, objective, endpoint in levels:
        ends = [
            writer.make("Endpoint", name=f"{endpoint[1]} {number}", text=row["measure"],
                        purpose="", level=writer.code(*endpoint), dictionaryId=None)
            for number, row in enumerate(rows, 1) if row.get("measure")
        ]  # fmt: skip
        if ends:
            yield writer.make("Objective", name=objective[1], text="not stated in the register", dictionaryId=None,
                              level=writer.code(*objective), endpoints=ends)  # fmt: skip
