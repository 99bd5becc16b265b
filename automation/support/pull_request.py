"""The pull request of automation.push_results, for a branch that automation may not push to: opened once, then kept up to date.

It needs GITHUB_REPOSITORY and GITHUB_TOKEN with the permission `pull-requests: write`, and in the repository's settings "Allow
GitHub Actions to create and approve pull requests".
"""

from __future__ import annotations

import csv
import io
import urllib.error
from urllib.parse import urlencode

from automation.support import environment, github_api, shell
from demand.schema.errors import UserError
from workspace.registry.drift_check import read_drift_summary
from workspace.registry.history import read_history
from workspace.run import paths
from workspace.secrets.settings import load_settings

PREFIX = "automation/"  # begins the name of its branch; the name of the branch that it is for follows
NOT_ALLOWED = ('allow it under Settings, Actions, General, "Allow GitHub Actions to create and approve pull requests", and give '
               "the job the permission pull-requests: write")
WAITS = """
Until this is merged `{base}` stays as it is, and nothing of this is deployed. The merge starts the loop again, and that run
deploys. A run before the merge starts from `{base}` as well, and replaces what is here.
"""


def propose(base: str, branch: str, title: str) -> str:
    """Open the pull request from `branch` into `base`, or update the one that is open; its address."""
    try:
        repository = load_settings(environment.GitHub).github_repository
    except UserError as error:
        raise UserError(f"no pull request can be opened, although the branch {branch} has been pushed: {error}") from None
    place, text = f"/repos/{repository}/pulls", {"title": title, "body": description(base)}
    query = urlencode({"state": "open", "base": base, "head": f"{repository.split('/')[0]}:{branch}"})
    try:
        if known := github_api.ask("GET", f"{place}?{query}"):
            answer = github_api.ask("PATCH", f"{place}/{known[0]['number']}", text)
        else:
            answer = github_api.ask("POST", place, text | {"head": branch, "base": base})
    except urllib.error.HTTPError as error:
        remedy = NOT_ALLOWED if error.code == 403 else f"open it by hand, from {branch} into {base}"
        raise UserError(f"GitHub answers {error.code} to the pull request ({error.reason}): {remedy}") from None
    except OSError as error:
        raise UserError(f"GitHub cannot be reached for the pull request ({error}); the branch {branch} has been pushed") from None
    return str(answer["html_url"])


def description(base: str) -> str:
    """What the pull request holds, in Markdown: the check, the new rows of the history, the files."""
    shallow = ("--depth", "1") if shell.output("git", "rev-parse", "--is-shallow-repository") == "true" else ()
    shell.run("git", "fetch", "--quiet", *shallow, "origin", base, remedy=f"{base} is needed to say what is new")
    summary = read_drift_summary()
    known = history_of("FETCH_HEAD")
    events = [f"- {row['action']} {row['version']}, trained through {row['trained_through']}: "
              + ": ".join(filter(None, [row["result"], row["reason"]])) for row in read_history() if row not in known]
    verdict = "a model is due" if summary.retrain else "no drift"
    files = shell.output("git", "diff", "--name-only", "FETCH_HEAD", "HEAD").splitlines()
    return "\n".join([
        f"What the loop has to record on `{base}`:", "",
        f"- sales through {summary.as_of}, {verdict}: {'; '.join(summary.reasons)}",
        *events, "", f"<details><summary>{len(files)} files</summary>", "", *(f"- `{name}`" for name in files), "", "</details>",
    ]) + "\n" + WAITS.format(base=base)


def history_of(revision: str) -> list[dict[str, str]]:
    """The rows of the history in another commit."""
    path = f"{revision}:{paths.RETRAIN_HISTORY}"
    text = shell.output("git", "show", path) if shell.quietly("git", "cat-file", "-e", path) else ""
    return list(csv.DictReader(io.StringIO(text)))
