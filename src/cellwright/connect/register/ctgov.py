"""ClinicalTrials.gov: records of API version 2, of the classic XML, and rows of its CSV export."""

import re
from collections.abc import Mapping
from typing import Any

from cellwright.connect.register import terms
from cellwright.connect.register.document import Document
from cellwright.connect.register.fields import TrialFields, age_field, dates, listed, numbers, with_quirks

_P = "protocolSection."
_S = _P + "statusModule."


def v2_number(tree: Mapping[str, Any]) -> str:
    return Document(tree).first(_P + "identificationModule.nctId")


def v2(doc: Document) -> TrialFields:
    """A record of API version 2."""
    own = doc.first(_P + "identificationModule.nctId")
    text = doc.first(_P + "eligibilityModule.eligibilityCriteria")
    read = terms.criteria(text)
    phases = doc.values(_P + "designModule.phases")
    fields = TrialFields(
        title=doc.first(_P + "identificationModule.briefTitle"),
        official_title=doc.first(_P + "identificationModule.officialTitle"),
        acronym=doc.first(_P + "identificationModule.acronym"),
        status=terms.state(doc.first(_S + "overallStatus")),
        status_text=doc.first(_S + "overallStatus"),
        why_stopped=doc.first(_S + "whyStopped"),
        study_type=doc.first(_P + "designModule.studyType"),
        design=tuple(
            text
            for part in ("allocation", "interventionModel", "observationalModel", "timePerspective", "primaryPurpose",
                         "maskingInfo.masking")
            if (text := doc.first(f"{_P}designModule.designInfo.{part}"))
        ),
        phase=terms.phase(" ".join(phases)),
        phase_text="|".join(phases),
        dates=_v2_dates(doc),
        enrolment=doc.first(_P + "designModule.enrollmentInfo.count"),
        enrolment_kind=doc.first(_P + "designModule.enrollmentInfo.type").lower(),
        sponsor=doc.first(_P + "sponsorCollaboratorsModule.leadSponsor.name"),
        collaborators=tuple(doc.values(_P + "sponsorCollaboratorsModule.collaborators.name")),
        conditions=tuple(doc.values(_P + "conditionsModule.conditions")),
        keywords=tuple(doc.values(_P + "conditionsModule.keywords")),
        arms=listed(doc.rows(_P + "armsInterventionsModule.armGroups", label="label", type="type",
                             description="description", interventions="interventionNames")),
        interventions=listed(doc.rows(_P + "armsInterventionsModule.interventions", type="type", name="name",
                                      description="description", arms="armGroupLabels", other_names="otherNames")),
        criteria=read.text,
        inclusion=read.inclusion,
        exclusion=read.exclusion,
        sex=doc.first(_P + "eligibilityModule.sex"),
        minimum_age=age_field(doc.first(_P + "eligibilityModule.minimumAge")),
        maximum_age=age_field(doc.first(_P + "eligibilityModule.maximumAge")),
        age_groups=tuple(doc.values(_P + "eligibilityModule.stdAges")),
        healthy_volunteers=doc.first(_P + "eligibilityModule.healthyVolunteers"),
        countries=tuple(dict.fromkeys(doc.values(_P + "contactsLocationsModule.locations.country"))),
        summary=doc.first(_P + "descriptionModule.briefSummary"),
        description=doc.first(_P + "descriptionModule.detailedDescription"),
        **_v2_outcomes(doc),
        **_v2_numbers(doc, own),
    )  # fmt: skip
    more = ["escaped-comparators"] * read.escaped + ["no-exclusion-heading"] * (not read.headed)
    return with_quirks(fields, *more)


def _v2_dates(doc: Document) -> Any:
    def struct(name: str) -> tuple[str, str]:
        return doc.first(f"{_S}{name}.date"), doc.first(f"{_S}{name}.type")

    return dates(
        start=struct("startDateStruct"),
        primary_completion=struct("primaryCompletionDateStruct"),
        completion=struct("completionDateStruct"),
        first_submitted=(doc.first(_S + "studyFirstSubmitDate"), ""),
        first_submitted_qc=(doc.first(_S + "studyFirstSubmitQcDate"), ""),
        first_posted=struct("studyFirstPostDateStruct"),
        results_submitted=(doc.first(_S + "resultsFirstSubmitDate"), ""),
        results_posted=struct("resultsFirstPostDateStruct"),
        updated=(doc.first(_S + "lastUpdateSubmitDate"), ""),
        update_posted=struct("lastUpdatePostDateStruct"),
        verified=(doc.first(_S + "statusVerifiedDate"), ""),
    )


def _v2_outcomes(doc: Document) -> dict[str, Any]:
    return {
        f"{kind}_outcomes": listed(
            doc.rows(f"{_P}outcomesModule.{kind}Outcomes", measure="measure", time_frame="timeFrame",
                     description="description")
        )
        for kind in ("primary", "secondary", "other")
    }  # fmt: skip


def _v2_numbers(doc: Document, own: str) -> dict[str, Any]:
    module = _P + "identificationModule."
    stated = [(text, module + "secondaryIdInfos.id", True) for text in doc.values(module + "secondaryIdInfos.id")]
    stated += [(text, module + "nctIdAliases", True) for text in doc.values(module + "nctIdAliases")]
    sponsor = doc.first(module + "orgStudyIdInfo.id")
    stated.append((sponsor, module + "orgStudyIdInfo.id", True))
    known = [one for text, _path, _sure in stated for _register, one in terms.numbers(text)]
    others = [text for text in dict.fromkeys(text for text, _path, _sure in stated) if text and text not in known]
    return {"numbers": numbers(stated, own), "other_ids": tuple(others)}


def classic_number(tree: Mapping[str, Any]) -> str:
    return Document(tree).first("id_info.nct_id")


def classic(doc: Document) -> TrialFields:
    """A record of the classic XML, or of its JSON form."""
    own = doc.first("id_info.nct_id")
    read = terms.criteria(doc.first("eligibility.criteria.textblock"))
    secondary = doc.values("id_info.secondary_id")
    alias = doc.values("id_info.nct_alias")
    sponsor = doc.values("id_info.org_study_id")
    stated = [(text, f"id_info.{name}", True) for name, texts in
              (("secondary_id", secondary), ("nct_alias", alias), ("org_study_id", sponsor)) for text in texts]  # fmt: skip
    phase = doc.first("phase")
    fields = TrialFields(
        title=doc.first("brief_title"),
        official_title=doc.first("official_title"),
        acronym=doc.first("acronym"),
        status=terms.state(doc.first("overall_status")),
        status_text=doc.first("overall_status"),
        why_stopped=doc.first("why_stopped"),
        study_type=doc.first("study_type"),
        design=tuple(
            text
            for part in ("allocation", "intervention_model", "observational_model", "time_perspective",
                         "primary_purpose", "masking")
            if (text := doc.first(f"study_design_info.{part}"))
        ),
        phase=terms.phase(phase),
        phase_text=phase,
        dates=_classic_dates(doc),
        enrolment=doc.first("enrollment.#text", "enrollment"),
        enrolment_kind=doc.first("enrollment.@type").lower(),
        sponsor=doc.first("sponsors.lead_sponsor.agency"),
        collaborators=tuple(doc.values("sponsors.collaborator.agency")),
        conditions=tuple(doc.values("condition")),
        keywords=tuple(doc.values("keyword")),
        arms=listed(doc.rows("arm_group", label="arm_group_label", type="arm_group_type", description="description")),
        interventions=listed(doc.rows("intervention", type="intervention_type", name="intervention_name",
                                      description="description", arms="arm_group_label", other_names="other_name")),
        primary_outcomes=listed(doc.rows("primary_outcome", measure="measure", time_frame="time_frame",
                                         description="description")),
        secondary_outcomes=listed(doc.rows("secondary_outcome", measure="measure", time_frame="time_frame",
                                           description="description")),
        other_outcomes=listed(doc.rows("other_outcome", measure="measure", time_frame="time_frame",
                                       description="description")),
        criteria=read.text,
        inclusion=read.inclusion,
        exclusion=read.exclusion,
        sex=doc.first("eligibility.gender"),
        minimum_age=age_field(doc.first("eligibility.minimum_age")),
        maximum_age=age_field(doc.first("eligibility.maximum_age")),
        healthy_volunteers=doc.first("eligibility.healthy_volunteers"),
        countries=tuple(doc.values("location_countries.country")),
        summary=doc.first("brief_summary.textblock"),
        description=doc.first("detailed_description.textblock"),
        url=doc.first("required_header.url"),
        numbers=numbers(stated, own),
        other_ids=tuple(text for text, _path, _sure in stated if not terms.numbers(text)),
    )  # fmt: skip
    more = ["escaped-comparators"] * read.escaped + ["no-exclusion-heading"] * (not read.headed)
    return with_quirks(fields, *more)


def _classic_dates(doc: Document) -> Any:
    def typed(name: str) -> tuple[str, str]:
        return doc.first(f"{name}.#text", name), doc.first(f"{name}.@type", f"{name}.type")

    return dates(
        start=typed("start_date"),
        primary_completion=typed("primary_completion_date"),
        completion=typed("completion_date"),
        first_submitted=(doc.first("study_first_submitted"), ""),
        first_submitted_qc=(doc.first("study_first_submitted_qc"), ""),
        first_posted=typed("study_first_posted"),
        results_submitted=(doc.first("results_first_submitted"), ""),
        results_posted=typed("results_first_posted"),
        updated=(doc.first("last_update_submitted"), ""),
        update_posted=typed("last_update_posted"),
        verified=(doc.first("verification_date"), ""),
    )


def csv_number(tree: Mapping[str, Any]) -> str:
    return str(tree.get("NCT Number", ""))


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|") if part.strip())


def csv_row(doc: Document) -> TrialFields:
    """A row of the CSV export, which has no text of eligibility and gives ages as groups only."""
    phase = doc.first("Phases")
    groups = doc.first("Age")
    outcomes: dict[str, Any] = {
        f"{kind}_outcomes": tuple({"measure": one} for one in _parts(doc.first(f"{kind.title()} Outcome Measures")))
        for kind in ("primary", "secondary", "other")
    }
    fields = TrialFields(
        title=doc.first("Study Title"),
        acronym=doc.first("Acronym"),
        status=terms.state(doc.first("Study Status")),
        status_text=doc.first("Study Status"),
        study_type=doc.first("Study Type"),
        design=_parts(doc.first("Study Design")),
        phase=terms.phase(" ".join(_parts(phase))),
        phase_text=phase,
        dates=dates(
            start=(doc.first("Start Date"), ""),
            primary_completion=(doc.first("Primary Completion Date"), ""),
            completion=(doc.first("Completion Date"), ""),
            first_posted=(doc.first("First Posted"), ""),
            results_posted=(doc.first("Results First Posted"), ""),
            update_posted=(doc.first("Last Update Posted"), ""),
        ),
        enrolment=doc.first("Enrollment"),
        sponsor=doc.first("Sponsor"),
        collaborators=_parts(doc.first("Collaborators")),
        conditions=_parts(doc.first("Conditions")),
        interventions=tuple(_intervention(one) for one in _parts(doc.first("Interventions"))),
        sex=doc.first("Sex"),
        age_groups=tuple(part.strip() for part in re.split(r"[|,]", groups) if part.strip()),
        summary=doc.first("Brief Summary"),
        url=doc.first("Study URL"),
        other_ids=_parts(doc.first("Other IDs")),
        **outcomes,
    )
    return with_quirks(fields, "no-eligibility-text", *(["age-group-only"] * bool(groups)), kinds=False)


def _intervention(text: str) -> dict[str, str]:
    kind, colon, name = text.partition(":")
    return {"type": kind.strip(), "name": name.strip()} if colon else {"name": text}
