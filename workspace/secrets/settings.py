"""Settings from the environment: what is wrong with them as one message that names the variables and not what they hold."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from demand.schema.errors import UserError

Settings = TypeVar("Settings", bound=BaseModel)


def load_settings(kind: type[Settings]) -> Settings:
    """The settings of that kind, a class of pydantic_settings; a UserError for wrong ones."""
    try:
        return kind()
    except ValidationError as error:
        problems = []
        for problem in error.errors(include_input=False, include_context=False):
            name, message = "".join(map(str, problem["loc"])).upper(), problem["msg"].removeprefix("Value error, ")
            problems.append(f"{name} is not set" if problem["type"] == "missing" else
                            f"{name}: {message[:1].lower()}{message[1:]}" if name else message)
        raise UserError(f"{'; '.join(problems)}: correct it where it is set") from None
