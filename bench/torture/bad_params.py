"""Values of params.yaml that nothing can be done with, and files that are no params.yaml."""

from __future__ import annotations

from typing import Any

NOTHING: dict[str, Any] = {"no number": "ten", "a list": [1], "an object": {"a": 1}, "null": None, "not a number": float("nan"),
                           "infinite": float("inf"), "negative": -1}
NUMBERS = ("demo.stores", "demo.years", "prepare.fill_weeks", "prepare.outlier_z", "drift.sigmas", "train.max_depth",
           "train.learning_rate", "train.rows", "evaluate.step_days", "forecast.horizon", "promote.tolerance")
SINGLE: dict[str, tuple[str, Any]] = {
    "an unknown section": ("dta", {}), "an unknown key": ("data.sorce", "x.csv"), "a section that is a number": ("train", 3),
    "a section that is null": ("data", None), "a section that is a list": ("forecast", [90]),
    "a base that there is not": ("train.base", "wavelets"),
    "an algorithm that there is not": ("train.algorithm", "transformer"), "a horizon of 0": ("forecast.horizon", 0),
    "a horizon of a billion": ("forecast.horizon", 10**9), "a fractional horizon": ("forecast.horizon", 1.5),
    "no source": ("data.source", None), "an empty source": ("data.source", ""), "a source of no kind": ("data.source", 5),
    "a source that is not there": ("data.source", "data/nowhere.csv"), "a source with NUL": ("data.source", "data/\0.csv"),
    "a source with a name that is too long": ("data.source", "x" * 5000), "a pattern as source": ("data.source", "data/*.csv"),
    "a folder without tables": ("data.source", "logs"), "a device as source": ("data.source", "/dev/null"),
    "an endless device": ("data.source", "/dev/zero"),
    "S3 without a bucket": ("data.source", "s3://"), "another protocol": ("data.source", "ftp://host/sales.csv"),
    "a day that is none": ("data.as_of", "2024-02-30"), "a day before the data": ("data.as_of", "1990-01-01"),
    "a day after the data": ("data.as_of", "2090-01-01"), "a date format without days": ("data.date_format", "%Y-%m"),
    "a date format of another kind": ("data.date_format", "%d.%m.%Y"), "a separator of two characters": ("data.separator", ";;"),
    "another separator": ("data.separator", ";"), "an encoding that there is not": ("data.encoding", "klingon"),
    "an encoding that is no text": ("data.encoding", "base64"), "an encoding that does not fit": ("data.encoding", "utf-16"),
    "known-future columns as text": ("data.known_future", "promo"),
    "a known-future column twice": ("data.known_future", ["promo", "promo"]),
    "a known-future column that is not there": ("data.known_future", ["price"]),
    "a known-future column that is taken": ("data.known_future", ["sales"]),
    "a column that is not there": ("data.columns", {"date": "date", "store": "shop", "item": "item", "sales": "sales"}),
    "a column twice": ("data.columns", {"date": "date", "store": "date", "item": "item", "sales": "sales"}),
    "no columns": ("data.columns", {}), "a column of no columns": ("data.columns", {"date": "date", "store": [], "item": "item",
    "sales": "sales"}),
    "origins that are no days": ("evaluate.origins", ["soon"]), "no origins": ("evaluate.origins", []),
    "seed of text": ("train.seed", "x"),
    "negative tolerance": ("promote.tolerance", -0.5), "missing days by guess": ("data.missing_days", "guess"),
}
VALUES: dict[str, tuple[str, Any]] = SINGLE | {
    f"{path}: {name}": (path, value) for path in NUMBERS for name, value in NOTHING.items()}
TEXTS: dict[str, bytes] = {
    "empty": b"", "a list": b"- 1\n", "a number": b"5\n", "an open bracket": b"data: [1", "a tab": b"data:\n\tsource: x\n",
    "NUL": b"data: \0\n",
    "no UTF-8": b"data: \xff\xfe\n", "UTF-16 with a mark": "data: {}".encode("utf-16"), "two documents": b"a: 1\n---\nb: 2\n",
    "a key twice": b"data: {}\ndata: {}\n",
    "a Python object": b"data: !!python/object/apply:os.system ['touch exploded']\n", "an unknown tag": b"data: !secret x\n",
    "an alias of nothing": b"data: *x\n",
    "an alias of itself": b"data: &a\n  source: *a\n", "deeply nested": b"[" * 50_000, "keys that are lists": b"? [1, 2]\n: 3\n",
    "aliases that multiply": b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (k, k, b",".join([b"*%c" % (k - 1)] * 9)) for k in range(98, 107)),
    "a merge conflict": b"<<<<<<< HEAD\ndata: {}\n=======\ndata: {}\n>>>>>>> x\n",
}
