"""Records what the pipeline and promotions have changed: data and models to the DVC remote, then one commit, then `git push`.

    python -m automation.push_results [--imported | --without-remote]

In that order no commit ever names data that nobody can get. Killed at any moment it leaves the branch as it was, or with all of
it; run again it finishes what is left, and where nothing has changed it does nothing. RECORD_BY says how the commit comes to the
branch: `push` (as it is without it), or `pull-request` for a branch that automation may not push to. Outputs:

    recorded      whether there was anything to do
    branch        which branch has the newest of it: later jobs check it out
    pull_request  the address of the pull request that waits to be merged; empty where none does
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path

from automation import check_drift, dvc_remote
from automation.support import drift_history, git_lock, github, pull_request, shell
from demand.schema.errors import UserError
from workspace.registry.drift_check import read_drift_summary
from workspace.registry.history import read_history
from workspace.run import paths
from workspace.run.command import run_command
from workspace.secrets.redaction import holds_secret

RECORDED = ("dvc.lock", "data", "metrics", "models", "reports", str(paths.RETRAIN_LOG))
AUTHOR = ("store-item-demand", "automation@localhost")  # where Git knows no other
WAYS = ("push", "pull-request")
DECLINED = re.compile(r"GH006|GH013|protected branch|rule violations|hook declined", re.IGNORECASE)
MOVED = re.compile(r"\[rejected\]|cannot lock ref|stale info")
KEPT = "nothing is lost: data and models are in the DVC remote, and a new run makes the commit again"


def record(imported: bool, without_remote: bool) -> dict[str, str | bool]:
    """Push data, commit and push the small files; the outputs.

    Args:
        imported: record only what `dvc update` has brought, for a job that trains on it.
        without_remote: commit, and push nothing.
    """
    branch, selected = current_branch(), check_drift.imported() if imported else RECORDED
    changed = bool(selected) and bool(shell.output("git", "status", "--porcelain", "--", *selected))
    if not changed and (imported or without_remote or not unpushed()):
        print("nothing to record")
        return {"recorded": False, "branch": branch, "pull_request": ""}
    if not without_remote:
        dvc_remote.push(*(selected if imported else ()))
    git_lock.clear()
    if changed:
        if not imported:
            drift_history.keep()
        shell.run("git", "add", "--", *(path for path in selected if Path(path).exists()))
        refuse_secrets()
        shell.run("git", *author(), "commit", "--quiet", "--message", message())
    address = ""
    if not without_remote:
        branch, address = publish(branch)
    where = " here alone" if without_remote else f" on {branch}, which waits to be merged ({address})" if address else ""
    print(f"recorded{where}: {shell.output('git', 'log', '-1', '--format=%h %s')}")
    return {"recorded": True, "branch": branch, "pull_request": address}


def refuse_secrets() -> None:
    """A UserError where what is staged for the commit holds a secret; it is taken out again."""
    staged = shell.output("git", "diff", "--cached", "--name-only", "-z").split("\0")
    leaks = [path for path in filter(None, staged) if holds_secret(added_lines(path))]
    if leaks:
        shell.output("git", "reset", "--quiet")
        raise UserError(f"{', '.join(leaks)}: a secret stands in it, so nothing is committed: take it out, and run this again")


def added_lines(path: str) -> str:
    """What is staged of a text file and not in the last commit."""
    changes = shell.output("git", "diff", "--cached", "--unified=0", "--", path).splitlines()
    return "\n".join(line[1:] for line in changes if line.startswith("+"))


def current_branch() -> str:
    """The branch that is checked out."""
    try:
        return shell.output("git", "symbolic-ref", "--quiet", "--short", "HEAD")
    except UserError:
        raise UserError("no branch is checked out (a detached HEAD), so there is none to record to: git switch main, or, for a "
                        "new one, git switch -c NAME") from None


def publish(branch: str) -> tuple[str, str]:
    """Push the commit as RECORD_BY says: the branch that has it, and the address of the pull request if there is one."""
    way = os.environ.get("RECORD_BY") or WAYS[0]
    if way not in WAYS:
        raise UserError(f"RECORD_BY={way!r} is neither of {' and '.join(WAYS)}")
    if way == "push":
        push(f"HEAD:refs/heads/{branch}", branch)
        return branch, ""
    base = branch.removeprefix(pull_request.PREFIX)
    proposed = f"{pull_request.PREFIX}{base}"
    push(f"+HEAD:refs/heads/{proposed}", proposed)  # it is automation's own, and every run begins it anew
    return proposed, pull_request.propose(base, proposed, shell.output("git", "log", "-1", "--format=%s"))


def push(refspec: str, branch: str) -> None:
    """`git push`; a UserError says why the server refuses it."""
    done = shell.watched("git", "push", "--quiet", "origin", refspec, environment={"LC_ALL": "C"})
    if not done.status:
        return
    if DECLINED.search(done.output):
        raise UserError(f"the server declines a push to {branch} (see above), as it does where the branch is protected. Set the "
                        f"repository variable RECORD_BY to pull-request, or see docs/automation.md for other ways; {KEPT}")
    if MOVED.search(done.output):
        raise UserError(f"{branch} has moved on: somebody pushed meanwhile. Run the whole again from its newest commit; {KEPT}")
    raise UserError(f"git push to {branch} failed (see above): run it again when that is mended; {KEPT}")


def unpushed() -> bool:
    """Whether an earlier run committed and could not push."""
    try:
        return shell.output("git", "rev-list", "--count", "@{upstream}..HEAD") != "0"
    except UserError:
        return False  # the branch has never been pushed: `git push` would only be an accident


def author() -> Sequence[str]:
    """Settings for `git commit` where the machine has none."""
    try:
        shell.output("git", "var", "GIT_COMMITTER_IDENT")
        return ()
    except UserError:
        return "-c", f"user.name={AUTHOR[0]}", "-c", f"user.email={AUTHOR[1]}"


def message() -> str:
    """What has happened, for the log of Git: the last event where the history has a new one, else the check."""
    staged = shell.output("git", "diff", "--cached", "--name-only").splitlines()
    if str(paths.RETRAIN_HISTORY) in staged:
        row = read_history()[-1]
        what = {"promote": "Champion", "rollback": "Back to", "deploy": f"Deployment {row['result']}:"}[row["action"]]
        return f"{what} {row['version']}, trained through {row['trained_through']}\n\n{row['reason']}"
    summary = read_drift_summary()
    return f"Sales through {summary.as_of}: {'train' if summary.retrain else 'keep'}\n\n{'; '.join(summary.reasons)}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m automation.push_results", description="Data, one commit, push.")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--imported", action="store_true", help="only imported data that have become newer")
    part.add_argument("--without-remote", action="store_true", help="commit, and push nothing")
    given = parser.parse_args()
    github.outputs(**record(given.imported, given.without_remote))


if __name__ == "__main__":
    run_command(main)
