"""From a checked request about sums or orders to the bytes of its answer, all from one `Served`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from api.planning_schemas import QUANTILES, Format
from api.serving import order_body
from api.serving.answers import PART, origin_of, to_json, unknown_rows
from api.serving.groups import days_between, rows_of_group
from api.serving.lookup_table import Id, UnknownSeriesError
from api.serving.served import Served
from api.serving.whatif import DECIMALS
from demand.distribution.sums import forecast_periods
from demand.planning.orders import plan_orders
from demand.planning.periods import Step, period_starts

FEW = 1_000  # rows of a request for orders, however few series there are


class TotalQuery(NamedTuple):
    """A group of series, none named for all of a kind; a span of days, its ends included; quantiles by probability."""

    store: Sequence[Id] = ()
    item: Sequence[Id] = ()
    start: str | None = None
    end: str | None = None
    step: Step | None = None
    quantile: Sequence[float] = ()


def total(served: Served, query: TotalQuery) -> tuple[bytes, int]:
    """The sums of a group over each period, and the number of their store-item-days."""
    sums = served.sums
    group = rows_of_group(sums, query.store, query.item)
    first, last = days_between(served.table, query.start, query.end)
    dates = np.datetime64(served.origin) + 1 + np.arange(first, last + 1)
    starts = period_starts(dates, query.step)
    units = sums.points[group, first:last + 1]
    forecast = forecast_periods(sums.error, units, first + 1, sums.store[group], sums.item[group], starts)
    levels = sorted(set(query.quantile or QUANTILES))
    quantiles = forecast.quantiles(levels)
    ends = np.append(starts[1:], len(dates)) - 1
    answer = {
        "store": ids_of(query.store, sums.stores), "item": ids_of(query.item, sums.items), "series": len(units),
        "start": dates[starts].astype(str).tolist(), "end": dates[ends].astype(str).tolist(),
        "predicted_sales": np.round(forecast.mean, DECIMALS),
        "quantiles": {str(level): numbers(quantiles[:, k]) for k, level in enumerate(levels)}, **origin_of(served)}
    return to_json(answer), units.size


def ids_of(asked: Sequence[Id], known: dict[Id, int]) -> list[Id] | None:
    """The ids that were asked for as the data has them, each once; None for all."""
    texts = {str(each) for each in asked}
    return [each for each in known if str(each) in texts] if asked else None


def numbers(values: np.ndarray) -> np.ndarray:
    """To DECIMALS, as integers where all of them are."""
    values = np.round(values, DECIMALS)
    return values.astype("i8") if (values == np.rint(values)).all() else values


def orders(served: Served, body: bytes, form: Format) -> tuple[bytes, int]:
    """What to order of each series, and the number of store-item-days that it is to last for."""
    sums, horizon = served.sums, len(served.table.days)
    asked = order_body.parse(body, max(len(sums.points), FEW))
    rows: np.ndarray | slice = slice(None)
    if asked.store is not None and asked.item is not None:
        try:
            rows = served.table.positions(asked.store, asked.item)
        except UnknownSeriesError as error:
            raise unknown_rows(error) from None
    store, item = sums.store[rows], sums.item[rows]
    terms = asked.terms(len(store), horizon)
    plan = plan_orders(sums.error, sums.points[rows, :int(terms.days.max(initial=0))], store, item, terms)
    days = np.array(list(served.table.days), object)
    stores, items = (np.array(list(ids), object) for ids in (sums.stores, sums.items))
    columns = {"store": stores[store].tolist(), "item": items[item].tolist(),
               "until": days[terms.days.astype(int) - 1].tolist(), "predicted_sales": np.round(plan.forecast, DECIMALS),
               "order_up_to": numbers(plan.order_up_to), "quantity": numbers(plan.quantity)}
    content = to_csv(columns) if form == "csv" else to_json(columns | origin_of(served))
    return content, int(terms.days.sum())


def to_csv(columns: dict[str, Any]) -> bytes:
    """A header and one line per row, UTF-8."""
    lists = [values.tolist() if isinstance(values, np.ndarray) else values for values in columns.values()]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    rows = list(zip(*lists, strict=True))
    for at in range(0, len(rows), PART):
        writer.writerows(rows[at:at + PART])
    return text.getvalue().encode()
