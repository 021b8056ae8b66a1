"""Proposed gates against known populations: found where they are, only proposed, and the same every time."""

from datetime import UTC, datetime

import numpy as np
import pytest

from cellwright import shipped
from cellwright.cytometry import FcsFile, gate_sample, read_fcs
from cellwright.cytometry.analysis import AnalysisError, Sheet, analyse, read_analysis, strategy
from cellwright.cytometry.proposal import Proposal, agreement, propose
from cellwright.cytometry.simulated import Cells, draw, encode

TEXT = shipped.content("flow/car-t-template.yaml").decode()
CELLS = Cells(cd3=15_500, b_cells=60)


def overlapping(seed: int, cells: Cells = CELLS) -> tuple[FcsFile, dict[str, np.ndarray]]:
    """A simulated sample whose populations overlap, and which event belongs to which."""
    columns, labels = draw(cells, seed, clear=False)
    return read_fcs(encode(columns, "S-1", datetime(2026, 3, 2, tzinfo=UTC), "FC-01")), labels


def scores(proposal: Proposal, sample: FcsFile, labels: dict[str, np.ndarray]) -> dict[str, float]:
    members = gate_sample(sample, strategy(read_analysis(proposal.yaml())))
    truth = {
        "beads": labels["bead"], "cells": labels["living"] | labels["dead"], "living": labels["living"], "cd3_positive": labels["cd3"],
        "car_positive": labels["car"], "cd8_positive": labels["cd8"], "residual_b_cells": labels["b_cell"],
    }  # fmt: skip
    return {name: agreement(members.member(name), known).f1 for name, known in truth.items()}


@pytest.mark.parametrize("seed", range(5))
def test_every_gate_of_the_panel_is_found(seed: int) -> None:
    """F1 against the labels of the simulation: 0.98 or better for common cells, 0.95 for sixty rare ones."""
    sample, labels = overlapping(seed)
    proposal = propose(read_analysis(TEXT), sample)
    found = scores(proposal, sample, labels)
    assert proposal.complete, proposal.found
    assert min(score for name, score in found.items() if name != "residual_b_cells") > 0.98, found
    assert found["residual_b_cells"] > 0.95


def test_a_proposal_follows_the_sample_that_it_is_made_for() -> None:
    """The same cells, all signals half as bright: fixed bounds would lose cells, found ones do not."""
    columns, labels = draw(CELLS, 4, clear=False)
    for name in columns:
        if name.startswith("FL"):
            columns[name] *= 0.5
    sample = read_fcs(encode(columns, "S-1", datetime(2026, 3, 2, tzinfo=UTC), "FC-01"))
    text = TEXT.replace("CD45: {low: 1500}", "CD45: {low: 750}")
    assert scores(propose(read_analysis(text), sample), sample, labels)["car_positive"] > 0.98


def test_it_is_the_same_every_time_and_only_a_proposal() -> None:
    sample, _ = overlapping(1)
    once, again = (propose(read_analysis(TEXT), sample) for _ in range(2))
    assert once.yaml() == again.yaml()
    assert once.analysis.status == "proposed"
    record = analyse(read_analysis(once.yaml()), sample)
    assert all("gates-proposed" in one.warnings for one in record.outputs)


def test_a_gate_that_does_not_show_is_left_open_and_said() -> None:
    sample, _ = overlapping(2, Cells(cd3=15_500, car=0))
    proposal = propose(read_analysis(TEXT), sample)
    (open_one,) = [one for one in proposal.found if one.gate == "car_positive"]
    assert open_one.problem
    assert not proposal.complete


def with_gate(entry: str) -> Sheet:
    begin, end = TEXT.index("gates:\n"), TEXT.index("outputs:\n")
    rest = TEXT[end:]
    outputs = "outputs:\n  - {output: x, name: {en: x, zh: x}, kind: percent, count: g, of: ''}\n"
    assert rest
    return read_analysis(TEXT[:begin] + "gates:\n" + entry + outputs)


@pytest.mark.parametrize(
    "entry",
    [
        "  - {gate: g, find: {method: ellipse, on: [FSC-A, SSC-A], spreads: 3, components: 3}}\n",
        "  - {gate: g, find: {method: tail, on: [Viability], keep: above, spreads: 1.5}}\n",
    ],
)
def test_ellipses_and_tails_become_gates(entry: str) -> None:
    sample, labels = overlapping(3)
    proposal = propose(with_gate(entry), sample)
    assert proposal.complete
    member = gate_sample(sample, strategy(read_analysis(proposal.yaml()))).member("g")
    truth = labels["living"] if "ellipse" in entry else labels["dead"] | labels["bead"]
    assert (member & truth).sum() / truth.sum() > 0.9


def test_a_template_is_not_applied_before_it_is_proposed() -> None:
    with pytest.raises(AnalysisError, match="proposed first"):
        strategy(read_analysis(TEXT))


def test_a_parent_stands_before_its_gates() -> None:
    begin = TEXT.index("  - {gate: living")
    end = TEXT.index("  - {gate: cd3_positive")
    moved = TEXT[:begin] + TEXT[end:].replace("\noutputs:", "\n" + TEXT[begin:end] + "outputs:", 1)
    with pytest.raises(AnalysisError, match="parent stands before"):
        propose(read_analysis(moved), overlapping(1)[0])


def test_agreement_by_hand() -> None:
    """Three found, four drawn, two in common: precision 2/3, recall 1/2, F1 4/7."""
    found, drawn = np.array([1, 1, 1, 0, 0], bool), np.array([0, 1, 1, 1, 1], bool)
    assert agreement(found, drawn).f1 == pytest.approx(4 / 7)
    assert agreement(np.zeros(3, bool), np.zeros(3, bool)).f1 == 1
    assert agreement(np.zeros(3, bool), np.ones(3, bool)).f1 == 0
