"""What can have happened to a file that a command reads."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

Damage = Callable[[Path], None]


def gone(path: Path) -> None:
    """Remove what is there, of whatever kind."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def content(make: Callable[[bytes], bytes]) -> Damage:
    """Other bytes, made of those that are there."""
    def damage(path: Path) -> None:
        before = path.read_bytes()
        gone(path)
        path.write_bytes(make(before))

    return damage


def directory(path: Path) -> None:
    gone(path)
    path.mkdir()


def fifo(path: Path) -> None:
    gone(path)
    os.mkfifo(path)


def loop(path: Path) -> None:
    gone(path)
    path.symlink_to(path.name)


def below_a_file(path: Path) -> None:
    """The folder of the file is a file."""
    shutil.rmtree(path.parent)
    path.parent.write_text("in the way")


ANY_FILE: dict[str, Damage] = {
    "missing": gone,
    "empty": content(lambda _: b""),
    "half": content(lambda before: before[: len(before) // 2]),
    "zeros": content(lambda before: bytes(len(before))),
    "other bytes in the middle": content(
        lambda before: before[: len(before) // 3] + b"\xff\x00\xfe" * 9 + before[len(before) // 2 :]),
    "a directory": directory,
    "a FIFO": fifo,
    "a link to itself": loop,
}
JSON_FILE: dict[str, Damage] = ANY_FILE | {
    "null": content(lambda _: b"null"),
    "a list": content(lambda _: b"[]"),
    "an empty object": content(lambda _: b"{}"),
    "a number": content(lambda _: b"1e999"),
    "deeply nested": content(lambda _: b"[" * 100_000),
    "a merge conflict": content(lambda before: b"<<<<<<< HEAD\n" + before + b"=======\n" + before + b">>>>>>> other\n"),
    "values of another kind": content(lambda before: json.dumps({key: [1] for key in json.loads(before)}).encode()),
    "nulls": content(lambda before: json.dumps(dict.fromkeys(json.loads(before))).encode()),
    "one key more": content(lambda before: json.dumps(json.loads(before) | {"surprise": 1}).encode()),
    "texts": content(lambda before: json.dumps(dict.fromkeys(json.loads(before), "2024-13-99")).encode()),
}


def table(change: Callable[[pa.Table], pa.Table]) -> Damage:
    """Another table, made of that of the Parquet file."""
    def damage(path: Path) -> None:
        changed = change(parquet.read_table(path))
        gone(path)
        parquet.write_table(changed, path)

    return damage


def replaced(name: str, make: Callable[[pa.ChunkedArray], pa.Array]) -> Damage:
    return table(lambda rows: rows.set_column(rows.column_names.index(name), name, make(rows[name])))


PARQUET_FILE: dict[str, Damage] = ANY_FILE | {
    "no rows": table(lambda rows: rows.slice(0, 0)),
    "no columns": table(lambda rows: rows.select([])),
    "half of the columns": table(lambda rows: rows.select(rows.column_names[: len(rows.column_names) // 2])),
    "dates of another kind": replaced("date", lambda column: column.cast(pa.string())),
    "dates that are null": replaced("date", lambda column: pa.nulls(len(column), pa.date32())),
    "sales as text": replaced("sales", lambda column: column.cast(pa.string())),
    "lists as sales": replaced("sales", lambda column: pa.array([[1.0]] * len(column))),
    "a status that there is not": replaced("status", lambda column: pa.array(["asleep"] * len(column))),
    "stores that are null": replaced("store", lambda column: pa.nulls(len(column), pa.int64())),
}
