"""The manifest of a folder of real files: how each is read, and the origins at which methods are judged on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from demand.ingest.data_params import DataParams
from demand.schema.errors import UserError
from demand.schema.sections import Section, parse_section
from workspace.run import paths
from workspace.run.params_file import read_yaml

NAME = "files.yaml"
OWN = ("source", "known_future", "as_of")  # keys of `data` that the bench sets itself


class FieldFile(Section):
    """One entry of the manifest."""

    title: str = Field(min_length=1, description="what the file holds, for the report")
    path: str = Field(min_length=1, description="the file, relative to the folder")
    data: dict[str, Any] = Field(default={}, description="changes to the section data of params.yaml")
    origins: tuple[date, ...] = Field(min_length=1, description="last known days, one forecast from each")
    planned: tuple[str, ...] = Field(default=(), description="numeric columns known ahead, given to every method")

    @field_validator("data")
    @classmethod
    def leave_to_the_bench(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Refuse the keys that the bench sets."""
        if taken := sorted(set(data) & set(OWN)):
            raise ValueError(f"the bench sets {', '.join(taken)} itself: use path, planned and origins")
        return data

    @field_validator("origins")
    @classmethod
    def ascend(cls, origins: tuple[date, ...]) -> tuple[date, ...]:
        """Refuse origins that repeat or go back."""
        if any(later <= earlier for earlier, later in pairwise(origins)):
            raise ValueError("the days have to ascend")
        return origins


def manifest_of(folder: Path) -> Path:
    """The folder's own manifest, or the one of this project where it has none."""
    own = folder / NAME
    return own if own.exists() else Path(__file__).with_name(NAME)


def read_manifest(file: Path) -> dict[str, FieldFile]:
    """The entries by name.

    Raises:
        UserError: the manifest is missing or holds no entries, or an entry has a wrong key or value; all of them are named.
    """
    try:
        content = read_yaml(file)
    except UserError as error:
        remedy = f"write the manifest, as bench/field/{NAME}"
        raise UserError(str(error).replace("run from the repository's root", remedy)) from None
    if not content:
        raise UserError(f"{file} names no files: add one entry per file with title, path and origins")
    return {name: parse_section(FieldFile, entry, str(file), [name]) for name, entry in content.items()}


def layout_of(name: str, entry: FieldFile, folder: Path, base: Mapping[str, Any]) -> DataParams:
    """The section `data` that reads the entry's file.

    Args:
        base: the section `data` of the committed params.yaml.
    """
    content = dict(base) | entry.data | {"source": str(folder / entry.path), "known_future": list(entry.planned), "as_of": None}
    return parse_section(DataParams, content, f"manifest entry {name}", ["data"])


def committed_data() -> Mapping[str, Any]:
    """The section `data` of params.yaml as it is written."""
    section: Mapping[str, Any] = read_yaml(paths.PARAMS)[DataParams.section]
    return section
