"""The registers of Europe: CTIS in its two shapes, EUCTR and ISRCTN, as JSON of the kind that aggregators write."""

from collections.abc import Mapping
from typing import Any

from cellwright.connect.register import terms
from cellwright.connect.register.document import Document
from cellwright.connect.register.fields import TrialFields, dates, listed, numbers, with_quirks

_NEW = "authorizedApplication.authorizedPartI.trialDetails."
_OLD = "authorizedPartI.trialDetails."


def ctis_number(tree: Mapping[str, Any]) -> str:
    return str(tree.get("ctNumber", ""))


def ctis(doc: Document) -> TrialFields:
    """A record of CTIS, before and after the register's relaunch of June 2024."""
    own = doc.first("ctNumber")
    status = doc.first("ctStatus", "ctPublicStatusCode")
    info = ("trialInformation.",)
    inclusion = _ctis(doc, info, "eligibilityCriteria.principalInclusionCriteria.principalInclusionCriteria")
    exclusion = _ctis(doc, info, "eligibilityCriteria.principalExclusionCriteria.principalExclusionCriteria")
    identifiers = "clinicalTrialIdentifiers."
    secondary = identifiers + "secondaryIdentifyingNumbers."
    stated = [
        (text, _NEW + secondary + part, True)
        for part in ("nctNumber.number", "isrctnNumber.number", "whoUniversalTrialNumber.number",
                     "additionalRegistries.number")
        for text in doc.values(_NEW + secondary + part, _OLD + secondary + part)
    ]  # fmt: skip
    stated += [(text, "eudraCtInfo.eudraCtCode", True) for text in doc.values("eudraCtInfo.eudraCtCode")]
    phase = doc.first("trialPhase") or _first(doc, info, "trialCategory.trialPhase")
    coded = phase.isdigit() or status.isdigit()
    fields = TrialFields(
        title=doc.first(_NEW + identifiers + "publicTitle", _OLD + identifiers + "publicTitle", "title"),
        official_title=doc.first(_NEW + identifiers + "fullTitle", _OLD + identifiers + "fullTitle", "title"),
        acronym=doc.first(_NEW + identifiers + "shortTitle", "shortTitle"),
        status=terms.state(status),
        status_text=status,
        phase="" if phase.isdigit() else terms.phase(phase),
        phase_text=phase,
        dates=dates(
            submitted=(doc.first("submissionDate"), ""),
            authorised=(doc.first("authorizationDate"), ""),
            start=(doc.first("startDateEU"), ""),
            global_end=(doc.first("trialGlobalEnd"), ""),
            recruitment_start=(_first(doc, info, "trialDuration.estimatedRecruitmentStartDate"), "estimated"),
            completion=(_first(doc, info, "trialDuration.estimatedEndDate"), "estimated"),
            updated=(doc.first("lastUpdated"), ""),
            published=(doc.first("publishDate"), ""),
            results_posted=(doc.first("resultsFirstReceived"), ""),
        ),
        enrolment=doc.first("totalNumberEnrolled"),
        sponsor=doc.first("primarySponsor.organisation.name", "primarySponsor.name",
                          "authorizedApplication.authorizedPartI.sponsors.organisation.name"),
        collaborators=tuple(doc.values("coSponsors.organisation.name")),
        conditions=tuple(_ctis(doc, info, "medicalCondition.partIMedicalConditions.medicalCondition")),
        keywords=tuple(doc.values("therapeuticAreas")),
        interventions=listed(doc.rows("authorizedApplication.authorizedPartI.products", name="productName",
                                      substance="productDictionaryInfo.activeSubstanceName",
                                      code="productDictionaryInfo.prodName")),
        primary_outcomes=listed({"measure": one} for one in _ctis(doc, info, "endPoint.primaryEndPoints.endPoint")),
        secondary_outcomes=listed(
            {"measure": one} for one in _ctis(doc, info, "endPoint.secondaryEndPoints.endPoint")
        ),
        criteria="\n".join(("Inclusion Criteria:", *inclusion, "Exclusion Criteria:", *exclusion))
        if inclusion or exclusion else "",
        inclusion=tuple(inclusion),
        exclusion=tuple(exclusion),
        sex=", ".join(doc.values("gender")),
        age_groups=tuple(doc.values("ageGroup")),
        countries=tuple(doc.values("trialCountries")),
        description=_first(doc, info, "trialObjective.mainObjective"),
        numbers=numbers(stated, own),
    )  # fmt: skip
    more = ["coded-value"] * coded + ["age-group-only"] + ["no-eligibility-text"] * (not fields.criteria)
    return with_quirks(fields, *more, kinds=False)


def _ctis(doc: Document, within: tuple[str, ...], path: str) -> list[str]:
    return doc.values(*(f"{root}{one}{path}" for root in (_NEW, _OLD) for one in within))


def _first(doc: Document, within: tuple[str, ...], path: str) -> str:
    return next(iter(_ctis(doc, within, path)), "")


def euctr_number(tree: Mapping[str, Any]) -> str:
    """The EudraCT number and the member state: each state has a record of its own."""
    state = str(tree.get("a1_member_state_concerned", "")).split(" - ")[0]
    return "-".join(part for part in (str(tree.get("a2_eudract_number", "")), "".join(state.split())) if part)


_PHASES = (
    ("1", "e71_human_pharmacology_phase_i"),
    ("2", "e72_therapeutic_exploratory_phase_ii"),
    ("3", "e73_therapeutic_confirmatory_phase_iii"),
    ("4", "e74_therapeutic_use_phase_iv"),
)


def euctr(doc: Document) -> TrialFields:
    """A record of the former EU register, one member state."""
    own = doc.first("a2_eudract_number")
    phases = [phase for phase, path in _PHASES if doc.first(path) == "Yes"]
    stated = [(own, "a2_eudract_number", True)]
    stated += [
        (text, path, True)
        for path in ("a51_isrctn_international_standard_randomised_controlled_trial_number",
                     "a52_us_nct_clinicaltrialsgov_registry_number", "a53_who_universal_trial_reference_number_utrn",
                     "a54_other_identifiers", "a54_other_identifiers.name", "a54_other_identifiers.identifier")
        for text in doc.values(path)
    ]  # fmt: skip
    inclusion, exclusion = doc.first("e3_principal_inclusion_criteria"), doc.first("e4_principal_exclusion_criteria")
    fields = TrialFields(
        title=doc.first(
            "a31_title_of_the_trial_for_lay_people_in_easily_understood_ie_nontechnical_language",
            "a3_full_title_of_the_trial",
        ),
        official_title=doc.first("a3_full_title_of_the_trial"),
        acronym=doc.first("a32_name_or_abbreviated_title_of_the_trial_where_available"),
        status=terms.state(doc.first("x5_trial_status")),
        status_text=doc.first("x5_trial_status"),
        phase="/".join(phases),
        dates=dates(
            first_submitted=(doc.first("x6_date_on_which_this_record_was_first_entered_in_the_eudract_database"), ""),
            authorised=(doc.first("n_date_of_competent_authority_decision"), ""),
            ethics_opinion=(doc.first("n_date_of_ethics_committee_opinion"), ""),
            global_end=(doc.first("p_date_of_the_global_end_of_the_trial"), ""),
        ),
        sponsor=doc.first("b1_sponsor.b11_name_of_sponsor"),
        conditions=tuple(doc.values("e11_medical_conditions_being_investigated")),
        interventions=listed(doc.rows("dimp", name="d31_product_name", code="d32_product_code",
                                      form="d34_pharmaceutical_form", role="d12_and_d13_imp_role")),
        primary_outcomes=listed({"measure": one} for one in doc.values("e51_primary_end_points")),
        secondary_outcomes=listed({"measure": one} for one in doc.values("e52_secondary_end_points")),
        criteria="\n".join(part for part in ("Inclusion Criteria:", inclusion, "Exclusion Criteria:", exclusion) if part),
        inclusion=terms.items(inclusion),
        exclusion=terms.items(exclusion),
        countries=tuple(doc.values("a1_member_state_concerned")),
        description=doc.first("e21_main_objective_of_the_trial"),
        numbers=numbers(stated, ""),
        other_ids=tuple(doc.values("a41_sponsors_protocol_code_number")),
    )  # fmt: skip
    return with_quirks(fields, kinds=False)


def isrctn_number(tree: Mapping[str, Any]) -> str:
    return f"ISRCTN{tree.get('isrctn', '')}" if tree.get("isrctn") else ""


def isrctn(doc: Document) -> TrialFields:
    """A record of ISRCTN. The register states no status; what overrides one stands as it is."""
    own = "ISRCTN" + doc.first("isrctn")
    refs = "externalRefs."
    stated = [
        (text, refs + part, True)
        for part in ("clinicalTrialsGovNumber", "eudraCTNumber", "ctisNumber", "secondaryNumbers.secondaryNumber")
        for text in doc.values(refs + part)
    ]
    status = doc.first("participants.recruitmentStatusOverride", "participants.recruitmentStartStatusOverride")
    status = status or doc.first("trialDesign.overallEndStatusOverride")
    phase = doc.first("interventions.intervention.phase")
    inclusion, exclusion = doc.first("participants.inclusion"), doc.first("participants.exclusion")
    fields = TrialFields(
        title=doc.first("trialDescription.title"),
        official_title=doc.first("trialDescription.scientificTitle"),
        acronym=doc.first("trialDescription.acronym"),
        status=terms.state(status),
        status_text=status,
        study_type=doc.first("trialDesign.primaryStudyDesign"),
        design=tuple(doc.values("trialDesign.studyDesign") + doc.values("trialDesign.secondaryStudyDesign")),
        phase=terms.phase(phase),
        phase_text=phase,
        dates=dates(
            recruitment_start=(doc.first("participants.recruitmentStart"), ""),
            recruitment_end=(doc.first("participants.recruitmentEnd"), ""),
            start=(doc.first("trialDesign.overallStartDate"), ""),
            completion=(doc.first("trialDesign.overallEndDate"), ""),
        ),
        enrolment=doc.first("participants.totalFinalEnrolment", "participants.targetEnrolment"),
        conditions=tuple(doc.values("conditions.condition.description")),
        interventions=listed(doc.rows("interventions.intervention", name="drugNames", type="interventionType",
                                      description="description")),
        primary_outcomes=listed({"measure": one} for one in doc.values("trialDescription.primaryOutcome")),
        secondary_outcomes=listed({"measure": one} for one in doc.values("trialDescription.secondaryOutcome")),
        criteria="\n".join(part for part in ("Inclusion Criteria:", inclusion, "Exclusion Criteria:", exclusion) if part),
        inclusion=terms.items(inclusion),
        exclusion=terms.items(exclusion),
        sex=doc.first("participants.gender"),
        age_groups=tuple(doc.values("participants.ageRange")),
        countries=tuple(doc.values("participants.recruitmentCountries.country")),
        summary=doc.first("trialDescription.plainEnglishSummary"),
        description=doc.first("trialDescription.studyHypothesis"),
        url=doc.first("externalRefs.doi"),
        numbers=numbers(stated, own),
        other_ids=tuple(text for text, _path, _sure in stated if not terms.numbers(text) and "nil" not in text.lower()),
    )  # fmt: skip
    return with_quirks(fields, "age-group-only", kinds=False)
