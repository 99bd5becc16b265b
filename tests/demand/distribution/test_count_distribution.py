"""Sales in whole units: quantiles and normal scores against SciPy's negative binomial, and intervals that cover slow movers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from demand.distribution.count_distribution import SMALL_MEAN, count_quantiles, normal_scores
from demand.model.intervals import TAILS, fit_dispersion, in_whole_units
from tests.support.panels import panel

SCORES = np.sort(stats.norm.ppf(TAILS))


def scipy_law(mean: np.ndarray, variance: np.ndarray) -> stats.rv_discrete:
    r = mean**2 / (variance - mean)
    return stats.nbinom(r, r / (r + mean))


@pytest.mark.parametrize("over", [1.05, 1.5, 4.0])
def test_quantiles_are_those_of_scipy(over: float) -> None:
    mean = np.geomspace(0.01, 300, 200)
    got = count_quantiles(mean, over * mean, np.tile(SCORES, (200, 1)))
    expected = np.stack([scipy_law(mean, over * mean).ppf(tail) for tail in TAILS], axis=1)
    small = mean <= SMALL_MEAN
    np.testing.assert_array_equal(got[small], expected[small])
    assert np.abs(got - expected)[~small].max() <= 1, "the gamma with a continuity correction is at most one unit off"


def test_nothing_is_sold_where_nothing_is_expected() -> None:
    assert (count_quantiles(np.zeros(3), np.zeros(3), np.tile(SCORES, (3, 1))) == 0).all()


def test_tails_end_where_nothing_can_be_told_apart() -> None:
    """Student's t with few degrees of freedom goes as far as 300: no more units than the sixth standard deviation has."""
    mean = np.array([0.01, 0.5, 15.0])
    far = count_quantiles(mean, 1.2 * mean, np.array([[-300.0, 300.0]] * 3))
    np.testing.assert_array_equal(far, scipy_law(mean, 1.2 * mean).ppf(stats.norm.cdf([[-6], [6]])).T)


@pytest.mark.parametrize("mean", [0.05, 0.7, 6.0, 60.0])
def test_scores_of_the_right_law_are_normal(mean: float) -> None:
    rng = np.random.default_rng(0)
    means = np.full(40_000, mean)
    sales = scipy_law(means, 1.8 * means).rvs(random_state=rng)
    scores = normal_scores(sales, means, 1.8 * means, rng.random(40_000))
    np.testing.assert_allclose(np.quantile(scores, TAILS), SCORES, atol=0.08)


def test_poisson_is_the_smallest_spread() -> None:
    mean = np.array([2.0])
    np.testing.assert_array_equal(count_quantiles(mean, 0.1 * mean, SCORES[None, :])[0], stats.poisson(2).ppf(TAILS))


def test_intervals_of_every_speed_cover_as_many_as_they_say() -> None:
    """Randomised at both ends, as their own probability is all or nothing otherwise."""
    rng = np.random.default_rng(1)
    mean = np.repeat([0.1, 0.5, 2.0, 12.0, 50.0], 12_000)
    horizon = np.ones(len(mean), int)

    def draw() -> np.ndarray:
        return scipy_law(mean, 1.4 * mean + 0.1 * mean**2).rvs(random_state=rng).astype(float)

    spread = fit_dispersion(draw(), mean, horizon, 0.0, whole=True)
    at, sales = spread.at(mean[:, None], np.array([1])), draw()
    low, high = at[0.1][:, 0], at[0.9][:, 0]
    for speed in np.unique(mean):
        own, law = mean == speed, scipy_law(np.array([speed]), np.array([1.4 * speed + 0.1 * speed**2]))
        assert (low[own] == np.rint(low[own])).all()
        assert law.cdf(high[own][:1] - 1)[0] <= 0.905 <= law.cdf(high[own][:1])[0] + 0.02
        assert (sales[own] <= high[own]).mean() >= 0.88


def test_real_valued_sales_are_no_counts() -> None:
    counts = np.array([[1.0, 0, 3, 2]])
    assert in_whole_units(panel(counts))
    assert not in_whole_units(panel(counts + 0.5))
