"""Runs real files through the pipeline with the parameters of files.yaml: python -m bench.field.through_dvc [FILE ...].

Each runs in a fresh clone of the last commit, as it lies in ../shared/data/field. Writes bench/field/results.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml

from demand.cleaning.cleaning_report import prepare
from demand.ingest.records import read_records
from demand.ingest.table_reader import read
from demand.panel.panel import Panel
from workspace.run.all_params import Params, parse_params

FILES: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("files.yaml").read_text(encoding="utf-8"))
DATA = Path("../shared/data/field")  # not ours to pass on: used where they are
RESULTS = Path(__file__).with_name("results.md")
HEAD = """# Real files, as their publishers wrote them

Written by `make bench-field-repro`: `dvc repro` in a fresh clone, with the parameters of [files.yaml](files.yaml) and no other.
Errors are means of the pipeline's own backtest over all series, on recorded days alone; *sum* is the forecast of 90 days from
each origin, all series together, beside what was sold.

| file | series | cleaned / recorded | WAPE %: this project | seasonal naive | factor model | 80 % cover | sum, % off per origin |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def settings_of(name: str, source: str, as_of: str | None = None) -> dict[str, Any]:
    """The committed params.yaml with the changes that this file asks for."""
    content: dict[str, Any] = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    content["data"] |= FILES[name]["data"] | {"source": source, "as_of": as_of}
    return content


def cleaned(content: dict[str, Any]) -> tuple[Panel, float]:
    """The cleaned panel of what the parameters name, and its units beside the recorded ones."""
    params: Params = parse_params(content)
    data = pa.py_buffer(Path(params.data.source).read_bytes())
    recorded, _ = read_records(read(data, params.data), params.data)
    panel, _ = prepare(data, params.data, params.prepare, params.forecast.horizon)
    return panel, float(np.nansum(panel.sales) / np.nansum(recorded.sales))


def repro(name: str, file: Path, as_of: str | None = None) -> tuple[dict[str, Any], pd.DataFrame]:
    """metrics/evaluate.json and the forecast of one `dvc repro` on the file."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", ".", clone], check=True)
        shutil.copyfile(file, clone / "data" / file.name)
        (clone / "params.yaml").write_text(yaml.safe_dump(settings_of(name, f"data/{file.name}", as_of), sort_keys=False))
        subprocess.run([sys.executable, "-m", "dvc", "repro", "--quiet"], cwd=clone, check=True)
        scores = json.loads((clone / "metrics/evaluate.json").read_text(encoding="utf-8"))
        return scores, pd.read_parquet(clone / "data/forecast/forecast.parquet")


def sum_error(forecast: pd.DataFrame, whole: Panel) -> float:
    """Per cent by which the forecast of all series differs from what the whole file records, on the days that the file has."""
    day = forecast["date"].to_numpy("M8[D]")
    sold = float(np.nansum(whole.recorded[:, np.isin(whole.dates, day)]))
    return 100 * (float(forecast["forecast"][day <= whole.last_day].sum()) / sold - 1)


def row(name: str, file: Path) -> str:
    """One file's line of the table."""
    whole, ratio = cleaned(settings_of(name, str(file)))
    scores, _ = repro(name, file)
    sums = [sum_error(repro(name, file, origin)[1], whole) for origin in FILES[name]["origins"]]
    others = {each["method"]: each["wape"] for each in scores["baselines"]}
    return (f"| {FILES[name]['title']} "
            f"| {whole.n_series} | {ratio:.4f} | {scores['wape']:.1f} | {others['seasonal_naive']:.1f} | "
            f"{others['factor_model']:.1f} | {scores['coverage_80']:.1f} % | {', '.join(f'{each:+.1f}' for each in sums)} |\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.field.through_dvc", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"of {', '.join(FILES)}; default: all")
    wanted = parser.parse_args().files or list(FILES)
    if set(wanted) - set(FILES):
        parser.error(f"choose from {', '.join(FILES)}")
    lines = []
    for name in wanted:
        print(f"{name} ...", file=sys.stderr, flush=True)
        lines.append(row(name, DATA / FILES[name]["path"]))
        print(lines[-1], end="", flush=True)
    if wanted == list(FILES):
        RESULTS.write_text(HEAD + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
