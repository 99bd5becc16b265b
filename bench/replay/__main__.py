"""Two years week by week under four policies of retraining: python -m bench.replay (make replay)

Writes bench/replay.json, bench/replay.md and docs/images/replay.svg.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

from bench.cases import real_or_demo
from bench.drift.injection import KINDS, inject
from bench.drift.pictures import draw_replay
from bench.replay.policies import Trainer, replay
from bench.replay.replay_report import markdown, summary
from demand.model.base.factors import fit_factors

OUT, PICTURES = Path("bench"), Path("docs/images")
YEARS = 2
SHIFTS = 259  # days after the first, on which a fifth of the series shifts in the second replay


def main() -> None:
    said = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    panel, settings, title = real_or_demo(said)
    first = (panel.last_day.astype("M8[Y]") + 1 - YEARS).astype("M8[D]") - 1
    trainer = Trainer(panel, settings)
    calm = summary(replay(trainer, first, said), first)
    shift = first + SHIFTS
    shifted = inject(panel, fit_factors(panel), KINDS["level_fifth"], shift, np.random.default_rng(0))
    before = {day: made for day, made in trainer.made.items() if day < shift}
    drifting = summary(replay(Trainer(shifted, settings, before), first, said), first)
    found = {"machine": f"{os.cpu_count()} cores", "title": title,
             "shift": str(shift), "calm": calm, "shifted": drifting}
    (OUT / "replay.json").write_text(json.dumps(found) + "\n")
    (OUT / "replay.md").write_text(markdown(found))
    draw_replay(found, PICTURES)
    print(markdown(found))


if __name__ == "__main__":
    main()
