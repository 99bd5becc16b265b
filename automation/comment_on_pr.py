"""What a pull request does to the numbers, as one comment that is updated in place.

    python -m automation.comment_on_pr write --base REVISION --file FILE    metrics, parameters and plots against that revision
    python -m automation.comment_on_pr post --file FILE                     to the pull request of GITHUB_REPOSITORY, PULL_REQUEST
    python -m automation.comment_on_pr check                                fails where dvc.lock is not the one that is committed
"""

from __future__ import annotations

import argparse
import os
import subprocess
import urllib.error
from pathlib import Path

from automation.support import environment, github, github_api, shell
from demand.schema.errors import UserError
from workspace.run.command import run_command
from workspace.secrets.redaction import redact
from workspace.secrets.settings import load_settings

MARK = "<!-- the pipeline's numbers -->"  # begins the comment, and finds it again
PLOTS = Path("dvc_plots")
LOCKS = ("dvc.lock", "data/demo/dvc.lock")
DENIED = "The comment cannot be written: a pull request from a fork has no right to. It stands in the run's summary."


def written(revision: str) -> str:
    """The comment, in Markdown; the plots go to PLOTS."""
    base = existing(revision)
    if base is None:
        explanation = f"There is nothing to compare with: {why_missing(revision)}, and the commit has no parent here."
        return "\n".join([MARK, "### The pipeline's numbers", "", explanation, *stale_locks()]) + "\n"
    server, repository, number = (os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    dvc = shell.dvc()
    metrics, parameters = (table(shell.output(*dvc, kind, "diff", "--md", base)) for kind in ("metrics", "params"))
    drawn = subprocess.run([*dvc, "plots", "diff", "--out", str(PLOTS), base], capture_output=True, check=False)
    lines = [MARK, f"### The pipeline's numbers against {base[:10]}", ""]
    lines += [f"{base} is the commit before this one: {why_missing(revision)}.", ""] if base != revision else []
    lines += [metrics or "No metric has changed.", ""]
    lines += ["<details><summary>Parameters</summary>", "", parameters, "", "</details>", ""] if parameters else []
    lines.append(f"Plots of both: the artifact `plots` of [this run]({server}/{repository}/actions/runs/{number})."
                 if drawn.returncode == 0 else "There are no plots to compare.")
    return redact("\n".join([*lines, *stale_locks()])) + "\n"


def existing(revision: str) -> str | None:
    """The revision to compare with: this one, fetched where it is not here; else the parent of HEAD; None where there is neither.

    The first push of a branch comes from commit 000…; what a force push has replaced may be gone.
    """
    if revision.strip("0") and not is_commit(revision):
        shell.quietly("git", "fetch", "--quiet", "--depth", "1", "origin", revision)
    return next((name for name in (revision, "HEAD^") if is_commit(name)), None)


def is_commit(revision: str) -> bool:
    return shell.quietly("git", "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")


def why_missing(revision: str) -> str:
    if not revision.strip("0"):
        return "this is the first push of the branch"
    return f"commit {revision[:10]} is no longer in the repository (after a force push?)"


def table(markdown: str) -> str:
    """A table of DVC's, nothing where it has a head alone."""
    return markdown if len(markdown.strip().splitlines()) > 2 else ""


def changed_locks() -> list[str]:
    """The locks that differ from those of the commit."""
    return shell.output("git", "diff", "--name-only", "--", *LOCKS).splitlines()


def stale_locks() -> list[str]:
    """What is to be done about them, in Markdown."""
    stale = changed_locks()
    return ["", f"**{' and '.join(stale)} not current**: run `dvc repro` and commit it."] if stale else []


def post(text: str) -> str:
    """Update the comment that is there, or write the first; what was done, in words."""
    request = load_settings(environment.PullRequest)
    place = f"/repos/{request.github_repository}/issues"
    try:
        number = next((one["id"] for one in github_api.every_page(f"{place}/{request.pull_request}/comments")
                       if one["body"].startswith(MARK)), None)
        if number is None:
            github_api.ask("POST", f"{place}/{request.pull_request}/comments", {"body": text})
            return "commented"
        github_api.ask("PATCH", f"{place}/comments/{number}", {"body": text})
        return f"comment {number} updated"
    except urllib.error.HTTPError as error:
        if error.code == 403:
            return DENIED
        raise UserError(f"GitHub answers {error.code} to the comment: {error.reason}") from None
    except OSError as error:
        raise UserError(f"GitHub cannot be reached for the comment: {error}") from None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m automation.comment_on_pr", description="The numbers of a pull request.")
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
    run_command(main)
