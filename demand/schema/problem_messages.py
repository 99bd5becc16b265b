"""Validation errors in words. Nothing here decides a number: no stage depends on it (tests/stages/test_dvc_yaml.py)."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from pydantic import BaseModel


def describe_error(kind: type[BaseModel], path: Sequence[str], problem: str, location: tuple[int | str, ...], message: str,
                   value: object) -> str:
    """One validation error in words."""
    dotted = ".".join(map(str, (*path, *location)))
    if problem == "missing":
        return f"{dotted} is missing: add it, docs/parameters.md says what it means"
    if problem == "extra_forbidden":
        allowed = list(section_at(kind, location[:-1]).model_fields)
        close = get_close_matches(str(location[-1]), allowed, n=1)
        return f"{dotted} is unknown{f': did you mean {close[0]}?' if close else ''} (allowed: {', '.join(allowed)})"
    return f"{dotted} = {value!r}: {message[0].lower()}{message[1:]}"


def section_at(kind: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel]:
    """The model that holds the keys at this path below a section."""
    for key in location:
        kind = kind.model_fields[str(key)].annotation  # type: ignore[assignment]
    return kind
