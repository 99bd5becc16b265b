"""A Space on the Hugging Face Hub: its revisions and its state."""

from __future__ import annotations

import hashlib
import os
import re
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi, get_token, set_client_factory
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.tqdm import disable_progress_bars

from automation.support import environment
from automation.support.hub_errors import Unreachable, hub_errors
from demand.schema.errors import UserError
from workspace.secrets import redaction
from workspace.secrets.settings import load_settings

KEPT = ".gitattributes"  # the Hub's own: which files are large
GOOD = "good-"  # begins the tags of revisions that passed their test in operation
BROKEN = ("BUILD_ERROR", "RUNTIME_ERROR", "CONFIG_ERROR", "NO_APP_FILE", "STOPPED", "PAUSED", "DELETING")
ANSWER_SECONDS = 60.0  # the client would wait for ever


@dataclass(frozen=True)
class Live:
    """Where a Space answers. `token` is for private ones, whose door asks for it."""

    url: str
    token: str | None


def same(path: Path, remote: RepoFile | None) -> bool:
    """Whether a local file is what the Hub has: large files are known there by their SHA-256, others by Git's hash."""
    if remote is None:
        return False
    content = path.read_bytes()
    if remote.lfs is not None:
        return hashlib.sha256(content).hexdigest() == remote.lfs.sha256
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == remote.blob_id


def log_in(name: str) -> None:
    """See that there is a token: HF_TOKEN, or one that the Hub gives this workflow for this Space alone."""
    load_settings(environment.SpaceAccess)
    if not os.environ.get("HF_TOKEN") and os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"):
        os.environ.setdefault("HF_OIDC_RESOURCE", f"spaces/{name}")
    remedy = "set HF_TOKEN to one with write access to the Space, or make this workflow a trusted publisher in its settings"
    try:
        with hub_errors("logging in"):
            token = get_token()
    except Unreachable:
        raise
    except UserError as error:
        raise UserError(f"{error}; {remedy}") from None
    if token is None:
        raise UserError(f"there is no token for the Hub: {remedy}")
    redaction.learn(token)


class Space:
    """One Space and the right to change it: HF_TOKEN, or in GitHub Actions a trusted publisher of that Space."""

    def __init__(self, name: str) -> None:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
            raise UserError(f"{name} names no Space: OWNER/NAME is needed")
        self.name = name
        disable_progress_bars()
        set_client_factory(lambda: httpx2.Client(follow_redirects=True, timeout=ANSWER_SECONDS))
        log_in(name)
        self.api = HfApi()

    def open(self) -> str:
        """The revision at the head; a Space that is missing is made, private, and what it is otherwise is kept."""
        with hub_errors(f"opening {self.name}"):
            try:
                info = self.api.space_info(self.name)
            except HfHubHTTPError as error:
                if error.response.status_code != 404:
                    raise
                self.api.create_repo(self.name, repo_type="space", space_sdk="docker", private=True)
                print(f"made the private Space {self.name}")
                info = self.api.space_info(self.name)
        if info.sdk not in (None, "docker"):
            raise UserError(f"{self.name} is a Space of the kind {info.sdk}, not docker: name another one")
        return str(info.sha)

    def live(self) -> Live:
        with hub_errors(f"looking up where {self.name} answers"):
            info = self.api.space_info(self.name)
            host = info.host or f"https://{info.subdomain or re.sub('[^a-z0-9]+', '-', self.name.lower())}.hf.space"
            if not environment.is_encrypted(host):
                raise UserError(f"the Hub says that {self.name} answers at {host}: nothing is sent there without encryption")
            return Live(host, get_token() if info.private else None)

    def tree(self, revision: str) -> dict[str, RepoFile]:
        with hub_errors(f"listing the files of {self.name}"):
            listed = self.api.list_repo_tree(self.name, recursive=True, revision=revision, repo_type="space")
            return {file.path: file for file in listed if isinstance(file, RepoFile)}

    def commit(self, operations: list[Any], title: str, head: str) -> str:
        """The new revision; all of it or nothing, and nothing if the head is not what it was."""
        with hub_errors(f"uploading to {self.name}"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a Parquet file in a Space is meant
            done = self.api.create_commit(self.name, operations, commit_message=title, repo_type="space", parent_commit=head)
            return done.oid

    def put(self, files: Mapping[str, Path], title: str, head: str) -> str:
        """The revision that holds these files and no others: the head where it does, or one commit more."""
        there = self.tree(head)
        changes: list[Any] = [CommitOperationAdd(name, path) for name, path in files.items() if not same(path, there.get(name))]
        changes += [CommitOperationDelete(name) for name in there.keys() - files.keys() - {KEPT}]
        return self.commit(changes, title, head) if changes else head

    def restore(self, revision: str, title: str) -> str:
        """The same with the files of an earlier revision; large ones are copied on the Hub."""
        head = self.open()
        then, now = self.tree(revision), self.tree(head)
        changes: list[Any] = [CommitOperationCopy(name, name, src_revision=revision) for name, file in then.items()
                              if name not in now or now[name].blob_id != file.blob_id]
        changes += [CommitOperationDelete(name) for name in now.keys() - then.keys()]
        return self.commit(changes, title, head) if changes else head

    def last_good(self) -> str | None:
        """The newest revision that passed its test in operation."""
        with hub_errors(f"reading the history of {self.name}"):
            good = {tag.target_commit for tag in self.api.list_repo_refs(self.name, repo_type="space").tags
                    if tag.name.startswith(GOOD)}
            history = self.api.list_repo_commits(self.name, repo_type="space") if good else []
            return next((commit.commit_id for commit in history if commit.commit_id in good), None)

    def mark_good(self, revision: str) -> None:
        with hub_errors(f"tagging the revision of {self.name}"):
            self.api.create_tag(self.name, tag=f"{GOOD}{revision[:12]}", revision=revision, repo_type="space", exist_ok=True)

    def wait(self, revision: str, deadline: float, grace: float) -> None:
        """Until it runs that revision, or sleeps and will when it is asked.

        Args:
            deadline: of time.monotonic().
            grace: seconds that the Hub may take to notice a commit; until then it tells of the revision before.

        Raises:
            UserError: it does not, and will not.
        """
        start, stage = time.monotonic(), "unknown"
        while (now := time.monotonic()) < deadline:
            try:
                with hub_errors(f"asking how {self.name} is"):
                    runtime = self.api.get_space_runtime(self.name)
            except Unreachable as error:
                stage = str(error)
            else:
                stage, built, settled = str(runtime.stage), runtime.raw.get("sha"), now - start >= grace
                ours = built == revision or (settled and (built is None or stage == "SLEEPING"))
                if ours and stage in ("RUNNING", "SLEEPING"):
                    return
                if stage in BROKEN and (ours or settled):
                    reason = " ".join(str(runtime.raw.get("errorMessage") or "").split())[:300]
                    raise UserError(f"{self.name} does not run: {stage}{f', {reason}' if reason else ''}; the log is on its page")
            time.sleep(min(5.0, max(0.2, (now - start) / 10), max(deadline - now, 0)))
        raise UserError(f"{self.name} did not run in time: {stage}")
