"""What the API's image is built from: the files that .dockerignore lets in, as far as the champion needs them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from demand.champion.champion_record import Champion
from demand.schema.errors import UserError
from workspace.run import paths

DOCKERFILE, IGNORE = Path("Dockerfile"), Path(".dockerignore")
WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


class Ignore:
    """The rules of a .dockerignore: the last one that matches a path, or a directory above it, decides.

    Raises:
        UserError: a pattern has character classes or escapes, which are not needed here.
    """

    def __init__(self, text: str) -> None:
        self.rules: list[tuple[bool, re.Pattern[str]]] = []
        self.exceptions: list[str] = []
        for line in map(str.strip, text.splitlines()):
            if not line or line.startswith("#"):
                continue
            pattern = os.path.normpath(line.removeprefix("!").strip()).strip("/")
            if set("[]\\") & set(pattern):
                raise UserError(f"{IGNORE}: {line} is not understood: use names, *, ** and ? alone")
            parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
            expression = "".join(WILDCARDS.get(part, re.escape(part)) for part in parts)
            self.rules.append((line.startswith("!"), re.compile(f"{expression}(?:/.*)?", re.DOTALL)))
            if line.startswith("!"):
                self.exceptions.append(pattern)

    def lets_in(self, path: str) -> bool:
        """Whether a path, relative and with slashes, is part of the build's context."""
        verdicts = [let_in for let_in, pattern in self.rules if pattern.fullmatch(path)]
        return verdicts[-1] if verdicts else True

    def may_hold(self, directory: str) -> bool:
        """Whether anything below a directory can be let in: the others are not walked through."""
        return self.lets_in(directory) or any(
            pattern.startswith(f"{directory}/") or "*" in pattern or "?" in pattern for pattern in self.exceptions)

    def walk(self, root: Path) -> Iterator[str]:
        """All files below `root` that are let in, relative to it."""
        for directory, below, files in os.walk(root):
            place = Path(directory).relative_to(root)
            below[:] = [name for name in below if self.may_hold((place / name).as_posix())]
            yield from (path for name in files if self.lets_in(path := (place / name).as_posix()))


def needed(found: Iterable[str], champion: Champion) -> list[str]:
    """Those that serving the champion needs: no other version, no candidate, nothing that is for Git alone; sorted."""
    others = (f"{paths.VERSIONS}/", f"{paths.MODEL}")
    return sorted(path for path in found
                  if path == champion.model or not (path.startswith(others) or Path(path).name == ".gitignore"))


def files(champion: Champion) -> list[Path]:
    """The files of the working directory that make the image, the Dockerfile and .dockerignore among them; sorted.

    Raises:
        UserError: one is missing that the image cannot do without.
    """
    try:
        ignore = Ignore(IGNORE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{IGNORE} is missing: run from the repository's root") from None
    found = {*needed(ignore.walk(Path()), champion), str(DOCKERFILE), str(IGNORE)}
    for path in (str(DOCKERFILE), str(paths.CHAMPION), champion.model, str(paths.FEATURES)):
        if not Path(path).is_file():
            raise UserError(f"{path} is missing: run dvc repro, or dvc pull {path}")
        if path not in found:
            raise UserError(f"{IGNORE} keeps {path} out of the image: it needs it")
    return [Path(path) for path in sorted(found)]
