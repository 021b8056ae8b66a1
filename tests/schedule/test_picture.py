"""Pictures and assignments: valid SVG with every job, nobody at two places, few hand-overs."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from cellwright.schedule import Model, Range, ScheduleError, picture, solve
from cellwright.schedule.assign import assign
from cellwright.schedule.robust import robustness
from tests.schedule.problems import everything


@pytest.mark.parametrize("by", ["job", "resource", "person"])
def test_pictures_are_svg_and_say_that_data_is_simulated(by: str) -> None:
    problem = everything()
    svg = picture.gantt(problem, solve(problem, rounds=200), by)  # type: ignore[arg-type]
    ElementTree.fromstring(svg)
    assert "SIMULATED, NOT FOR HUMAN USE" in svg and 'fill="#4477aa"' in svg


def test_loads_are_drawn_below_what_is_there() -> None:
    problem = everything()
    svg = picture.load(problem, solve(problem, rounds=200), ["crew", "bioreactor"])
    ElementTree.fromstring(svg)
    assert svg.count("<path") == 4
    with pytest.raises(ScheduleError, match="oven"):
        picture.load(problem, solve(problem, rounds=0), ["oven"])


def test_nobody_and_no_unit_is_at_two_places() -> None:
    problem = everything()
    plan = solve(problem, rounds=200)
    lines: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for one in assign(problem, plan):
        lines.setdefault((one.resource, one.unit), []).append((one.begin, one.behind))
    for line in lines.values():
        line.sort()
        assert all(first[1] <= second[0] for first, second in pairwise(line))
    skills = {p.name: p.skills for r in problem.resources for p in r.people}
    assert {one.unit for one in assign(problem, plan) if one.resource == "crew"} <= set(skills)
    assert all(
        "aseptic" in skills[one.unit]
        for one in assign(problem, plan)
        if one.where.endswith("/culture") and one.resource == "crew"
    )


def test_uncertain_durations_are_replayed() -> None:
    """One machine, two jobs of 2 to 6 typically 4: planned back to back, both ends are late in about half the runs."""
    model = Model("uncertain")
    model.resource("machine")
    model.route("r").task("work", Range(low=2, typical=4, high=6), machine=1).task("use", 1, most=3)
    model.jobs("r", 2)
    problem = model.data()
    plan = solve(problem, rounds=100)
    risks = robustness(problem, plan, draws=4000)
    assert [risk.planned_end for risk in risks] == [5, 9]
    assert all(abs(risk.on_time - 0.5) < 0.06 for risk in risks[:1]) and risks[1].on_time < risks[0].on_time
    careful = solve(problem, rounds=100, quantile=0.9)
    assert robustness(problem, careful, draws=4000)[1].on_time > 0.85
