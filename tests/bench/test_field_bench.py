"""The judge on real files: its measures by hand and against oracles, what methods see, and what it says of a wrong manifest."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from scipy import stats

from bench.field import field_report, judge, manifest, peers, summary
from bench.field.metrics import file_errors, point_errors, randomised_coverage
from bench.field.project import this_project
from bench.field.tasks import HORIZON, Task, cut_at, read_sales, visible_table
from demand.cleaning.cleaning_report import prepare, prepare_rows
from demand.ingest.data_params import DataParams
from demand.ingest.table_reader import Source
from demand.schema.errors import UserError
from workspace.run.all_params import Params, load_all_params

DAYS, ORIGIN = 200, np.datetime64("2021-05-31")
INSTALLED = [peer for peer in peers.PEERS if find_spec("mlforecast") and find_spec("statsforecast")] or list(peers.PEERS[:2])


def sales_frame() -> pd.DataFrame:
    """Three items of a till, days without a sale left out; the third begins late, the second ends."""
    rng = np.random.default_rng(0)
    parts = []
    for item, (mean, first, last) in {"a": (9, 0, DAYS), "b": (2, 10, 120), "c": (4, 60, DAYS)}.items():
        units = rng.poisson(mean, DAYS)
        day = np.flatnonzero((units > 0) & (np.arange(DAYS) >= first) & (np.arange(DAYS) < last))
        parts.append(pd.DataFrame({"Day": pd.Timestamp("2021-01-01") + pd.to_timedelta(day, "D"), "Article": item,
                                   "Units": units[day], "price": 2.0 + (day > 100)}))
    return pd.concat(parts, ignore_index=True)


ENTRY = {"title": "a till", "path": "till.csv", "origins": [str(ORIGIN)],
         "data": {"columns": {"date": "Day", "store": None, "item": "Article", "sales": "Units"}, "missing_days": "zero"}}


@pytest.fixture(scope="module")
def params() -> Params:
    base = load_all_params()
    return base.model_copy(update={"train": base.train.model_copy(update={"rows": 2000, "n_estimators": 10})})


def layout(folder: Path, frame: pd.DataFrame, planned: tuple[str, ...] = ()) -> DataParams:
    frame.to_csv(folder / "till.csv", index=False)
    entry = manifest.FieldFile.model_validate(ENTRY | {"planned": planned})
    return manifest.layout_of("till", entry, folder, manifest.committed_data())


def task_of(folder: Path, frame: pd.DataFrame, planned: tuple[str, ...] = ()) -> tuple[Task, np.ndarray]:
    return cut_at(read_sales(layout(folder, frame, planned)), ORIGIN)


def test_point_errors_by_hand():
    actual, forecast = np.array([[1.0, 3.0], [0.0, np.nan]]), np.array([[2.0, 2.0], [1.0, 50.0]])
    assert point_errors(actual, forecast) == pytest.approx({"wape_days": 75, "wape_totals": 25, "bias": 25})
    assert all(np.isnan(value) for value in point_errors(np.zeros((1, 2)), np.ones((1, 2))).values())
    origins = [{"wape_days": 10.0, "wape_totals": 4.0, "bias": -4.0}, {"wape_days": 20.0, "wape_totals": 6.0, "bias": 6.0}]
    assert file_errors(origins) == {"wape_days": 15, "wape_totals": 5, "bias": 1, "bias_abs": 5}


@pytest.mark.parametrize("mean", [0.02, 0.15, 0.6, 2.0, 7.0, 60.0])
def test_right_intervals_of_counts_cover_what_a_randomised_pit_says(mean: float):
    """The oracle knows the distribution: it draws u between P(sales < y) and P(sales <= y), and asks if it is in (0.1, 0.9)."""
    rng = np.random.default_rng(1)
    means = mean * rng.gamma(4, 1 / 4, 20_000)
    distribution = stats.nbinom(2, 2 / (2 + means))
    actual = distribution.rvs(random_state=rng)
    u = rng.uniform(distribution.cdf(actual - 1), distribution.cdf(actual))
    oracle = 100 * ((u > 0.1) & (u < 0.9)).mean()
    low, high = distribution.ppf(0.1), distribution.ppf(0.9)
    assert oracle == pytest.approx(80, abs=1)
    assert randomised_coverage(actual, low, high, means) == pytest.approx(oracle, abs=1.5)


def test_wrong_intervals_are_not_excused():
    rng = np.random.default_rng(2)
    means = rng.gamma(2, 3, 20_000)
    actual = rng.poisson(means)
    twice, half = stats.poisson(2 * means + 1), stats.poisson(means / 2)
    assert randomised_coverage(actual, twice.ppf(0.1), twice.ppf(0.9), means) < 65
    assert randomised_coverage(actual, half.ppf(0.1), half.ppf(0.9), means) < 65
    assert randomised_coverage(actual, 0 * means - 1, 9 * means + 50, means) > 99


def test_without_ties_it_is_plain_coverage_and_certain_zeros_count_as_a_pit_does():
    rng = np.random.default_rng(3)
    actual = rng.normal(10, 1, 3000)
    actual[:7] = np.nan
    low, high = np.full(3000, 8.5), np.full(3000, 11.0)
    plain = 100 * ((actual >= low) & (actual <= high))[7:].mean()
    assert randomised_coverage(actual, low, high, rng.uniform(size=3000)) == pytest.approx(plain)
    zeros = np.zeros(1000)
    assert randomised_coverage(zeros, zeros, zeros, zeros) == pytest.approx(80)
    assert np.isnan(randomised_coverage(np.array([np.nan]), zeros[:1], zeros[:1], zeros[:1]))


def test_a_day_without_a_row_is_0_and_series_known_by_then_are_scored(tmp_path: Path):
    frame = sales_frame()
    frame.loc[(frame["Article"] == "a") & (frame["Day"] == "2021-06-03"), "Units"] = np.nan
    late = pd.DataFrame({"Day": ["2021-06-10"], "Article": "later", "Units": 5.0, "price": 1.0})
    task, actual = task_of(tmp_path, pd.concat([frame, late.assign(Day=pd.to_datetime(late["Day"]))]))
    assert task.item.tolist() == ["a", "b", "c"]
    assert task.store.tolist() == ["all"] * 3
    assert np.isnan(actual[0, 2])  # a row that states no sales
    assert actual[1].tolist() == [0] * HORIZON  # ended: no rows
    for row, item in enumerate(task.item):
        units = frame[frame["Article"] == item].set_index("Day")["Units"]
        expected = units.reindex(pd.date_range("2021-06-01", periods=HORIZON), fill_value=0)
        np.testing.assert_allclose(actual[row], expected)
        past = units.reindex(pd.date_range(units.index.min(), "2021-05-31"), fill_value=0)
        np.testing.assert_allclose(task.sales[row][-len(past):], past)
        assert np.isnan(task.sales[row][:-len(past)]).all()


@pytest.mark.parametrize("planned", [(), ("price",)])
def test_nothing_after_the_origin_reaches_any_method(tmp_path: Path, params: Params, planned: tuple[str, ...]):
    frame = sales_frame()
    later = frame["Day"] > pd.Timestamp(ORIGIN)
    spoiled = frame.assign(Units=frame["Units"].where(~later, 9999))
    extra = frame[later & (frame["Article"] == "a")].assign(Article="new", Units=7)
    fewer = frame[~later | (frame["Article"] != "c") | (frame["Day"] > "2021-07-01")]  # c is not listed for a month
    task, actual = task_of(tmp_path, frame, planned)
    clean = this_project(task, layout(tmp_path, frame, planned), params)
    assert clean.point.sum() > 0
    for other in (pd.concat([spoiled, extra]), fewer):
        seen, came = task_of(tmp_path, other, planned)
        assert (came != actual).any()
        for name in ("sales", "row", "planned", "dates", "item"):
            np.testing.assert_array_equal(getattr(seen, name), getattr(task, name), err_msg=name)
        np.testing.assert_array_equal(this_project(seen, layout(tmp_path, other, planned), params).point, clean.point)
    assert task.planned.shape == (3, len(task.dates) + HORIZON, len(planned))
    assert not np.isnan(task.planned).any()


def test_the_visible_rows_are_those_of_the_file_cut_at_the_origin(tmp_path: Path, params: Params):
    frame = sales_frame()
    task, _ = task_of(tmp_path, frame)
    rebuilt, _ = prepare_rows(Source(visible_table(task), lambda rows: rows, "row"), layout(tmp_path, frame), params.prepare, 28)
    cut = layout(tmp_path, frame[frame["Day"] <= pd.Timestamp(ORIGIN)])
    read, _ = prepare(pa.py_buffer((tmp_path / "till.csv").read_bytes()), cut, params.prepare, 28)
    for name in ("sales", "status", "recorded", "dates"):
        np.testing.assert_array_equal(getattr(rebuilt, name), getattr(read, name))


def test_transactions_are_days_and_their_visible_rows_those_of_the_cut_file(tmp_path: Path, params: Params):
    frame = sales_frame()
    rows = frame.loc[frame.index.repeat(frame["Units"])].reset_index(drop=True)
    rows = pd.DataFrame({"Date": rows["Day"].dt.strftime("%d-%m-%Y"), "what": rows["Article"], "at": rows["Day"]})
    columns = {"date": "Date", "store": None, "item": "what", "sales": None}
    entry = manifest.FieldFile.model_validate(ENTRY | {"data": {"columns": columns}})
    plan = manifest.layout_of("till", entry, tmp_path, manifest.committed_data())
    rows.to_csv(tmp_path / "till.csv", index=False)
    task, actual = cut_at(read_sales(plan), ORIGIN)
    whole, expected = task_of(tmp_path, frame)
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(task.sales, whole.sales)
    rebuilt, _ = prepare_rows(Source(visible_table(task), lambda row: row, "row"), plan, params.prepare, 28)
    rows[rows["at"] <= pd.Timestamp(ORIGIN)].to_csv(tmp_path / "till.csv", index=False)
    read, _ = prepare(pa.py_buffer((tmp_path / "till.csv").read_bytes()), plan, params.prepare, 28)
    np.testing.assert_array_equal(rebuilt.sales, read.sales)
    np.testing.assert_array_equal(rebuilt.status, read.status)


def test_simple_peers_against_loops(tmp_path: Path):
    task, _ = task_of(tmp_path, sales_frame())
    past, last = task.sales, len(task.dates) - 1
    for h in range(1, HORIZON + 1):
        days = [d for d in range(last + h - 7 * 40, last + 1, 7) if d >= 0]
        for series in range(3):
            values = [past[series, d] for d in days if not np.isnan(past[series, d])][-8:]
            assert peers.weekday_mean(task)[series, h - 1] == pytest.approx(np.mean(values))
            assert peers.seasonal_naive(task)[series, h - 1] == pytest.approx(values[-1])  # no year of history yet


def test_the_seasonal_naive_looks_52_weeks_back():
    sales = np.arange(400, dtype="f4")[None]
    task = Task(np.array(["s"]), np.array(["i"]), np.datetime64("2020-01-01") + np.arange(400), sales, np.ones((1, 400), bool),
                np.empty((1, 428, 0), "f4"))
    np.testing.assert_array_equal(peers.seasonal_naive(task)[0], 400 + np.arange(HORIZON) - 364)


@pytest.mark.parametrize("peer", INSTALLED)
def test_every_peer_answers_for_every_series(tmp_path: Path, peer: Any):
    for forecast in peer(task_of(tmp_path, sales_frame())[0]).values():
        assert forecast.shape == (3, HORIZON)
        assert np.isfinite(forecast).all()


@pytest.mark.parametrize(("change", "message"), [
    ({"titel": "x"}, r"till\.titel is unknown: did you mean title"),
    ({"origins": ["2021-05-31", "2021-05-01"]}, r"till\.origins.*have to ascend"),
    ({"origins": ["soon"]}, r"till\.origins"),
    ({"data": {"as_of": "2021-01-01"}}, r"till\.data.*the bench sets as_of itself"),
])
def test_a_wrong_manifest_is_one_sentence(tmp_path: Path, change: dict[str, Any], message: str):
    file = tmp_path / "files.yaml"
    file.write_text(yaml.safe_dump({"till": ENTRY | change}))
    with pytest.raises(UserError, match=message):
        manifest.read_manifest(file)


def test_a_manifest_that_names_nothing_or_what_is_not_there(tmp_path: Path):
    assert manifest.manifest_of(tmp_path) == manifest.manifest_of(Path("elsewhere"))
    file = tmp_path / "files.yaml"
    with pytest.raises(UserError, match=r"is missing: write the manifest"):
        manifest.read_manifest(file)
    file.write_text("{}")
    assert manifest.manifest_of(tmp_path) == file
    with pytest.raises(UserError, match="names no files"):
        manifest.read_manifest(file)
    entry = manifest.FieldFile.model_validate(ENTRY)
    with pytest.raises(UserError, match=r"cannot be read.*relative to its folder"):
        read_sales(manifest.layout_of("till", entry, tmp_path, manifest.committed_data()))
    wrong = entry.model_copy(update={"data": {"missing_day": "zero"}})
    with pytest.raises(UserError, match=r"manifest entry till.*\n.*data\.missing_day is unknown"):
        manifest.layout_of("till", wrong, tmp_path, manifest.committed_data())
    with pytest.raises(UserError, match=r"origin 2021-07-10: the rows reach from 2021-01-01"):
        cut_at(read_sales(layout(tmp_path, sales_frame())), np.datetime64("2021-07-10"))


def test_the_committed_manifest_reads():
    entries = manifest.read_manifest(manifest.manifest_of(Path("no folder")))
    assert len(entries) >= 5
    for name, entry in entries.items():
        manifest.layout_of(name, entry, Path("folder"), manifest.committed_data())
        assert len(entry.origins) == 4


def test_a_refusal_is_words_and_the_run_goes_on(tmp_path: Path, params: Params, monkeypatch: pytest.MonkeyPatch):
    layout(tmp_path, sales_frame())
    simple = {"weekday mean": peers.weekday_mean, "seasonal naive": peers.seasonal_naive}
    monkeypatch.setattr(peers, "peer_forecasts", lambda task: {name: peer(task) for name, peer in simple.items()})
    entry = manifest.FieldFile.model_validate(ENTRY | {"origins": ["2021-05-15", "2021-05-31"]})

    def refuse(task: Task, *rest: Any) -> Any:
        if task.origin == ORIGIN:
            raise UserError("too short\nmore")
        return this_project(task, *rest)

    monkeypatch.setattr(judge, "this_project", refuse)
    record, days = judge.judge_file("till", entry, tmp_path, params)
    assert record["origins"]["2021-05-31"]["refused"] == "too short"
    assert record["answered"] == 1
    first = record["origins"]["2021-05-15"]["methods"]
    assert record["methods"]["weekday mean"]["wape_days"] == first["weekday mean"]["wape_days"]  # of the same origins
    assert len(days[0]) == 3 * HORIZON
    files = {"till": record}
    page = field_report.markdown({"machine": "one", "files": files, "summary": summary.summarise(files, 80.0)})
    assert "- till, 2021-05-31: too short" in page
    assert "every origin of every file is answered | no | **missed**" in page
    monkeypatch.setattr(peers, "peer_forecasts", None)  # an earlier run's figures hold while the task is the same
    again, _ = judge.judge_file("till", entry, tmp_path, params, record)
    assert again == record
    assert judge.refusal(ValueError("inf")) == "it broke with ValueError: inf"


def test_ratios_losses_and_targets_by_hand():
    def file(ours: float, peer: float) -> dict[str, Any]:
        scores = {name: {"wape_totals": value, "wape_days": 50.0, "bias": -4.0, "bias_abs": 6.0}
                  for name, value in (("this project", ours), ("ETS", peer), ("TSB", 2 * peer))}
        return {"title": "t", "planned": [], "answered": 6, "coverage_80": 82.0, "methods": scores,
                "origins": {"2021-05-31": {"refused": None, "series": 3, "methods": scores}}}

    files = {"good": file(8.0, 16.0), "bad": file(22.0, 20.0)}
    table = summary.summarise(files, 82.0)
    assert table["methods"]["this project"]["wape_totals"]["mean"] == pytest.approx((0.5 * 1.1) ** 0.5)
    assert table["methods"]["TSB"]["wape_totals"] == {"mean": pytest.approx(2), "worst": 2.0, "worst_file": "good",
                                                      "by_file": {"good": 2.0, "bad": 2.0}}
    reached = [row["reached"] for row in table["targets"]]
    assert reached == [True, True, False, False, True, True, True, True]
    page = field_report.markdown({"machine": "one", "files": files, "summary": table})
    assert "- bad, 28-day totals: 22.0 %, ETS 20.0 % (1.10 ×)" in page
    assert "- good" not in page
