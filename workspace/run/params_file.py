"""params.yaml, section by section: a command loads what it is set by, and imports nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, overload

import yaml

from demand.schema.errors import UserError
from demand.schema.sections import Section, parse_section
from workspace.run import paths
from workspace.run.files import file_bytes

A = TypeVar("A", bound=Section)
B = TypeVar("B", bound=Section)
C = TypeVar("C", bound=Section)
D = TypeVar("D", bound=Section)


@overload
def load_params(first: type[A], /) -> A: ...
@overload
def load_params(first: type[A], second: type[B], /) -> tuple[A, B]: ...
@overload
def load_params(first: type[A], second: type[B], third: type[C], /) -> tuple[A, B, C]: ...
@overload
def load_params(first: type[A], second: type[B], third: type[C], fourth: type[D], /) -> tuple[A, B, C, D]: ...
def load_params(*kinds: type[Section]) -> Any:
    """Those sections of params.yaml, checked, in the order in which they are named; one alone as itself.

    A stage names the sections that its `params` in dvc.yaml name, and reads those keys alone (tests/workspace/test_dvc_yaml.py).
    """
    content = read_yaml()
    found = tuple(parse_section(kind, section_of(content, kind), str(paths.PARAMS), [kind.section]) for kind in kinds)
    return found if len(found) > 1 else found[0]


def section_of(content: dict[str, Any], kind: type[Section]) -> Any:
    """What the file says at a section's key."""
    if kind.section not in content:
        raise UserError(f"{paths.PARAMS}: {kind.section} is missing: add it, docs/parameters.md says what it means")
    return content[kind.section]


def read_yaml(path: Path = paths.PARAMS) -> dict[str, Any]:
    """The parsed file: its sections by name."""
    text = file_bytes(path, "run from the repository's root")
    try:
        content = yaml.safe_load(text.decode())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: sections are expected, found {type(content).__name__}")
    return content
