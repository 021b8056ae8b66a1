"""ISAC's compliance cases for Gating-ML 2.0: every event of every gate, and gates that are written and read again."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellwright.cytometry import (
    Boolean,
    Dimension,
    Divider,
    Ellipsoid,
    FcsError,
    GateError,
    GatingStrategy,
    Node,
    Operand,
    Polygon,
    Quadrant,
    Range,
    Ratio,
    Rectangle,
    Spillover,
    encode_fcs,
    gate_sample,
    gating_ml,
    read_fcs,
)
from cellwright.cytometry.gating import gate_by_definition
from cellwright.cytometry.markup import identifier, named
from cellwright.cytometry.transform import Asinh, Bounded, FlowJoBiex, FlowJoLog, Hyperlog, Linear, Log, Logicle


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


def everything() -> GatingStrategy:
    """Every kind of gate, scale and matrix, with names that XML identifiers cannot hold."""
    scales = (Linear(100.0, 1.0), Log(100.0, 3.0), Asinh(100.0, 3.0, 0.5), Logicle(1000.0, 0.5, 4.5, 0.1))
    one, two, three, four = (Dimension(name, scale) for name, scale in zip("ABCA", scales, strict=True))
    five = Dimension("PE 2", Hyperlog(1000.0, 0.5, 4.5), "my matrix")
    six = Dimension(Ratio("A", "B", 2.0, 1.0, -1.0), Bounded(Linear(100.0), 0.1, 0.9), "FCS")
    return GatingStrategy(
        {
            "CD3+ CD4-": Node(Rectangle((Range(one, 0.1, 0.7), Range(five, None, 0.9)))),
            "3rd / 张": Node(Polygon(two, three, ((0.1, 0.2), (0.9, 0.3), (0.5, 1 / 3))), "CD3+ CD4-"),
            "e": Node(Ellipsoid((four, one), (0.5, 0.25), ((0.1, 0.01), (0.01, 0.2)), 1.5), "upper _x0020_"),
            "q": Node(
                Quadrant({"d 1": Divider(one, (0.3, 0.6))}, {"upper _x0020_": {"d 1": 0.7}, "low": {"d 1": 0.0}})
            ),
            "r": Node(Rectangle((Range(six, 0.2, None),))),
            "b": Node(Boolean("or", (Operand("low", complement=True), Operand("3rd / 张"))), "r"),
            "Linear_1": Node(Boolean("not", (Operand("b"),))),
        },
        {"my matrix": Spillover(("A", "B", "C"), ((1.0, 0.1, 0.0), (0.0, 0.2, 1.0)), ("PE 2", "FITC"))},
    )


def test_everything_that_is_written_is_read_again_and_follows_the_schema() -> None:
    """Validated by the schema of the standard as FlowKit ships it, which FlowKit asks of what it reads."""
    from flowkit._resources import gml_schema
    from lxml import etree

    text = gating_ml.write(everything())
    assert gating_ml.read(text) == everything()
    document = etree.fromstring(text.encode())
    assert gml_schema.validate(document), gml_schema.error_log


def test_what_gating_ml_cannot_say_is_said_otherwise_or_refused() -> None:
    sample = read_fcs(encode_fcs([np.array([0.5, 2.0, 50.0], np.float32)], ["A"]))
    outside = Rectangle((Range(Dimension("A", FlowJoLog(1.0, 2.0)), 0.1, None),), complement=True)
    before = GatingStrategy({"g": Node(outside)})
    after = gating_ml.read(gating_ml.write(before))
    assert gate_by_definition(sample, before).member("g").tolist() == [True, False, False]
    assert gate_sample(sample, after).member("g").tolist() == [True, False, False]
    with pytest.raises(GateError, match="no scale"):
        gating_ml.write(GatingStrategy({"g": Node(Rectangle((Range(Dimension("A", FlowJoBiex()), 1.0, 2.0),)))}))


@given(st.text(min_size=1, max_size=20))
def test_names_survive_as_identifiers(name: str) -> None:
    assert named(identifier(name)) == name


def test_a_matrix_without_dyes_is_spoken_of_by_its_detectors() -> None:
    """FlowKit writes empty names for such a matrix and does not read its own file back; we do."""
    spill = Spillover(("A", "B"), ((1.0, 0.1), (0.0, 1.0)))
    strategy = GatingStrategy({"g": Node(Rectangle((Range(Dimension("B", None, "m"), 5.0, None),)))}, {"m": spill})
    text = gating_ml.write(strategy)
    start, end = text.index("<transforms:fluorochromes>"), text.index("</transforms:fluorochromes>")
    empty = text[:start] + text[start:end].replace('"A"', '""').replace('"B"', '""') + text[end:]
    assert gating_ml.read(empty) == strategy
    inverted = text.replace(
        "<transforms:spectrumMatrix ", '<transforms:spectrumMatrix transforms:matrix-inverted-already="true" '
    )
    (back,) = gating_ml.read(inverted).matrices.values()
    np.testing.assert_allclose(back.matrix, [[1.0, -0.1], [0.0, 1.0]], atol=1e-15)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('gating:id="e"', 'gating:id="r"'),
        ("transforms:hyperlog", "transforms:unheard"),
        ('gating:min="0.1"', 'gating:min="low"'),
        ('gating:parent_id="r"', 'gating:parent_id="nobody"'),
        ('transformation-ref="Linear_2"', 'transformation-ref="none"'),
        ("my_x0020_matrix", "another"),
        ("<gating:Gating-ML", "<gating:Gating"),
    ],
)
def test_a_broken_document_is_refused(old: str, new: str) -> None:
    text = gating_ml.write(everything())
    assert old in text
    with pytest.raises((GateError, FcsError)):
        gating_ml.read(text.replace(old, new, 1))
