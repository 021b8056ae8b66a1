"""Every value of the Allotrope documents beside the real files, as our own readers find it.

The documents were made by the allotropy project (MIT) from the same files. What differs is listed in `NOT_OURS` and
`CONSTANT` with its reason; anything else that a document says and we do not is a failure.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cellwright.instrument import Reading, read
from cellwright.instrument.reading import CellCounting, PartitionWell, PcrWell
from cellwright.instrument.written import same_name

OURS = ("beckman_vi_cell_blu", "beckman_vi_cell_xr", "chemometec_nucleoview", "chemometec_nc_view",
        "appbio_quantstudio", "appbio_quantstudio_designandanalysis", "qiacuity_dpcr")  # fmt: skip
FILES = (
    "beckman_vi_cell_blu/Beckman_Vi-Cell-BLU_different_mu_character.csv",
    "beckman_vi_cell_blu/Beckman_Vi-Cell-BLU_example01.csv",
    "beckman_vi_cell_blu/Beckman_Vi-Cell-BLU_example01_utf16.csv",
    "beckman_vi_cell_blu/Beckman_Vi-Cell-BLU_example02.csv",
    "beckman_vi_cell_xr/Beckman_Vi-Cell-XR_example01_instrumentOutput.xlsx",
    "beckman_vi_cell_xr/Beckman_Vi-Cell-XR_example05_instrumentOutput.xlsx",
    "beckman_vi_cell_xr/Beckman_Vi-Cell-XR_hiddenRow.xlsx",
    "beckman_vi_cell_xr/Beckman_Vi-Cell-XR_report_format.xlsx",
    "beckman_vi_cell_xr/style_fill_incorrect.xlsx",
    "chemometec_nc_view/chememotec_nc_view_example.csv",
    "chemometec_nucleoview/chemometec_nucleoview_example01.csv",
    "chemometec_nucleoview/chemometec_nucleoview_example02.csv",
    "chemometec_nucleoview/chemometec_nucleoview_example03.csv",
    "chemometec_nucleoview/chemometec_nucleoview_example04.csv",
    "appbio_quantstudio/appbio_quantstudio_example05.txt",
    "appbio_quantstudio/appbio_quantstudio_example06.txt",
    "appbio_quantstudio/appbio_quantstudio_minimal_missing_results.txt",
    "appbio_quantstudio/appbio_quantstudio_minimal_test02.txt",
    "appbio_quantstudio/appbio_quantstudio_minimal_test04.txt",
    "appbio_quantstudio/example_quantsudio_results_only.txt",
    "appbio_quantstudio_designandanalysis/appbio_quantstudio_designandanalysis_Diomni_v4.3_Presence_Absence.xlsx",
    "appbio_quantstudio_designandanalysis/appbio_quantstudio_designandanalysis_QS1_Standard_Curve_example01.xlsx",
    "appbio_quantstudio_designandanalysis/appbio_quantstudio_designandanalysis_QS7Pro_Primary_Analysis_example18.xlsx",
    "qiacuity_dpcr/qiacuity_dpcr_example03.csv",
    "qiacuity_dpcr/qiacuity_dpcr_example04.csv",
    "../dpcr/qiacuity_dpcr_example01.csv",
)

# Set by that project for the kind of instrument, not read from the file; or identifiers that it makes up.
CONSTANT = {
    "device type", "detection type", "measurement identifier", "processed data identifier", "device identifier", "label",
    "calculated data identifier", "data source identifier", "data source feature", "container type", "brand name",
    "product manufacturer", "plate well count", "well volume", "experiment type", "model number", "software name",
    "ASM file identifier", "data system instance identifier", "file name", "UNC path", "ASM converter name",
    "ASM converter version", "$asm.manifest", "unit", "@componentDatatype", "concept",
}  # fmt: skip
# Kept as text of the head (`Reading.header`) and compared there, or not kept at all: colours of the screen.
NOT_OURS = {"sample color", "target color", "SNP Assay Color", "Allele1 Color", "Allele2 Color", "well identifier",
            "location identifier", "dimensions"}  # fmt: skip
# Marks of bad replicates: that project writes "N" where the file has no such column.
FLAGS = {"BADROX", "NOISE", "OUTLIERRG", "CQCONF", "prfdrop"}
FIELDS = {
    "CT": "cycle", "Quantity": "quantity", "Ct Threshold": "threshold", "Baseline Start": "baseline_start",
    "Baseline End": "baseline_end", "Volume per well [μl]": "volume_ul",
    "viability (cell counter)": "viability", "viable cell density (cell counter)": "viable_e6_per_ml",
    "total cell density (cell counter)": "total_e6_per_ml", "dead cell density (cell counter)": "dead_e6_per_ml",
    "average total cell diameter": "diameter_um", "average live cell diameter (cell counter)": "viable_diameter_um",
    "total cell count": "counted", "viable cell count": "viable", "average total cell circularity": "circularity",
    "cell density dilution factor": "dilution", "sample identifier": "sample", "cell type processing method": "cell_type",
    "cycle threshold result (qPCR)": "cycle", "cycle threshold value setting (qPCR)": "threshold",
    "baseline determination start cycle setting": "baseline_start", "reporter dye setting": "reporter",
    "baseline determination end cycle setting": "baseline_end", "quencher dye setting": "quencher",
    "well location identifier": "well", "target DNA description": "target", "positive partition count": "positive",
    "negative partition count": "negative", "number concentration": "per_ul", "well plate identifier": "plate",
    "fluorescence intensity threshold setting": "threshold", "genotyping qPCR method setting (qPCR)": "threshold",
}  # fmt: skip
COLUMNS = {
    "average viable cell circularity": ("Average viable circularity",),
    "minimum cell diameter setting": ("Minimum Diameter (um)", "Min diam. (microns)", "Minimum diameter (microns)"),
    "maximum cell diameter setting": ("Maximum Diameter (um)", "Max diam. (microns)", "Maximum diameter (microns)"),
    "cell aggregation percentage": ("AGGREGATES (%)",), "method name": ("PROTOCOL",),
    "sample volume setting": ("Sample Volume (ul)", "Sample Volume"), "dilution volume": ("Dilution Volume (ul)",),
    "experimental data identifier": ("cm filename", "File name", "Experiment Name", "File Name"),
    "Percentage of cells with five or more": ("(%) of cells in aggregates with five or more cells",),
    "Avg. background intensity": ("Average background intensity",), "Average cells / image": ("Avg. cells / image",),
    "y intercept": ("Y-Intercept",), "cq confidence": ("Cq Confidence", "Cq Conf"), "r^2": ("R2", "R(superscript 2)"),
    "ct mean": ("Cq Mean", "Ct Mean"), "ct sd": ("Cq SD", "Ct SD"), "rq min": ("RQ Min",), "amplification score": ("Amp Score",),
    "relative rq": ("RQ",), "relative rq min": ("RQ Min",), "relative rq max": ("RQ Max",),
    "automatic cycle threshold enabled setting": ("Auto Threshold", "Automatic Ct Threshold"),
    "automatic baseline determination enabled setting": ("Auto Baseline", "Automatic Baseline"),
    "genotyping qPCR result": ("Call", "Target Call", "Result"), "Avg. bg intensity": ("Avg. bg intensity",),
    "baseline corrected reporter result": ("Delta Rn",), "qPCR detection chemistry": ("Chemistry",),
    "passive reference dye setting": ("Passive Reference",), "measurement method identifier": ("Quantification Cycle Method",),
    "reference dna description": ("Endogenous Control",), "reference sample description": ("Reference Sample",),
    "data processing time": ("Analysis Date/Time",), "total measurement duration setting": ("Run Duration",),
    "delta ct": ("Delta Ct",), "Mean Concentration": ("Mean conc. [copies/uL]",), "efficiency": ("Efficiency", "Eff%", "Efficiency %"),
    "equipment serial number": ("Instrument Serial Number",), "quantity": ("Quantity",),
}  # fmt: skip


def leaves(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value of a document with the names that lead to it; a quantity by its own name."""
    if isinstance(node, dict):
        if "cube-structure" in node:
            yield (*path, "curve"), node
        elif set(node) == {"value", "unit"}:
            yield path, node["value"]
        else:
            for name, value in node.items():
                yield from leaves(value, (*path, name))
    elif isinstance(node, list):
        for value in node:
            yield from leaves(value, path)
    else:
        yield path, node


def documents(path: Path) -> tuple[dict[str, Any], list[tuple[dict[str, Any], dict[str, Any]]]]:
    """The aggregate, and for each measurement its document with what is said of its group."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    aggregate = next(value for name, value in whole.items() if name.endswith("aggregate document"))
    kind = next(name for name in aggregate if name.removesuffix(" document") in {"cell counting", "qpcr", "dPCR"})
    found = []
    for group in aggregate[kind]:
        inner = group["measurement aggregate document"]
        said = {name: value for name, value in group.items() if name != "measurement aggregate document"}
        said |= {name: value for name, value in inner.items() if name != "measurement document"}
        found += [(one, said) for one in inner["measurement document"]]
    rest = {name: value for name, value in aggregate.items() if name != kind}
    return rest, found


def same(theirs: Any, ours: Any) -> bool:
    """Equal as numbers where both are, as truth values, else as text."""
    if ours is None or ours == "":
        return theirs in {"N/A", "", "-", None}
    if isinstance(theirs, bool) or theirs in {"True", "False"}:
        return str(theirs).upper() == str(ours).upper()
    ours = str(ours).removesuffix("%")
    try:
        return float(theirs) == pytest.approx(float(str(ours).replace(",", "")), rel=1e-12, abs=1e-15)
    except ValueError:
        return str(theirs).strip() == str(ours).strip()


def column(name: str, one: Any, reading: Reading) -> list[str]:
    """What stands under this name in the measurement's other columns, or in the head of the file."""
    wanted = {same_name(text) for text in (*COLUMNS.get(name, ()), name)}
    found = [text for key, text in one.others.items() if same_name(key) in wanted]
    return found + [text for key, text in reading.header.items() if same_name(key) in wanted]


def time_agrees(theirs: str, ours: str) -> bool:
    """Where the instrument writes no zone, that project assumes UTC and we state none; without any time it says 1970."""
    if not ours:
        return theirs.startswith("1970-01-01")
    return theirs == ours or theirs == f"{ours}+00:00"


def difference(path: tuple[str, ...], theirs: Any, one: Any, reading: Reading) -> str | None:
    """Why a value of the document is not ours; None if it is."""
    name = path[-1]
    if name == "curve":
        return curve_difference(theirs, one)
    if name in CONSTANT or name in NOT_OURS or theirs in {"N/A", None} or "error document" in path:
        return None
    if name in FLAGS and theirs == "N" and not any(name in key for key in one.others):
        return None
    if name == "measurement time":
        at = getattr(one, "at", "") or reading.at
        return None if time_agrees(theirs, at) else f"{name}: {theirs} is {at}"
    if name == "analyst":
        ours = getattr(one, "operator", "") or reading.operator
        return (
            None if theirs in {ours, "Vi-Cell XR"} or (theirs == "N/A" and not ours) else f"{name}: {theirs} is {ours}"
        )
    if name == "sample role type":
        word = str(getattr(one, "task", "") or getattr(one, "role", "")).split("_")[0].lower()
        known = {"ntc": "control", "positive": "control", "": "sample", "non template control": "blank"}.get(word, word)
        return None if known in theirs.lower() else f"{name}: {theirs} is {word}"
    if name == "total cycle number setting":
        return None if theirs in {max(map(len, one.curves.values()), default=0)} else f"{name}: {theirs}"
    if name == "total partition count":
        return None if theirs == one.positive + one.negative else f"{name}: {theirs}"
    if name.startswith("CI (95%)") and theirs is not None and isinstance(one, PartitionWell):
        ours_ci = [one.interval_percent, *(text.rstrip("%") for text in column(name, one, reading))]
        return None if any(same(theirs, value) for value in ours_ci) else f"{name}: {theirs} is {ours_ci}"
    if name.lower() == "omit":
        return None if same(theirs, one.omitted) or same(str(theirs).upper(), str(one.omitted).upper()) else name
    if name == "well plate identifier" and isinstance(one, PcrWell):
        return None if theirs == reading.header.get("Barcode") else f"{name}: {theirs}"
    if name in FIELDS and hasattr(one, FIELDS[name]):
        ours = getattr(one, FIELDS[name])
        if name == "sample identifier" and not ours:
            ours = one.well
        if name == "target DNA description" and not ours:
            ours = "N/A"
        return None if same(theirs, ours) else f"{name}: {theirs} is {ours}"
    found = column(name, one, reading)
    if any(same(theirs, text) or str(text).endswith(str(theirs)) for text in found):
        return None
    return f"{'/'.join(path[-3:])}: {theirs!r} is {found}"


def curve_difference(cube: dict[str, Any], one: PcrWell) -> str | None:
    known = {"normalized reporter": "Rn", "baseline corrected reporter": "dRn", "reporter dye": one.reporter,
             "passive reference dye": "passive reference", "melting curve": "melting"}  # fmt: skip
    ours = one.curves.get(known[cube["label"]], ())
    theirs = cube["data"]["measures"][0]
    return (
        None if list(ours) == pytest.approx(theirs, rel=1e-12) else f"curve {cube['label']}: {theirs[:3]} is {ours[:3]}"
    )


def paired(reading: Reading, found: list[tuple[dict[str, Any], dict[str, Any]]]) -> Iterator[tuple[Any, Any, Any]]:
    """Each measurement of ours beside its document: by order for counts, by well and target else."""
    if isinstance(reading.measurements[0], CellCounting):
        # A row that the instrument itself calls an error is a document there, and a warning here.
        faulty = [warning for warning in reading.warnings if "reports an error" in warning.text]
        found = [pair for pair in found
                 if not any(f" {pair[0]['sample document']['sample identifier']}" in warning.text for warning in faulty)]  # fmt: skip
        assert len(reading.measurements) == len(found)
        assert len(faulty) in {0, 1}
        for one, (document, said) in zip(reading.measurements, found, strict=True):
            yield one, document, said
        return
    ours = {(m.well, m.target or "N/A"): m for m in reading.measurements if isinstance(m, PcrWell | PartitionWell)}
    assert len(ours) == len(reading.measurements)
    keys = [(d["sample document"]["well location identifier"], d["target DNA description"]) for d, _said in found]
    # That project leaves out wells whose rows are absent from another section of the file; we leave out none of its.
    assert not set(keys) - set(ours)
    for key, (document, said) in zip(keys, found, strict=True):
        yield ours[key], document, said


@pytest.mark.requirement("R017")
@pytest.mark.parametrize("name", FILES, ids=lambda name: Path(name).stem)
def test_every_value_of_the_allotrope_document(name: str, shared_data: Path) -> None:
    file = shared_data / "quality" / "instruments" / name
    reading = read(file)
    rest, found = documents(file.with_suffix(".json"))
    faults: dict[str, int] = {}
    values = 0
    for one, document, said in paired(reading, found):
        for path, theirs in [
            *leaves(document),
            *leaves({k: v for k, v in said.items() if k != "calculated data aggregate document"}),
        ]:
            values += 1
            if (fault := difference(path, theirs, one, reading)) is not None:
                faults[fault] = faults.get(fault, 0) + 1
    faults |= calculated(rest, found, reading)
    assert not faults, "\n".join(list(faults)[:40])
    assert values > 10


def calculated(rest: dict[str, Any], found: Any, reading: Reading) -> dict[str, int]:
    """Figures that the instrument computed, by name: each of theirs stands in ours."""
    said = [rest, *(group for _document, group in found)]
    entries = [entry for one in said
               for entry in one.get("calculated data aggregate document", {}).get("calculated data document", [])]  # fmt: skip
    faults = {}
    for entry in entries:
        name = entry["calculated data name"]
        value = (entry.get("calculated result") or entry.get("calculated datum"))["value"]
        ours = {text for one in reading.measurements for text in column(name, one, reading)}
        ours |= {getattr(one, "quantity", None) for one in reading.measurements if name == "quantity"}
        ours |= {getattr(one, "interval_percent", None) for one in reading.measurements}
        if not any(text is not None and same(value, text) for text in ours):
            faults[f"calculated {name}: {value} is not among {sorted(map(str, ours))[:4]}"] = 1
    return faults


@pytest.mark.requirement("R017")
def test_no_real_file_of_our_formats_is_left_out(shared_data: Path) -> None:
    """The list above holds every file of these instruments that has a document beside it."""
    folder = shared_data / "quality" / "instruments"
    there = {path for name in OURS for path in (folder / name).iterdir() if path.suffix != ".json"}
    listed = {(folder / name) for name in FILES if not name.startswith("..")}
    assert {path.name for path in there - listed} == {"Beckman_Vi-Cell-XR_example02_instrumentOutput_error.xls"}


def test_a_table_without_viability_is_read_and_says_so(shared_data: Path) -> None:
    """The other project refuses this file; its densities are there, its viability and counts are not."""
    reading = read(
        shared_data / "quality/instruments/beckman_vi_cell_xr/Beckman_Vi-Cell-XR_example02_instrumentOutput_error.xls"
    )
    assert len(reading.measurements) == 204
    first = reading.measurements[0]
    assert isinstance(first, CellCounting)
    assert first.viability is None and first.counted is None
    assert first.total_e6_per_ml == Decimal("0.9407999945640564")
    assert [warning.kind for warning in reading.warnings] == ["layout"]
