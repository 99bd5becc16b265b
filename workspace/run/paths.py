"""Every path of the pipeline, relative to the repository's root, in the order in which they come to be."""

from pathlib import Path

PARAMS = Path("params.yaml")
DEMO = Path("data/demo/sales.csv")
NO_EVENTS, NO_ITEMS, NO_STORES = Path("data/no_events.csv"), Path("data/no_items.csv"), Path("data/no_stores.csv")
CLEANED = Path("data/processed/cleaned_data.parquet")
FEATURES = Path("data/processed/feature_data.parquet")
WINDOW = Path("data/processed/train_window.parquet")
MODEL = Path("models/model.pkl")
LATEST = Path("models/model_latest.pkl")
CHAMPION = Path("models/champion.json")
VERSIONS = Path("models/versions")
FORECAST = Path("data/forecast/forecast.parquet")
TOTALS = Path("data/forecast/totals.parquet")
SUBMISSION = Path("data/forecast/submission.csv")

DRIFT_REPORT = Path("reports/data_drift_report.html")
DRIFT_SUMMARY = Path("reports/drift_summary.json")
RETRAIN_FLAG = Path("reports/retrain_flag.json")
DRIFT_LOG = Path("logs/drift_logs.log")
RETRAIN_LOG = Path("logs/retrain_logs.log")

PREPARE_METRICS = Path("metrics/prepare.json")
TRAIN_METRICS = Path("metrics/train.json")
EVALUATE_METRICS = Path("metrics/evaluate.json")
COMPARE_METRICS = Path("metrics/compare.json")
RETRAIN_HISTORY = Path("metrics/retrain_history.csv")
PLOTS = Path("reports/plots")
