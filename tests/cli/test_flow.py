"""`cellwright flow`: what it says of files, sound and damaged, and how it ends."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from cellwright.cytometry import read_fcs
from tests.cli.small import cellwright


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flow")
    assert cellwright("flow", "example", path).exit_code == 0
    return path


def said(*arguments: object, code: int = 0) -> dict[str, object]:
    done = cellwright("flow", *arguments, "--json")
    assert done.exit_code == code, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_info_says_what_a_file_holds(folder: Path) -> None:
    (one,) = said("info", folder / "sample.fcs")["files"]  # type: ignore[misc,attr-defined]
    (data,) = one["data_sets"]
    assert (data["events"], data["sample"], data["simulated"]) == (20_000, "EXAMPLE-1", True)
    assert data["sha256"] == sha256((folder / "sample.fcs").read_bytes()).hexdigest()
    assert {c["stain"] for c in data["channels"]} >= {"CD3", "CAR"}


@pytest.mark.requirement("R019")
def test_info_on_a_damaged_file_says_what_is_wrong(folder: Path, tmp_path: Path) -> None:
    """Half of the file is gone: the header promises more events than there are."""
    damaged = tmp_path / "damaged.fcs"
    damaged.write_bytes((folder / "sample.fcs").read_bytes()[:400_000])
    done = cellwright("flow", "info", damaged)
    assert done.exit_code == 1
    assert "damaged.fcs" in done.stdout
    assert said("info", damaged, code=1)["files"][0]["error"]  # type: ignore[index]
    text = tmp_path / "no.fcs"
    text.write_text("hello")
    assert cellwright("flow", "info", text, tmp_path / "absent.fcs").exit_code == 1


def test_count_gives_every_population_of_a_gating_ml_file(folder: Path) -> None:
    found = said("count", folder / "sample.fcs", "--gates", folder / "gates.xml")
    assert found["schema"] == "cellwright.flow-count/1"
    rows = {p["name"]: p for p in found["files"][0]["populations"]}  # type: ignore[index]
    assert (rows["living"]["events"], rows["car_positive"]["events"]) == (17_000, 6_600)
    assert (rows["car_positive"]["parent"], rows["car_positive"]["percent_of_parent"]) == ("cd3_positive", "40.0000")


def test_one_damaged_file_among_many_is_named_and_stops_no_other(folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.fcs"
    bad.write_bytes(b"FCS3.1 and no more")
    files = said("count", bad, folder / "sample.fcs", "--gates", folder / "gates.xml", "--workers", "2", code=1)[
        "files"
    ]
    assert [bool(one["error"]) for one in files] == [True, False]  # type: ignore[attr-defined]


def test_processes_count_what_one_process_counts(folder: Path) -> None:
    files = [folder / "sample.fcs"] * 3
    one = said("count", *files, "--gates", folder / "gates.xml")
    assert said("count", *files, "--gates", folder / "gates.xml", "--workers", "2") == one


def test_count_on_a_compliance_case_agrees_with_its_truth(shared_data: Path) -> None:
    """ISAC Gating-ML 2.0 compliance files: one row per event in the truth, TRUE or 1 for inside."""
    cases = shared_data / "quality" / "flow_gatingml"
    gml = cases / "gml" / "gml_poly1_gate.xml"
    truth = (cases / "truth" / "Results_Polygon1.txt").read_text().split()
    inside = sum(word.strip('"').lower() in {"1", "true"} for word in truth)
    files = said("count", cases / "data1.fcs", "--gates", gml)["files"]
    assert [p["events"] for p in files[0]["populations"]] == [inside]  # type: ignore[index]


def test_an_analysis_gives_figures_with_intervals_and_its_record(folder: Path) -> None:
    (one,) = said("count", folder / "sample.fcs", "--analysis", folder / "analysis.yaml")["files"]  # type: ignore[misc,attr-defined]
    car = next(o for o in one["record"]["outputs"] if o["output"] == "car_positive")
    assert (car["value"], car["low"], car["high"]) == ("40.0", "39.2", "40.8")
    done = cellwright("flow", "count", folder / "sample.fcs", "--analysis", folder / "analysis.yaml")
    assert "40.0 %" in done.stdout


def test_a_broken_analysis_is_refused_with_its_lines(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "analysis.yaml"
    broken.write_text((folder / "analysis.yaml").read_text().replace("kind: ratio", "kind: rate"))
    done = cellwright("flow", "count", folder / "sample.fcs", "--analysis", broken)
    assert done.exit_code == 1
    assert "outputs[4].kind" in done.stderr


def test_counts_and_events_go_into_parquet(folder: Path, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    table, events = tmp_path / "counts.parquet", tmp_path / "events.parquet"
    said("count", folder / "sample.fcs", "--gates", folder / "gates.xml", "--parquet", table)
    assert pq.read_table(table).num_rows == 10
    said("convert", folder / "sample.fcs", "-o", events)
    np.testing.assert_array_equal(
        pq.read_table(events)["FL3-A"].to_numpy(), read_fcs(folder / "sample.fcs").column("FL3-A")
    )


def test_convert_keeps_the_events_in_every_form(folder: Path, tmp_path: Path) -> None:
    said("convert", folder / "sample.fcs", "-o", tmp_path / "again.fcs")
    said("convert", folder / "sample.fcs", "-o", tmp_path / "again.csv")
    original, again = read_fcs(folder / "sample.fcs"), read_fcs(tmp_path / "again.fcs")
    np.testing.assert_array_equal(again.column("FL4-A"), original.column("FL4-A"))
    assert (again.sample_id, again.spillover) == (original.sample_id, original.spillover)
    lines = (tmp_path / "again.csv").read_text().splitlines()
    assert len(lines) == 20_001
    assert np.float32(lines[1].split(",")[3]) == original.column("FL1-A")[0]
    assert cellwright("flow", "convert", folder / "sample.fcs", "-o", tmp_path / "x.xls").exit_code == 2


def test_check_accepts_a_steady_file_and_rejects_a_drifting_one(folder: Path, tmp_path: Path) -> None:
    from cellwright.cytometry.simulated import Cells, draw, encode
    from tests.cytometry.test_analysis import AT

    assert said("check", folder / "sample.fcs")["files"][0]["decision"]["verdict"].startswith("accepted")  # type: ignore[index]
    columns, _ = draw(Cells(), 5)
    columns["FL3-A"] *= np.linspace(1, 3, 20_000, dtype=np.float32)
    drifting = tmp_path / "drift.fcs"
    drifting.write_bytes(encode(columns, "S-1", AT, "FC-01"))
    decision = said("check", drifting, code=1)["files"][0]["decision"]  # type: ignore[index]
    assert (decision["verdict"], next(iter(decision["drift"]))) == ("rejected", "FL3-A")


def test_plot_draws_a_picture_of_each_gate_and_a_report(folder: Path, tmp_path: Path) -> None:
    written = said("plot", folder / "sample.fcs", "--gates", folder / "gates.xml", "-o", tmp_path / "gates")["written"]
    assert len(written) == 10  # type: ignore[arg-type]
    assert all(Path(path).read_text().startswith("<svg") for path in written)  # type: ignore[attr-defined]
    report = tmp_path / "report.pdf"
    said("plot", folder / "sample.fcs", "--analysis", folder / "analysis.yaml", "-o", report)
    assert report.read_bytes()[:5] == b"%PDF-"
    two = tmp_path / "two.svg"
    said("plot", folder / "sample.fcs", "--x", "FL3-A", "--y", "FL4-A", "--dots", "-o", two)
    assert "CD3 (FL3-A)" in two.read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ("count", "sample.fcs"),
        ("plot", "sample.fcs", "-o", "x"),
        ("plot", "sample.fcs", "--gates", "gates.xml", "-o", "r.pdf"),
    ],
)
def test_wrong_usage_is_told_apart_from_a_finding(folder: Path, arguments: tuple[str, ...]) -> None:
    placed = [folder / one if one.endswith((".fcs", ".xml", ".pdf")) else one for one in arguments]
    assert cellwright("flow", *placed).exit_code == 2
