"""FlowJo workspaces: real ones are read whole, and every kind of gate by hand."""

from pathlib import Path

import numpy as np
import pytest

from cellwright.cytometry import GateError, encode_fcs, gate_sample, read_fcs
from cellwright.cytometry.transform import FlowJoBiex
from cellwright.cytometry.workspace import read, read_wsp

SPACES = (
    'xmlns:gating="http://www.isac-net.org/std/Gating-ML/v2.0/gating" '
    'xmlns:transforms="http://www.isac-net.org/std/Gating-ML/v2.0/transformations" '
    'xmlns:data-type="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes"'
)


def dimension(name: str, **bounds: float) -> str:
    said = " ".join(f'gating:{key}="{value}"' for key, value in bounds.items())
    return f'<gating:dimension {said}><data-type:fcs-dimension data-type:name="{name}"/></gating:dimension>'


def corners(*points: tuple[float, float]) -> str:
    each = '<gating:coordinate data-type:value="{}"/>'
    return "".join(f"<gating:vertex>{each.format(x)}{each.format(y)}</gating:vertex>" for x, y in points)


def population(name: str, shape: str, below: str = "", group: str = "All Samples", count: int = -1) -> str:
    return (
        f'<Population name="{name}" owningGroup="{group}" count="{count}"><Gate>{shape}</Gate>'
        f"<Subpopulations>{below}</Subpopulations></Population>"
    )


def workspace(populations: str, scales: str = "", matrix: str = "") -> bytes:
    linear = "".join(
        f'<transforms:linear transforms:minRange="0" transforms:maxRange="256">'
        f'<data-type:parameter data-type:name="{name}"/></transforms:linear>'
        for name in "AB"
    )
    return (
        f'<Workspace flowJoVersion="10.9" {SPACES}><Groups><GroupNode name="All Samples"><Group><SampleRefs>'
        f'<SampleRef sampleID="1"/></SampleRefs></Group></GroupNode></Groups><SampleList><Sample>'
        f'<DataSet uri="file:/a.fcs" sampleID="1"/>{matrix}<Transformations>{scales or linear}</Transformations>'
        f'<Keywords><Keyword name="$FIL" value="a.fcs"/></Keywords><SampleNode name="a.fcs" sampleID="1" count="4">'
        f"<Subpopulations>{populations}</Subpopulations></SampleNode></Sample></SampleList></Workspace>"
    ).encode()


def sample(a: list[float], b: list[float]) -> object:
    return read_fcs(encode_fcs([np.array(a, np.float32), np.array(b, np.float32)], ["A", "B"]))


RECTANGLE = f"<gating:RectangleGate>{dimension('A', min=10, max=20)}</gating:RectangleGate>"


def test_gates_of_every_kind_by_hand() -> None:
    outside = RECTANGLE.replace("RectangleGate>", 'RectangleGate eventsInside="0">', 1)
    triangle = f"<gating:PolygonGate>{dimension('A')}{dimension('B')}{corners((0, 0), (100, 0), (0, 100))}</gating:PolygonGate>"
    circle = (
        f"<gating:EllipsoidGate>{dimension('A')}{dimension('B')}<gating:foci>{corners((10, 10), (10, 10))}</gating:foci>"
        f"<gating:edge>{corners((15, 10), (5, 10), (10, 15), (10, 5))}</gating:edge></gating:EllipsoidGate>"
    )
    both = '<AndNode name="both" owningGroup=""><Dependents><Dependent name="triangle"/><Dependent name="band"/></Dependents></AndNode>'
    text = workspace(
        population("band", RECTANGLE, population("band", outside, count=7))
        + population("triangle", triangle, group="")
        + population("circle", circle)
        + both
    )
    one = read(text).sample("a.fcs")
    found = gate_sample(sample([10, 20, 15, 14], [90, 0, 15, 13]), one.strategy)  # type: ignore[arg-type]
    assert found.member("band").tolist() == [True, False, True, True]
    assert found.member("band/band").tolist() == [False] * 4
    assert found.member("triangle").tolist() == [True, True, True, True]
    assert found.member("circle").tolist() == [False, False, False, True]
    assert found.member("both").tolist() == [True, False, True, True]
    assert one.custom == {"triangle", "both"} and one.counts == {"band/band": 7} and one.events == 4
    assert one.uri == "file:/a.fcs" and one.keywords == {"$FIL": "a.fcs"} and not one.unread


def test_corners_are_carried_to_the_scale_and_names_tell_compensation() -> None:
    matrix = (
        '<transforms:spilloverMatrix name="M" prefix="Comp-" suffix=""><data-type:parameters>'
        '<data-type:parameter data-type:name="A"/><data-type:parameter data-type:name="B"/></data-type:parameters>'
        + "".join(
            f'<transforms:spillover data-type:parameter="{name}">'
            + "".join(
                f'<transforms:coefficient data-type:parameter="{to}" transforms:value="{value}"/>'
                for to, value in zip("AB", values, strict=True)
            )
            + "</transforms:spillover>"
            for name, values in (("A", (1, 0.5)), ("B", (0, 1)))
        )
        + "</transforms:spilloverMatrix>"
    )
    biex = (
        '<transforms:biex transforms:length="256" transforms:maxRange="262144.000029" transforms:neg="0" '
        'transforms:width="-10" transforms:pos="4.41854"><data-type:parameter data-type:name="Comp-B"/></transforms:biex>'
    )
    shape = f"<gating:RectangleGate>{dimension('Comp-B', min=0)}{dimension('A', max=50)}</gating:RectangleGate>"
    one = read(workspace(population("g", shape), biex, matrix)).samples[0]
    ranges = one.strategy.gates["g"].gate.ranges  # type: ignore[union-attr]
    assert (ranges[0].dimension.channel, ranges[0].dimension.compensation, ranges[0].minimum) == ("B", "M", 463)
    assert isinstance(ranges[0].dimension.transform, FlowJoBiex) and ranges[1].dimension.compensation == "uncompensated"
    found = gate_sample(sample([20, 20, 60], [11, 9, 90]), one.strategy)  # type: ignore[arg-type]
    assert found.member("g").tolist() == [True, False, False]


def test_what_is_not_understood_is_left_out_and_named() -> None:
    odd = "<gating:CurlyGate/>"
    unknown = '<transforms:miltenyi><data-type:parameter data-type:name="A"/></transforms:miltenyi>'
    nots = '<NotNode name="n" owningGroup="G"><Dependents><Dependent name="odd"/></Dependents></NotNode>'
    one = read(workspace(population("odd", odd, population("below", RECTANGLE)) + nots)).samples[0]
    assert set(one.unread) == {"odd", "odd/below", "n"} and not one.strategy.gates
    two = read(workspace(population("g", RECTANGLE), unknown)).samples[0]
    assert "miltenyi" in two.unread["g"]
    for text in (b"<a/>", b"no", b"<!DOCTYPE a [<!ENTITY b 'c'>]><Workspace/>"):
        with pytest.raises(GateError):
            read(text)


def test_real_workspaces_are_read_whole(shared_data: Path) -> None:
    """Two workspaces of FlowJo 10: every population has its gate or a reason, and no child was counted above its parent."""
    folder = shared_data / "quality" / "instruments" / "flowjo"
    counted = []
    for path, samples in ((folder / "flowjo_example_1.wsp", 8), (folder / "flowjo_example_2.wsp", 1)):
        found = read_wsp(path)
        assert len(found.samples) == samples and {group.name for group in found.groups} >= {"All Samples"}
        numbers = {one.id for one in found.samples}
        assert any(numbers <= set(group.samples) for group in found.groups)
        for one in found.samples:
            assert set(one.counts) <= {*one.strategy.populations, *one.unread}
            assert all("CurlyQuad" in reason for reason in one.unread.values())
            for name, count in one.counts.items():
                parent = name.rpartition("/")[0] if name in one.unread else one.strategy.parent(name)
                assert count <= (one.counts[parent] if parent else one.events or 0)
        counted.append(
            [
                sum(map(len, lists))
                for lists in zip(*((s.strategy.gates, s.unread, s.counts) for s in found.samples), strict=True)
            ]
        )
    # Populations read, left out (FlowJo's curly quadrants, whose curves are not published), and counted in the two files.
    assert counted == [[80, 0, 72], [15, 4, 19]]
