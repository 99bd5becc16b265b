"""Checks the whole of params.yaml, so that a mistyped key is an error even when no stage reads its section anew.

Reads params.yaml. Writes nothing.
"""

from __future__ import annotations

from workspace.run import paths
from workspace.run.all_params import load_all_params
from workspace.run.command import run_command


def main() -> None:
    params = load_all_params()
    print(f"{paths.PARAMS}: {', '.join(type(params).model_fields)}")


if __name__ == "__main__":
    run_command(main)
