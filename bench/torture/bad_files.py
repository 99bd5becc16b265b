"""Sales files that nobody can read, as CSV and as Parquet: each is refused with one message; and unusual ones that are read."""

from __future__ import annotations

import codecs
import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from bench.torture.tree import sales_rows

ARABIC, ARABIC_DAY = "\u0664\u0662", "\u0662\u0660\u0662\u0664-\u0660\u0663-\u0660\u0661"  # 42, 2024-03-01
HEADER = "date,store,item,sales,promo"
ROWS, AHEAD = 800, 20  # of the Parquet files, and how many of them are days to come
Table = dict[str, Any]


def text(*more: str, header: str = HEADER, rows: list[str] | None = None) -> bytes:
    """The tree's own sales, with some lines more at their end."""
    return "\n".join([header, *(sales_rows() if rows is None else rows), *more, ""]).encode()


def changed(change: Callable[[str], str]) -> bytes:
    """The tree's own sales, each line changed."""
    return text(rows=[change(row) for row in sales_rows()])


def last(day: str = "2024-03-01", store: str = "9", item: str = "1", sales: str = "5", promo: str = "0") -> bytes:
    """One line more, of a series that there is not."""
    return text(",".join((day, store, item, sales, promo)))


CSV: dict[str, bytes] = {
    "empty": b"", "one byte": b"x", "blank lines": b"\n \n\t\n", "a header alone": HEADER.encode(), "no header": text(header=""),
    "only commas": b",,,,\n" * 50, "only quotes": b'"' * 999, "an open quote": text('2024-03-01,1,1,"5,0'),
    "NUL bytes": bytes(5000),
    "NUL in the header": text(header="date,sto\0re,item,sales,promo"), "random bytes": np.random.default_rng(1).bytes(50_000),
    "a PNG": b"\x89PNG\r\n\x1a\n" + bytes(500), "a zip": b"PK\x03\x04" + bytes(500), "gzip": b"\x1f\x8b\x08" + bytes(500),
    "HTML": b"<html><body>404</body></html>\n", "JSON": b'[{"date": "2024-01-01", "store": 1}]\n',
    "UTF-16 without a mark": text().decode().encode("utf-16-le"),
    "UTF-32": codecs.BOM_UTF32_LE + text().decode().encode("utf-32-le"),
    "half a character of UTF-8": text("2024-03-01,K\xf6ln,1,5,0")[:-9],
    "one huge line": b"a," * 2_000_000, "a hundred thousand columns": (",".join(map(str, range(100_000))) + "\n1\n").encode(),
    "a column twice": text(header="date,store,item,sales,sales"),
    "a column is missing": text(header="date,store,item,units,promo"),
    "too few values": text("2024-03-01,1,1"), "too many values": text("2024-03-01,1,1,5,0,7,8"),
    "an impossible day": last("2024-02-30"), "day 0": last("2024-01-00"), "month 13": last("2024-13-01"),
    "a date in words": last("yesterday"),
    "a year of five digits": last("12024-01-01"), "a year before Christ": last("-0044-03-15"),
    "the year 9999": last("9999-12-31"),
    "the year 1": last("0001-01-01"), "a mistyped year": last("2042-03-01"), "Arabic digits in a date": last(ARABIC_DAY),
    "a date with a time": last("2024-03-01 13:37"), "no date": last(""), "a number as date": last("45000"),
    "Arabic digits as sales": last(sales=ARABIC), "Arabic digits in an id": last(store=ARABIC, sales="x"),
    "full-width digits": last(sales="\uff14\uff12"),
    "text as sales": last(sales="many"), "negative sales": last(sales="-5"), "infinite sales": last(sales="inf"),
    "sales of 1e999": last(sales="1e999"),
    "sales beyond a float": last(sales="9" * 400), "hexadecimal sales": last(sales="0x10"),
    "a complex number": last(sales="1+2j"),
    "an underscore": last(sales="1_000"), "two decimal points": last(sales="1.2.3"), "a thousands' mark": last(sales='"1,000"'),
    "true as sales": last(sales="perhaps"), "a formula": last(sales="=1+1"), "NUL in an id": last(store="1\0"),
    "NUL in sales": last(sales="5\0"),
    "no store": last(store=" "), "no item": last(item=""), "a duplicate": text(*sales_rows()[:1]),
    "promo as text": last(promo="yes"),
    "promo is infinite": last(promo="inf"), "no promo": last(promo=""),
    "no sales at all": changed(lambda row: row.rsplit(",", 2)[0] + ",,0"),
    "every line twice": text(*sales_rows()),
    "no plan for the days ahead": text(rows=[row for row in sales_rows() if ",," not in row]),
    "two dates in one file": changed(lambda row: row.replace("2024-01-05", "05.01.2024")),
    "every value quoted twice": changed(lambda row: f'""{row}""'),
    "monthly": text(rows=[f"2023-{month:02}-01,1,1,5,0" for month in range(1, 13)]),
    "wide": b"date,shop1,shop2,shop3,shop4\n" + b"".join(b"2024-01-%02d,1,2,3,4\n" % day for day in range(1, 30)),
    "sparse ids that ask for gigabytes": text(
        rows=[f"{np.datetime64('2015-01-01') + k % 4000},{k},1,5,0" for k in range(400_000)]),
}


def column(values: list[Any] | np.ndarray, kind: pa.DataType | None = None) -> pa.Array:
    return pa.array(values, kind)


def parquet_with(**columns: pa.Array) -> bytes:
    """A Parquet file of one long series with some columns replaced."""
    days = [dt.date(2023, 1, 1) + dt.timedelta(days=k) for k in range(ROWS)]
    plain: Table = {"date": pa.array(days), "store": pa.array([1] * ROWS), "item": pa.array([1] * ROWS),
                    "sales": pa.array([float(k % 7 + 5) if k < ROWS - AHEAD else None for k in range(ROWS)]),
                    "promo": pa.array([0.0] * ROWS)}
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(plain | columns), sink)
    return bytes(sink.getvalue())


def same(value: Any, kind: pa.DataType | None = None) -> pa.Array:
    return pa.array([value] * ROWS, kind)


def one(value: Any, other: Any, kind: pa.DataType | None = None) -> pa.Array:
    return pa.array([value] + [other] * (ROWS - 1), kind)


PARQUET: dict[str, bytes] = {
    "lists as sales": parquet_with(sales=same([1.0])), "structs as sales": parquet_with(sales=same({"units": 1})),
    "maps as sales": parquet_with(sales=same([("a", 1)], pa.map_(pa.string(), pa.int64()))),
    "durations as sales": parquet_with(sales=same(dt.timedelta(days=1))),
    "dates as sales": parquet_with(sales=same(dt.date(2024, 1, 1))),
    "times as sales": parquet_with(sales=same(dt.time(12))), "bytes as sales": parquet_with(sales=same(b"\xff")),
    "nulls as sales": parquet_with(sales=pa.nulls(ROWS)), "texts as sales": parquet_with(sales=same("many")),
    "decimals as sales, too large": parquet_with(sales=same(decimal.Decimal(10) ** 60, pa.decimal256(70, 0))),
    "sales are NaN": parquet_with(sales=same(float("nan"))), "sales are infinite": parquet_with(sales=one(float("inf"), 5.0)),
    "sales of 1e300": parquet_with(sales=one(1e300, 5.0)), "negative sales": parquet_with(sales=one(-1.0, 5.0)),
    "lists as dates": parquet_with(date=same([1])), "structs as dates": parquet_with(date=same({"year": 2024})),
    "durations as dates": parquet_with(date=same(dt.timedelta(days=1))),
    "numbers as dates": parquet_with(date=pa.array(np.arange(ROWS))),
    "floats as dates": parquet_with(date=pa.array(np.arange(ROWS) + 0.5)), "times as dates": parquet_with(date=same(dt.time(12))),
    "booleans as dates": parquet_with(date=same(True)), "bytes as dates": parquet_with(date=same(b"2024")),
    "null dates": parquet_with(date=pa.nulls(ROWS)),
    "timestamps beyond the calendar": parquet_with(date=pa.array(np.arange(ROWS) * 86_400_000_000 + 2**62, pa.timestamp("us"))),
    "milliseconds beyond 64 bits of microseconds": parquet_with(
        date=pa.array(np.arange(ROWS) * 86_400_000 + 2**61, pa.timestamp("ms"))),
    "timestamps before Christ": parquet_with(date=pa.array(-np.arange(ROWS) * 86_400 - 2**37, pa.timestamp("s"))),
    "dates of the year 5 million": parquet_with(date=pa.array((np.arange(ROWS) + 2**31 - 2 * ROWS).astype("i4"), pa.date32())),
    "an unknown time zone": parquet_with(date=pa.array(np.arange(ROWS) * 86_400, pa.timestamp("s", "Moon/Crater"))),
    "lists as ids": parquet_with(store=same([1])), "structs as ids": parquet_with(item=same({"id": 1})),
    "bytes as ids": parquet_with(store=same(b"\xff\x00")),
    "floats above 2^53 as ids": parquet_with(store=pa.array(2.0**53 + np.arange(ROWS))),
    "durations as ids": parquet_with(item=same(dt.timedelta(1))),
    "null ids": parquet_with(store=pa.nulls(ROWS)), "one null id": parquet_with(item=one(None, 1)),
    "NUL in an id": parquet_with(store=same("1\0")),
    "empty ids": parquet_with(store=same("")), "NaN as ids": parquet_with(store=same(float("nan"))),
    "infinity as ids": parquet_with(store=same(float("inf"))),
    "lists as a plan": parquet_with(promo=same([1])), "texts as a plan": parquet_with(promo=same("yes")),
    "a plan of nulls": parquet_with(promo=pa.nulls(ROWS)),
    "a plan of durations": parquet_with(promo=same(dt.timedelta(1))),
    "no rows": parquet_with(**{name: pa.array([], kind) for name, kind in (
        ("date", pa.date32()), ("store", pa.int64()), ("item", pa.int64()),
        ("sales", pa.float64()), ("promo", pa.float64()))}),
    "cut off": parquet_with()[:-200], "a footer of zeros": parquet_with()[:-60] + bytes(52) + b"\x00\x00\x00\x00PAR1",
    "magic alone": b"PAR1PAR1", "a footer that is too long": b"PAR1" + b"\xff\xff\xff\x7f" + b"PAR1",
    "bytes changed in the middle": parquet_with()[:2000] + b"\xff" * 400 + parquet_with()[2400:],
}
EXACT = {  # read, and exactly as they are
    "integers above 2^53 as ids": parquet_with(store=same(2**53 + 1)),
    "unsigned integers above 2^63 as ids": parquet_with(store=same(2**63 + 5, pa.uint64())),
    "dictionaries": parquet_with(item=same("a").dictionary_encode()),
    "large text": parquet_with(item=same("a", pa.large_string())),
    "views of text": parquet_with(item=same("a", pa.string_view())),
    "half floats": parquet_with(promo=pa.array(np.zeros(ROWS, "f2"))),
    "nanoseconds": parquet_with(date=pa.array(np.arange(ROWS) * 86_400_000_000_000, pa.timestamp("ns"))),
}
