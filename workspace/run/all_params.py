"""The whole of params.yaml, for who checks all of it or needs many sections at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demand.backtest.evaluate_params import EvaluateParams
from demand.champion.promote_params import PromoteParams
from demand.cleaning.prepare_params import PrepareParams
from demand.drift.drift_params import DriftParams
from demand.ingest.data_params import DataParams
from demand.model.trees.train_params import TrainParams
from demand.planning.forecast_params import ForecastParams
from demand.schema.errors import UserError
from demand.schema.sections import Section, parse_section
from demand.simulation.demo_params import DemoParams
from workspace.run import paths
from workspace.run.params_file import read_yaml


class Params(Section):
    """The whole of params.yaml. A new section is a model beside its code and a line here."""

    demo: DemoParams
    data: DataParams
    prepare: PrepareParams
    drift: DriftParams
    train: TrainParams
    evaluate: EvaluateParams
    forecast: ForecastParams
    promote: PromoteParams


def parse_params(content: Any, file: str = str(paths.PARAMS)) -> Params:
    """The model of a parsed params.yaml; a UserError names each wrong key with its dotted path, and what is allowed there."""
    if not isinstance(content, dict):
        raise UserError(f"{file}: expected the sections {', '.join(Params.model_fields)}, found {type(content).__name__}")
    return parse_section(Params, content, file)


def load_all_params(path: Path = paths.PARAMS) -> Params:
    """The whole of params.yaml, checked."""
    return parse_params(read_yaml(path), str(path))
