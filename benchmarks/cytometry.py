"""How fast flow files are read and gated, beside FlowIO and FlowKit on the same files in the same process, in turns.

The events are simulated: six populations in two scatter and twelve fluorescence channels, spilled and noisy; a million of
them in the daily size too, because the ratios are asked for at that size. Before anything is timed every event of every
gate is compared with FlowKit's answer, and every event of the file with FlowIO's.

- plain read and transposition: the file into memory and its events column-major, by numpy alone.
- many files: the counts of every file over two processes, beside one process; each is held to one thread and stands ready,
  so what is compared is the work. The files are ten, under as many names as are counted, and lie in the page cache.
- memory: peak over base of a fresh process that does one thing.
- bandwidth floor: the bytes of the file read once and its decoded columns written once at the speed of a copy in memory.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.harness import Session
from cellwright.cytometry import (
    Dimension,
    GatingStrategy,
    Node,
    Polygon,
    Range,
    Rectangle,
    Spillover,
    gate_sample,
    gating_ml,
    read_fcs,
    write_fcs,
)
from cellwright.cytometry.compensation import to_keyword
from cellwright.cytometry.transform import Logicle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EVENTS: Final = 1_000_000
DYES: Final = 12
NAMES: Final = ("Time", "FSC-A", "SSC-A", *(f"FL{n}-A" for n in range(1, DYES + 1)))
MANY, MANY_DAILY, DISTINCT, MANY_EVENTS = 100, 20, 10, 250_000
MEBIBYTE: Final = 1 << 20
FRESH: Final = """
import sys, time
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
begin = time.perf_counter()
from cellwright.cytometry import gate_sample, gating_ml, read_fcs
import numpy
imported = time.perf_counter() - begin
strategy = gating_ml.read_file(sys.argv[3])
base = peak()
begin = time.perf_counter()
sample = read_fcs(sys.argv[2])
kept = sample.columns() if sys.argv[1] == "read" else gate_sample(sample, strategy).counts
taken = time.perf_counter() - begin
print(imported, taken, (peak() - base) * 1024)
"""


def simulated(seed: int = 7) -> tuple[NDArray[np.float32], Spillover]:
    """Events and the matrix that spilled their light; shape (channels, events)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    kind = rng.choice(6, EVENTS, p=[0.1, 0.25, 0.25, 0.2, 0.1, 0.1])
    columns = np.empty((len(NAMES), EVENTS), np.float32)
    columns[0] = np.arange(EVENTS) * 0.01
    scatter = np.array([20.0, 90.0, 95.0, 100.0, 120.0, 60.0]) * 1e3
    columns[1] = rng.normal(scatter[kind], 12e3)
    columns[2] = rng.normal(0.6 * scatter[kind], 10e3)
    stained = rng.random((DYES, 6)) < 0.45
    stained[:4] = [[1, 0, 0, 0, 0, 1], [0, 1, 1, 1, 1, 0], [0, 1, 1, 0, 1, 0], [0, 1, 0, 1, 0, 0]]
    bright = np.where(stained, 10 ** rng.uniform(3.3, 4.7, (DYES, 6)), 30.0)
    light = np.empty((DYES, EVENTS))
    for n in range(DYES):
        light[n] = bright[n][kind] * rng.lognormal(0, 0.45, EVENTS) + rng.normal(0, 90, EVENTS)
    far = np.abs(np.subtract.outer(np.arange(DYES), np.arange(DYES)))
    matrix = np.where(far == 0, 1.0, 0.25 / (1 + far**1.5) * rng.random((DYES, DYES))).round(5)
    columns[3:] = (matrix.T @ light).clip(-1e4, 262_143)
    return columns, Spillover(NAMES[3:], tuple(map(tuple, matrix.tolist())))


def gates() -> GatingStrategy:
    """Twenty gates: three polygons and seventeen rectangles, five deep, on compensated logicle scales."""
    scale = Logicle(262_144.0, 0.5, 4.5)

    def dye(n: int) -> Dimension:
        return Dimension(f"FL{n}-A", scale, "FCS")

    def box(parent: str, *ranges: tuple[Dimension, float | None, float | None]) -> Node:
        return Node(Rectangle(tuple(Range(*one) for one in ranges)), parent)

    size, grain = Dimension("FSC-A"), Dimension("SSC-A")
    outline = ((4e4, 1e4), (1.4e5, 1e4), (1.6e5, 1.2e5), (6e4, 1.1e5), (3.5e4, 6e4), (3.6e4, 2e4))
    t_cells = ((0.5, 0.1), (1.0, 0.1), (1.05, 0.6), (0.95, 1.0), (0.6, 1.0), (0.45, 0.5))
    car = ((0.4, 0.5), (0.9, 0.4), (1.0, 0.7), (0.9, 1.0), (0.5, 0.95))
    found = {
        "cells": Node(Polygon(size, grain, outline)),
        "time": box("cells", (Dimension("Time"), 100.0, 9900.0)),
        "live": box("time", (dye(1), None, 0.5)),
        "CD45": box("live", (dye(2), 0.45, None), (grain, 1e4, 1.1e5)),
        "CD3": Node(Polygon(dye(3), dye(4), t_cells), "CD45"),
        "CD4": box("CD3", (dye(4), 0.5, None), (dye(5), None, 0.6)),
        "CD8": box("CD3", (dye(4), None, 0.5), (dye(5), 0.2, None)),
        "CAR": Node(Polygon(dye(6), dye(3), car), "CD3"),
    }
    parents = ("CD4", "CD8", "CD45", "live", "CD3", "CD4", "CD8", "CD45", "time", "cells", "CAR", "CD4")
    for n, parent in enumerate(parents):
        one, two = dye(7 + n % 6), dye(7 + (n + 1) % 6)
        both = ((one, 0.35, None), (two, None, 0.6 + 0.02 * n)) if n % 3 else ((one, 0.3, 0.7),)
        found[f"part-{n}"] = box(parent, *both)
    return GatingStrategy(found)


def plain(path: Path) -> NDArray[np.float32]:
    """The file into memory, and its events column-major: the least that any reader of it does."""
    import numpy as np

    data = path.read_bytes()
    events = np.frombuffer(data, "<f4", EVENTS * len(NAMES), len(data) - 4 * EVENTS * len(NAMES))
    return np.asfortranarray(events.reshape(EVENTS, len(NAMES)))


def _reading(session: Session, paths: dict[str, Path]) -> None:
    import flowio
    import numpy as np

    def theirs(path: Path) -> Any:
        return flowio.FlowData(str(path)).as_array(preprocess=False)

    for order, path in paths.items():
        assert np.array_equal(theirs(path), read_fcs(path).columns())
        contenders: dict[str, Callable[[], Any]] = {
            "cellwright": lambda path=path: read_fcs(path).columns() is None,
            "flowio": lambda path=path: theirs(path) is None,
        }
        targets = {"flowio": 4.0}
        if order == "little":
            contenders["plain read and transposition"] = lambda path=path: plain(path) is None
            targets["plain read and transposition"] = 0.5
        contenders = {name: _untimed(work) for name, work in contenders.items()}
        session.compare(
            f"read {order}-endian", contenders, ours="cellwright", rounds=9, targets=targets,
            work=f"{EVENTS:,} events of {len(NAMES)} floats, file to columns",
        )  # fmt: skip


def _untimed(work: Callable[[], Any]) -> Callable[[], float | None]:
    def call() -> None:
        work()

    return call


def _gating(session: Session, path: Path, gates_path: Path) -> None:
    import flowkit

    def ours() -> Any:
        return gate_sample(read_fcs(path), gating_ml.read_file(gates_path))

    def theirs(cached: bool) -> Any:
        sample = flowkit.Sample(str(path))
        return flowkit.parse_gating_xml(str(gates_path)).gate_sample(sample, cache_events=cached)

    membership, result = ours(), theirs(False)
    wrong = sum(int((result.get_gate_membership(name) != membership.member(name)).sum()) for name in membership.counts)
    session.figure("events in other gates than FlowKit's, of twenty million", wrong, "events", limit=0)
    del membership, result
    session.compare(
        "gate",
        {
            "cellwright": _untimed(ours),
            "flowkit": _untimed(lambda: theirs(False)),
            "flowkit, cached": _untimed(lambda: theirs(True)),
        },
        ours="cellwright",
        rounds=7 if session.full else 3,
        targets={"flowkit": 40.0, "flowkit, cached": 18.0},
        work=f"{EVENTS:,} events x {len(NAMES)}, 20 gates, file to counts",
    )


def _many(session: Session, folder: Path, columns: NDArray[np.float32], text: dict[str, str], gates_path: Path) -> None:
    """Many files over two processes, and over one."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from cellwright.cytometry.batch import count_file, each, gates_of, single_threaded

    number = MANY if session.full else MANY_DAILY
    paths = [folder / f"many-{n}.fcs" for n in range(number)]
    for n, path in enumerate(paths):
        if n < DISTINCT:
            write_fcs(path, list(columns[:, n * 1000 : n * 1000 + MANY_EVENTS]), NAMES, text=text)
        else:
            path.hardlink_to(paths[n % DISTINCT])
    strategy, names = gates_of(gates_path), [str(path) for path in paths]

    def over(pool: ProcessPoolExecutor) -> Callable[[], float | None]:
        def call() -> None:
            assert all(not one.error for one in each(count_file, names, strategy, executor=pool))

        return call

    context = get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=context, initializer=single_threaded) as one,
        ProcessPoolExecutor(2, mp_context=context, initializer=single_threaded) as two,
    ):
        assert list(each(count_file, names, strategy, executor=one)) == list(
            each(count_file, names, strategy, executor=two)
        )
        session.compare(
            f"count {number} files",
            {"two processes": over(two), "one process": over(one)},
            ours="two processes",
            rounds=3 if session.full else 5,
            targets={"one process": 1.7},
            work=f"{number} files of {MANY_EVENTS:,} events x {len(NAMES)}, 20 gates, one thread each process",
        )


def _fresh(session: Session, path: Path, gates_path: Path) -> None:
    """One thing in a process of its own: what the first call costs, and how much memory it takes."""

    def run(what: str) -> list[float]:
        command = [sys.executable, "-c", FRESH, what, str(path), str(gates_path)]
        return [float(word) for word in subprocess.check_output(command, text=True).split()]

    rounds = [run("gate") for _round in range(5)]
    steady = []
    for _round in range(5):
        begin = time.perf_counter()
        gate_sample(read_fcs(path), gating_ml.read_file(gates_path))
        steady.append(time.perf_counter() - begin)
    first = sorted(one[1] for one in rounds)[2]
    session.figure("first gating over a steady one", first / sorted(steady)[2], "times", limit=3.0)
    session.figure("import", sorted(one[0] for one in rounds)[2], "s", limit=0.5)
    session.figure("memory of gating over base", max(one[2] for one in rounds) / MEBIBYTE, "MiB", limit=200.0)
    size = path.stat().st_size + 4 * EVENTS * len(NAMES)
    memory = max(run("read")[2] for _round in range(3))
    session.figure("memory of reading over file and decoded size", memory / size, "times", limit=2.2)


def _floor(session: Session, path: Path, gates_path: Path) -> None:
    import numpy as np

    one = np.ones(path.stat().st_size // 4, np.float32)
    two = np.zeros_like(one)
    copies, taken = [], []
    for _round in range(7):
        begin = time.perf_counter()
        np.copyto(two, one)
        copies.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        gate_sample(read_fcs(path), gating_ml.read_file(gates_path))
        taken.append(time.perf_counter() - begin)
    floor = sorted(copies)[3]
    session.figure("bandwidth floor of gating", 1e3 * floor, "ms")
    session.figure("gating over its bandwidth floor", sorted(taken)[3] / floor, "times")


def run(session: Session) -> None:
    """Many files first, then reading, gating, the first call, memory, and the floor."""
    with tempfile.TemporaryDirectory() as folder:
        columns, spillover = simulated()
        text = {"$SPILLOVER": to_keyword(spillover)}
        paths = {order: Path(folder) / f"{order}.fcs" for order in ("little", "big")}
        for order, path in paths.items():
            write_fcs(path, list(columns), NAMES, text=text, byteorder="little" if order == "little" else "big")
        gates_path = Path(folder) / "gates.xml"
        gates_path.write_text(gating_ml.write(gates()))
        _many(session, Path(folder), columns, text, gates_path)
        del columns
        _reading(session, paths)
        _gating(session, paths["little"], gates_path)
        _fresh(session, paths["little"], gates_path)
        _floor(session, paths["little"], gates_path)
