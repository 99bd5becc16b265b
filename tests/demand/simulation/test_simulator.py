"""The demo data: the competition's schema, retail's shape, and nothing changes that was not switched on."""

from __future__ import annotations

import numpy as np
import pytest
from pyarrow import csv

from demand.ingest.public_holidays import public_holidays
from demand.panel.calendar import weekdays
from demand.schema.errors import UserError
from demand.simulation import effects
from demand.simulation.demo_params import DemoParams
from demand.simulation.feasts import feast_days, near_feasts
from demand.simulation.simulator import Chain, generate, to_table
from stages import demo
from tests.support.examples import PARAMS

SMALL = DemoParams.model_validate({**PARAMS["demo"], "stores": 4, "items": 6, "years": 2.0})
ROSSMANN = SMALL.model_copy(update={"stores": 150, "items": 1, "years": 2.58, "future_days": 60, "level": 5500.0,
                                    "promotions": True, "closed_days": True})


def changed(base: DemoParams, **changes: object) -> DemoParams:
    return DemoParams.model_validate(base.model_dump() | changes)


@pytest.fixture(scope="module")
def default() -> Chain:
    return generate(DemoParams.model_validate(PARAMS["demo"]))


@pytest.fixture(scope="module")
def rossmann() -> Chain:
    return generate(ROSSMANN)


def test_full_size_in_the_schema_of_the_competition(project, capsys):
    root = project()
    demo.main()
    assert "913,500 rows, 500 series" in capsys.readouterr().out
    lines = (root / "data/demo/sales.csv").read_text().splitlines()
    assert lines[0] == "date,store,item,sales"
    assert lines[1].startswith("2020-01-01,1,1,")
    assert lines[-1].startswith("2024-12-31,10,50,")
    table = csv.read_csv(root / "data/demo/sales.csv")
    assert [str(kind) for kind in table.schema.types] == ["date32[day]", "int64", "int64", "int64"]
    assert table.group_by(["store", "item"]).aggregate([("sales", "count")])["sales_count"].unique().to_pylist() == [1827]
    assert table["sales"].to_numpy().min() >= 1


def test_looks_like_retail(default):
    sales = default.units.astype(float)
    relative = sales / sales.mean(axis=0)
    profile = np.stack([relative[weekdays(default.dates) == day].mean(axis=0) for day in range(7)])
    assert profile[5].mean() > 1.3 * profile[0].mean()  # Saturday and Monday
    by_item = profile.reshape(7, 10, 50).mean(axis=1)
    assert 0.03 < by_item.std(axis=1).mean() < 0.15  # items differ
    month = default.dates.astype("datetime64[M]").astype(int) % 12
    assert relative[month == 6].mean() > 1.4 * relative[month == 0].mean()
    year = default.dates.astype("datetime64[Y]").astype(int)
    growth = np.diff([np.log(relative[year == y].mean()) for y in np.unique(year)])
    assert (growth > 0.01).all()
    assert growth.mean() == pytest.approx(np.log(1.06), abs=0.03)
    assert 0.4 < np.log(sales.mean(axis=0)).std() < 0.8


def test_counts_are_negative_binomial():
    rng = np.random.default_rng(1)
    units = effects.counts(rng, np.full((40_000,), np.log(50.0)), 0.4).astype(float)
    assert units.mean() == pytest.approx(50, rel=0.01)
    assert units.var() == pytest.approx(50 + (0.7 * 0.4 * 50) ** 2, rel=0.05)


def test_same_seed_same_data_other_seed_other_data():
    units = generate(SMALL).units
    np.testing.assert_array_equal(units, generate(SMALL).units)
    assert (units != generate(changed(SMALL, seed=7)).units).mean() > 0.9


@pytest.mark.parametrize("base", [SMALL, changed(SMALL, feasts=1.0), changed(ROSSMANN, stores=20, level_shifts=0.5)],
                         ids=["plain", "feasts", "promotions"])
def test_more_years_only_append_days(base):
    short, long = generate(base), generate(changed(base, years=base.years + 0.4))
    assert long.sold - short.sold == pytest.approx(146, abs=1)
    for name in ("units", "promo", "open", "row"):
        np.testing.assert_array_equal(getattr(short, name), getattr(long, name)[: len(short.dates)])


@pytest.mark.parametrize("kind", ["level", "growth", "weekday", "season", "noise"])
def test_drift_changes_its_share_of_the_series_from_its_start_only(kind):
    drift = {"kind": kind, "start": "2021-06-01", "size": 0.8, "share": 0.5}
    before, after = generate(SMALL), generate(changed(SMALL, drift=drift))
    differs = before.units != after.units
    assert not differs[before.dates < np.datetime64("2021-06-01")].any()
    touched = differs.any(axis=0)
    assert 0.2 < touched.mean() < 0.8
    assert differs[before.dates >= np.datetime64("2021-06-01")][:, touched].mean() > 0.8


def test_level_drift_has_its_size_and_starts_eight_weeks_ago_by_default():
    drift = {"kind": "level", "start": None, "size": 0.5, "share": 1.0}
    before, after = generate(SMALL), generate(changed(SMALL, drift=drift))
    np.testing.assert_array_equal(before.units[:-56], after.units[:-56])
    assert after.units[-56:].sum() / before.units[-56:].sum() == pytest.approx(1.5, abs=0.03)


def test_drift_outside_the_days_is_refused():
    with pytest.raises(UserError, match=r"demo\.drift\.start = 2031-01-01 lies outside"):
        generate(changed(SMALL, drift={"kind": "level", "start": "2031-01-01", "size": 0.5, "share": 1.0}))


def test_promotions(rossmann):
    weekday = weekdays(rossmann.dates)
    assert not rossmann.promo[weekday >= 5].any()
    assert (rossmann.promo == rossmann.promo[:, :1]).all()  # chain-wide
    assert 0.4 < rossmann.promo[weekday < 5, 0].mean() < 0.6
    sold = np.where(rossmann.open & rossmann.row, rossmann.units, np.nan)[: rossmann.sold]
    promo, weekday = rossmann.promo[: rossmann.sold, 0], weekday[: rossmann.sold]
    uplift = [np.nanmean(sold[(weekday == day) & promo]) / np.nanmean(sold[(weekday == day) & ~promo]) for day in range(5)]
    assert np.mean(uplift) == pytest.approx(1.39, abs=0.08)
    assert uplift[0] == max(uplift)


def test_closed_days_gaps_and_the_december_peak(rossmann):
    sunday = weekdays(rossmann.dates) == 6
    assert rossmann.open[sunday].mean() < 0.08
    assert rossmann.open[~sunday].mean() > 0.95
    holidays = np.isin(rossmann.dates, np.array(["2020-04-10", "2020-04-13", "2021-12-25", "2022-06-06"], "M8[D]"))
    assert not rossmann.open[holidays].any()
    assert (rossmann.units[~rossmann.open] == 0).all()
    missing = (~rossmann.row).sum(axis=0)
    assert 0.08 < (missing > 0).mean() < 0.25
    assert 120 < missing[missing > 0].mean() < 215
    sold = np.where(rossmann.open & rossmann.row, rossmann.units, np.nan)[: rossmann.sold]
    month = rossmann.dates.astype("datetime64[M]").astype(int)[: rossmann.sold] % 12
    assert np.nanmean(sold[month == 11]) > 1.1 * np.nanmean(sold)


@pytest.mark.parametrize("day", ["2013-03-31", "2016-03-27", "2038-04-25"])
def test_good_friday_and_easter_monday_are_holidays(day):
    days = np.datetime64(day) + np.arange(-3, 3)
    np.testing.assert_array_equal(effects.public_holidays(days), [False, True, False, False, True, False])


def test_future_rows_carry_the_known_columns_only():
    table = to_table(generate(changed(ROSSMANN, stores=3)), promotions=True, closed_days=True)
    assert table.column_names == ["date", "store", "item", "sales", "promo", "open"]
    future = table.filter(table["sales"].is_null())
    assert future.num_rows == 3 * 60
    assert future["promo"].null_count == future["open"].null_count == 0
    assert min(future["date"].to_pylist()) > max(table.filter(table["sales"].is_valid())["date"].to_pylist())


def test_feasts_move_with_easter_and_leave_all_other_days_alone():
    """The German holidays of the package `holidays` are those that move the demo's sales."""
    plain, festive = generate(SMALL), generate(changed(SMALL, feasts=1.0))
    moved = np.abs(np.log(festive.units.sum(axis=1) / plain.units.sum(axis=1)))
    near = near_feasts(plain.dates)
    assert moved[~near].max() < 0.15  # chance
    assert moved[near].max() > 0.5
    first, last = (day.astype(object) for day in plain.dates[[0, -1]])
    holidays = {event.first for event in public_holidays("DE", first, last)}
    assert {day for days in feast_days(plain.dates) for day in days.astype(object) if first <= day <= last} <= holidays
