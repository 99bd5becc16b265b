"""What a pull request does to the numbers, as one comment that is updated in place.

    python -m automation.comment write --base REVISION --file FILE    metrics, parameters and plots against that revision
    python -m automation.comment post --file FILE                     to the pull request of GITHUB_REPOSITORY, PULL_REQUEST
    python -m automation.comment check                                fails where dvc.lock is not the one that is committed
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from automation import environment, github, http_client, shell
from stages import entry
from stages.forecasting.errors import UserError
from stages.redaction import redact

MARK = "<!-- the pipeline's numbers -->"  # begins the comment, and finds it again
PLOTS = Path("dvc_plots")
SECONDS = 30.0
LOCKS = ("dvc.lock", "data/demo/dvc.lock")
DENIED = "The comment cannot be written: a pull request from a fork has no right to. It stands in the run's summary."


def written(base: str) -> str:
    """The comment, in Markdown; the plots go to PLOTS."""
    server, repository, number = (os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    dvc = shell.module("dvc")
    metrics, parameters = (table(shell.output(*dvc, kind, "diff", "--md", base)) for kind in ("metrics", "params"))
    drawn = subprocess.run([*dvc, "plots", "diff", "--out", str(PLOTS), base], capture_output=True, check=False)
    lines = [MARK, f"### The pipeline's numbers against {base[:10]}", "", metrics or "No metric has changed.", ""]
    lines += ["<details><summary>Parameters</summary>", "", parameters, "", "</details>", ""] if parameters else []
    lines.append(f"Plots of both: the artifact `plots` of [this run]({server}/{repository}/actions/runs/{number})."
                 if drawn.returncode == 0 else "There are no plots to compare.")
    stale = changed_locks()
    lines += ["", f"**{' and '.join(stale)} not current**: run `dvc repro` and commit it."] if stale else []
    return redact("\n".join(lines)) + "\n"


def table(markdown: str) -> str:
    """A table of DVC's, nothing where it has a head alone."""
    return markdown if len(markdown.strip().splitlines()) > 2 else ""


def changed_locks() -> list[str]:
    """The locks that differ from those of the commit."""
    return shell.output("git", "diff", "--name-only", "--", *LOCKS).splitlines()


def post(text: str) -> str:
    """Update the comment that is there, or write the first; what was done, in words."""
    request = environment.load(environment.PullRequest)
    place = f"/repos/{request.github_repository}/issues"
    try:
        number = next((one["id"] for one in comments(f"{place}/{request.pull_request}/comments")
                       if one["body"].startswith(MARK)), None)
        if number is None:
            ask("POST", f"{place}/{request.pull_request}/comments", {"body": text})
            return "commented"
        ask("PATCH", f"{place}/comments/{number}", {"body": text})
        return f"comment {number} updated"
    except urllib.error.HTTPError as error:
        if error.code == 403:
            return DENIED
        raise UserError(f"GitHub answers {error.code} to the comment: {error.reason}") from None
    except OSError as error:
        raise UserError(f"GitHub cannot be reached for the comment: {error}") from None


def comments(path: str) -> list[dict[str, Any]]:
    """All comments of a pull request, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        page = ask("GET", f"{path}?per_page=100&page={len(found) // 100 + 1}")
        found += page
        if len(page) < 100:
            return found


def ask(method: str, path: str, body: dict[str, str] | None = None) -> Any:
    """GitHub's API with the workflow's token."""
    settings = environment.load(environment.PullRequest)
    headers = {"Authorization": f"Bearer {settings.github_token.get_secret_value()}", "Accept": "application/vnd.github+json"}
    address = settings.github_api_url + path
    request = urllib.request.Request(address, json.dumps(body).encode() if body else None, headers, method=method)
    with http_client.open_url(request, SECONDS) as answer:
        return json.load(answer)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m automation.comment", description="The numbers of a pull request.")
    actions = parser.add_subparsers(dest="action", required=True)
    writing = actions.add_parser("write", help="compare with a revision")
    writing.add_argument("--base", required=True, metavar="REVISION")
    writing.add_argument("--file", required=True, type=Path)
    posting = actions.add_parser("post", help="to the pull request")
    posting.add_argument("--file", required=True, type=Path)
    actions.add_parser("check", help="that dvc.lock is committed")
    given = parser.parse_args()
    if given.action == "write":
        text = written(given.base)
        given.file.write_text(text, encoding="utf-8")
        github.summary(text)
    elif given.action == "post":
        print(post(given.file.read_text(encoding="utf-8")))
    elif stale := changed_locks():
        raise UserError(f"{' and '.join(stale)} is not what dvc repro writes here: run it and commit the result")


if __name__ == "__main__":
    entry.run(main)
