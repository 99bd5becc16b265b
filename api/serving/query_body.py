"""A query of one series, parsed from a body."""

from __future__ import annotations

from typing import TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from api.errors import invalid, problems_of
from api.limits import Budget, fits_budget

VALUES, NAMES = 5_000, 200  # in a query: 3,660 days of sales, and 100 columns of a day
Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], body: bytes, days: int = 0) -> Model:
    """A body as its model. Raises 422 for more values than that can need, unparsed, or with the first errors.

    Args:
        days: of future covariates, all of them together.
    """
    if not fits_budget(body, Budget(VALUES + days, NAMES + days, NAMES, NAMES + days)):
        raise invalid(("body",), f"more than {VALUES + days:,} values, or more than {NAMES + days:,} names", "too_long")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(problems_of(error)) from None
