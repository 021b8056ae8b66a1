"""Every format is read, and what is no problem is named."""

from pathlib import Path

import pytest

from cellwright.schedule import ScheduleError, check, solve
from cellwright.schedule.project import is_project
from cellwright.schedule.read import parse_data, parse_max, read, write_data
from tests.schedule.problems import everything

PSPLIB = """************************************************************************
jobs  (incl. supersource/sink ):  4
RESOURCES
  - renewable                 :  1   R
  - nonrenewable              :  1   N
************************************************************************
PRECEDENCE RELATIONS:
jobnr.    #modes  #successors   successors
   1        1          2           2   3
   2        2          1           4
   3        1          1           4
   4        1          0
************************************************************************
REQUESTS/DURATIONS:
jobnr. mode duration  R 1  N 1
------------------------------------------------------------------------
  1      1     0       0    0
  2      1     2       1    3
         2     5       1    0
  3      1     3       1    1
  4      1     0       0    0
************************************************************************
RESOURCEAVAILABILITIES:
  R 1  N 1
    1   3
************************************************************************
"""

# Three activities on one unit; the third starts at most 4 after the first: with 3 + 3 before it only one order is left.
MAX = """3 1 0 0
0 1 3 1 2 3 [0] [0] [0]
1 1 1 4 [3]
2 1 1 4 [3]
3 1 2 1 4 [-4] [2]
4 1 0
0 1 0 0
1 1 3 1
2 1 3 1
3 1 2 1
4 1 0 0
1
"""


def test_the_file_form_is_the_data(tmp_path: Path) -> None:
    problem = everything()
    path = tmp_path / "plant.yaml"
    path.write_text(write_data(problem), encoding="utf-8")
    assert read(path) == problem
    assert read(path).sha256 == problem.sha256


def test_several_modes_and_used_up_resources_are_solved(tmp_path: Path) -> None:
    """Activity 2 takes 2 and 3 units of the stock, of which activity 3 needs one more than is then left: 5 + 3 = 8."""
    path = tmp_path / "small.mm"
    path.write_text(PSPLIB)
    problem = read(path)
    assert [len(task.all_ways()) for task in problem.routes[0].tasks] == [1, 2, 1, 1]
    plan = solve(problem)
    assert (plan.value, plan.proved, check(problem, plan)) == (8, True, [])


def test_greatest_lags_are_kept_and_infeasibility_is_reported() -> None:
    problem = parse_max(MAX, "small")
    plan = solve(problem)
    assert plan.proved and not check(problem, plan)
    assert plan.value == 8
    tighter = MAX.replace("1 1 1 4 [3]", "1 1 2 3 4 [0] [3]").replace("[-4] [2]", "[-2] [2]")
    closed = parse_max(tighter, "closed")
    assert solve(closed).infeasible


@pytest.mark.parametrize("folder", ["rcpsp", "fjsp", "plant"])
def test_every_given_file_is_read(shared_data: Path, folder: str) -> None:
    files = [path for path in sorted((shared_data / "planning" / folder).iterdir()) if path.name != "instances.json"]
    assert files
    for path in files:
        problem = read(path)
        assert problem.jobs
        if path.name.startswith(("J60", "J90", "J120", "RG300")):
            assert is_project(problem)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "name: [1"),
        ("a.yaml", "name: x\nresorces: []"),
        ("a.json", '{"name": "x", "jobs": [{"name": "j"}]}'),
        ("a.json", '{"name": "x", "horizon": "12"}'),
        ("a.txt", "4 2 1"),
        ("a.txt", "words"),
        ("a.fjs", "2 2\n1 1 1 3\n1 2 1 3"),
        ("a.sch", "3 1 0 0\n0 1 1 1 [0]"),
        ("a.sm", "PRECEDENCE RELATIONS:\nx"),
        ("a.npz", ""),
    ],
)
def test_what_is_no_problem_is_named(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ScheduleError):
        read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScheduleError, match=r"none\.yaml"):
        read(tmp_path / "none.yaml")


def test_data_is_strict() -> None:
    with pytest.raises(ScheduleError, match="horizon"):
        parse_data("name: x\nhorizon: far")
