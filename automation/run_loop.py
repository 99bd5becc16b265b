"""The loop of .github/workflows/retrain.yml on this machine: make retrain

Looks for drift; when a model is due, trains, tests, promotes and records it; deploys the champion where HF_SPACE names a Space
that has not got it; tells Slack and e-mail as far as they are set up. Run again after a failure, it finishes what is left.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from automation import dvc_remote
from automation.support import shell
from demand.schema.errors import UserError
from workspace.run.command import run_command

LEFT_OUT = ("left out, because no DVC remote is configured: the push of data, models and the commit (make remote USER=… REPO=… "
            "sets one up, then python -m automation.push_results pushes them)")


def step(name: str, *arguments: str) -> dict[str, str]:
    """Run a command of this repository, as a step of the workflow does; its outputs."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as outputs:
        print(f"\n== {' '.join((name, *arguments))}", flush=True)
        done = subprocess.run(shell.module(name, *arguments), env=os.environ | {"GITHUB_OUTPUT": outputs.name}, check=False)
        if done.returncode:
            raise UserError(f"{name} {' '.join(arguments)} failed: what it says is above; run this again when it is mended")
        return parsed(outputs.read())


def parsed(text: str) -> dict[str, str]:
    """GITHUB_OUTPUT's content: NAME<<END, the value's lines, END."""
    values, lines = {}, iter(text.splitlines())
    for line in lines:
        name, _, end = line.partition("<<")
        value = []
        while (part := next(lines)) != end:
            value.append(part)
        values[name] = "\n".join(value)
    return values


def loop(space: str | None) -> str:
    """Run every step of the loop once; returns the outcome in one line."""
    alone = () if dvc_remote.default() else ("--without-remote",)
    check = step("automation.check_drift", *alone)
    step("automation.dvc_remote", "repro")
    summary, due = f"no drift: {check['reason']}", check["deploy"] == "true"
    if check["retrain"] == "true":
        candidate = step("automation.try_candidate")
        promoted = candidate["promote"] == "true"
        summary = f"{'new champion' if promoted else 'no new champion'}: {candidate['reason']}"
        if promoted:
            due = True
            step("stages.promote", "--reason", check["reason"])
            step("automation.dvc_remote", "repro")
    waits = step("automation.push_results", *alone)["pull_request"]
    if waits:
        return f"{summary}; it waits to be merged{', and then to be deployed' if due and space else ''}: {waits}"
    done = f"{summary}; {deployed(space, alone)}" if due and space else summary
    return f"{done}; {LEFT_OUT}" if alone else done


def deployed(space: str, alone: tuple[str, ...]) -> str:
    """Deploy, and record the result whatever it is."""
    with tempfile.TemporaryDirectory() as directory:
        result = str(Path(directory, "deployment.json"))
        failed = None
        try:
            step("automation.deploy_space", "--space", space, "--result", result)
        except UserError as error:
            failed = error
        message = step("automation.record_deployment", result)["deployed"]
        step("automation.push_results", *alone)
    if failed:
        raise UserError(f"{message}. {failed}")
    return message


def send_notification(outcome: str, message: str) -> None:
    command = shell.module("automation.notify", "--subject", f"Store-item demand: {outcome}")
    subprocess.run(command, input=message, text=True, check=False)


def main() -> None:
    try:
        summary = loop(os.environ.get("HF_SPACE") or None)
    except UserError as error:
        send_notification("failed", str(error))
        raise
    print(f"\n{summary}")
    if not summary.startswith("no drift"):
        send_notification("done", summary)


if __name__ == "__main__":
    run_command(main)
