"""The sections of params.yaml: one frozen model each. Defaults live in params.yaml only."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from workspace.run.params_file import Params

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A section of params.yaml: frozen, and no key but these."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def describe_error(kind: str, location: tuple[int | str, ...], message: str, value: object) -> str:
    """One validation error in words."""
    path = ".".join(map(str, location))
    if kind == "missing":
        return f"{path} is missing: add it, stages/forecasting/params.py says what it means"
    if kind == "extra_forbidden":
        allowed = list(section_at(location[:-1]).model_fields)
        close = get_close_matches(str(location[-1]), allowed, n=1)
        return f"{path} is unknown{f': did you mean {close[0]}?' if close else ''} (allowed: {', '.join(allowed)})"
    return f"{path} = {value!r}: {message[0].lower()}{message[1:]}"


def section_at(location: tuple[int | str, ...]) -> type[Section]:
    """The model that holds the keys at this path."""
    model: type[Section] = Params
    for key in location:
        model = model.model_fields[str(key)].annotation  # type: ignore[assignment]
    return model
