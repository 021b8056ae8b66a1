"""`cellwright assay` and `cellwright instrument`: raw files in, published and printed figures out, exit codes that say so."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cellwright import language
from cellwright.cli import app

PLATE = """Well,Role,Sample,Nominal (EU/mL),Dilution,Onset Time (s)
A1,Standard,S1,5,1,820
A2,Standard,S1,5,1,815
B1,Standard,S2,0.5,1,1490
B2,Standard,S2,0.5,1,1505
C1,Standard,S3,0.05,1,2720
C2,Standard,S3,0.05,1,2750
D1,Standard,S4,0.005,1,4950
D2,Standard,S4,0.005,1,5010
E1,Blank,LRW,,1,***
F1,Sample,L1,,100,2950
F2,Sample,L1,,100,2990
G1,PPC,L1,0.5,100,1480
G2,PPC,L1,0.5,100,1500
"""
"""Simulated readings: no public raw kinetic plate could be had."""


def run(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.stdout


def document(*words: object, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*words, "--json", code=code))
    return found


# Potency with its 95 % limits as the European Pharmacopoeia 5.3 and CombiStats print them.
PUBLISHED = {
    "AntibioticTurbidimetric": ["18423.4 19228.5 20075.2"],
    "Erythropoietin": ["60355.0 97841.0 148972"],
    "FactorIX": ["436.530 511.616 599.058"],
    "HepatitisB": ["40.5448 43.4196 46.5397", "32.8698 35.1630 37.6405", "36.8125 39.4017 42.2057"],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_potency_to_the_published_digits(name: str, shared_data: Path) -> None:
    file = shared_data / "quality" / "bioassay" / f"{name}.txt"
    text = run("assay", "potency", file)
    for figures in PUBLISHED[name]:
        lower, value, upper = figures.split()
        assert f"potency {value}, 95 % limits {lower} to {upper}" in text
    (one,) = document("assay", "potency", file)["assays"]
    assert one["valid"] and one["sha256"]
    assert all(printed["agrees"] for printed in one["printed"]) and len(one["printed"]) == len(PUBLISHED[name])


@pytest.mark.parametrize(
    ("name", "why"), [("Corticotrophin", "non-parallelism"), ("HepatitisB_Error", "assumed potency")]
)
def test_an_assay_that_is_not_valid_says_why(name: str, why: str, shared_data: Path) -> None:
    file = shared_data / "quality" / "bioassay" / f"{name}.txt"
    (one,) = document("assay", "potency", file, code=1)["assays"]
    assert not one["valid"]
    assert any(why in reason for reason in one["reasons"])
    assert "NOT VALID" in run("assay", "potency", file, code=1)
    with language.use(language.CHINESE):
        assert "无效" in run("assay", "potency", file, code=1)


@pytest.mark.parametrize(
    ("folder", "name", "slope", "code"),
    [
        ("qpcr", "QS7_Standard_Curve_example06", -3.3832, 0),
        ("qpcr", "QS6Pro_Standard_Curve_example05", -3.9459, 1),
        ("instruments/appbio_quantstudio_designandanalysis", "QS1_Standard_Curve_example01", -3.3419, 0),
    ],
    ids=["QS7", "QS6Pro", "QS1"],
)  # fmt: skip
def test_qpcr_agrees_with_the_workbooks_own_numbers(
    folder: str, name: str, slope: float, code: int, shared_data: Path
) -> None:
    """Six figures of each curve as printed; raw curves within 0.1 cycle. QS6Pro has a poor efficiency and a blank that amplified."""
    file = shared_data / "quality" / folder / f"appbio_quantstudio_designandanalysis_{name}.xlsx"
    (one,) = document("assay", "qpcr", file, code=code)["assays"]
    (target,) = one["targets"]
    assert target["curve"]["slope"] == pytest.approx(slope, abs=5e-5)
    assert len(target["printed"]) == 6 and all(figure["agrees"] for figure in target["printed"].values())
    assert target["cycles"]["compared"] > 90 and target["cycles"]["largest_difference"] < 0.1
    assert (not target["reasons"]) == (code == 0)


def test_qpcr_of_an_export_that_lacks_standards_differs_and_says_so(shared_data: Path) -> None:
    """The instrument used standards of wells that are not in this export."""
    file = shared_data / "quality/instruments/appbio_quantstudio/example_quantsudio_results_only.txt"
    assert "DIFFERS from what the instrument printed" in run("assay", "qpcr", file, code=1)


def test_qpcr_without_standards_is_not_valid_but_shows_its_cycles(shared_data: Path) -> None:
    file = shared_data / "quality/qpcr/appbio_quantstudio_designandanalysis_QS5_Standard_Curve_4Plex_example03.xlsx"
    (one,) = document("assay", "qpcr", file, code=1)["assays"]
    assert [target["cycles"]["compared"] for target in one["targets"]] == [96] * 4
    assert all(target["cycles"]["largest_difference"] < 0.1 for target in one["targets"])


def test_dpcr_on_qx200_droplets_of_known_copy_number(shared_data: Path) -> None:
    """Dorazio and Hunter 2015: nominal 1, 2, 5, 14 copies; published pooled values and log-delta limits."""
    folder = shared_data / "quality" / "dpcr"
    (one,) = document("assay", "dpcr", folder / "BioradCNV_half.csv", "--reference", "Chr4")["assays"]
    expected = json.loads((folder / "BioradCNV_half_expected.json").read_text())["cases"]
    assert len(one["copy_numbers"]) == len(expected) == 4
    for found in one["copy_numbers"]:
        case = expected[found["sample"]]
        assert found["copies"]["value"] == pytest.approx(case["copy_number"], rel=1e-9)
        # The published limits count droplets only; ours are wider where wells differ more than counting explains.
        for ours, published in (((found["copies"]["lower"], found["copies"]["upper"]), case["ci_log_delta"]),
                                (found["fieller"], case["ci_fieller"])):  # fmt: skip
            assert ours[0] <= published[0] * (1 + 1e-6) and published[1] <= ours[1] * (1 + 1e-6)
            assert list(ours) == pytest.approx(published, rel=0.02)
        assert found["copies"]["value"] == pytest.approx(case["nominal"], rel=0.05)
    for found in one["results"]:
        case = expected[found["sample"]]["assays"][found["target"]]
        assert found["molecules_per_partition"]["mean"] == pytest.approx(case["lam"], rel=1e-12)
        assert found["copies_per_ul"] == pytest.approx(case["copies_per_uL"], rel=1e-9)


def test_dpcr_on_qiacuity_exports(shared_data: Path) -> None:
    """Printed concentrations to 1e-9; a dilution series under one sample's name is not taken for replicates."""
    folder = shared_data / "quality"
    (one,) = document("assay", "dpcr", folder / "instruments/qiacuity_dpcr/qiacuity_dpcr_example04.csv")["assays"]
    assert sum(found["printed"]["wells"] for found in one["results"]) == 29
    assert max(found["printed"]["largest_relative_difference"] for found in one["results"]) < 1e-9
    series = run("assay", "dpcr", folder / "instruments/qiacuity_dpcr/qiacuity_dpcr_example03.csv", code=1)
    assert "wells differ more than counting explains" in series
    run("assay", "dpcr", folder / "dpcr/qiacuity_dpcr_example01.csv")


COUNTS = "exper,replicate,assay,n,k,v\nS,1,CAR,{n},{car},0.85\nS,1,REF,{n},{ref},0.85\n"


@pytest.mark.requirement("R101")
@pytest.mark.requirement("R103")
def test_vector_copies_are_judged_in_decimals_below_a_limit(tmp_path: Path) -> None:
    """Equal counts are exactly 2 copies per cell; over 40 % transduced cells that is 5, which is not below 5."""
    file = tmp_path / "droplets.csv"
    file.write_text(COUNTS.format(n=20000, car=5000, ref=5000))
    words = ("assay", "vcn", file, "--transgene", "CAR", "--reference", "REF", "--limit", "5")
    (one,) = document(*words, "--transduced", "40/100", code=1)["assays"]
    assert (one["judged"], one["complies"]) == ("5", False)
    (one,) = document(*words, "--transduced", "5000/10000")["assays"]
    assert (one["judged"], one["complies"]) == ("4", True)
    assert set(one["per_transduced_cell"]["shares"]) == {"transgene", "reference", "transduced fraction"}
    run("assay", "vcn", file, "--transgene", "CAR", "--reference", "GAPDH", code=1)
    run("assay", "vcn", file, "--transgene", "CAR", "--reference", "REF", "--transduced", "many", code=2)


@pytest.mark.requirement("R104")
def test_endotoxin_passes_per_millilitre_and_fails_per_kilogram(tmp_path: Path) -> None:
    file = tmp_path / "plate.csv"
    file.write_text(PLATE)
    words = ("assay", "endotoxin", file, "--limit", "5", "--bag", "A=50", "--on", "2026-11-20", "--weight")
    (adult,) = document(*words, "70@2026-11-01")["assays"]
    assert adult["valid"] and adult["verdict"]["outcome"] == "complies"
    assert 50 < adult["measured"]["recovery"] < 200
    (child,) = document(*words, "12@2026-11-01", code=1)["assays"]
    assert child["verdict"]["per_ml_outcome"] == "complies" and child["verdict"]["outcome"] == "does not comply"
    (old,) = document(*words, "70@2026-01-01", code=1)["assays"]
    assert old["verdict"]["per_kg_hour_outcome"] == "not evaluable"
    run("assay", "endotoxin", file, "--limit", "5", "--bag", "A=50", code=2)


def test_cartridges_use_their_archived_curve(tmp_path: Path) -> None:
    file = tmp_path / "cartridges.csv"
    file.write_text(
        "Cartridge Lot,Sample ID,Dilution,Sample Value (EU/mL),Sample Reaction Time,Spike Reaction Time,Spike (EU/mL),"
        "Spike Recovery (%),Operator\nC1,L1,50,<2.50,none/none,1500/1510,0.5,98,AB\n"
    )
    curve = "-0.2615,3.0969,-0.999,0.05,5,C1,2026-12-31"
    words = ("assay", "endotoxin", file, "--limit", "5", "--archived-curve", curve, "--on")
    (one,) = document(*words, "2026-11-20")["assays"]
    assert (one["measured"]["censored"], one["measured"]["value"]) == ("<", pytest.approx(2.5))
    (late,) = document(*words, "2027-01-20", code=1)["assays"]
    assert any(check["rule"] == "archived curve" and check["outcome"] == "fail" for check in late["measured"]["checks"])


def test_control_charts_and_review(tmp_path: Path) -> None:
    """Individuals chart of the NIST handbook's flow rates: limits 45.8159 and 55.8041, with 1.128 for d2 = 1.12838."""
    flow = (49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1)
    series = tmp_path / "flow.csv"
    series.write_text("value\n" + "\n".join(map(str, flow)) + "\n")
    (one,) = document("assay", "spc", series, "--lower", "40", "--upper", "60")["assays"]
    assert one["charts"][0]["lower"][0] == pytest.approx(45.8159, abs=2e-3)
    assert one["charts"][0]["upper"][0] == pytest.approx(55.8041, abs=2e-3)
    series.write_text("value\n" + "\n".join(map(str, (*flow, 70))) + "\n")
    assert "nelson 1" in run("assay", "spc", series, code=1)
    run("assay", "spc", series, "--chart", "pie", code=2)
    lots, results = tmp_path / "lots.csv", tmp_path / "results.csv"
    lots.write_text("lot,day,outcome\n" + "".join(f"L{n},2026-03-{n + 1:02},released\n" for n in range(20)))
    results.write_text(
        "lot,test,value,version\n" + "".join(f"L{n},viability,{90 + n % 5},1\nL{n},lal,<0.1,1\n" for n in range(20))
    )
    words = ("assay", "review", lots, results, "--product", "P", "--from", "2026-01-01", "--to", "2026-12-31")
    found = document(*words, "-o", tmp_path / "review.html")
    assert [(test["test"], test["results"], test["censored"]) for test in found["tests"]] == [
        ("viability", 20, 0),
        ("lal", 20, 20),
    ]
    assert "<svg" in (tmp_path / "review.html").read_text()
    run(*words[:2], results, "--product", "P", "--from", "2026-01-01", "--to", "2026-12-31", code=1)


def test_pictures_and_paper_in_both_languages(shared_data: Path, tmp_path: Path) -> None:
    file = shared_data / "quality" / "bioassay" / "FactorIX.txt"
    run("assay", "potency", file, "--pictures", tmp_path, "--pdf", tmp_path / "one.pdf")
    english = (tmp_path / "FactorIX-potency.svg").read_text()
    assert "T" in english and "response, as analysed" in english and "<title>" in english
    assert (tmp_path / "one.pdf").read_bytes().startswith(b"%PDF")
    with language.use(language.CHINESE):
        run("assay", "potency", file, "--pictures", tmp_path)
    assert "残差" in (tmp_path / "FactorIX-potency.svg").read_text()


def test_files_that_are_not_what_was_asked_for(shared_data: Path, tmp_path: Path) -> None:
    counter = shared_data / "quality/instruments/beckman_vi_cell_blu/Beckman_Vi-Cell-BLU_example02.csv"
    (one,) = document("assay", "qpcr", counter, code=1)["assays"]
    assert "vi-cell-blu" in one["error"]
    for command in ("potency", "qpcr", "dpcr", "spc"):
        assert document("assay", command, tmp_path / "absent.csv", code=1)["assays"][0]["error"]


@pytest.mark.requirement("R017")
def test_instrument_read_of_our_own_formats(shared_data: Path) -> None:
    folder = shared_data / "quality" / "instruments"
    found = document("instrument", "read", folder / "beckman_vi_cell_xr/style_fill_incorrect.xlsx",
                     folder / "chemometec_nucleoview/chemometec_nucleoview_example04.csv")["files"]  # fmt: skip
    assert [one["format"] for one in found] == ["vi-cell-xr", "nucleoview"]
    assert found[0]["measurements"][0]["viability"] == "97.3"
    assert [warning["kind"] for warning in found[1]["warnings"]] == ["instrument", "instrument"]
    assert all(len(one["sha256"]) == 64 and one["reader"].startswith("cellwright.instrument") for one in found)
    names = {one["format"]: one["proven"] for one in document("instrument", "formats")["formats"]}
    assert names["vi-cell-xr"] and not names["quantasoft"] and "allotropy:CFXMAESTRO" in names


def test_instrument_read_of_nothing_readable(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("no export")
    (one,) = document("instrument", "read", file, code=1)["files"]
    assert one["kind"] == "UnknownFormat" and one["error"]
    assert document("instrument", "read", tmp_path / "absent", code=1)["files"][0]["kind"] == "cannot be opened"


def quantstudio(amplified: str) -> str:
    """A made-up text export: two targets with exact curves of slope -3.3219 (100 %), a sample of 1.5 copies per cell."""
    head = "* Instrument Type = TEST\n* Quantification Cycle Method = Ct\n* Passive Reference = ROX\n\n[Results]\n"
    rows = ["Well\tWell Position\tSample Name\tTarget Name\tTask\tQuantity\tCT"]
    number = 0
    for target, copies in (("CAR", 1500), ("ALB", 2000)):
        cells = [
            ("S", "STANDARD", str(q), f"{40 - 3.321928 * e:.6f}")
            for e, q in ((2, 100), (3, 1000), (4, 10000), (5, 100000))
        ]
        cells += [("LOT-1", "UNKNOWN", "", f"{40 - 3.321928 * math.log10(copies):.6f}")] * 3
        cells.append(("", "NTC", "", amplified if target == "CAR" else "Undetermined"))
        for sample, task, quantity, cycle in cells:
            number += 1
            rows.append(f"{number}\tA{number}\t{sample}\t{target}\t{task}\t{quantity}\t{cycle}")
    return head + "\n".join(rows) + "\n"


def test_vector_copies_by_two_standard_curves(tmp_path: Path) -> None:
    """2 x 1500 / 2000 is 1.5 copies per cell; over half of the cells it is 3. A blank that amplified makes it invalid."""
    file = tmp_path / "plate.txt"
    file.write_text(quantstudio("Undetermined"))
    words = (
        "assay",
        "vcn",
        file,
        "--transgene",
        "CAR",
        "--reference",
        "ALB",
        "--transduced",
        "500/1000",
        "--limit",
        "5",
    )
    (one,) = document(*words)["assays"]
    assert one["per_cell"]["value"] == pytest.approx(1.5, rel=1e-5)
    assert one["per_transduced_cell"]["value"] == pytest.approx(3.0, rel=1e-5)
    file.write_text(quantstudio("31.2"))
    (one,) = document(*words, code=1)["assays"]
    assert one["complies"] and not one["valid"]


def test_vector_copies_of_wells_that_disagree_are_not_valid(tmp_path: Path) -> None:
    file = tmp_path / "droplets.csv"
    file.write_text(COUNTS.format(n=20000, car=5000, ref=5000) + "S,2,CAR,20000,9000,0.85\nS,2,REF,20000,5000,0.85\n")
    (one,) = document("assay", "vcn", file, "--transgene", "CAR", "--reference", "REF", code=1)["assays"]
    assert [check["rule"] for check in one["checks"] if check["outcome"] == "fail"] == ["agreement of wells"]
