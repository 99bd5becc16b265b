"""Requests made from the OpenAPI document against a running API: python -m bench.serving.fuzz [WORKING TREE] [--cases N]

Needs a working tree with a model, this one by default. schemathesis covers every operation with every check that it has, with
what the document allows and what it does not, until N cases were sent (20,000 by default); fails where any check does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from bench.serving.bodies import ROOT, Running, serving
from bench.serving.fuzz_hooks import FACTS

KEY = "fuzz"
# schemathesis' own, and 413: too large
REJECTED = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
CONFIG = f"[checks]\nnegative_data_rejection.expected-statuses = {json.dumps(REJECTED)}\n"
EXAMPLES = 1000  # per operation and run


def facts(running: Running) -> str:
    """What the hooks need to know of the model that serves."""
    series = json.loads(running.ask("/series")[1])
    first = urlencode({"store": series["stores"][0]["store"], "item": series["stores"][0]["items"][0]})
    return json.dumps({"days": json.loads(running.ask(f"/forecast?{first}")[1])["date"], "known_future": series["known_future"]})


def run(running: Running, examples: int, seed: int) -> tuple[int, str]:
    """One run of schemathesis: the number of cases, and its report where a check failed."""
    command = ["st", "run", f"http://127.0.0.1:{running.port}/openapi.json", "--checks", "all", "--mode", "all",
               "--seed", str(seed), "--max-examples", str(examples), "--continue-on-failure", "--no-color",
               "--generation-database", "none", "--header", f"X-API-Key: {running.key}"]
    env = os.environ | {"SCHEMATHESIS_HOOKS": "bench.serving.fuzz_hooks", FACTS: facts(running), "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:  # for what schemathesis keeps of a run, which would change the next one
        (Path(folder) / "schemathesis.toml").write_text(CONFIG)
        result = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    cases = re.search(r"([\d,]+) generated", result.stdout)
    if cases is None:
        raise RuntimeError(result.stdout[-2000:] + result.stderr[-2000:])
    return int(cases[1].replace(",", "")), result.stdout if result.returncode else ""


def fuzz(running: Running, cases: int, examples: int = EXAMPLES) -> int:
    """Send at least `cases` cases; how many it were. Ends the process with schemathesis' report where a check fails."""
    sent, seed = 0, 0
    while sent < cases:
        count, report = run(running, examples, seed)
        sent, seed = sent + count, seed + 1
        print(f"{sent:,} cases", flush=True)
        if report:
            sys.exit(report)
    return sent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", nargs="?", type=Path, default=Path())
    parser.add_argument("--cases", type=int, default=20_000)
    arguments = parser.parse_args()
    with serving(arguments.tree.absolute(), key=KEY) as running:
        fuzz(running, arguments.cases)


if __name__ == "__main__":
    main()
