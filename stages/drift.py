"""Compares the sales since the champion's training with its forecast, and sets the day through which a model should be trained.

Reads data/processed/feature_data.parquet and models/champion.json, with the model that it names. Writes
reports/retrain_flag.json, which holds the day and nothing else that changes with time, because `window` and `train` depend on it,
reports/drift_summary.json and reports/data_drift_report.html, and adds a line to logs/drift_logs.log. That log is the diary of
one machine, with its time of day: neither an out, because two clones must agree on outs, nor in Git.
"""

from __future__ import annotations

import gc
from datetime import UTC, datetime

from demand.drift import inactive_series, report_page
from demand.drift.data_drift import samples
from demand.drift.data_drift.evidently_report import compare_samples, data_summary
from demand.drift.drift_params import DriftParams
from demand.drift.measures import REVIEW
from demand.drift.monitor import assess_champion
from demand.drift.summary import drift_summary
from demand.drift.summary_record import DriftSummary
from demand.model.base.extremes import without_extremes
from demand.schema.json_record import round_floats
from workspace.registry.store import load_model, read_champion
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import whole_file, write_json
from workspace.run.panel_file import read_panel
from workspace.run.params_file import load_params


def console(summary: DriftSummary, train_through: str) -> list[str]:
    """The verdict, and what is wrong with the data, a line each."""
    lines = [f"{'train through' if summary.retrain else 'keep'} {train_through}: {summary.reasons[0]}"]
    lines += [f"data problem: {problem}" for problem in summary.data_problems]
    return lines + ([f"no sales for a year: {', '.join(summary.ended_series)}"] if summary.ended_series else [])


def main() -> None:
    gc.disable()  # a short run; collecting takes a third of Evidently's import
    rules = load_params(DriftParams)
    panel = read_panel()
    newest, champion = panel.last_day, read_champion()
    verdict = assess_champion(panel, champion, load_model, rules)
    problems = inactive_series.problems(panel, inactive_series.find_inactive(panel, newest, rules.silent_days), newest)
    sane = without_extremes(panel, panel.column(newest))
    now, then, season_matched = samples.draw_samples(sane, newest, REVIEW, rules.sample_rows)
    found, html = compare_samples(now, then, rules.column_share)
    summary = drift_summary(verdict, champion, problems, inactive_series.ended(panel, newest),
                            data_summary(now, then, season_matched, found, rules.column_share))
    with whole_file(paths.DRIFT_REPORT) as part:
        part.write_text(html.replace("<body>", "<body>" + report_page.page(summary, verdict), 1), encoding="utf-8")
    write_json(paths.DRIFT_SUMMARY, round_floats(summary.model_dump(mode="json")))
    write_json(paths.RETRAIN_FLAG, {"train_through": verdict.train_through})
    line = f"as_of={newest} champion={summary.champion} retrain={summary.retrain} reasons={'; '.join(summary.reasons)}"
    paths.DRIFT_LOG.parent.mkdir(exist_ok=True)
    with paths.DRIFT_LOG.open("a", encoding="utf-8") as log:
        log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")
    print("\n".join(console(summary, verdict.train_through)))


if __name__ == "__main__":
    run_command(main)
