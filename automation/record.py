"""Records what the pipeline and promotions have changed: data and models to the DVC remote, then one commit, then `git push`.

    python -m automation.record

In that order no commit ever names data that nobody can get. Killed at any moment it leaves the branch as it was, or with all of
it; run again it finishes what is left, and where nothing has changed it does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from automation import github, remote, shell
from stages import champion, entry, paths
from stages.forecasting.errors import UserError

RECORDED = ("dvc.lock", "data", "metrics", "models", "reports", str(paths.RETRAIN_LOG))
AUTHOR = ("store-item-demand", "automation@localhost")  # where Git knows no other


def record() -> bool:
    """Push data, commit and push the small files; whether there was anything to do."""
    changed = bool(shell.output("git", "status", "--porcelain", "--", *RECORDED))
    if not changed and not unpushed():
        print("nothing to record")
        return False
    remote.push()
    if changed:
        shell.run("git", "add", "--", *(path for path in RECORDED if Path(path).exists()))
        shell.run("git", *author(), "commit", "--quiet", "--message", message())
    branch = shell.output("git", "rev-parse", "--abbrev-ref", "HEAD")
    shell.run("git", "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}",
              remedy="where the branch has moved on, run the whole again from its newest commit: this one is kept here")
    print(f"recorded: {shell.output('git', 'log', '-1', '--format=%h %s')}")
    return True


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
        row = champion.history()[-1]
        what = {"promote": "Champion", "rollback": "Back to", "deploy": f"Deployment {row['result']}:"}[row["action"]]
        return f"{what} {row['version']}, trained through {row['trained_through']}\n\n{row['reason']}"
    summary = champion.read_json(paths.DRIFT_SUMMARY, "run dvc repro first")
    return f"Sales through {summary['as_of']}: {'train' if summary['retrain'] else 'keep'}\n\n{'; '.join(summary['reasons'])}"


def main() -> None:
    github.outputs(recorded=record())


if __name__ == "__main__":
    entry.run(main)
