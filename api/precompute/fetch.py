"""Keeps the newest model and data at hand: the working tree, or a copy of a Git repository and what its DVC remote holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from api.settings import Settings
from demand.schema.errors import UserError
from workspace.run.dvc_command import last_error
from workspace.run.files import read_json
from workspace.secrets.redaction import redact

NEEDED = ("data/processed/feature_data.parquet",)  # of DVC's outputs


def working_tree(settings: Settings, state: Path) -> Path:
    """A working tree with the newest model and data; raises RuntimeError when the remote cannot be reached."""
    if settings.source_git is None:
        return settings.project_dir
    return clone(settings, state)


def clone(settings: Settings, state: Path) -> Path:
    """A clone of the newest commit with the files that serving needs; the one from before where nothing was pushed since."""
    from dulwich import porcelain

    assert settings.source_git is not None
    url = settings.source_git.get_secret_value()
    wanted = f"refs/heads/{settings.source_branch}" if settings.source_branch else "HEAD"
    try:
        refs: dict[Any, Any] = dict(porcelain.ls_remote(url).refs)
        head = refs.get(wanted.encode())
        if head is None:
            raise RuntimeError(f"the Git repository has no {wanted}")
        copy = state / "clones" / head.decode()
        if (copy / ".complete").exists():
            return copy
        shutil.rmtree(state / "clones", ignore_errors=True)
        copy.parent.mkdir(parents=True)
        porcelain.clone(url, str(copy), depth=1, branch=settings.source_branch, errstream=open(os.devnull, "wb")).close()
    except Exception as error:
        raise RuntimeError(redact(f"the Git repository cannot be read: {error or type(error).__name__}")) from None
    pull(copy, settings, state / "cache")
    (copy / ".complete").touch()
    return copy


def pull(copy: Path, settings: Settings, cache: Path) -> None:
    """Bring the DVC-tracked files that serving needs."""
    dvc(copy, "cache", "dir", "--local", str(cache.resolve()))
    if settings.source_remote_config:
        configure(copy, settings.source_remote or default_remote(copy), settings.source_remote_config.get_secret_value())
    try:
        champion = read_json(copy / "models/champion.json", "commit it")
    except UserError:
        raise RuntimeError("the Git repository has no models/champion.json") from None
    version = champion.get("version")
    model = champion["model"] if version else "models/model.pkl"  # with .dvc and more behind it, DVC leaves the rest out
    remote = ["--remote", settings.source_remote] if settings.source_remote else []
    dvc(copy, "pull", *remote, model, *NEEDED)


def configure(copy: Path, remote: str, pairs: str) -> None:
    """Add NAME=VALUE settings of a remote to the clone's own configuration; on a command line every user could read them."""
    from configobj import ConfigObj

    path = copy / ".dvc/config.local"
    path.touch(0o600)
    path.chmod(0o600)
    config = ConfigObj(str(path), encoding="utf-8")
    config.setdefault(f'remote "{remote}"', {}).update(dict(pair.split("=", 1) for pair in pairs.split() if "=" in pair))
    config.write()


def default_remote(copy: Path) -> str:
    return dvc(copy, "remote", "default").strip()


def dvc(copy: Path, *arguments: str) -> str:
    """Run DVC in the clone; its own last word is the error."""
    run = subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=copy, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(redact(f"dvc {arguments[0]} failed: {last_error([run])}"))
    return run.stdout
