"""Runs a workflow's own `run:` steps here: each job in a fresh clone, with the contexts, files and rules of GitHub Actions.

Of the actions that are used, checkout is the clone, the composite one of this repository runs its steps, the rest is left out.
Expressions are evaluated as far as the workflows need them: operators, `contains`, `success`, `failure`, `cancelled`, `always`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from automation.run_loop import parsed

STATUS = re.compile(r"\b(success|failure|cancelled|always)\(\)")
TOKEN = re.compile(r"'(?:[^']|'')*'|&&|\|\||==|!=|!|\(|\)|,|[A-Za-z_][\w.*-]*|\d+|\s+")


class Context(dict[str, Any]):
    """A context whose missing properties are empty, as Actions' are."""

    def __getitem__(self, key: str) -> Any:
        return self.get(key, "")


def lookup(contexts: Context, path: str) -> Any:
    place: Any = contexts
    parts = path.split(".")
    for n, part in enumerate(parts):
        if part == "*":
            return [lookup(Context(one), ".".join(parts[n + 1:])) for one in place.values()]
        place = Context(place)[part] if isinstance(place, dict) else ""
    return place


def evaluate(expression: str, contexts: Context, failed: bool = False) -> Any:
    """The value of an expression without its ${{ }}."""
    operators = {"&&": " and ", "||": " or ", "!": " not ", "==": "==", "!=": "!=", "(": "(", ")": ")", ",": ","}
    functions = {"contains": lambda where, what: what in where, "success": lambda: not failed, "failure": lambda: failed,
                 "cancelled": lambda: False, "always": lambda: True}
    values: dict[str, Any] = dict(functions)
    python, position = "", 0
    while position < len(expression):
        token = TOKEN.match(expression, position)
        assert token, f"{expression!r}: not understood from {expression[position:]!r} on"
        text, position = token[0], token.end()
        if text in operators:
            python += operators[text]
        elif text[0] == "'":
            python += repr(text[1:-1].replace("''", "'"))
        elif text in functions or text.isdigit() or text.isspace():
            python += text.replace("\n", " ")
        elif text in ("true", "false"):
            python += text.capitalize()
        else:
            name = f"value_{len(values)}"
            values[name], python = lookup(contexts, text), python + name
    return eval(python.strip(), {"__builtins__": {}}, values)


def filled(text: Any, contexts: Context) -> str:
    """A value of the workflow with its ${{ expressions }} replaced."""
    def value(match: re.Match[str]) -> str:
        found = evaluate(match[1].strip(), contexts)
        return str(found).lower() if isinstance(found, bool) else str(found)
    return re.sub(r"\$\{\{(.*?)\}\}", value, str(text), flags=re.DOTALL)


def due(condition: str | None, contexts: Context, failed: bool) -> bool:
    """Whether a job or step runs: without a status function of its own only after success."""
    if condition is None:
        return not failed
    text = re.sub(r"^\$\{\{(.*)\}\}$", r"\1", condition.strip(), flags=re.DOTALL)
    return bool(evaluate(text, contexts, failed)) and (bool(STATUS.search(text)) or not failed)


@dataclass
class Job:
    result: str = "skipped"
    outputs: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)  # names of the steps that ran
    log: str = ""
    summary: str = ""


class Workflow:
    """A workflow file of a bare repository's main branch.

    Args:
        origin: the bare repository that is cloned and pushed to.
        place: an empty directory for the clones.
        without: names of steps that cannot run here.
    """

    def __init__(self, name: str, origin: Path, place: Path, secrets: dict[str, str], variables: dict[str, str] | None = None,
                 environment: dict[str, str] | None = None, without: tuple[str, ...] = ()) -> None:
        self.name, self.origin, self.place, self.without = name, origin, place, without
        self.contexts = Context(secrets=secrets, vars=variables or {}, inputs={}, github={
            "ref": "refs/heads/main", "ref_name": "main", "repository": "someone/store-item-demand", "run_id": "1",
            "server_url": "https://github.com", "event_name": "schedule", "token": "token", "event": {}})
        self.environment = environment or {}
        self.after: dict[str, Callable[[], object]] = {}  # what happens elsewhere after a job
        self.runs = 0

    def run(self, **contexts: Any) -> dict[str, Job]:
        """Every job in the order of the file, as far as it is due."""
        self.runs += 1
        jobs: dict[str, Job] = {}
        content = yaml.safe_load(self.shown(f".github/workflows/{self.name}.yml"))
        for name, job in content["jobs"].items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            before = {one: {"result": jobs[one].result, "outputs": jobs[one].outputs} for one in needs}
            known = Context(self.contexts | contexts | {"needs": before})
            jobs[name] = Job()
            if due(job.get("if"), known, any(jobs[n].result != "success" for n in needs)):
                self.one(job, jobs[name], known, content.get("env", {}), self.place / f"{self.runs}-{name}")
            self.after.get(name, lambda: None)()
        return jobs

    def shown(self, path: str) -> str:
        return subprocess.run(["git", "show", f"main:{path}"], cwd=self.origin, capture_output=True, text=True, check=True).stdout

    def one(self, job: dict[str, Any], done: Job, contexts: Context, shared: dict[str, str], clone: Path) -> None:
        """A job in a clone of its own."""
        contexts = Context(contexts | {"steps": {}})
        self.checkout(job["steps"], contexts, clone)
        virtual_environment(clone / ".venv")
        temporary = clone.with_name(f"{clone.name}-temp")
        temporary.mkdir()
        given = shared | job.get("env", {})
        environment = self.base(temporary) | {name: filled(value, contexts) for name, value in given.items()}
        failed = False
        for n, step in enumerate(self.steps(job["steps"])):
            name = step.get("name", "")
            if "run" not in step or name in self.without or not due(step.get("if"), contexts, failed):
                continue
            output = temporary / f"output-{n}"
            inputs = Context(contexts | {"inputs": step.get("inputs", contexts["inputs"])})
            own = {key: filled(value, inputs) for key, value in step.get("env", {}).items()}
            ran = subprocess.run(["bash", "-e", "-c", filled(step["run"], inputs)], cwd=clone, check=False, text=True,
                                 env=environment | own | {"GITHUB_OUTPUT": str(output)} | path_of(temporary),
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            done.ran.append(name)
            done.log += f"== {name}\n{ran.stdout}"
            failed |= ran.returncode != 0
            if "id" in step:
                outputs = parsed(output.read_text()) if output.exists() else {}
                contexts["steps"][step["id"]] = {"outputs": outputs, "outcome": "failure" if ran.returncode else "success"}
        done.result = "failure" if failed else "success"
        done.outputs = {name: filled(value, contexts) for name, value in job.get("outputs", {}).items()}
        summary = temporary / "summary"
        done.summary = summary.read_text() if summary.exists() else ""

    def checkout(self, steps: list[dict[str, Any]], contexts: Context, clone: Path) -> None:
        """What actions/checkout does: one commit of the branch that `ref` names, or all of them with `fetch-depth: 0`."""
        given = next(step["with"] for step in steps if step.get("uses", "").startswith("actions/checkout@"))
        branch = filled(given.get("ref", contexts["github"].get("ref", "main")), contexts).removeprefix("refs/heads/")
        depth = () if given.get("fetch-depth") == 0 else ("--depth", "1", "--no-single-branch")
        subprocess.run(["git", "clone", "--quiet", *depth, "--branch", branch, f"file://{self.origin}", str(clone)], check=True)

    def steps(self, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The steps, with those of this repository's own composite actions in their place."""
        found = []
        for step in steps:
            if step.get("uses", "").startswith("./"):
                action = yaml.safe_load(self.shown(f"{step['uses'][2:]}/action.yml"))
                inputs = {name: given.get("default", "") for name, given in action["inputs"].items()} | step.get("with", {})
                found += [inner | {"inputs": inputs} for inner in action["runs"]["steps"]]
            else:
                found.append(step)
        return found

    def base(self, temporary: Path) -> dict[str, str]:
        """What a runner's environment holds; nothing of the user's settings counts."""
        files = {"GITHUB_PATH": str(temporary / "path"), "GITHUB_STEP_SUMMARY": str(temporary / "summary")}
        return {"HOME": str(temporary), "RUNNER_TEMP": str(temporary), "OMP_NUM_THREADS": "1"} | files | self.environment


def path_of(temporary: Path) -> dict[str, str]:
    """PATH as the steps so far have extended it."""
    added = (temporary / "path").read_text().split() if (temporary / "path").exists() else []
    return {"PATH": os.pathsep.join([*reversed(added), os.environ["PATH"]])}


def virtual_environment(place: Path) -> None:
    """The environment that runs the tests, in another place and with every stamp of the Makefile: nothing is installed again."""
    place.mkdir()
    for path in Path(sys.prefix).iterdir():
        if not path.name.startswith("."):
            (place / path.name).symlink_to(path)
    for stamp in (".repro", ".deploy", ".dev"):
        (place / stamp).touch()
