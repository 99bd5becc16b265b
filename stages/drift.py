"""Holds the champion against what has happened since its training, and says up to which day a model should be trained.

Reads data/processed/feature_data.parquet and models/champion.json, with the model that it names. Writes
reports/retrain_flag.json, which holds the day and nothing else that changes with time, because `window` and `train` hang on it,
reports/drift_summary.json and reports/data_drift_report.html, and adds a line to logs/drift_logs.log. That log is the diary of
one machine, with its time of day: neither an out, because two clones must agree on outs, nor in Git.
"""

from __future__ import annotations

import gc
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from stages import champion, entry, paths
from stages.forecasting import data_drift, deviation, drift, drift_page, feed, versions
from stages.forecasting.arrow import read_parquet
from stages.forecasting.backtest import rows_of
from stages.forecasting.data_drift import Sample
from stages.forecasting.deviation import Outcome
from stages.forecasting.drift import Finding, Verdict
from stages.forecasting.evaluation import rounded
from stages.forecasting.extremes import without_extremes
from stages.forecasting.features import STATE
from stages.forecasting.model import DemandModel
from stages.forecasting.panel import Panel, from_table
from stages.forecasting.params import Drift
from stages.forecasting.versions import Champion

RANDOM_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=metric_)[0-9a-f]{32}")


def concept(panel: Panel, of: Champion | None, rules: Drift) -> Verdict:
    """What is to be said of the champion named by the pointer, if there is one that can be judged."""
    if of is None:
        return Verdict(panel.last_day, obstacle="no champion: train")
    obstacle = versions.obstacle(of, panel.last_day, panel.known_names)
    if obstacle:
        return Verdict(panel.last_day, of.trained_through, f"{obstacle}: train")
    return judged(panel, champion.load_model(of), of, rules)


def judged(panel: Panel, model: DemandModel, of: Champion, rules: Drift) -> Verdict:
    """The champion against the newest days, and against every day since its training."""
    watch = Watch(panel, model, of.horizon, of.baseline["normal"][0], rules)
    trained = model.trained_through
    days = drift.review_days(int((panel.last_day - trained).astype(int)))
    confirmed = drift.confirmed_through(days, lambda day: drift.drifted(watch.findings_on(day)))
    seen, findings = (watch.seen_on(days[0]), watch.findings_on(days[0])) if days else (None, [])
    through = None if confirmed is None else trained + confirmed
    return Verdict(panel.last_day, of.trained_through, None, seen, findings, through)


@dataclass(frozen=True)
class Watch:
    """A champion that is judged on days since its training. Days are counted from there.

    Attributes:
        normal: what its backtest says is normal (deviation.normal).
        made: its forecasts, by the day they start from: outcome, and (S,) bool, for which of the panel's series.
    """

    panel: Panel
    model: DemandModel
    horizon: int
    normal: dict[str, Any]
    rules: Drift
    made: dict[int, tuple[Outcome, np.ndarray]] = field(default_factory=dict)

    def findings_on(self, day: int) -> list[Finding]:
        return drift.judge(self.seen_on(day), self.normal, self.rules)

    def seen_on(self, day: int) -> Outcome:
        """What came of the forecast, on the days up to this one."""
        start, reach = drift.origin_of(day, self.horizon)
        if start not in self.made:
            self.made[start] = hindsight(self.panel, self.model, self.model.trained_through + start, reach)
        whole, rows = self.made[start]
        silent = feed.silence(self.panel, self.model.trained_through + day, self.rules.silent_days).silent[rows]
        return whole.days(max(day - start - drift.REVIEW, 0), day - start).without(silent)


def hindsight(panel: Panel, model: DemandModel, origin: np.datetime64, days: int) -> tuple[Outcome, np.ndarray]:
    """What came of the champion's forecast from an origin, and (S,) bool, for which of the panel's series it was made."""
    shown = panel.through(origin)
    forecast = model.predict(shown, origin, min(days, int((panel.last_day - origin).astype(int))))
    return deviation.outcome(panel, shown, forecast), rows_of(panel, shown)


def evidently(now: Sample, then: Sample, column_share: float) -> tuple[dict[str, Any], str]:
    """Evidently's DataDriftPreset: figures per column, and its page, in which random ids are replaced by numbers."""
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    limit = data_drift.threshold(min(now.rows, then.rows))
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


def compared(now: Sample, then: Sample, column_share: float) -> tuple[dict[str, Any], str]:
    """As `evidently`, of the columns that can be compared; a page that says so where there are none."""
    names = data_drift.comparable(now, then)
    if names:
        return evidently(now.only(names), then.only(names), column_share)
    said = (f"Nothing can be compared: the days from {now.first} to {now.last}, or those from {then.first} to {then.last}, "
            f"have no sales, or the same in every row.")
    return {"threshold": None, "columns": {}}, f"<html><body><p>{said}</p></body></html>"


def data_summary(now: Sample, then: Sample, season_matched: bool, found: dict[str, Any], column_share: float) -> dict[str, Any]:
    """The part of the summary about the data. Without last year's season, or any column, to compare, it is never called drift."""
    drifted = [column["drifted"] for column in found["columns"].values()]
    share = float(np.mean(drifted)) if drifted else None
    return {
        "data_drift_detected": bool(season_matched and share is not None and share >= column_share),
        "data_drift": {
            "season_matched": season_matched, "share_of_columns": share, "level_change": data_drift.level_change(now, then),
            "recent": [str(now.first), str(now.last)], "reference": [str(then.first), str(then.last)], "rows": now.rows, **found},
    }


def concept_summary(verdict: Verdict, of: Champion | None) -> dict[str, Any]:
    """The part of the summary that says how the champion did, and what follows."""
    normal = of.baseline["normal"][0] if of else {}
    return {
        "as_of": str(verdict.newest),
        "champion": of and of.version,
        "trained_through": of and str(of.trained_through),
        "train_through": verdict.train_through,
        "retrain": verdict.retrain,
        "reasons": drift_page.reasons(verdict, normal),
        "concept_drift_detected": drift.drifted(verdict.findings),
        **(drift_page.figures(verdict.seen, normal) if verdict.seen else dict.fromkeys(drift_page.FIGURES)),
        "backtest_mape": of and of.baseline.get("mape"),
        "findings": [drift_page.as_dict(found) for found in verdict.findings],
    }


def main() -> None:
    gc.disable()  # a short run; collecting takes a third of Evidently's import
    params = entry.load_params()
    rules = params.drift
    panel = from_table(read_parquet(paths.FEATURES), params.data.known_future, STATE)
    newest, of = panel.last_day, champion.read()
    verdict = concept(panel, of, rules)
    problems = feed.problems(panel, feed.silence(panel, newest, rules.silent_days), newest)
    sane = without_extremes(panel, panel.column(newest))
    now, then, season_matched = data_drift.samples(sane, newest, drift.REVIEW, rules.sample_rows)
    found, html = compared(now, then, rules.column_share)
    summary = rounded(concept_summary(verdict, of) | {"data_problems": problems}
                      | data_summary(now, then, season_matched, found, rules.column_share))
    with entry.whole_file(paths.DRIFT_REPORT) as part:
        ours = drift_page.page(summary, verdict.seen, verdict.findings)
        part.write_text(html.replace("<body>", "<body>" + ours, 1), encoding="utf-8")
    entry.write_json(paths.DRIFT_SUMMARY, summary)
    entry.write_json(paths.RETRAIN_FLAG, {"train_through": summary["train_through"]})
    line = f"as_of={newest} champion={summary['champion']} retrain={summary['retrain']} reasons={'; '.join(summary['reasons'])}"
    paths.DRIFT_LOG.parent.mkdir(exist_ok=True)
    with paths.DRIFT_LOG.open("a", encoding="utf-8") as log:
        log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")
    print(f"{'train through' if summary['retrain'] else 'keep'} {summary['train_through']}: {summary['reasons'][0]}")


if __name__ == "__main__":
    entry.run(main)
