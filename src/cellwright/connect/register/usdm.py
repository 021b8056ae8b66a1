"""CDISC's Unified Study Definitions Model, version 4: read from its JSON, and written to it."""

import re
from collections.abc import Mapping
from typing import Any

from cellwright.connect.register import terms
from cellwright.connect.register.document import Document
from cellwright.connect.register.fields import TrialFields, dates, listed, numbers, with_quirks

_V = "study.versions."
_D = _V + "studyDesigns."
_TAG = re.compile(r"<[^>]+>")


def usdm_number(tree: Mapping[str, Any]) -> str:
    """A register's number out of the study's identifiers, else the first identifier, else the study's name."""
    texts = Document(tree).values(_V + "studyIdentifiers.text")
    known = [number for text in texts for _register, number in terms.numbers(text)]
    return next(iter(known or texts), "") or Document(tree).first("study.name")


def usdm(doc: Document) -> TrialFields:
    """A study definition. Criteria are texts with tags for parameters; they are texts here too, not rules."""
    identifiers = doc.values(_V + "studyIdentifiers.text")
    own = usdm_number(doc.tree)
    titles = {row.get("type", ""): row.get("text", "") for row in
              doc.rows(_V + "titles", text="text", type="type.decode")}  # fmt: skip
    criteria = _criteria(doc)
    outcomes = doc.rows(_D + "objectives.endpoints", measure="text", level="level.decode")
    phase = doc.first(_D + "studyPhase.standardCode.decode")
    fields = TrialFields(
        title=titles.get("Brief Study Title") or next(iter(titles.values()), "") or doc.first("study.name"),
        official_title=titles.get("Official Study Title", ""),
        acronym=titles.get("Study Acronym", ""),
        study_type=doc.first(_D + "studyType.decode"),
        design=tuple(doc.values(_D + "model.decode") + doc.values(_D + "blindingSchema.standardCode.decode")),
        phase=terms.phase(phase),
        phase_text=phase,
        dates=dates(protocol_approved=(doc.first(_V + "dateValues.dateValue"), "")),
        enrolment=doc.first(_D + "population.plannedEnrollmentNumber.value"),
        enrolment_kind="estimated",
        sponsor=_sponsor(doc),
        conditions=tuple(doc.values(_D + "indications.description")),
        arms=listed(doc.rows(_D + "arms", label="name", description="description", type="type.decode")),
        interventions=listed(doc.rows(_V + "studyInterventions", name="name", description="description",
                                      type="type.decode")),
        primary_outcomes=_outcomes(outcomes, "primary"),
        secondary_outcomes=_outcomes(outcomes, "secondary"),
        other_outcomes=_outcomes(outcomes, ""),
        criteria="\n".join(("Inclusion Criteria:", *criteria[0], "Exclusion Criteria:", *criteria[1])),
        inclusion=criteria[0],
        exclusion=criteria[1],
        sex=", ".join(doc.values(_D + "population.plannedSex.decode")),
        healthy_volunteers=doc.first(_D + "population.includesHealthySubjects"),
        description=_TAG.sub("", doc.first(_V + "rationale")),
        numbers=numbers([(text, _V + "studyIdentifiers", True) for text in identifiers], own),
        other_ids=tuple(text for text in identifiers if not terms.numbers(text)),
    )  # fmt: skip
    return with_quirks(fields, kinds=False)


def _outcomes(rows: list[dict[str, str]], level: str) -> tuple[dict[str, str], ...]:
    named = {"primary", "secondary"}

    def fits(row: Mapping[str, str]) -> bool:
        word = row.get("level", "").lower().split(" ")[0]
        return word == level if level else word not in named

    return tuple({"measure": _TAG.sub("", row["measure"])} for row in rows if fits(row) and row.get("measure"))


def _sponsor(doc: Document) -> str:
    rows = doc.rows(_V + "organizations", name="name", label="label", type="type.decode")
    doc.values(_V + "organizations.identifier")
    for kind in ("Sponsor", "Pharma"):
        for row in rows:
            if kind in row.get("type", ""):
                return row.get("label") or row.get("name", "")
    return ""


def _criteria(doc: Document) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Texts of the criteria in the order of the protocol: the criterion names an item, the item holds the text."""
    items: dict[str, str] = {
        row["id"]: " ".join(_TAG.sub(" ", row.get("text", "")).split())
        for path in ("eligibilityCriterionItems", "criterionItems")
        for row in doc.rows(_V + path, id="id", text="text", name="name", label="label")
        if "id" in row
    }
    included: list[str] = []
    excluded: list[str] = []
    for path in (_D + "eligibilityCriteria", _D + "population.criteria", _V + "criteria"):
        rows = doc.rows(path, id="id", category="category.decode", item="criterionItemId", text="text", name="name",
                        identifier="identifier")  # fmt: skip
        for row in rows:
            text = items.get(row.get("item", ""), _TAG.sub("", row.get("text", ""))) or row.get("name", "")
            (excluded if "Exclusion" in row.get("category", "") else included).append(text)
    return tuple(included), tuple(excluded)
