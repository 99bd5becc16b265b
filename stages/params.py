"""Checks the whole of params.yaml, so that a mistyped key is an error even when no stage reads its section anew.

Reads params.yaml. Writes nothing.
"""

from __future__ import annotations

from stages import entry, paths


def main() -> None:
    params = entry.load_params()
    print(f"{paths.PARAMS}: {', '.join(type(params).model_fields)}")


if __name__ == "__main__":
    entry.run(main)
