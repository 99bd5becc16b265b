"""JSON records: parsed with an error that says what is wrong, written with stable floats."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from demand.schema.errors import UserError


def round_floats(content: Any, digits: int = 6) -> Any:
    """A JSON-like structure with its floats cut to so many significant digits, NaN as None: last bits differ between machines."""
    if isinstance(content, dict):
        return {key: round_floats(value, digits) for key, value in content.items()}
    if isinstance(content, Iterable) and not isinstance(content, str):
        return [round_floats(value, digits) for value in content]
    if isinstance(content, float | np.floating):
        return float(f"{content:.{digits}g}") if math.isfinite(content) else None
    return content


Content = TypeVar("Content", bound=BaseModel)
About = TypeVar("About", bound="ModelRecord")
Digest = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the model file, hexadecimal")


class ModelRecord(BaseModel):
    """Metrics that say which model file they are about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model_sha256: str = Digest


def parse_record(kind: type[Content], content: Any, file: str, remedy: str) -> Content:
    """The model of a file's parsed JSON; a UserError says what is wrong in it and how to get a right one."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise UserError(f"{file} is no {kind.__name__.removesuffix('Record').lower()} ({wrong}): {remedy}") from None


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
