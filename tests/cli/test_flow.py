"""`cellwright flow`: what it says of files, sound and damaged, and how it ends."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from cellwright import shipped
from cellwright.cytometry import Channel, encode_fcs, read_fcs
from cellwright.cytometry.simulated import Cells, simulated_fcs
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


# --- an analysis with all that stands beside the sample ----------------------------------------------------------------

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample, its two controls, the instrument's check, and the shipped analysis that asks for them."""
    path = tmp_path_factory.mktemp("bench")
    bare = Cells(living=0, cd3=0, car=0, cd8=0, b_cells=0, dead=0, doublets=0)
    for name, cells, seed in (("S-1", Cells(), 7), ("S-1-FMO", Cells(car=5), 9), ("S-1-UNSTAINED", bare, 11)):
        (path / f"{name}.fcs").write_bytes(simulated_fcs(cells, seed, name, AT, "FC-01"))
    check = {
        "cytometer": "FC-01",
        "performed": "2026-03-02T07:00:00",
        "valid_until": "2026-03-03T07:00:00",
        "passed": True,
    }
    (path / "qc.json").write_text(json.dumps(check))
    (path / "panel.yaml").write_bytes(shipped.content("flow/car-t-panel.yaml"))
    return path


def beside(bench: Path) -> list[object]:
    return [
        "--analysis", bench / "panel.yaml", "--control", f"fmo:CAR={bench / 'S-1-FMO.fcs'}",
        "--control", f"unstained={bench / 'S-1-UNSTAINED.fcs'}", "--instrument-qc", bench / "qc.json",
        "--sample", "S-1", "--acquired", "2026-03-02T09:00:00Z",
    ]  # fmt: skip


@pytest.mark.requirement("R019")
def test_an_analysis_with_controls_and_request_gives_the_record_of_the_library(bench: Path, tmp_path: Path) -> None:
    (one,) = said("count", bench / "S-1.fcs", *beside(bench), "--records", tmp_path)["files"]  # type: ignore[misc,attr-defined]
    kept = (tmp_path / "S-1.fcs.record.json").read_bytes()
    assert sha256(kept).hexdigest() == one["record_sha256"]
    assert {c["control"]: c["status"] for c in one["record"]["controls"]} == {
        "instrument_qc": "passed", "fmo:CAR": "passed", "unstained": "passed",
    }  # fmt: skip
    assert not any(o["flaw"] for o in one["record"]["outputs"])
    told = cellwright("flow", "count", bench / "S-1.fcs", *beside(bench)).stdout
    assert "fmo:CAR" in told


@pytest.mark.requirement("R019")
def test_the_wrong_sample_time_or_control_stops(bench: Path) -> None:
    for change in (["--sample", "S-2"], ["--acquired", "2026-03-02T19:00:00Z"], ["--acquired", "soon"]):
        (one,) = said("count", bench / "S-1.fcs", *beside(bench), *change, code=1)["files"]  # type: ignore[misc,attr-defined]
        assert one["record"] is None
        assert one["error"]
    swapped = [*beside(bench), "--control", f"fmo:CAR={bench / 'S-1-UNSTAINED.fcs'}"]
    (one,) = said("count", bench / "S-1.fcs", *swapped, code=1)["files"]  # type: ignore[misc,attr-defined]
    assert {o["output"]: o["flaw"] for o in one["record"]["outputs"]}["car_positive"] == "control-missing"
    (one,) = said("count", bench / "S-1.fcs", *beside(bench), "--control", "fmo:CAR=absent.fcs", code=1)["files"]  # type: ignore[misc,attr-defined]
    assert "absent.fcs" in one["error"]


@pytest.mark.requirement("R019")
def test_gates_that_moved_after_a_result_need_a_reason_and_a_second_person(bench: Path, tmp_path: Path) -> None:
    said("count", bench / "S-1.fcs", *beside(bench), "--records", tmp_path)
    moved = bench / "moved.yaml"
    moved.write_text((bench / "panel.yaml").read_text().replace("low: 1500", "low: 1400", 1))
    again = [*beside(bench), "--analysis", moved, "--earlier", tmp_path / "S-1.fcs.record.json"]
    (one,) = said("count", bench / "S-1.fcs", *again, code=1)["files"]  # type: ignore[misc,attr-defined]
    assert "second person" in one["error"]
    agreed = ["--reason", "debris", "--moved-by", "A. Li", "--agreed-by", "B. Wu"]
    (one,) = said("count", bench / "S-1.fcs", *again, *agreed)["files"]  # type: ignore[misc,attr-defined]
    assert one["record"]["revision"]["reason"] == "debris"


def test_many_analyses_over_processes_are_those_of_one(bench: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.fcs").write_bytes(b"FCS3.1 and no more")
    files = [bench / "S-1.fcs", tmp_path / "bad.fcs", bench / "S-1-FMO.fcs"]
    wanted = [*files, "--analysis", bench / "panel.yaml"]
    assert said("count", *wanted, code=1) == said("count", *wanted, "--workers", "2", code=1)


def test_a_report_shows_the_record_that_was_made(bench: Path, tmp_path: Path) -> None:
    said("count", bench / "S-1.fcs", *beside(bench), "--records", tmp_path)
    report = [
        "--analysis",
        bench / "panel.yaml",
        "--record",
        tmp_path / "S-1.fcs.record.json",
        "-o",
        tmp_path / "r.pdf",
    ]
    said("plot", bench / "S-1.fcs", *report)
    assert cellwright("flow", "plot", bench / "S-1-FMO.fcs", *report).exit_code == 1


# --- data sets, forms, and what must not be written over ---------------------------------------------------------------


def test_every_data_set_of_a_file_is_counted_and_checked(folder: Path, tmp_path: Path) -> None:
    one = (folder / "sample.fcs").read_bytes()
    sample = read_fcs(one)
    columns = [sample.column(c.name) for c in sample.channels]
    first = encode_fcs([c[:5000] for c in columns], list(sample.channels), text={"$NEXTDATA": f"{400_000:08d}"})
    (tmp_path / "two.fcs").write_bytes(first.ljust(400_000, b" ") + one)
    wanted = ["count", tmp_path / "two.fcs", "--gates", folder / "gates.xml"]
    both = said(*wanted, "--data-set", "all")["files"]
    assert [(f["data_set"], f["events"]) for f in both] == [(0, 5_000), (1, 20_000)]  # type: ignore[attr-defined]
    assert said(*wanted, "--data-set", "1")["files"] == both[1:]  # type: ignore[index]
    assert said(*wanted, "--data-set", "2", code=1)["files"][0]["error"]  # type: ignore[index]
    checked = said("check", tmp_path / "two.fcs", "--data-set", "all", code=0)["files"]
    assert [f["decision"]["events"] for f in checked] == [5_000, 20_000]  # type: ignore[attr-defined]
    assert cellwright("flow", *wanted, "--data-set", "some").exit_code == 2


def test_converted_events_are_those_that_were_stored(tmp_path: Path) -> None:
    """Doubles and integers beyond single precision come through, and so does the matrix whatever its keyword."""
    text = {"SPILL": "2,A,B,1,0.1,0,1"}
    for name, columns, kind in (
        ("d", [np.array([1 + 1e-12, 1e300]), np.zeros(2)], "D"), ("i", [np.array([2**31 + 1, 3]), np.array([1, 2])], "I")
    ):  # fmt: skip
        channels = [Channel("A", range=2.0**32), Channel("B", range=2.0**32)]
        (tmp_path / f"{name}.fcs").write_bytes(encode_fcs(columns, channels, datatype=kind, text=text))  # type: ignore[arg-type]
        said("convert", tmp_path / f"{name}.fcs", "-o", tmp_path / "to.fcs")
        found = read_fcs(tmp_path / "to.fcs")
        assert found.raw("A").tolist() == columns[0].tolist()
        assert found.spillover == read_fcs(tmp_path / f"{name}.fcs").spillover
        said("convert", tmp_path / f"{name}.fcs", "-o", tmp_path / "to.csv")
        assert float((tmp_path / "to.csv").read_text().split()[1].split(",")[0]) == columns[0][0]


def test_a_raw_file_is_never_written_over(folder: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw.fcs"
    raw.write_bytes((folder / "sample.fcs").read_bytes())
    before = raw.read_bytes()
    for verb in (
        ["plot", raw, "--x", "FSC-A", "--y", "SSC-A"], ["plot", raw, "--gates", folder / "gates.xml"], ["convert", raw],
        ["propose", raw, "--template", folder / "template.yaml"],
    ):  # fmt: skip
        done = cellwright("flow", *verb, "-o", raw)
        assert done.exit_code == 2, done.output
        assert raw.read_bytes() == before
    wanted = ["count", raw, "--gates", folder / "gates.xml", "--parquet", raw]
    assert cellwright("flow", *wanted).exit_code == 2
    assert raw.read_bytes() == before


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        (["convert", "{raw}", "-o", "/nowhere/a.csv"], 1),
        (["propose", "{raw}", "--template", "{folder}/template.yaml", "-o", "/nowhere/a"], 1),
        (["plot", "{raw}", "--x", "FSC-A", "-o", "/nowhere/a.svg"], 1),
        (["count", "{raw}", "--gates", "{folder}/gates.xml", "--parquet", "/nowhere/a.parquet"], 1),
        (["example", "/proc/nowhere"], 1),
        (["count", "{raw}", "--gates", "{folder}/gates.xml", "--workers", "-1"], 2),
        (["count", "{raw}", "--gates", "{folder}/gates.xml", "--sample", "S"], 2),
        (["count", "{raw}", "--analysis", "{folder}/analysis.yaml", "--reason", "why"], 2),
        (["count", "{raw}", "--analysis", "{folder}/analysis.yaml", "--control", "fmo"], 2),
        (["plot", "{raw}", "--gates", "{folder}/gates.xml", "--analysis", "{folder}/analysis.yaml", "-o", "x"], 2),
        (["plot", "{raw}", "-o", "x"], 2),
    ],
)
def test_wrong_use_and_places_that_cannot_be_written_end_without_a_trace(
    folder: Path, verb: list[str], code: int
) -> None:
    words = [word.format(raw=folder / "sample.fcs", folder=folder) for word in verb]
    done = cellwright("flow", *words)
    assert done.exit_code == code, done.output
    assert isinstance(done.exception, SystemExit | None)
