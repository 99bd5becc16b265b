"""The DVC remote, where data and models of all versions lie.

    python -m automation.dvc_remote set USER REPO     the repository's storage on DagsHub becomes the default remote
    python -m automation.dvc_remote check             it can be reached and lets us in
    python -m automation.dvc_remote repro [STAGE …]   dvc repro, which brings from it what stages need that have to run
    python -m automation.dvc_remote champion          brings what serving needs
    python -m automation.dvc_remote available         whether CI can use it, as outputs
    python -m automation.dvc_remote push              brings all data and models of this working tree there

Credentials never stand in a tracked file: they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (on DagsHub both are the
token), or, where DAGSHUB_TOKEN is set while `set` runs, from .dvc/config.local, which Git ignores.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from pathlib import Path

from automation.support import environment, github, shell
from demand.ingest.data_params import DataParams
from demand.schema.errors import UserError
from workspace.registry.store import read_champion
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.params_file import load_params
from workspace.secrets.settings import load_settings

NAME = "dagshub"
MISSING = "error.dvc.org/missing-files"  # what DVC says when the remote has not got a file
LOCAL = ".dvc/config.local"
ENDPOINT = "https://dagshub.com/{user}/{repo}.s3"
PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
CREDENTIALS = ("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (on DagsHub both are your token), or run make remote with "
               "DAGSHUB_TOKEN set")


def configure(user: str, repo: str, token: str | None) -> str:
    """Point the default remote to a repository on DagsHub; a token goes to .dvc/config.local. What was done, in words."""
    for name, value in (("USER", user), ("REPO", repo)):
        if not PART.fullmatch(value):
            raise UserError(f"{name}={value!r} is no name on DagsHub: letters, digits, '.', '_' and '-', without the address")
    from dvc.repo import Repo

    with Repo() as repository:
        with repository.config.edit("repo") as tracked:
            tracked["remote"][NAME]["endpointurl"] = ENDPOINT.format(user=user, repo=repo)
            tracked["core"]["remote"] = NAME
        if token:
            os.umask(0o077)  # for this command: the file holds the token from its first moment on
            with repository.config.edit("local") as local:
                local["remote"][NAME] = {"access_key_id": token, "secret_access_key": token}
            os.chmod(LOCAL, 0o600)
    kept = f"{LOCAL} has the token" if token else CREDENTIALS
    return f"remote {NAME}: {ENDPOINT.format(user=user, repo=repo)}\n{kept}\nCommit it: git add .dvc/config && git commit"


def default() -> str | None:
    """The name of the default remote, None where none is configured."""
    from dvc.repo import Repo

    with Repo() as repository:
        name: str | None = repository.config["core"].get("remote")
        return name


def check() -> str:
    """The default remote's name, after it has been asked for a listing; a UserError says why it cannot be used."""
    from dvc.repo import Repo

    load_settings(environment.Storage)
    with Repo() as repository:
        name = repository.config["core"].get("remote")
        if not name:
            raise UserError("no DVC remote is configured: make remote USER=… REPO=… (DagsHub), or dvc remote add -d NAME URL")
        settings = repository.config["remote"].get(name, {})
        where = f"remote {name} ({settings.get('endpointurl') or settings.get('url')})"
        store = repository.cloud.get_remote_odb(name)
        if store.fs.protocol == "s3":
            bucket = store.path.split("/")[0]
            listed(lambda: store.fs.fs.ls(bucket), where, f"there is no bucket {bucket}")
        return str(name)


def listed(ask: Callable[[], object], where: str, missing: str) -> None:
    """Ask an object store; its refusals as one message each."""
    from botocore.exceptions import BotoCoreError, NoCredentialsError

    try:
        ask()
    except NoCredentialsError:
        raise UserError(f"{where}: no credentials: {CREDENTIALS}") from None
    except PermissionError as error:
        raise UserError(f"{where} refuses the credentials ({error}): {CREDENTIALS}") from None
    except FileNotFoundError:
        raise UserError(f"{where}: {missing}: create the repository there, or correct the remote's url") from None
    except (BotoCoreError, OSError) as error:
        raise UserError(f"{where} cannot be reached ({error}): look at its endpointurl and at the network") from None


def available() -> tuple[bool, bool]:
    """Whether the remote can be used, and whether the pipeline has its data even without it; what is skipped is said."""
    try:
        check()
        return True, True
    except UserError as error:
        here = Path(load_params(DataParams).source)
        data = here.exists() or not here.with_name(f"{here.name}.dvc").exists()
        github.summary(f"The DVC remote is left out: {error}.\n\n"
                       + ("The pipeline runs from its beginning." if data else f"So is the pipeline: {here} is only there."))
        return False, data


def repro(*stages: str) -> None:
    """`dvc repro`; what a stage that runs needs and is not here is brought from the remote, and nothing else.

    Without a remote that can be used, and where it has not got everything, all is made here.
    """
    remedy = "nothing was recorded"
    if available()[0]:
        done = shell.watched(*shell.dvc("repro", "--pull", "--allow-missing", *stages))
        if done.status == 0:
            return
        if MISSING not in done.output:
            raise UserError(f"dvc repro failed with status {done.status}: {remedy}")
        print("what the remote has not got is made again", flush=True)
    shell.run(*shell.dvc("repro", *stages), remedy=remedy)


def bring(*wanted: Path | str) -> None:
    """Pull those files that are not here, or make them again.

    They are named as files: DVC drops what stands behind a .dvc file on its command line.
    """
    missing = [str(path) for path in wanted if not Path(path).exists()]
    if missing:
        check()
        done = shell.watched(*shell.dvc("pull", *missing))
        if done.status:
            print("what the remote has not got is made again", flush=True)
            shell.run(*shell.dvc("repro"), remedy="run python -m automation.dvc_remote push where the data were made")


def champion_and_data() -> None:
    """Bring what serving needs: the champion's model, the newest data and, to compare with, its forecast."""
    current = read_champion()
    if current is None:
        raise UserError("there is no champion: python -m stages.promote makes the candidate the first")
    bring(current.model, paths.FEATURES, paths.FORECAST)


def push(*targets: str) -> None:
    """Bring what dvc.lock and the .dvc files name to the remote, or these .dvc files alone; its refusal is one clear message."""
    check()
    shell.run(*shell.dvc("push", *(targets or ("--run-cache",))), remedy="nothing is lost here: run it again")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m automation.dvc_remote", description="The DVC remote.")
    actions = parser.add_subparsers(dest="action", required=True)
    setting = actions.add_parser("set", help="point it to a repository on DagsHub")
    setting.add_argument("user")
    setting.add_argument("repo")
    actions.add_parser("check", help="see whether it can be reached and lets us in")
    running = actions.add_parser("repro", help="dvc repro with what it has")
    running.add_argument("stages", nargs="*")
    actions.add_parser("champion", help="bring what serving needs")
    actions.add_parser("available", help="say whether CI can use it")
    actions.add_parser("push", help="bring all data and models there")
    given = parser.parse_args()
    if given.action == "set":
        token = load_settings(environment.Storage).dagshub_token
        print(configure(given.user, given.repo, token.get_secret_value() if token else None))
    elif given.action == "check":
        github.outputs(remote=check())
    elif given.action == "repro":
        repro(*given.stages)
    elif given.action == "champion":
        champion_and_data()
    elif given.action == "available":
        usable, data = available()
        github.outputs(remote=usable, data=data)
    else:
        push()


if __name__ == "__main__":
    run_command(main)
