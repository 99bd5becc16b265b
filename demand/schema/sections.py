"""The base of a section of params.yaml: one frozen model each, beside the code that it sets.

Defaults live in params.yaml only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from demand.schema.errors import UserError
from demand.schema.problem_messages import describe_error

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Kind = TypeVar("Kind", bound="Section")


class Section(BaseModel):
    """A section of params.yaml: frozen, and no key but these."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    section: ClassVar[str] = ""  # its key in params.yaml; empty for a part of another section


def parse_section(kind: type[Kind], content: Any, file: str, path: Sequence[str] = ()) -> Kind:
    """The section of parsed YAML.

    Args:
        path: keys that lead to it in the file.

    Raises:
        UserError: names each wrong key with its dotted path, and what is allowed there.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        problems = [describe_error(kind, path, problem["type"], problem["loc"], problem["msg"], problem["input"])
                    for problem in error.errors()]
        raise UserError("\n  ".join([f"{file}: {len(problems)} wrong", *problems])) from None
