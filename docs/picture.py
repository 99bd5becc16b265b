"""Draws docs/forecast.svg, the README's picture, from what `dvc repro` has written: python docs/picture.py."""

from __future__ import annotations

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np
from pyarrow import parquet

from workspace.run import paths

SHOWN = 150  # days before the forecast
STYLE = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "demand", "svg.fonttype": "none"}


def main() -> None:
    sales = parquet.read_table(paths.CLEANED, columns=["store", "item", "date", "sales"]).to_pandas()
    made = parquet.read_table(paths.FORECAST).to_pandas()
    keys = made[["store", "item"]].drop_duplicates()
    store, item = keys.iloc[len(keys) // 2]
    with plt.rc_context(STYLE):
        figure, (top, bottom) = plt.subplots(2, 1, figsize=(9, 4.6), sharex=True, layout="constrained")
        days = np.unique(sales["date"].dropna())[-SHOWN:]
        past, ahead = sales[sales["date"] >= days[0]].dropna(), made
        top.plot(past.groupby("date")["sales"].sum(), ".-", color="0.55", markersize=3, linewidth=0.6)
        top.plot(ahead.groupby("date")["forecast"].sum(), color="tab:blue", linewidth=1.2)
        top.set(title=f"All {len(keys)} series", ylabel="units per day")
        past, ahead = (table[(table["store"] == store) & (table["item"] == item)].set_index("date") for table in (past, made))
        bottom.plot(past["sales"], ".-", color="0.55", markersize=3, linewidth=0.6, label="sales")
        for level, opacity in ((95, 0.15), (80, 0.25)):
            ends = ahead[f"lo_{level}"], ahead[f"hi_{level}"]
            bottom.fill_between(ahead.index, *ends, color="tab:blue", alpha=opacity, linewidth=0, label=f"{level} % interval")
        bottom.plot(ahead["forecast"], color="tab:blue", linewidth=1.2, label="forecast")
        bottom.set(title=f"Store {store}, item {item}", ylabel="units per day", ylim=(0, None))
        bottom.legend(ncols=4, loc="lower left", frameon=False)
        figure.savefig("docs/forecast.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
