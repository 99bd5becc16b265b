"""What the environment says: see .env.example."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from workspace.secrets.redaction import Secret, SecretText


def on_one_line(value: Any) -> Any:
    """Settings that stand on several lines, on one."""
    return " ".join(value.split()) if isinstance(value, str) else value


class Settings(BaseSettings):
    """Every setting of the API; each has a default that suits a working tree on this machine."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, env_file=".env", extra="ignore",
                                      hide_input_in_errors=True)

    api_key: Secret | None = Field(None, description="asked for in X-API-Key; without one POST /model/reload is off")
    project_dir: Path = Field(Path(), description="working tree of the pipeline: models/, data/processed/, metrics/, reports/")
    source_git: SecretText | None = Field(None, description="Git URL (may hold a token) to copy, instead of project_dir")
    source_branch: str | None = Field(None, description="its branch; None for the default one")
    source_remote: str | None = Field(None, description="name of the DVC remote; None for the default one")
    source_remote_config: Annotated[SecretText | None, BeforeValidator(on_one_line)] = Field(
        None, description="its settings, such as access_key_id=… secret_access_key=…")
    state_dir: Path | None = Field(None, description="where computed forecasts lie; None for a private temporary directory")
    poll_seconds: float = Field(15, ge=0, description="between looks for a newer model or newer data; 0 for never")
    build_timeout: float = Field(600, gt=0, description="seconds until the computation of a model's forecasts is given up")
    max_batch: int = Field(100_000, gt=0, description="rows of one batch")
    max_body_bytes: int = Field(16_000_000, gt=0, description="of one request")
    host: str = Field("127.0.0.1", description="of `python -m api`")
    port: int = Field(8000, description="of `python -m api`")
    workers: int = Field(1, gt=0, description="processes of `python -m api`")
