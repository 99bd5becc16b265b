"""How every stage starts and fails: one clear line for the user's mistakes, whole files or none for its outputs."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from stages import paths, redaction
from stages.forecasting.errors import UserError
from stages.forecasting.params import Params, parse

if TYPE_CHECKING:
    import pyarrow as pa


def run(main: Callable[[], None]) -> None:
    """Run a stage's main(); a UserError becomes one message on stderr and exit code 1, without a traceback.

    Nothing that is printed meanwhile holds a secret, the traceback of an unexpected error neither.
    """
    redaction.read_environment()
    with redaction.redacted_output():
        try:
            main()
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(1)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            sys.exit(130)
        except Exception:
            traceback.print_exc()
            sys.exit(1)


def load_params(path: Path = paths.PARAMS) -> Params:
    """The whole of params.yaml, checked. A stage uses the sections that its params in dvc.yaml name, and no other."""
    try:
        return parse(yaml.safe_load(path.read_text(encoding="utf-8")), str(path))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run from the repository's root") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not YAML: {error}") from None


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that replaces it when the block ends well: readers never see half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_table(path: Path, table: pa.Table) -> None:
    """Write Parquet: the same rows give the same bytes, however the table was put together."""
    from pyarrow import parquet

    with whole_file(path) as part:
        parquet.write_table(table.combine_chunks(), part, compression="zstd")


def write_json(path: Path, content: Any) -> None:
    """Write JSON in a form that is stable and reads well in a diff."""
    with whole_file(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
