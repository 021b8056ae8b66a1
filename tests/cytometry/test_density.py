"""Cuts and outlines on events whose populations are known."""

import numpy as np
import pytest
from scipy.spatial import Delaunay

from cellwright.cytometry.density import NoCut, between_components, hill, minimum_density, smoothed, tail
from cellwright.cytometry.mixture import fit_mixture


def two(share: float = 0.3, apart: float = 6.0, events: int = 20_000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Values of two unit Gaussians, and which event is of the upper one."""
    random = np.random.default_rng(seed)
    upper = random.random(events) < share
    return np.where(upper, random.normal(apart, 1, events), random.normal(0, 1, events)), upper


def f1(predicted: np.ndarray, truth: np.ndarray) -> float:
    return float(2 * (predicted & truth).sum() / (predicted.sum() + truth.sum()))


def test_the_density_is_one_in_all() -> None:
    place, density = smoothed(two()[0])
    assert density.sum() * (place[1] - place[0]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("find", [minimum_density, between_components])
def test_two_populations_apart_are_told_apart(find: object, share: float) -> None:
    values, upper = two(share)
    cut = find(values)  # type: ignore[operator]
    assert f1(values > cut.at, upper) > 0.98
    assert 0 < cut.clearness <= 1


def test_the_cut_of_equal_components_is_in_the_middle() -> None:
    """Weights and variances being equal, the densities are equal halfway between the means."""
    assert between_components(two(0.5, 4.0, 200_000)[0]).at == pytest.approx(2.0, abs=0.03)


def test_one_population_has_no_valley() -> None:
    for seed in range(20):
        with pytest.raises(NoCut):
            minimum_density(np.random.default_rng(seed).normal(0, 1, 5000))


def test_a_tail_is_cut_where_the_main_peak_ends() -> None:
    """Three standard deviations above the mode of a Gaussian leave 0.13 %; the tail's own events are all beyond."""
    random = np.random.default_rng(3)
    values = np.concatenate([random.normal(0, 1, 50_000), random.uniform(4, 9, 500)])
    cut = tail(values)
    assert cut.at == pytest.approx(3.0, abs=0.25)
    assert cut.clearness > 0.8
    assert tail(-values, side="below").at == pytest.approx(-cut.at)


@pytest.mark.parametrize("find", [minimum_density, tail, between_components])
@pytest.mark.parametrize("values", [np.zeros(5), np.ones(1000)])
def test_what_shows_no_shape_gives_no_cut(find: object, values: np.ndarray) -> None:
    with pytest.raises(NoCut):
        find(values)  # type: ignore[operator]


def test_a_mixture_finds_what_the_events_were_drawn_from() -> None:
    random = np.random.default_rng(5)
    covariance = [[1.0, 0.6], [0.6, 2.0]]
    points = np.concatenate(
        [random.multivariate_normal([0, 0], covariance, 60_000), random.normal([8, 3], [0.5, 1], (30_000, 2))]
    )
    found = fit_mixture(points, 2)
    assert found.weights == pytest.approx([2 / 3, 1 / 3], abs=0.01)
    assert found.means[0] == pytest.approx([0, 0], abs=0.05)
    assert found.means[1] == pytest.approx([8, 3], abs=0.05)
    assert found.covariances[0] == pytest.approx(np.array(covariance), abs=0.08)


def test_a_mixture_of_three_is_the_same_every_time() -> None:
    random = np.random.default_rng(6)
    points = np.concatenate([random.normal(m, 1, (5000, 2)) for m in ((0, 0), (7, 0), (0, 9))])
    once, again = fit_mixture(points, 3), fit_mixture(points, 3)
    assert once.means.tobytes() == again.means.tobytes()
    assert sorted(map(tuple, np.round(once.means).tolist())) == [(0, 0), (0, 9), (7, 0)]


def test_the_hill_encloses_the_main_population_only() -> None:
    random = np.random.default_rng(7)
    points = np.concatenate([random.normal([0, 0], 1, (20_000, 2)), random.normal([12, 12], 1, (5000, 2))])
    inside = Delaunay(hill(points)).find_simplex(points) >= 0
    assert inside[:20_000].mean() > 0.8
    assert not inside[20_000:].any()
