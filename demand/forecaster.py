"""The model with the face that data scientists know: fit, predict, explain and cross_validation on long data frames.

    from demand.forecaster import DemandForecaster

    model = DemandForecaster().fit(sales)          # columns: date, store, item, sales
    next_days = model.predict(h=28)                # store, item, date, horizon, forecast, lo_80, hi_80, lo_95, hi_95
    reasons = model.explain(h=28)                  # store, item, date, horizon, forecast, level, growth, weekday, month ...

Frames are anything that Arrow can read (pandas, polars, pyarrow); pandas in gives pandas out, anything else a pyarrow table.
Checks, cleaning, model and numbers are those of the pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

import numpy as np
import pyarrow as pa
from pyarrow import csv

from demand.backtest.folds import Fold, backtest
from demand.cleaning.cleaning_report import prepare_rows
from demand.cleaning.prepare_params import DEFAULTS as PREPARE
from demand.ingest.data_params import Columns, DataParams
from demand.ingest.table_reader import source_of_table
from demand.model.demand_model import DemandModel
from demand.model.explanation import explain
from demand.model.trees.train_params import TrainParams
from demand.panel.arrow import to_arrow
from demand.panel.forecast import LEVELS
from demand.panel.panel import Panel
from demand.planning.forecast_table import forecast_next_days, forecast_table, table_of_days, with_days_ahead
from demand.schema.errors import UserError

TRAIN = TrainParams(algorithm="xgboost", base="auto", max_depth=6, n_estimators=200, learning_rate=0.1, rows=80_000, seed=0)
DATA = DataParams(files=None, source="the data frame", columns=Columns(date="date", store="store", item="item", sales="sales"),
                  known_future=(), calendar=None, events="events", items="items", stores="stores", as_of=None,
                  test_file="", missing_days="auto", transactions=False, date_format=None, separator=None,
                  decimal=None, encoding=None)
HORIZON = 90  # days


class DemandForecaster:
    """Daily demand per store and item.

    Args:
        future_covariates: names of numeric columns that are known for the days to forecast, such as promo, open or price.
        horizon: days ahead that the model is fitted for.
        calendar: country, or country-subdivision, of the public holidays by store; `default` for all others (docs/data.md).
        events: a frame of own events: name, first_day, last_day; where needed store, days_before, days_after.
        items, stores: frames of attributes: item, or store, and a column for each.
        train: changes to the settings of params.yaml's section `train`, such as max_depth=4.
    """

    def __init__(self, future_covariates: Sequence[str] = (), horizon: int = HORIZON, calendar: Mapping[str, str] | None = None,
                 events: Any = None, items: Any = None, stores: Any = None, **train: Any) -> None:
        self.future_covariates, self.horizon = tuple(future_covariates), horizon
        frames = {"events": events, "items": items, "stores": stores}
        self.calendar = calendar
        self.tables = {name: csv_of(as_table(frame)) for name, frame in frames.items() if frame is not None}
        self.train = TrainParams.model_validate(TRAIN.model_dump() | train)
        self.model: DemandModel | None = None

    def fit(self, df: Any) -> Self:
        """Fit to a frame with one row per store, item and day: date, store, item, sales and the future covariates.

        Raises:
            UserError: names the rows that cannot be used, and what to do.
        """
        self.history, self.pandas = as_table(df), hasattr(df, "iloc")
        self.panel = self.panel_of(self.history)
        self.model = DemandModel.fit(self.panel, self.train, self.horizon)
        return self

    def predict(self, h: int | None = None, X_df: Any = None, level: Sequence[int] = LEVELS) -> Any:
        """The next `h` days of every series, units per day, sorted by store, item and date.

        Args:
            h: days; those that the model was fitted for when left out.
            X_df: store, item, date and the future covariates of the days to forecast; not needed without covariates.
            level: intervals to give, of 80 and 95 %.
        """
        if unknown := set(level) - set(LEVELS):
            raise UserError(f"level = {sorted(unknown)}: there are intervals of {' and '.join(map(str, LEVELS))} %")
        model, panel = self.model_and_panel(X_df)
        table = forecast_table(panel, forecast_next_days(panel, model, h or self.horizon))
        return self.like_input(table.drop([f"{end}_{each}" for each in LEVELS if each not in level for end in ("lo", "hi")]))

    def explain(self, h: int | None = None, X_df: Any = None, exact: bool | None = None) -> Any:
        """Why predict says so: store, item, date, horizon, forecast, then one column per factor; their product is the forecast.

        Args:
            h, X_df: as of predict.
            exact: whether XGBoost's contributions are SHAP values, up to 1 ms per row, or a fast approximation with the same sum;
                None for SHAP values of up to 500 rows.

        Returns:
            Rows sorted by store, item and date. What each factor is: demand/model/explanation.py.
        """
        model, panel = self.model_and_panel(X_df)
        h = h or self.horizon
        made = explain(model, with_days_ahead(panel, h), panel.last_day, h, exact=exact)
        return self.like_input(table_of_days(panel, panel.last_day, {"forecast": made.forecast, **made.factors}))

    def model_and_panel(self, X_df: Any) -> tuple[DemandModel, Panel]:
        """The model, and the panel with the future covariates of `X_df`."""
        if self.model is None:
            raise UserError("fit the forecaster before it predicts")
        return self.model, self.panel if X_df is None else self.panel_of(with_future_rows(self.history, as_table(X_df)))

    def cross_validation(self, df: Any, n_windows: int = 4, step_size: int | None = None, h: int | None = None) -> Any:
        """Forecasts from past origins beside what was sold, each by a model that saw nothing after its origin.

        Args:
            n_windows: origins, the last one `h` days before the end of the data.
            step_size: days between them; `h` when left out.

        Returns:
            The columns of predict, with `cutoff`, the origin, and `sales` as recorded (null where there is no row).
        """
        h = h or self.horizon
        self.pandas = hasattr(df, "iloc")
        panel = self.panel_of(as_table(df))
        last, step = panel.last_day - h, step_size or h
        fit = partial(DemandModel.fit, train=self.train, horizon=h)
        folds = backtest(panel, fit, [last - step * k for k in reversed(range(n_windows))], h)
        return self.like_input(pa.concat_tables([fold_table(fold) for fold in folds]))

    def panel_of(self, table: pa.Table) -> Panel:
        """The cleaned panel of a table of sales."""
        layout = DATA.model_copy(update={"known_future": self.future_covariates, "calendar": self.calendar})
        return prepare_rows(source_of_table(table, layout), layout, PREPARE, 0, self.tables)[0]

    def like_input(self, table: pa.Table) -> Any:
        """pandas where the input was."""
        return table.to_pandas() if self.pandas else table


def as_table(df: Any) -> pa.Table:
    """A frame as an Arrow table; a UserError where Arrow cannot read it."""
    try:
        return df if isinstance(df, pa.Table) else pa.table(df)
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise UserError(f"a {type(df).__name__} is no data frame that Arrow can read ({error})") from None


def csv_of(table: pa.Table) -> pa.Buffer:
    """A table as the content of a CSV file."""
    stream = pa.BufferOutputStream()
    csv.write_csv(table, stream)
    return stream.getvalue()


def with_future_rows(history: pa.Table, future: pa.Table) -> pa.Table:
    """The sales, and below them rows without sales for the days to forecast; each series' later rows give way to the future's."""
    named = [name for name in history.column_names if name != "sales"]
    if missing := [name for name in named if name not in future.column_names]:
        raise UserError(f"X_df has no column {', '.join(missing)}: it needs {', '.join(named)}")
    known = history.filter(history["sales"].is_valid())
    rows = future.select(named).append_column("sales", pa.nulls(future.num_rows, known.schema.field("sales").type))
    return pa.concat_tables([known, rows.select(known.column_names).cast(known.schema)])


def fold_table(fold: Fold) -> pa.Table:
    """One origin of a cross-validation."""
    table = forecast_table(fold.history, fold.forecast)
    cutoff = np.full(table.num_rows, fold.forecast.origin)
    return table.append_column("cutoff", to_arrow(cutoff)).append_column("sales", to_arrow(fold.actual.ravel()))
