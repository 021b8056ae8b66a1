"""ISAC's compliance cases for Gating-ML 2.0: every event of every gate, and gates that are written and read again."""

import json
from pathlib import Path

import numpy as np
import pytest

from cellwright.cytometry import gate_sample, gating_ml, read_fcs


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> Path:
    return shared_data / "quality" / "flow_gatingml"


def test_every_event_of_every_compliance_case(cases: Path) -> None:
    sample = read_fcs(cases / "data1.fcs")
    told = json.loads((cases / "cases.json").read_text())
    assert len(told) == 18
    for case in told:
        strategy = gating_ml.read_file(cases / "gml" / case["gml"])
        membership = gate_sample(sample, strategy)
        truth = np.loadtxt(cases / "truth" / case["truth"]).astype(bool)
        assert len(truth) == sample.events == 13_367
        np.testing.assert_array_equal(membership.member(case["gate"]), truth, err_msg=case["gml"])
        assert membership.counts[case["gate"]] == case["n_true"]


def test_the_cases_are_written_and_read_again(cases: Path) -> None:
    for path in sorted((cases / "gml").iterdir()):
        strategy = gating_ml.read_file(path)
        assert gating_ml.read(gating_ml.write(strategy)) == strategy, path.name
