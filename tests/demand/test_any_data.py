"""Whatever the data, nothing is infinite: features, forecasts, intervals, scores and what is normal."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from demand.backtest import plot_tables
from demand.backtest.error_model import read_error_model
from demand.backtest.evaluation_record import evaluation_record, scores_message
from demand.backtest.folds import backtest
from demand.backtest.residuals import residuals_of
from demand.baselines import BASELINES
from demand.drift.data_drift import samples
from demand.drift.data_drift.evidently_report import compare_samples, data_summary
from demand.drift.summary import figures
from demand.model.base.base_forecast import BaseForecast
from demand.model.base.factors import fit_factors
from demand.model.demand_model import DemandModel
from demand.model.trees import training_rows
from demand.model.trees.design_matrix import DesignMatrix
from demand.panel.forecast import Forecast
from demand.panel.panel import ABSENT, CLOSED, FILLED, FUTURE, OBSERVED, Panel
from demand.schema.json_record import round_floats
from tests.support.models import fit_with
from tests.support.panels import TRAIN, noisy, panel, ready, shaped
from tests.support.pipelines import FIRST, Project

QUICK = TRAIN.model_copy(update={"rows": 600, "n_estimators": 8})
HORIZON, HALF_A_YEAR = 28, 182  # days


# Arrow's threads can abort a process that ends at once (demand/panel/arrow.py)
THREADS = """import os
from stages import {} as stage
threads = set(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else None
stage.main()
print(0 if threads is None else len(set(os.listdir("/proc/self/task")) - threads))"""


@dataclass(frozen=True)
class Case:
    """A kind of data. `spell` is what happens to `who` for half a year, `known` the future covariates."""

    seed: int = 0
    series: int = 3
    days: int = 600
    level: float = 5.0  # units per day
    noisy: bool = True
    spell: str = "none"
    who: str = "some"
    known: tuple[str, ...] = ()
    lifetime: int = 10_000  # days from the start on which anything is sold


COVARIATES = ("open", "constant", "missing", "promo", "price", "huge")
CASES = st.builds(
    Case, seed=st.integers(0, 9), series=st.integers(1, 7), days=st.sampled_from([80, 200, 420, 600, 800]),
    level=st.sampled_from([0.0, 0.02, 0.05, 1.0, 5.0, 3000.0]), noisy=st.booleans(),
    spell=st.sampled_from(["none", "zeros", "late zeros", "closed", "gap", "late start", "sunday zeros"]),
    who=st.sampled_from(["some", "all"]), lifetime=st.sampled_from([10_000, 10_000, 1, 60, 300]),
    known=st.lists(st.sampled_from(COVARIATES), unique=True, max_size=3).map(tuple))


def made(case: Case) -> Panel:
    """A panel of the kind, with lag features and a time axis that reaches the horizon."""
    rng = np.random.default_rng(case.seed)
    shape, day = (case.series, case.days), np.arange(case.days)
    mean = case.level * rng.uniform(0.5, 2, (case.series, 1)) * np.where(day < case.lifetime, 1, 0)
    sales = rng.poisson(mean).astype("f4") if case.noisy else np.broadcast_to(mean, shape).astype("f4").copy()
    status = np.full(shape, OBSERVED, "u1")
    rows = np.ones(case.series, bool) if case.who == "all" else rng.random(case.series) < 0.4
    start = case.days - HALF_A_YEAR if case.spell == "late zeros" else case.days // 3
    cell = rows[:, None] & (day >= start) & (day < start + HALF_A_YEAR)
    if case.spell == "late start":
        rows[0] = False
        status[rows[:, None] & (day < case.days // 2)] = ABSENT
    elif case.spell == "sunday zeros":
        sales[rows[:, None] & (day % 7 == 6)] = 0
    elif case.spell in ("closed", "gap"):
        status[cell] = CLOSED if case.spell == "closed" else FILLED
    elif case.spell != "none":
        sales[cell] = 0
    sales[status == CLOSED] = 0
    sales[status == ABSENT] = np.nan
    ahead = case.days + HORIZON + 2
    columns = {
        "open": np.ones(ahead), "constant": np.full(ahead, 0.1), "missing": np.full(ahead, np.nan),
        "huge": rng.normal(0, 1e30, ahead),
        "promo": rng.random(ahead) < 0.2, "price": np.where(rng.random(ahead) < 0.3, np.nan, rng.uniform(1, 2, ahead))}
    known = {name: np.tile(columns[name], (case.series, 1)) for name in case.known}
    whole = panel(np.pad(sales, ((0, 0), (0, HORIZON + 2)), constant_values=np.nan), known=known)
    whole.status[:] = np.pad(status, ((0, 0), (0, HORIZON + 2)), constant_values=FUTURE)
    return ready(whole, HORIZON)


def assert_sound(forecast: Forecast) -> None:
    """Finite, not negative, intervals nested."""
    ends = [forecast.low[95], forecast.low[80], forecast.high[80], forecast.high[95]]
    assert all(np.isfinite(values).all() and (values >= 0).all() for values in (forecast.point, *ends))
    assert all((low <= high).all() for low, high in pairwise(ends))


@settings(max_examples=50, deadline=None)
@given(case=CASES)
@example(case=Case(spell="zeros", who="all", known=("open",)))  # half a year without a sale while open
@example(case=Case(level=0.02))
@example(case=Case(level=0.0))
@example(case=Case(noisy=False))
@example(case=Case(series=7, lifetime=1))
@example(case=Case(spell="sunday zeros", who="all"))
@example(case=Case(known=("huge",)))
@pytest.mark.parametrize("kind", ["structural", "level"])
def test_features_and_forecasts_are_finite(kind: str, case: Case) -> None:
    whole = made(case)
    last = whole.column(whole.last_day)
    base = BaseForecast(fit_factors(whole), {kind: 1.0})
    factors, design = base.factors, DesignMatrix(base.sums(whole))
    for values in (factors.scale, factors.weekday, factors.month, factors.effect, factors.noise, design.sums.seasonal_factor):
        assert np.isfinite(values).all()
    rows = training_rows.training_rows(base, design, last, HORIZON, QUICK.rows, 0)
    assert not np.isinf(rows.matrix).any()
    for values in (rows.ratio, rows.weight):
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    everyone = np.arange(whole.n_series)
    assert not np.isinf(design.rows(everyone, everyone * 0 + last, everyone * 0 + HORIZON, factors.scale.astype("f8"))).any()
    model = DemandModel.fit(whole, QUICK.model_copy(update={"base": kind}), HORIZON)
    assert_sound(model.predict(whole, whole.last_day, HORIZON))
    assert model.to_bytes() == DemandModel.from_bytes(model.to_bytes()).to_bytes()


@settings(max_examples=15, deadline=None)
@given(case=CASES)
@example(case=Case(level=0.0))
@example(case=Case(lifetime=60))
@example(case=Case(spell="late zeros", who="all", known=("open",)))  # nothing sold: the WAPE is unknown
@example(case=Case(noisy=False))
def test_scores_and_what_is_normal_are_numbers_or_nothing(case: Case) -> None:
    whole = made(replace(case, days=max(case.days, 200)))
    folds = backtest(whole, fit_with(QUICK, HORIZON), [whole.last_day - days for days in (60, 28)], HORIZON)
    content = json.loads(json.dumps(evaluation_record(folds, whole, BASELINES), allow_nan=False))
    assert content["smape"] is not None
    assert scores_message(content).startswith("mean of 2 origins, 28 days each: SMAPE ")
    normal = read_error_model(content)
    assert normal is not None
    assert all(value > 0 for value in normal.error_per_sd.model_dump().values())
    seen = residuals_of(whole, folds[0].history, folds[0].forecast)
    assert figures(seen, normal)
    plot_tables.total_per_day(folds), plot_tables.sample_series(folds), plot_tables.residuals(folds, "store")


@pytest.mark.parametrize("days", [1, 2, 3, 9])
def test_a_history_of_days(days: int) -> None:
    whole = ready(panel(np.full((2, days), 4.0)), 1)
    assert_sound(DemandModel.fit(whole, QUICK, 1).predict(whole, whole.last_day, 1))


def looked_at(sales: np.ndarray, **known: np.ndarray) -> tuple[dict, str]:
    """The summary's part about the data, as it is written, and the page."""
    whole = ready(panel(sales, known=known))
    now, then, matched = samples.draw_samples(whole, whole.last_day, 28, 3000)
    found, html = compare_samples(now, then, 0.5)
    return json.loads(json.dumps(round_floats(data_summary(now, then, matched, found, 0.5)), allow_nan=False)), html


NOTHING = {"zeros": np.zeros((3, 700)), "constant": np.full((3, 700), 5.0), "20 days": shaped(3, 20)}


@pytest.mark.parametrize("sales", NOTHING.values(), ids=NOTHING)
def test_where_nothing_can_be_compared_there_is_no_verdict_and_the_page_says_so(sales: np.ndarray) -> None:
    part, html = looked_at(sales)
    assert not part["data_drift_detected"]
    assert part["data_drift"]["columns"] == {}
    assert part["data_drift"]["share_of_columns"] is None
    assert "Nothing can be compared" in html


def test_only_columns_that_vary_in_the_reference_are_compared() -> None:
    sales, day = noisy(shaped(3, 700)), np.arange(700)
    columns = {"constant": np.ones(sales.shape), "missing": np.full(sales.shape, np.nan), "huge": 1e30 * sales,
               "new": np.where(day < 600, np.nan, day + sales), "promo": np.tile(day % 2, (3, 1))}
    part, _ = looked_at(sales, **columns)
    assert set(part["data_drift"]["columns"]) == {*samples.COLUMNS, "promo"}
    sales[:, 700 - 364 - 28 : 700 - 364] = 0
    part, _ = looked_at(sales)
    assert "sales" not in part["data_drift"]["columns"]
    assert part["data_drift"]["level_change"] is None


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.0, 0.03])
def test_the_whole_pipeline_on_shops_that_sell_next_to_nothing(level: float, tmp_path: Path) -> None:
    """With a champion to judge and to compare with: no stage ends in a traceback."""
    project = Project.make(tmp_path)
    units = np.random.default_rng(0).poisson(level, (4, 500))
    lines = [f"{FIRST + day},{s // 2},{s % 2},{units[s, day]}" for s, day in np.ndindex(units.shape)]
    (tmp_path / "data/sales.csv").write_text("\n".join(["date,store,item,sales", *lines]) + "\n")
    project.set({"data": {"as_of": str(FIRST + 450)}})
    project.repro()
    project.promote("--reason", "first")
    project.set({"data": {"as_of": None}, "train": {"n_estimators": 7}})
    assert "compare" in project.repro("--force", "evaluate", "compare", "forecast")
    assert project.read("reports/drift_summary.json")["champion"]
    ratio = project.read("metrics/compare.json")["ratio"]
    assert ratio is None if level == 0 else ratio > 0
    project.promote("--reason", "second", "--force")
    for stage in ("features", "drift", "window", "train", "evaluate", "compare", "forecast"):
        assert project.run("python", "-c", THREADS.format(stage)).splitlines()[-1] == "0", stage
