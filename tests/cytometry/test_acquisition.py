"""The course of an acquisition: what is injected is found, at the right place, and what is steady is left alone."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from cellwright.cytometry import read_fcs
from cellwright.cytometry.acquisition import AcquisitionCheck, check_acquisition, rises

CHANNELS = ("A", "B", "C")


def steady(events: int = 20_000, seed: int = 1) -> dict[str, np.ndarray]:
    """Two populations in each of three channels, acquired at an even rate."""
    random = np.random.default_rng(seed)
    columns = {"Time": np.sort(random.uniform(0, 1000, events))}
    for name in CHANNELS:
        high = random.random(events) < 0.4
        columns[name] = np.where(high, random.normal(5000, 800, events), random.normal(100, 60, events))
    columns["FSC-H"] = random.uniform(40_000, 200_000, events)
    columns["FSC-A"] = columns["FSC-H"] * random.normal(1.1, 0.02, events)
    return {name: values.astype(np.float32) for name, values in columns.items()}


def check(**more: object) -> AcquisitionCheck:
    return AcquisitionCheck(time="Time", signal=CHANNELS, **more)  # type: ignore[arg-type]


def found(decision: object, kind: str) -> list[object]:
    return [one for one in decision.findings if one.kind == kind]  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(20))
def test_a_steady_acquisition_is_accepted_whole(seed: int) -> None:
    decision, kept = check_acquisition(steady(seed=seed), check())
    assert decision.verdict == "accepted"
    assert kept.all()


def test_a_shift_in_one_channel_is_found_in_its_windows_and_cut_out() -> None:
    columns = steady()
    columns["B"][8000:10_000] += 900
    decision, kept = check_acquisition(columns, check())
    assert decision.verdict == "accepted_with_exclusions"
    assert [one.channel for one in found(decision, "signal")] == ["B"]
    assert next(iter(decision.drift)) == "B"
    assert not kept[8000:10_000].any()
    assert kept[:7500].all()
    assert kept[10_500:].all()


def test_a_slow_drift_over_the_whole_file_is_found_at_both_ends() -> None:
    columns = steady()
    columns["C"] += np.linspace(0, 400, len(columns["C"]), dtype=np.float32)
    decision, kept = check_acquisition(columns, check())
    assert decision.verdict == "rejected"
    assert not kept[:1000].any()
    assert not kept[-1000:].any()


def test_the_answer_does_not_depend_on_the_scale() -> None:
    columns = steady()
    columns["B"][:3000] += 500
    scaled = {name: np.arcsinh(values / 150) if name in CHANNELS else values for name, values in columns.items()}
    assert check_acquisition(columns, check())[0].drift == check_acquisition(scaled, check())[0].drift


def test_a_clog_and_a_surge_are_found_in_the_flow_rate() -> None:
    columns = steady()
    time = columns["Time"]
    keep = ~((time > 400) & (time < 450) & (np.arange(len(time)) % 10 > 0))
    clogged = {name: values[keep] for name, values in columns.items()}
    decision, kept = check_acquisition(clogged, check())
    (one,) = found(decision, "flow_rate")
    assert one.windows == (40, 41, 42, 43, 44)  # type: ignore[attr-defined]
    assert not kept[(clogged["Time"] > 401) & (clogged["Time"] < 449)].any()


def test_time_that_runs_backwards_is_said() -> None:
    columns = steady()
    columns["Time"][500:700] = columns["Time"][500:700][::-1]
    assert found(check_acquisition(columns, check())[0], "time_backwards")[0].events == 199  # type: ignore[attr-defined]


def test_margin_events_and_doublets_are_excluded() -> None:
    columns = steady()
    columns["A"][10:60] = 262_143
    columns["FSC-A"][100:400] = columns["FSC-H"][100:400] * 1.9
    decision, kept = check_acquisition(
        columns, check(area="FSC-A", height="FSC-H", margin={"A": 262_143.0}, doublet_spread=6.0)
    )
    assert found(decision, "margin")[0].events == 50  # type: ignore[attr-defined]
    assert found(decision, "doublet")[0].events == 300  # type: ignore[attr-defined]
    assert int(kept.sum()) == 20_000 - 350 == decision.kept


def test_too_few_events_are_not_evaluable() -> None:
    decision, _ = check_acquisition(steady(300), check())
    assert decision.verdict == "not_evaluable"
    assert found(decision, "too_few_events")


def test_the_decision_is_recorded_with_its_parameters_and_repeats() -> None:
    columns = steady()
    columns["B"][:2000] *= 2
    once, again = (msgspec.json.encode(check_acquisition(columns, check())[0]) for _ in range(2))
    assert once == again
    assert msgspec.json.decode(once)["parameters"]["signal_tolerance"] == 0.1


def test_a_clock_is_told_from_a_signal() -> None:
    columns = steady()
    assert rises(columns["Time"])
    assert not any(rises(columns[name]) for name in CHANNELS)
    assert not rises(np.zeros(100, np.float32))


@pytest.mark.parametrize("change", [{"rate_windows": 2}, {"signal_tolerance": 0.0}, {"area": "FSC-A"}])
def test_impossible_parameters_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="acquisition check"):
        check(**change)


def test_a_channel_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="no channel Z"):
        check_acquisition(steady(), AcquisitionCheck(signal=("Z",)))


# --- a real file with faults put into it -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def diva() -> dict[str, np.ndarray]:
    """The Diva file in the test data of fcsparser (MIT): 83,411 events of a real instrument, 12 channels."""
    fcsparser = pytest.importorskip("fcsparser")
    folder = Path(fcsparser.__file__).parent / "tests" / "data" / "FlowCytometers" / "FACS_Diva"
    sample = read_fcs(folder / "facs_diva_test.fcs")
    return {channel.name: sample.column(channel.name).copy() for channel in sample.channels}


def whole(columns: dict[str, np.ndarray]) -> AcquisitionCheck:
    return AcquisitionCheck(time="Time", signal=tuple(name for name in columns if name != "Time"))


def test_drift_put_into_any_channel_of_a_real_file_ranks_it_first(diva: dict[str, np.ndarray]) -> None:
    """A rise to three times the signal over the second half of the acquisition, one channel at a time."""
    factor = np.interp(np.arange(len(diva["Time"])), [len(diva["Time"]) / 2, len(diva["Time"])], [1, 3])
    before = check_acquisition(diva, whole(diva))[0].drift
    for channel in whole(diva).signal:
        columns = dict(diva) | {channel: (diva[channel] * factor).astype(np.float32)}
        decision, _ = check_acquisition(columns, whole(columns))
        assert next(iter(decision.drift)) == channel, decision.drift
        assert decision.drift[channel] > before[channel]
        assert [one for one in decision.findings if one.kind == "signal" and one.channel == channel]


@pytest.mark.parametrize("shift", [1.1, 1.3, 1.4, 2.0])
def test_a_burst_put_into_a_real_file_is_cut_out_from_a_size_on(diva: dict[str, np.ndarray], shift: float) -> None:
    """Five percent of the events brighter by a factor; in this channel the threshold lies between 1.3 and 1.4."""
    channel = "PacificBlue-A"
    begin, end = 40_000, 44_000
    columns = dict(diva) | {channel: diva[channel].copy()}
    columns[channel][begin:end] *= np.float32(shift)
    _, kept = check_acquisition(columns, whole(columns))
    plain = check_acquisition(diva, whole(diva))[1]
    lost = 1 - kept[begin:end].mean()
    assert (lost > 0.8) == (shift >= 1.4), (shift, lost, plain[begin:end].mean())


def test_one_event_that_is_no_number_hides_neither_drift_nor_doublets() -> None:
    columns = steady()
    columns["B"][8000:10_000] += 900
    columns["FSC-A"][:40] *= 3
    before, _kept = check_acquisition(columns, check(area="FSC-A", height="FSC-H"))
    columns["B"][17] = np.nan
    columns["FSC-A"][19_000] = np.nan
    after, kept = check_acquisition(columns, check(area="FSC-A", height="FSC-H"))
    assert [one.channel for one in found(after, "signal")] == ["B"]
    assert found(after, "doublet")[0].events >= 39  # type: ignore[attr-defined]
    assert before.verdict == after.verdict == "accepted_with_exclusions"
    assert not kept[8000:10_000].any()


@pytest.mark.parametrize("clock", ["constant", "backwards", "no number", "endless"])
def test_a_named_clock_that_tells_no_course_makes_it_not_evaluable(clock: str) -> None:
    columns = steady()
    columns["Time"] = {
        "constant": np.full(20_000, 7, np.float32),
        "backwards": columns["Time"][::-1].copy(),
        "no number": np.where(np.arange(20_000) == 5, np.nan, columns["Time"]).astype(np.float32),
        "endless": np.where(np.arange(20_000) == 19_999, np.inf, columns["Time"]).astype(np.float32),
    }[clock]
    assert check_acquisition(columns, check())[0].verdict == "not_evaluable"


def test_constant_and_empty_channels_are_judged_without_a_fault() -> None:
    columns = {"Time": np.arange(5000, dtype=np.float32), "A": np.full(5000, 7, np.float32)}
    columns["B"] = np.full(5000, np.nan, np.float32)
    wanted = AcquisitionCheck(time="Time", signal=("A", "B"), margin={"A": 7.0}, area="A", height="A")
    decision, kept = check_acquisition(columns, wanted)
    assert (decision.drift["A"], decision.drift["B"], int(kept.sum())) == (0.0, 0.0, 0)
