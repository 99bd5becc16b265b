"""Tests the candidate as it would serve, and says whether it may: python -m automation.try_candidate

Its metrics have to be within `promote.tolerance` of the champion's. Then the API is started on this machine as if the candidate
were the champion already: it has to answer with the forecasts that the candidate makes here, and as the API promises. Outputs:

    promote  whether both hold, and the candidate is not the champion already
    reason   the comparison in one line
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from automation import dvc_remote
from automation.support import github, shell, smoke_test
from automation.support.hub import Live
from demand.champion.champion_record import Champion
from demand.champion.promote_params import PromoteParams
from demand.champion.promotion_rule import decide_promotion
from demand.schema.errors import UserError
from demand.schema.json_record import sha256
from workspace.registry.candidate import candidate_bytes
from workspace.registry.challenger import as_champion, read_challenger
from workspace.registry.store import read_champion
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.params_file import load_params

READY = 120.0  # seconds from the start of the API to its first answer
SERVED = (paths.FEATURES, paths.DRIFT_SUMMARY, paths.EVALUATE_METRICS)  # what the API reads beside pointer and model


def judged() -> tuple[Champion | None, str]:
    """What the pointer would say if the candidate became champion now, None if it may not; and why."""
    current, content = read_champion(), candidate_bytes()
    if current and current.sha256 == sha256(content):
        return None, f"the candidate is the champion already: version {current.version}"
    candidate = read_challenger(content, current)
    decision = decide_promotion(candidate.comparison, load_params(PromoteParams).tolerance)
    return as_champion(candidate, current, decision.reason) if decision.promote else None, decision.reason


@contextmanager
def serving(proposed: Champion) -> Iterator[Live]:
    """The API with this champion and the data that are here, on a free port of this machine; the working tree stays as it is."""
    with tempfile.TemporaryDirectory() as directory:
        place, here = Path(directory), Path.cwd()
        links = {path: path for path in SERVED} | {Path(proposed.model): paths.MODEL}
        for target, source in links.items():
            (place / target).parent.mkdir(parents=True, exist_ok=True)
            (place / target).symlink_to(here / source)
        (place / paths.CHAMPION).write_text(proposed.model_dump_json(), encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = os.environ | {"PROJECT_DIR": str(place), "HOST": "127.0.0.1", "PORT": str(port), "POLL_SECONDS": "0",
                                    "WORKERS": "1", "SOURCE_GIT": ""}
        process = subprocess.Popen(shell.module("api"), env=environment)
        try:
            yield Live(f"http://127.0.0.1:{port}", None)
        finally:
            process.terminate()
            process.wait(30)


def contract(live: Live, proposed: Champion, known: smoke_test.Expected) -> None:
    """What the API promises beside the forecasts themselves; a UserError names what it broke."""
    asked = {"store": known.store, "item": known.item, "date": known.date}
    after = str(date.fromisoformat(known.date) + timedelta(days=2 * proposed.horizon))
    status, one = smoke_test.ask(live, "/predict", asked)
    ends = [float(one.get(name, "nan")) for name in ("lo_95", "lo_80", "predicted_sales", "hi_80", "hi_95")]
    if status != 200 or not all(low <= high for low, high in pairwise([0.0, *ends])):
        raise UserError(f"/predict: the forecast does not lie inside its intervals: {one}")
    status, many = smoke_test.ask(live, "/predict/batch", {name: [value] * 3 for name, value in asked.items()})
    if status != 200 or many.get("predicted_sales") != [one["predicted_sales"]] * 3:
        raise UserError(f"/predict/batch: another forecast than /predict: {status} {many}")
    for wrong, expected in (({"store": "no such store"}, 404), ({"date": after}, 422), ({"date": "soon"}, 422)):
        status, answer = smoke_test.ask(live, "/predict", asked | wrong)
        if status != expected or "detail" not in answer:
            raise UserError(f"/predict: {wrong} is answered {status} {answer}, not {expected}")


def main() -> None:
    dvc_remote.bring(paths.MODEL, paths.FEATURES)
    proposed, reason = judged()
    if proposed:
        known = smoke_test.expected(proposed.model_copy(update={"model": str(paths.MODEL)}))
        with serving(proposed) as live:
            smoke_test.check(live, proposed, known, time.monotonic() + READY, 0)
            contract(live, proposed, known[0])
        print(f"as champion it serves its own forecasts: {len(known)} of them, and what the API promises")
    github.summary(f"### The candidate {'is taken' if proposed else 'is not taken'}\n\n{reason}")
    github.outputs(promote=proposed is not None, reason=reason)


if __name__ == "__main__":
    run_command(main)
