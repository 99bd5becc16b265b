"""The next days of every series, and the answer to a test file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from demand.model.demand_model import DemandModel
from demand.panel.forecast import Forecast
from demand.panel.lag_features import feature_table
from demand.panel.panel import Panel
from demand.planning.forecast_table import forecast_next_days
from demand.planning.submission import read_test_file, submission_rows
from demand.schema.errors import UserError
from stages import forecast
from tests.support.models import put_candidate, put_champion
from tests.support.panels import TRAIN, noisy, panel, ready, shaped
from tests.support.parts import REAL
from workspace.run import paths
from workspace.run.files import write_table

HORIZON = 28


@pytest.fixture(scope="module")
def sold() -> Panel:
    return ready(panel(noisy(shaped(6, 400))), 1)


@pytest.fixture(scope="module")
def model(sold: Panel) -> DemandModel:
    return DemandModel.fit(sold, TRAIN, HORIZON)


@pytest.fixture
def made(sold: Panel, model: DemandModel) -> Forecast:
    return forecast_next_days(sold, model, HORIZON)


@pytest.fixture
def root(project: Callable[..., Path], sold: Panel, model: DemandModel) -> Path:
    """A project at the point where compare has just run, without a champion."""
    root = project({"forecast.horizon": HORIZON, "data.test_file": "test.csv"})
    write_table(paths.FEATURES, feature_table(sold))
    for path in (paths.MODEL, paths.SUBMISSION):
        path.parent.mkdir(parents=True)
    put_candidate(model)
    paths.CHAMPION.write_text('{"version": null}')
    (root / "test.csv").write_text("id,date,store,item\n")
    return root


@pytest.mark.usefixtures("root")
def test_one_row_per_series_and_day(sold: Panel, capsys: pytest.CaptureFixture[str]):
    forecast.main()
    table = parquet.read_table(paths.FORECAST)
    assert table.column_names == ["store", "item", "date", "horizon", "forecast", "lo_80", "hi_80", "lo_95", "hi_95"]
    assert table.num_rows == sold.n_series * HORIZON
    rows = table.to_pylist()
    keys = [(row["store"], row["item"], row["date"]) for row in rows]
    assert keys == sorted(keys)
    for row in rows:
        assert row["date"] == (sold.last_day + row["horizon"]).astype(object)
        assert 0 <= row["lo_95"] <= row["lo_80"] <= row["forecast"] <= row["hi_80"] <= row["hi_95"]
    assert paths.SUBMISSION.read_text() == "id,sales\n"
    assert "168 forecasts from 2021-02-09 on by the candidate" in capsys.readouterr().out
    first = paths.FORECAST.read_bytes()
    forecast.main()
    assert paths.FORECAST.read_bytes() == first


@pytest.mark.usefixtures("root")
def test_a_champion_from_the_future_is_not_asked(model: DemandModel, capsys: pytest.CaptureFixture[str]):
    put_champion(model, trained_through="2021-02-09")  # the day after the last
    forecast.main()
    assert "champion 20210101T000000Z has seen days after 2021-02-08" in capsys.readouterr().out


@pytest.mark.usefixtures("root")
def test_the_champion_forecasts_once_there_is_one(sold: Panel, capsys: pytest.CaptureFixture[str]):
    older = DemandModel.fit(sold.through(sold.dates[330]), TRAIN, HORIZON)
    path = Path(put_champion(older).model)
    forecast.main()
    expected = forecast_next_days(sold, older, HORIZON).point.ravel()
    np.testing.assert_array_equal(parquet.read_table(paths.FORECAST)["forecast"].to_numpy(), expected)
    assert "by 20210101T000000Z" in capsys.readouterr().out
    path.write_bytes(b"other")
    with pytest.raises(UserError, match="not the model that was promoted"):
        forecast.main()


def test_the_submission(root: Path, made: Forecast):
    rows = (b"id,date,store,item", b"7,2021-02-10,1,2", b"x, 2021-03-08 ,2,1", b"0,2021-02-09,1,1", b"")
    (root / "test.csv").write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(rows))
    forecast.main()
    lines = [line.split(",") for line in paths.SUBMISSION.read_text().splitlines()]
    assert lines[0] == ["id", "sales"]
    assert [line[0] for line in lines[1:]] == ["7", "x", "0"]
    expected = [made.point[1, 1], made.point[5, 27], made.point[0, 0]]
    np.testing.assert_allclose([float(line[1]) for line in lines[1:]], expected, atol=5e-4)


@pytest.mark.parametrize(("rows", "message"), [
    ("1,2021-02-09,1,1\n2,2021-02-09,9,1\n",
     "1 row with a store and item that the sales do not have: line 3: 'store 9, item 1'. Remove"),
    ("1,2021-03-09,1,1\n2,2021-02-08,1,1\n3,soon,1,1\n",
     "3 rows with a date outside 2021-02-09 to 2021-03-08: line 2: '2021-03-09'; line 3: '2021-02-08'; line 4: 'soon'. Set"),
    ("1,2021-02-09,1,1\n1,2021-02-10,1,1\n,2021-02-10,1,2\n",
     "2 rows with no id, or one that stood before: line 3: '1'; line 4: ''. Make"),
])
def test_rows_that_cannot_be_answered_are_named(root: Path, rows: str, message: str):
    (root / "test.csv").write_text("id,date,store,item\n" + rows)
    with pytest.raises(UserError) as error:
        forecast.main()
    assert str(error.value).startswith("test.csv: ")
    assert message in str(error.value)
    assert not paths.FORECAST.exists()


def test_every_kind_of_wrong_row_is_told_at_once(sold: Panel, made: Forecast):
    asked = {"id": ["1"] * 20, "date": ["never"] * 20, "store": ["x"] * 20, "item": ["y"] * 20}
    with pytest.raises(UserError, match=r"20 rows with a store .*; and 15 more\. .*\n  20 rows with a date .*\n  19 rows with "):
        submission_rows(asked, "test.csv", sold, made)


@pytest.mark.parametrize(("content", "message"), [
    (None, "is missing: set data.test_file"), (b"", "cannot be read"), (b"\x1f\x8b\x00\xff", "(cannot be read|has no column)"),
    (b"id,day,store,item\n1,2,3,4\n", "has no column date: data.test_file needs id, date, store, item"),
    (b"id,date,store,item\n1,2\n", "cannot be read"),
])
def test_files_that_are_no_test_files(root: Path, content: bytes | None, message: str):
    (root / "test.csv").unlink()
    if content is not None:
        (root / "test.csv").write_bytes(content)
    with pytest.raises(UserError, match=message):
        forecast.main()


def test_ids_that_are_text():
    whole = panel(noisy(shaped(2, 300)))
    texts = Panel(**{**whole.__dict__, "store": np.array(["north", "south"], object), "item": np.array(["01", "1"], object)})
    made = Forecast(whole.last_day, np.array([[1.5], [2.5]], "f4"), {}, {})
    asked = {"id": ["a", "b"], "date": [str(whole.last_day + 1)] * 2, "store": ["south", " north"], "item": ["1", "01"]}
    assert submission_rows(asked, "test.csv", texts, made)== [("a", 2.5), ("b", 1.5)]


def test_missing_known_future_values_are_named(model: DemandModel):
    whole = panel(noisy(shaped(6, 400)), known={"promo": np.zeros((6, 400))}).extended(HORIZON)
    whole.known[:, 400:] = 0
    whole.known[4, 410:] = np.nan
    message = r"promo has no value on 2021-02-19 for store 1, item 5, and 17 more are missing: .* every day up to 2021-03-08"
    with pytest.raises(UserError, match=message):
        forecast_next_days(whole, model, HORIZON)


@pytest.mark.needs("data")
def test_the_real_test_file():
    """The competition's form."""
    file = REAL / "store_item_test.csv"
    asked = read_test_file(file.read_bytes(), str(file))
    made = Forecast(np.datetime64("2017-12-31"), np.arange(500 * 90, dtype="f4").reshape(500, 90), {}, {})
    item, store = np.indices((50, 10))
    chain = panel(np.ones((500, 2)))
    chain = Panel(**{**chain.__dict__, "store": store.ravel() + 1, "item": item.ravel() + 1})
    answer = submission_rows(asked, str(file), chain, made)
    assert answer == [(str(n), float(n)) for n in range(45_000)]  # its rows run by item, then store, then day
