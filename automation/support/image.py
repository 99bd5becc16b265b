"""What the API's image is built from: the files that .dockerignore lets in, as far as the champion needs them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from pathspec import PathSpec

from demand.champion.champion_record import Champion
from demand.schema.errors import UserError
from workspace.run import paths

DOCKERFILE, IGNORE = Path("Dockerfile"), Path(".dockerignore")


class Ignore:
    """The rules of a .dockerignore: the last one that matches a path, or a directory above it, decides.

    Docker's patterns are those of .gitignore, but for one thing: they begin at the root.
    """

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
        self.exceptions = [os.path.normpath(line[1:].strip()).strip("/") for line in lines if line.startswith("!")]
        rooted = (f"!/{line[1:].strip().strip('/')}" if line.startswith("!") else f"/{line.strip('/')}" for line in lines)
        self.rules = PathSpec.from_lines("gitignore", rooted)

    def lets_in(self, path: str) -> bool:
        """Whether a path, relative and with slashes, is part of the build's context."""
        names = [path, *(parent.as_posix() for parent in PurePosixPath(path).parents)][:-1]
        matched = [rule.include for rule in self.rules.patterns if any(rule.match_file(name) for name in names)]
        return not matched[-1] if matched else True

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
