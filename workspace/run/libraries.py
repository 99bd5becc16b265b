"""The libraries that decide a model's numbers: requirements-model.txt names them, and what is installed has to agree."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from demand.schema.errors import UserError

FILE = Path("requirements-model.txt")


def model_libraries(file: Path = FILE) -> dict[str, str]:
    """Version of each library of the file that this platform needs, by the name that it is imported by.

    Raises:
        UserError: another version is installed than the file says: a model must not be recorded under the wrong one.
    """
    found, wrong = {}, []
    for line in file.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        requirement = Requirement(text) if text else None
        if requirement is None or (requirement.marker and not requirement.marker.evaluate()):
            continue
        installed = installed_version(requirement.name)
        if installed is None or not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} {installed or '(none)'} is installed, {file} says {requirement.specifier}")
        found[requirement.name.removesuffix("-cpu")] = str(installed)
    if wrong:
        raise UserError(f"{'; '.join(wrong)}: install what it says (make repro), or say there what to train with")
    return found


def installed_version(name: str) -> str | None:
    """The installed version of a library; xgboost-cpu and xgboost are one library under two names."""
    for alias in (name, *(("xgboost",) if name == "xgboost-cpu" else ())):
        try:
            return metadata.version(alias)
        except metadata.PackageNotFoundError:
            continue
    return None
