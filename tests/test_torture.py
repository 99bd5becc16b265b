"""The short form of `make torture`: some of each kind; and what the kinds of bad input found, one by one."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from examples import PARAMS

from bench.torture import bad_files, bad_input
from demand.cleaning.cleaning_report import prepare
from demand.ingest.cell_values import parse_days, text_of_value
from demand.ingest.records import refuse_gigabytes
from demand.panel.panel import Panel
from demand.schema.errors import UserError
from workspace.run.all_params import parse_params
from workspace.run.files import file_bytes, read_json
from workspace.run.machine_errors import describe_machine_error

KINDS = 150


def prepared(content: bytes) -> Panel:
    params = parse_params({**PARAMS, "data": {**PARAMS["data"], "known_future": ["promo"]}, "forecast": {"horizon": 14}})
    return prepare(pa.py_buffer(content), params.data, params.prepare, 14)[0]


def test_bad_input_is_one_message_and_leaves_earlier_outputs(tmp_path: Path) -> None:
    counts, wrong = bad_input.run(tmp_path, every=29)
    assert wrong == []
    assert len(counts) >= 6
    assert len(list(bad_input.cases())) >= 5 * KINDS


def test_a_traceback_a_hang_and_a_lost_output_are_found(tmp_path: Path) -> None:
    for code, printed, word in ((1, "Traceback (most recent call last):", "traceback"), (None, "", "hangs"), (-9, "", "signal"),
                                (1, "sorry", "no message"), (1, "error: x", "outputs changed")):
        assert word in bad_input.problem_of(bad_input.Ended(code, printed), {"models/model.pkl": b"x"}, tmp_path)
    assert bad_input.problem_of(bad_input.Ended(0, ""), {}, tmp_path) == ""


@pytest.mark.parametrize(("name", "store", "item"), [
    ("integers above 2^53 as ids", 2**53 + 1, 1), ("unsigned integers above 2^63 as ids", "9223372036854775813", 1),
    ("dictionaries", 1, "a"), ("large text", 1, "a"), ("views of text", 1, "a"), ("half floats", 1, 1), ("nanoseconds", 1, 1)])
def test_what_parquet_can_hold_is_read_exactly(name: str, store: object, item: object) -> None:
    panel = prepared(bad_files.EXACT[name])
    assert (panel.store.tolist(), panel.item.tolist()) == ([store], [item])
    assert panel.last_day - panel.dates[0] == bad_files.ROWS - bad_files.AHEAD - 1


@pytest.mark.parametrize(("unit", "value"), [("s", 2**61), ("ms", 2**61), ("us", 2**62), ("s", -(2**40))])
def test_a_moment_beyond_the_calendar_is_no_day_and_can_be_shown(unit: str, value: int) -> None:
    """Among right ones; none wraps around to a day that looks right."""
    moments = pa.chunked_array([pa.array([value, 0], pa.timestamp(unit))])
    _, wrong, _ = parse_days(moments)
    assert wrong.tolist() == [True, False]
    assert str(value) in text_of_value(moments[0])


def test_days_of_timestamps_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    for unit in ("s", "ms", "us", "ns"):
        moments = rng.integers(0, 4_000_000_000, 50).astype("M8[s]").astype(f"M8[{unit}]")
        day, _, timed = parse_days(pa.chunked_array([pa.array(moments)]), cut_times=True)
        np.testing.assert_array_equal(day, moments.astype("M8[D]"))
        assert timed == (moments != moments.astype("M8[D]")).sum()


def test_sparse_ids_are_refused_before_they_take_memory() -> None:
    with pytest.raises(UserError, match=r"400,000 series on 4,000 days, which would take about 96 GB.*data\.columns"):
        refuse_gigabytes((400_000, 4_000), 400_000, "x.csv")
    refuse_gigabytes((500, 2_000), 400, "x.csv")  # small
    with pytest.raises(UserError, match="more memory"):
        refuse_gigabytes((10**8, 4_000), 10**11, "x.csv")


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match="is not JSON"):
        read_json(tmp_path / "deep.json", "remedy")
    (tmp_path / "loop").symlink_to("loop")
    for path, message in ((tmp_path, "is no file"), (tmp_path / "loop", "is no file"), (tmp_path / "none", "is missing: remedy")):
        with pytest.raises(UserError, match=message):
            file_bytes(path, "remedy")


@pytest.mark.parametrize(("error", "words"), [
    (OSError(errno.ENOSPC, "x", "models/model.pkl"), "No space left on device (models/model.pkl): make room on the disk"),
    (OSError(errno.EFBIG, "x"), "ulimit -f"), (PermissionError(errno.EACCES, "x", "a"), "the right to read"),
    (MemoryError("7 GiB"), "not enough memory (7 GiB)"), (OSError(errno.EBADF, "x"), None), (ValueError("x"), None)])
def test_what_a_machine_refuses_is_put_in_words(error: Exception, words: str | None) -> None:
    message = describe_machine_error(error)
    assert message is None if words is None else message is not None and words in message
