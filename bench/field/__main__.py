"""Judges this project on real files beside seven peers: python -m bench.field [FILE ...] (make bench-field runs all of them).

Writes bench/field.json and bench/field.md when all files of the committed manifest ran; else it prints the page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import warnings
from pathlib import Path
from typing import Any

from bench.field.field_report import markdown
from bench.field.judge import Ends, coverage, judge_file
from bench.field.manifest import manifest_of, read_manifest
from bench.field.summary import summarise
from demand.schema.errors import UserError
from workspace.run.all_params import load_all_params
from workspace.run.files import write_json

FOLDER = Path("../shared/data/field")  # not ours to pass on: used where it is
JSON, PAGE = Path("bench/field.json"), Path("bench/field.md")


def run(folder: Path, manifest: Path, wanted: list[str], earlier: dict[str, Any]) -> dict[str, Any]:
    """The figures of the wanted files, all of the manifest's where none is named."""
    entries = read_manifest(manifest)
    if unknown := sorted(set(wanted) - set(entries)):
        raise UserError(f"{manifest} has no {', '.join(unknown)}: choose from {', '.join(entries)}")
    params = load_all_params()
    files: dict[str, Any] = {}
    days: list[Ends] = []
    for name in wanted or entries:
        files[name], ends = judge_file(name, entries[name], folder, params, earlier.get("files", {}).get(name))
        days.append(ends)
    machine = f"{os.cpu_count()} cores that other work shared, Python {platform.python_version()}"
    return {"machine": machine, "files": files, "summary": summarise(files, coverage(days))}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.field", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="names of the manifest; default: all")
    parser.add_argument("--folder", type=Path, default=FOLDER,
                        help="of the files; its own files.yaml is taken before the project's")
    parser.add_argument("--manifest", type=Path, help="another manifest")
    parser.add_argument("--reuse-peers", action="store_true",
                        help="take the peers' figures from bench/field.json where their task is the same")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")  # of the peers' libraries
    earlier = json.loads(JSON.read_text(encoding="utf-8")) if args.reuse_peers and JSON.exists() else {}
    try:
        results = run(args.folder, args.manifest or manifest_of(args.folder), args.files, earlier)
    except UserError as error:
        sys.exit(f"error: {error}")
    page = markdown(results)
    if args.files or args.manifest or args.folder != FOLDER:
        print(page)
        return
    write_json(JSON, results)
    PAGE.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
