"""Many files at once: every way of sharing the work gives the same counts."""

from pathlib import Path

import pytest

from cellwright import shipped
from cellwright.cytometry import GateError, gating_ml
from cellwright.cytometry.analysis import read_analysis, strategy
from cellwright.cytometry.batch import count_file, each, gates_for, gates_of, workers
from cellwright.cytometry.simulated import Cells
from tests.cytometry.test_analysis import FREE, sample

GATES = strategy(read_analysis(FREE))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    from cellwright.cytometry.simulated import simulated_fcs
    from tests.cytometry.test_analysis import AT

    folder = tmp_path_factory.mktemp("many")
    for n in range(3):
        (folder / f"{n}.fcs").write_bytes(simulated_fcs(Cells(car=100 * n), n, f"S-{n}", AT, "FC-01"))
    return [str(folder / f"{n}.fcs") for n in range(3)]


def test_processes_answer_in_the_order_of_the_files(files: list[str]) -> None:
    alone = list(each(count_file, files, GATES))
    with workers(2) as pool:
        assert list(each(count_file, files, GATES, executor=pool)) == alone
    cars = [next(p.events for p in one.populations if p.name == "car_positive") for one in alone]
    assert cars == [0, 100, 200]


def test_a_dask_cluster_counts_the_same(files: list[str]) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(1, processes=False, threads_per_worker=1, dashboard_address=None) as cluster,
        workers(dask=cluster.scheduler_address) as pool,
    ):
        assert list(each(count_file, files, GATES, executor=pool)) == list(each(count_file, files, GATES))


def test_one_worker_is_this_process() -> None:
    with workers(1) as pool:
        assert pool is None


def test_gates_come_from_a_gating_ml_file_for_every_file(tmp_path: Path) -> None:
    path = tmp_path / "gates.xml"
    path.write_text(gating_ml.write(GATES))
    found = gates_of(path)
    assert gates_for("anything.fcs", found) == found


def test_a_file_without_the_gates_channel_says_so_and_stops_no_other(tmp_path: Path, files: list[str]) -> None:
    bare = tmp_path / "bare.fcs"
    bare.write_bytes((Path(shipped.__file__)).read_bytes())
    counts = list(each(count_file, [str(bare), files[0], str(tmp_path / "absent.fcs")], GATES))
    assert [bool(one.error) for one in counts] == [True, False, True]


def test_a_workspace_without_the_sample_is_refused() -> None:
    from cellwright.cytometry.workspace import Workspace

    with pytest.raises(GateError):
        gates_for("other.fcs", Workspace("10", (), ()))


def test_the_simulated_sample_says_that_it_is_simulated() -> None:
    assert sample().text["CELLWRIGHT SIMULATED"] == "not for human use"
    with pytest.raises(ValueError, match="add up"):
        Cells(living=30_000)
