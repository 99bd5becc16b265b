"""Compares methods on real and generated data, one process each: python -m bench [CASE ...] (make bench runs all of them).

Writes bench/results.json and bench/results.md. Times are of this machine in this run: only their ratios mean something elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import feasts, pipeline, report
from bench.cases import CASES, REAL
from bench.methods import METHODS

OUT = Path("bench")
CALM = {"OMP_WAIT_POLICY": "passive"}  # threads that wait yield the core: else whatever runs beside it costs a method dearly
ALL = [*CASES, "feasts", "repro"]


def compare(name: str, folder: Path) -> dict[str, Any]:
    """Every method on one case."""
    case = CASES[name]
    panel, settings = case.load()
    shared = folder / f"{name}.pickle"
    shared.write_bytes(pickle.dumps((panel, settings, case.origins)))
    found = {}
    for method in METHODS:
        print(f"{name}: {method} ...", file=sys.stderr, flush=True)
        result = folder / "result.json"
        subprocess.run([sys.executable, "-m", "bench.measure", shared, method, result], check=True, env=os.environ | CALM)
        found[method] = json.loads(result.read_text())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(ALL)}; default: all that there is data for")
    wanted = parser.parse_args().cases or ALL
    if set(wanted) - set(ALL):
        parser.error(f"choose from {', '.join(ALL)}")
    if not REAL.exists():
        print(f"{REAL} is not there: leaving the competition's file out", file=sys.stderr)
    results: dict[str, Any] = {"machine": f"{os.cpu_count()} cores, Python {platform.python_version()}", "cases": {}, "repro": {}}
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            if name in CASES and (name != "real" or REAL.exists()):
                results["cases"][name] = compare(name, Path(folder))
    if "feasts" in wanted:
        results["feasts"] = feasts.measured()
    if "repro" in wanted:
        for title, source in (("the demo", None), ("the competition's file", REAL)):
            if source is None or source.exists():
                print(f"dvc repro: {title} ...", file=sys.stderr, flush=True)
                results["repro"][title] = pipeline.repro_costs(source)
    (OUT / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    text = report.markdown(results)
    (OUT / "results.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
