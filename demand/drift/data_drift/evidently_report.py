"""Evidently's report on the samples, and its part in the summary."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from demand.drift.data_drift import samples
from demand.drift.data_drift.samples import Sample

RANDOM_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=metric_)[0-9a-f]{32}")


def evidently_report(now: Sample, then: Sample, column_share: float) -> tuple[dict[str, Any], str]:
    """Evidently's DataDriftPreset: figures per column, and its page, in which random ids are replaced by numbers."""
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    limit = samples.threshold(min(now.rows, then.rows))
    preset = DataDriftPreset(drift_share=column_share, num_method="wasserstein", num_threshold=limit,
                             cat_method="jensenshannon", cat_threshold=limit)
    with np.errstate(divide="ignore", invalid="ignore"):  # its page correlates columns, constant ones too
        run = Report([preset]).run(pd.DataFrame(now.columns), pd.DataFrame(then.columns))
    found = [metric for metric in run.dict()["metrics"] if "column" in metric["config"]]
    columns = {metric["config"]["column"]: {"method": metric["config"]["method"], "distance": float(metric["value"]),
                                            "drifted": bool(metric["value"] >= limit)} for metric in found}
    html = run.get_html_str(as_iframe=False)
    numbers = {one: str(n) for n, one in enumerate(dict.fromkeys(RANDOM_ID.findall(html)))}
    return {"threshold": limit, "columns": columns}, RANDOM_ID.sub(lambda match: numbers[match[0]], html)


def compare_samples(now: Sample, then: Sample, column_share: float) -> tuple[dict[str, Any], str]:
    """evidently_report of the columns that can be compared; a page that says so where there are none."""
    names = samples.comparable(now, then)
    if names:
        return evidently_report(now.only(names), then.only(names), column_share)
    text = (f"Nothing can be compared: the days from {now.first} to {now.last}, or those from {then.first} to {then.last}, "
            f"have no sales, or the same in every row.")
    return {"threshold": None, "columns": {}}, f"<html><body><p>{text}</p></body></html>"


def data_summary(now: Sample, then: Sample, season_matched: bool, found: dict[str, Any], column_share: float) -> dict[str, Any]:
    """The part of the summary about the data: never drift without last year's season, or without a column to compare."""
    drifted = [column["drifted"] for column in found["columns"].values()]
    share = float(np.mean(drifted)) if drifted else None
    return {
        "data_drift_detected": bool(season_matched and share is not None and share >= column_share),
        "data_drift": {
            "season_matched": season_matched, "share_of_columns": share, "level_change": samples.level_change(now, then),
            "recent": [str(now.first), str(now.last)], "reference": [str(then.first), str(then.last)], "rows": now.rows, **found},
    }
