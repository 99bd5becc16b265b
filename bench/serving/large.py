"""A working tree with many series: the demo, larger, with a model fitted to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

STORES, ITEMS, YEARS = 600, 50, 1.0
SERIES = STORES * ITEMS


def plant(tree: Path) -> None:
    """Make it, in a process of its own: it takes gigabytes."""
    subprocess.run([sys.executable, "-m", "bench.serving.large", tree], check=True)


def main(tree: Path) -> None:
    from bench.cases import generated
    from demand.model.demand_model import DemandModel, dump_model
    from demand.model.training_record import training_record
    from demand.panel.lag_features import feature_table
    from workspace.run import paths
    from workspace.run.files import write_json, write_table

    panel, settings = generated({"stores": STORES, "items": ITEMS, "years": YEARS})
    write_table(tree / paths.FEATURES, feature_table(panel))
    model = DemandModel.fit(panel, settings.train, settings.forecast.horizon)
    content = dump_model(model)
    (tree / paths.MODEL).parent.mkdir(parents=True)
    (tree / paths.MODEL).write_bytes(content)
    write_json(tree / paths.TRAIN_METRICS, training_record(model.facts, content, panel.sales.size, {}))
    write_json(tree / paths.CHAMPION, {"version": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
