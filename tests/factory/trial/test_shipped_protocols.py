"""The shipped encodings: each criterion alone decides, a missing fact is never a pass, texts of the register are all there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright import shipped
from cellwright.command.demo.screening import meeting
from cellwright.factory.library import read_library
from cellwright.factory.trial import Protocol, judge, read_evidence
from cellwright.factory.trial.protocol import rule_sha256

DAY = "2026-03-02"
ALL = {protocol.id: protocol for protocol in read_library(shipped.texts()).all(Protocol)}
PRIME = ALL["NCT05914155"]
READ = ("NCT05270772", "NCT05914155", "NCT05213637", "aT19-phase-I")


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_patient_made_from_the_rules_is_eligible(name: str) -> None:
    assert judge(ALL[name], read_evidence(meeting(ALL[name], DAY))).verdict == "eligible"


@pytest.mark.parametrize("name", READ)
def test_a_missing_test_never_passes(name: str) -> None:
    whole = meeting(ALL[name], DAY)
    for key in whole:
        left = {k: v for k, v in whole.items() if k != key and not k.startswith(f"{key}.")}
        judged = judge(ALL[name], read_evidence(left))
        assert judged.verdict in ("unknown", "eligible")
        if judged.verdict == "unknown":
            assert judged.missing, f"without {key} nobody is told what to find out"
    assert judge(ALL[name], read_evidence({})).verdict == "unknown"
    for criterion in judge(ALL[name], read_evidence({})).criteria:
        assert criterion.met is None, "nothing known passes nothing"


def test_every_criterion_of_the_membranous_trial_is_encoded_or_a_judgement() -> None:
    """The register's record has 6 inclusions and 14 exclusions."""
    items = [criterion.item for criterion in PRIME.criteria]
    assert items == [*(f"Inclusion {n}" for n in range(1, 7)), *(f"Exclusion {n}" for n in range(1, 15))]
    assert [c.label for c in PRIME.criteria if c.evaluability == "attest"] == ["E11", "E12", "E14"]
    assert PRIME.complete


@pytest.mark.parametrize(
    ("change", "verdict", "label"),
    [
        ({"upcr": "3499", "upcr.unit": "mg/g"}, "not_eligible", "I3"),
        ({"upcr": "395.92", "upcr.unit": "mg/mmol"}, "eligible", ""),
        ({"albumin": "30", "albumin.unit": "g/L"}, "eligible", ""),
        ({"albumin": "30.1", "albumin.unit": "g/L"}, "not_eligible", "I4"),
        ({"age@consent": "14"}, "not_eligible", "I5"),
        ({"age@consent": "15"}, "eligible", ""),
        ({"age@consent": "48", "representative_consent": "no"}, "eligible", ""),
        ({"egfr.method": "MDRD"}, "unknown", "E2"),
        ({"egfr": "29.9"}, "not_eligible", "E2"),
        ({"steroid": "yes", "steroid.on": "2025-12-08"}, "not_eligible", "I2"),
        ({"steroid": "yes", "steroid.on": "2025-12-07"}, "eligible", ""),
        ({"HBcAb": "positive"}, "unknown", "E8"),
        ({"HBcAb": "positive", "HBV_DNA": "negative", "HBV_DNA.on": DAY}, "eligible", ""),
        ({"HBcAb": "positive", "HBV_DNA": "positive", "HBV_DNA.on": DAY}, "not_eligible", "E8"),
        ({"HBcAb": "positive", "HBV_DNA": "borderline", "HBV_DNA.on": DAY}, "unknown", "E8"),
        ({"HIV_Ab.on": "2026-01-02"}, "unknown", "E8"),
        ({"lymphocytes": "0.49", "lymphocytes.unit": "10*9/L"}, "not_eligible", "E9"),
        ({"diabetes": "yes", "hba1c": "64", "hba1c.unit": "mmol/mol"}, "not_eligible", "E6"),
        ({"diabetes": "no", "hba1c": "9"}, "eligible", ""),
        ({"sex": "male", "pregnant": "no"}, "eligible", ""),
        ({"sex": "female", "pregnant": "yes"}, "not_eligible", "E13"),
        ({"other_study": "yes", "in_another_study_now": "no", "other_study_within_label": "yes"}, "eligible", ""),
    ],
)
def test_criteria_of_the_membranous_trial(change: dict[str, str], verdict: str, label: str) -> None:
    judged = judge(PRIME, read_evidence({**meeting(PRIME, DAY), "other_study.on": DAY, **change}))
    assert judged.verdict == verdict, (judged.failed, judged.unknown, judged.missing)
    assert label in (*judged.failed, *judged.unknown, "")


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_more_facts_never_take_a_verdict_back(data: st.DataObject) -> None:
    whole = meeting(PRIME, DAY)
    facts = sorted({key.split(".")[0] if not key.startswith(("on.", "attest.")) else key for key in whole})
    order = data.draw(st.permutations(facts))
    known: dict[str, str] = {}
    before = judge(PRIME, read_evidence(known))
    for fact in order[: data.draw(st.integers(1, len(order)))]:
        known |= {key: value for key, value in whole.items() if key == fact or key.startswith(f"{fact}.")}
        known = {k: v for k, v in known.items() if not k.endswith(".by") or k[:-3] in known}
        after = judge(PRIME, read_evidence(known))
        for old, new in zip(before.criteria, after.criteria, strict=True):
            assert old.truth is None or old.truth == new.truth
        before = after


def test_a_rule_is_named_by_its_meaning() -> None:
    hashes = {c.label: rule_sha256(c.rule) for c in PRIME.criteria}
    assert len(set(hashes.values())) == len(hashes)
    judged = judge(PRIME, read_evidence({}))
    assert {c.label: c.rule_sha256 for c in judged.criteria} == hashes
    assert judged.protocol_sha256 == PRIME.sha256
