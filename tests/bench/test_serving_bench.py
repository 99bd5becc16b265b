"""The large working tree of the serving bench, made small: the API serves it, and every figure is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.serving import __main__ as bench
from bench.serving import large, server
from tests.support.ports import free_port


def test_sums_and_orders_of_the_large_tree_are_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STORES": 3, "ITEMS": 2, "YEARS": 1.0}.items():
        monkeypatch.setattr(large, name, value)
    monkeypatch.setattr(bench, "SERIES", 6)
    monkeypatch.setattr(bench, "times", lambda work, _: [work() and 1.0] * 3)
    monkeypatch.setattr(server, "PORT", free_port())
    large.main(tmp_path)
    with server.server("api", tmp_path):
        stores = json.loads(server.call("/series"))["stores"]
        taken = dict(bench.sums([each["store"] for each in stores], stores[0]["items"]))
    assert taken == {"`/total` of any 500 series": "one sum 1.0 ms, day 1.0 ms, week 1.0 ms, month 1.0 ms",
                     "`/total` of 6 series": "one sum 1.0 ms, day 1.0 ms, week 1.0 ms, month 1.0 ms",
                     "`/orders` for 6 series": "all 1 ms, by columns 1 ms, as CSV 1 ms"}
