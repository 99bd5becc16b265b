"""The wandering level, its peers, and the pull of seasonal factors seen in few years."""

from __future__ import annotations

import numpy as np
import pytest

from demand.model.base.dispersion import pooled_with_own
from demand.model.base.factors import Factors, fit_factors
from demand.model.base.level import WANDERING, level_at, pooled_level
from demand.model.base.peers import fit_peers
from demand.model.base.season import seasonal_factors
from demand.model.base.seasonal_sums import SeasonalSums
from demand.model.base.wandering_level import AHEAD, BLOCKS, block_sums
from demand.panel.panel import ABSENT
from tests.support.panels import noisy, panel, ready, shaped


def designed(sales: np.ndarray, starts: dict[int, int] | None = None) -> tuple[Factors, SeasonalSums]:
    whole = ready(panel(sales))
    for series, day in (starts or {}).items():
        whole.status[series, :day] = ABSENT
        whole.sales[series, :day] = np.nan
    factors = fit_factors(whole)
    return factors, SeasonalSums(whole, factors.seasonal_factor(whole))


def test_blocks_against_a_loop() -> None:
    _, sums = designed(noisy(shaped(3, 500)))
    sold, shaped_sums = block_sums(sums, 449)
    stop = 450
    for k, days in enumerate(BLOCKS.tolist()):
        part = slice(max(stop - days, 0), max(stop, 0))
        np.testing.assert_allclose(sold[:, k], sums.sales[:, part].sum(axis=1, dtype="f8"))
        np.testing.assert_allclose(shaped_sums[:, k], sums.expected[:, part].sum(axis=1, dtype="f8"), rtol=1e-6)
        stop -= days


@pytest.mark.parametrize("kind", WANDERING)
def test_a_steady_series_keeps_its_level(kind: str) -> None:
    factors, sums = designed(np.full((6, 800), 12.0))
    at = level_at({kind: 1.0}, factors, sums, 799)
    np.testing.assert_allclose(at.level, 12, rtol=0.01)
    assert at.age == -AHEAD
    assert abs(at.growth) < 0.01


def test_a_fast_level_follows_a_step_and_a_slow_one_stays() -> None:
    sales = np.full((8, 800), 2.0)
    sales[0, 730:] = 4
    factors, sums = designed(noisy(sales))
    slow, fast = (level_at({kind: 1.0}, factors, sums, 799).level[0] for kind in ("wandering_002_365", "wandering_25_60"))
    assert 2 < slow < 0.9 * fast
    assert fast > 3


def test_a_young_series_leans_on_its_peers_until_its_own_history_says_more() -> None:
    """Items sell 2, 4, 8, 16, 32 in every store; an item's first days in one store say little, its first months all."""
    mean = np.tile(2.0 ** np.arange(1, 6), 8)[:, None] * np.ones((40, 600))
    mean[39] = 8  # the peers say 32
    levels = []
    for age in (1, 7, 300):
        factors, sums = designed(noisy(mean), {39: 600 - age})
        levels.append(level_at({"wandering_06_240": 1.0}, factors, sums, 599).level[39])
    assert levels[0] > levels[1] > 7
    assert levels[2] == pytest.approx(8, rel=0.1)


def test_one_series_alone_has_the_level_it_has_among_all() -> None:
    factors, sums = designed(noisy(shaped(12, 700)))
    weights = {"wandering_04_60": 0.5, "structural": 0.5}
    together = level_at(weights, factors, sums, 699)
    again = level_at(weights, factors, sums, 699, pooled_level(factors, sums, 699))
    np.testing.assert_array_equal(together.level, again.level)


def test_peers_of_an_exact_catalogue() -> None:
    store, item = np.repeat([1, 2, 3], 4), np.tile([1, 2, 3, 4], 3)
    scale = store * 2.0**item
    peers = fit_peers(scale, np.full(12, 1000.0), np.full(12, 0.01), store, item)
    np.testing.assert_allclose(peers.level(store, item), scale, rtol=0.05)
    assert peers.spread < 0.01
    stranger = peers.level(np.array([9]), np.array([9]))[0]
    assert scale.min() < stranger < scale.max()


def test_a_single_giant_order_moves_no_other_dispersion() -> None:
    rng = np.random.default_rng(0)
    squares, expected, days = rng.uniform(900, 1100, 50), np.full(50, 1000.0), np.full(50, 500.0)
    usual = pooled_with_own(squares, expected, days)
    squares[7] *= 1e4
    np.testing.assert_allclose(np.delete(pooled_with_own(squares, expected, days), 7), np.delete(usual, 7), rtol=0.01)


def test_a_season_seen_once_or_different_every_year_is_pulled_to_one() -> None:
    wave = 1 + 0.4 * np.sin(2 * np.pi * np.arange(12) / 12)
    due = np.full((5, 4, 12), 1e5)
    steady = due * wave
    restless = due * np.stack([np.roll(wave, shift) for shift in (0, 4, 8, 2)])
    groups = [np.arange(5)]
    np.testing.assert_allclose(seasonal_factors(steady, due, groups)[0], wave / wave.mean(), rtol=0.02)
    once = seasonal_factors(steady[:, :1], due[:, :1], groups)[0]
    wild = seasonal_factors(restless, due, groups)[0]
    assert np.ptp(wild) < 0.5 * np.ptp((restless / due).mean(axis=(0, 1)))
    assert np.ptp(once) < np.ptp(wave)
