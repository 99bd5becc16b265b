"""The sections of params.yaml: one frozen model each. Defaults live in params.yaml only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from demand.backtest.evaluate_params import EvaluateParams
from demand.champion.promote_params import PromoteParams
from demand.cleaning.prepare_params import PrepareParams
from demand.drift.drift_params import DriftParams
from demand.ingest.data_params import DataParams
from demand.model.trees.train_params import TrainParams
from demand.planning.forecast_params import ForecastParams
from demand.schema.errors import UserError
from demand.schema.sections import Section, describe_error
from demand.simulation.demo_params import DemoParams
from workspace.run import paths


class Params(Section):
    """The whole of params.yaml. A new section is a model above and a line here."""

    demo: DemoParams
    data: DataParams
    prepare: PrepareParams
    drift: DriftParams
    train: TrainParams
    evaluate: EvaluateParams
    forecast: ForecastParams
    promote: PromoteParams


def parse_params(content: Any, file: str = "params.yaml") -> Params:
    """The model of a parsed params.yaml; a UserError names each wrong key with its dotted path, and what is allowed there."""
    if not isinstance(content, dict):
        raise UserError(f"{file}: expected the sections {', '.join(Params.model_fields)}, found {type(content).__name__}")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        problems = [describe_error(problem["type"], problem["loc"], problem["msg"], problem["input"]) for problem in error.errors()]
        raise UserError("\n  ".join([f"{file}: {len(problems)} wrong", *problems])) from None


def load_params(path: Path = paths.PARAMS) -> Params:
    """The whole of params.yaml, checked. A stage uses the sections that its params in dvc.yaml name, and no other."""
    try:
        return parse_params(yaml.safe_load(path.read_text(encoding="utf-8")), str(path))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run from the repository's root") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not YAML: {error}") from None
