"""Figures of a replay, and bench/replay.md."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.replay.policies import SCORES, Policy

ABOUT = """# Replay: when to train again

Written by `make replay` on {machine}: {title}, {weeks} weeks from {first} on. Each week the champion forecasts the next 90
days from the newest sales; SMAPE and WAPE are means over these forecasts. CPU seconds: of fitting, and of judging the days since
the last check. All policies start with the same champion; trainings are those after it. A candidate of the policy "on drift" is
promoted by the project's own rule.
"""


def summary(policies: list[Policy], first: np.datetime64) -> dict[str, Any]:
    """Figures of each policy, and its scores week by week."""
    rows = {}
    for policy in policies:
        means = {name: float(np.mean([score[name] for score in policy.scores])) for name in SCORES}
        rows[policy.name] = {**means, "trainings": len(policy.trained), "training_cpu_seconds": policy.training_seconds,
                             "judging_cpu_seconds": policy.judging_seconds, "trained": policy.trained, "refused": policy.refused,
                             "weekly": {name: [round(score[name], 4) for score in policy.scores] for name in SCORES}}
    return {"first": str(first), "weeks": len(policies[0].scores), "policies": rows}


def markdown(found: dict[str, Any]) -> str:
    """bench/replay.md."""
    parts = [ABOUT.format(**found, **{key: found["calm"][key] for key in ("weeks", "first")})]
    for title, name in (("As it is", "calm"), (f"A fifth of the series 25 % off from {found['shift']} on", "shifted")):
        parts += [f"## {title}\n", table(found[name])]
    return "\n".join(parts)


def table(found: dict[str, Any]) -> str:
    """One row per policy."""
    best = found["policies"]["weekly"]["smape"]
    lines = ["| a new champion is trained | SMAPE % | beside weekly | WAPE % | trainings | CPU s, training | CPU s, judging |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for name, row in found["policies"].items():
        lines.append(f"| {name} | {row['smape']:.3f} | {100 * (row['smape'] / best - 1):+.2f} % | {row['wape']:.3f} "
                     f"| {row['trainings']} | {row['training_cpu_seconds']:.0f} | {row['judging_cpu_seconds']:.0f} |")
    return "\n".join(lines) + "\n"
