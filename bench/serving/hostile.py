"""Hostile request bodies of a given size: valid JSON that is costly to parse or to refuse, and what is no JSON at all."""

from __future__ import annotations

from collections.abc import Callable

Make = Callable[[int], bytes]
SIZES = {"batch": 15_999_000, "query": 127_900, "series": 999_000, "orders": 15_999_000}  # bytes: just within each route's limit
TERMS = b'{"lead_time":2,"review_period":5,"service_level":0.9,'
DAY = b'"2025-01-15"'


def filled(before: bytes, part: bytes, after: bytes) -> Make:
    """`part` again and again, with commas in between."""
    return lambda size: before + b",".join([part] * max((size - len(before) - len(after)) // (len(part) + 1), 1)) + after


def padded(before: bytes, part: bytes, after: bytes) -> Make:
    """`part` again and again, with nothing in between."""
    return lambda size: before + part * ((size - len(before) - len(after)) // len(part)) + after


def numbered(before: bytes, part: bytes, after: bytes, most: int | None = None) -> Make:
    """A part that holds %09d: each is different; at most so many, made as long as the size lets them be by spaces in it."""
    def make(size: int) -> bytes:
        length = len(part % 0) + 1
        n = (size - len(before) - len(after)) // length
        if most is None or n <= most:
            return before + b",".join(part % k for k in range(n)) + after
        wide = part.replace(b"%09d", b"%%0%dd" % (9 + size // most - length))
        return before + b",".join(wide % k for k in range(most)) + after

    return make


def last_wrong(size: int) -> bytes:
    """100,000 rows, of which the last is wrong."""
    rows = numbered(b"[", b'{"store":"%09d","item":1,"date":' + DAY + b"}", b"", 99_999)(size - 100)
    return rows + b',{"store":1.5,"item":1,"date":' + DAY + b"}]"


def valid(size: int) -> bytes:
    """100,000 right rows of unknown series."""
    return numbered(b'{"rows":[', b'{"store":"%09d","item":1,"date":' + DAY + b"}", b"]}", 100_000)(size)


def wrong_columns(size: int) -> bytes:
    """100,000 values of the wrong kind in each column."""
    n = min(100_000, size // 16)
    column = b"[" + b",".join([b"1.5"] * n) + b"]"
    return b'{"store":' + column + b',"item":' + column + b',"date":' + column + b"}"


def uneven(size: int) -> bytes:
    return b'{"store":[1],"item":[1],"date":[' + b",".join([DAY] * min(290_000, size // 14)) + b"]}"


def order_columns(store: bytes, on_hand: bytes, rows: int, terms: bytes = TERMS) -> Make:
    """Series to order: their store, what is on hand, and how many rows at most."""
    def make(size: int) -> bytes:
        n = min(rows, (size - 200) // (len(store) + len(on_hand) + 4))
        columns = [b'"%s":[%s]' % (name, b",".join([value] * n))
                   for name, value in ((b"store", store), (b"item", b"1"), (b"on_hand", on_hand))]
        return terms + b",".join(columns) + b"}"

    return make


ANYWHERE: dict[str, Make] = {
    "empty objects": filled(b"[", b"{}", b"]"),
    "empty lists": filled(b"[", b"[]", b"]"),
    "nulls": filled(b"[", b"null", b"]"),
    "digits": filled(b"[", b"1", b"]"),
    "texts": filled(b"[", b'"ab"', b"]"),
    "nested lists": padded(b"", b"[", b""),
    "nested lists, closed": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "nested objects": padded(b"", b'{"a":', b""),
    "nested objects in rows": filled(b'{"rows":[', b'{"a":{"a":{"a":{}}}}', b"]}"),
    "a wide object": numbered(b"{", b'"%09d":1', b"}"),
    "a key, again and again": filled(b"{", b'"store":1', b"}"),
    "a huge number": padded(b'{"store":', b"9", b"}"),
    "a huge fraction": padded(b'{"store":0.', b"9", b"}"),
    "a huge text": padded(b'{"store":"', b"a", b'"}'),
    "a huge text beyond ASCII": padded(b'{"store":"\xf0\x9f\x98\x80', b"a", b'"}'),
    "a huge key": padded(b'{"', b"a", b'":1}'),
    "escapes": padded(b'{"store":"', b"\\u0001", b'"}'),
    "backslashes": padded(b'{"store":"', b"\\\\", b'"}'),
    "quotes": padded(b"", b'"', b""),
    "a text of commas": padded(b'{"store":"', b",", b'"}'),
    "spaces": padded(b"", b" ", b"{}"),
    "no UTF-8": padded(b'"', b"\xff", b'"'),
}
BATCH: dict[str, Make] = {
    "empty objects as rows": filled(b'{"rows":[', b"{}", b"]}"),
    "half a row, again and again": filled(b"[", b'{"store":1,"item":1}', b"]"),
    "wide rows": numbered(b"[{", b'"%09d":1', b"}]", 299_000),
    "300,000 keys, objects among them": numbered(b"{", b'"a":{},"b":1,"%09d":1', b"}", 99_000),
    "300,000 long keys": numbered(b"{", b'"%09d":1', b"}", 300_000),
    "100,000 wrong rows": numbered(b"[", b'{"store":"%09d","item":null,"date":1}', b"]", 100_000),
    "100,000 rows, the last wrong": last_wrong,
    "100,000 rows": valid,
    "wrong columns": wrong_columns,
    "columns of different lengths": uneven,
    "a column of digits": filled(b'{"store":[', b"1", b'],"item":[],"date":[]}'),
    "300,000 texts": numbered(b'{"store":[', b'"%09d"', b'],"item":[],"date":[]}', 290_000),
}
QUERY: dict[str, Make] = {
    "recent sales": filled(b'{"store":1,"item":1,"date":' + DAY + b',"recent_sales":[', b"1", b"]}"),
    "recent sales as texts": filled(b'{"recent_sales":[', b'""', b"]}"),
    "3,660 recent sales as texts": numbered(b'{"recent_sales":[', b'"%09d"', b"]}", 3_660),
    "190 wrong fields": numbered(b"{", b'"%09d":1', b"}", 190),
    "190 known-future columns": numbered(b'{"known_future":{', b'"%09d":""', b"}}", 190),
}
SERIES: dict[str, Make] = {
    "recent sales": filled(b'{"recent_sales":[', b"1", b"]}"),
    "3,660 recent sales as texts": numbered(b'{"recent_sales":[', b'"%09d"', b"]}", 3_660),
    "190 wrong fields": numbered(b"{", b'"%09d":1', b"}", 190),
    "190 days": numbered(b'{"known_future":{"promo":{', b'"%09d":""', b"}}}", 190),
    "190 columns": numbered(b'{"known_future":{', b'"%09d":""', b"}}", 190),
    "95 columns of a day": numbered(b'{"known_future":{', b'"%09d":{"a":""}', b"}}", 95),
}
ORDERS: dict[str, Make] = {
    "all series": padded(TERMS, b" ", b'"pack_size":0.5}'),
    "a series for 90 days, 1,000 times": order_columns(b"1", b"1", 1_000, TERMS.replace(b":2,", b":85,")),
    "a series, 100,000 times": order_columns(b"1", b"1", 100_000),
    "1,000 unknown series": order_columns(b'"a store that there is not"', b"1", 1_000),
    "1,000 texts for stock": order_columns(b"1", b'"1"', 1_000),
    "a column of texts": numbered(TERMS + b'"on_hand":[', b'"%09d"', b"]}", 800_000),
    "a column of digits": filled(TERMS + b'"on_hand":[', b"1", b"]}"),
    "49 wrong fields": numbered(b"{", b'"%09d":1', b"}", 49),
}


def kinds(route: str) -> dict[str, Make]:
    """Of a batch, of a query, of a series or of orders."""
    return ANYWHERE | {"batch": BATCH, "query": QUERY, "series": SERIES, "orders": ORDERS}[route]
