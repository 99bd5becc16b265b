"""Spaces of the stand-in for the Hugging Face Hub: their commits and files."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

LARGE = (".parquet", ".pkl")
CREATED = {".gitattributes": b"*.parquet filter=lfs\n*.pkl filter=lfs\n", "README.md": b"---\ntitle: new\nsdk: docker\n---\n"}


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True)
class Commit:
    id: str
    title: str
    files: dict[str, bytes]
    changed: tuple[str, ...] = ()  # what the request named, as "kind path"


@dataclass
class Repo:
    """A Space. `fails` says why files cannot be built, None if they can; `stale`: the process before goes on answering."""

    name: str
    private: bool
    commits: list[Commit] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    stage: str = "NO_APP_FILE"
    running: str | None = None
    error: str | None = None
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    fails: Callable[[dict[str, bytes]], str | None] = lambda _: None
    stale: bool = False

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    def at(self, revision: str) -> Commit:
        if revision == "main":
            return self.head
        return next(commit for commit in self.commits if commit.id == revision)

    def add(self, title: str, files: Mapping[str, bytes], changed: tuple[str, ...] = ()) -> Commit:
        commit = Commit(hashlib.sha1(f"{title}{len(self.commits)}".encode()).hexdigest(), title, dict(files), changed)
        self.commits.append(commit)
        return commit


def entry_of(path: str, content: bytes) -> dict[str, Any]:
    """A file in a listing."""
    found = {"type": "file", "path": path, "size": len(content), "oid": git_hash(content)}
    if path.endswith(LARGE):
        digest = hashlib.sha256(content).hexdigest()
        found |= {"oid": git_hash(digest.encode()), "lfs": {"oid": digest, "size": len(content), "pointerSize": 130}}
    return found
