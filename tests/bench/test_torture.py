"""The short form of `make torture`: some of each kind; and what the kinds of bad input found, one by one."""

from __future__ import annotations

import errno
import math
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bench.torture import bad_files, bad_input, cells, kills, reloads
from bench.torture.__main__ import in_own_process, page
from bench.torture.parts import PARTS, Row
from demand.cleaning.cleaning_report import prepare
from demand.ingest.cell_values import parse_days, text_of_value
from demand.ingest.records import refuse_gigabytes
from demand.panel.panel import Panel
from demand.schema.errors import UserError
from tests.support.examples import PARAMS
from workspace.run.all_params import parse_params
from workspace.run.files import file_bytes, read_json
from workspace.run.machine_errors import describe_machine_error

KINDS = 150


def prepared(content: bytes) -> Panel:
    params = parse_params({**PARAMS, "data": {**PARAMS["data"], "known_future": ["promo"]}, "forecast": {"horizon": 14}})
    return prepare(pa.py_buffer(content), params.data, params.prepare, 14)[0]


@pytest.fixture(scope="module")
def fresh() -> Iterator[ProcessPoolExecutor]:
    """A process that has not trained anything: what forks after XGBoost has started its threads waits for them for ever."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def template(fresh: ProcessPoolExecutor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fresh.submit(bad_input.make_template, tmp_path_factory.mktemp("template")).result()


def test_bad_input_is_one_message_and_leaves_earlier_outputs(fresh: ProcessPoolExecutor, template: Path, tmp_path: Path) -> None:
    counts, wrong = fresh.submit(bad_input.run, template, tmp_path / "place", every=37).result()
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
    wrong = parse_days(moments, None, False, "sales.parquet")[1]
    assert wrong.tolist() == [True, False]
    assert str(value) in text_of_value(moments[0])


def test_days_of_timestamps_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    for unit in ("s", "ms", "us", "ns"):
        moments = rng.integers(0, 4_000_000_000, 50).astype("M8[s]").astype(f"M8[{unit}]")
        day, _, _, cut, _ = parse_days(pa.chunked_array([pa.array(moments)]), None, True, "sales.parquet")
        np.testing.assert_array_equal(day, moments.astype("M8[D]"))
        np.testing.assert_array_equal(cut, moments != moments.astype("M8[D]"))


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


class Sleeper:
    """A command that writes a file in two steps, and half of it is all that a kill leaves."""

    name = "sleeper"
    commands = (("sleeper",),)

    def __init__(self, place: Path, repairs: bool) -> None:
        self.place, self.file, self.repairs = place, place / "file", repairs
        ending = "" if repairs else "if not pathlib.Path('file').exists(): "
        (place / "sleeper.py").write_text("import pathlib, subprocess, time\n"
                                          "started = pathlib.Path('file').exists()\n"
                                          f"{ending}pathlib.Path('file').write_text('half')\n"
                                          "subprocess.run(['sleep', '0.2'])\n"
                                          f"if {repairs} or not started: pathlib.Path('file').write_text('whole')\n")

    def restore(self, round_number: int) -> None:  # noqa: ARG002
        self.file.unlink(missing_ok=True)

    def unsound(self) -> str:
        return ""

    def unrepaired(self) -> str:
        return "" if self.file.read_text() == "whole" else "half a file"


@pytest.mark.parametrize("repairs", [True, False])
def test_a_kill_that_the_next_run_does_not_repair_is_found(tmp_path: Path, repairs: bool) -> None:
    tally = kills.torture(Sleeper(tmp_path, repairs), 4, math.inf)
    assert tally.kills == 4
    assert bool(tally.wrong) != repairs


def test_a_pointer_that_names_no_whole_model_is_unsound(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    assert "FileNotFoundError" in kills.pointer_problem(tmp_path)
    for text, problem in (('{"version": null}', ""), ('{"version"', "JSON"), ('{"version": "1", "model": "m"}', "FileNotFound")):
        (tmp_path / kills.POINTER).write_text(text)
        assert problem in kills.pointer_problem(tmp_path)
        assert bool(problem) == bool(kills.pointer_problem(tmp_path))
    (tmp_path / "m").write_text("x")
    (tmp_path / kills.POINTER).write_text('{"version": "1", "model": "m", "sha256": "0"}')
    assert "another model" in kills.pointer_problem(tmp_path)


def test_reloads_under_load_lose_and_mix_nothing(template: Path, tmp_path: Path) -> None:
    result = reloads.run(template, tmp_path / "tree", 2, math.inf)
    assert (result.reloads, result.answers.failed, result.answers.mixed) == (2, [], [])
    assert result.answers.versions == set(result.answers.expected)
    assert result.answers.count > 20
    one, other = result.answers.expected.values()
    assert not np.allclose(one, other, rtol=1e-3)  # else nothing could be told apart
    answers = reloads.Answers({"a": one})
    answers.check(200, b'{"model_version": "a", "predicted_sales": %b}' % str(other.ravel().tolist()).encode())
    answers.check(500, b"")
    assert (answers.mixed, len(answers.failed)) == (["a"], 1)


def test_growth_is_found() -> None:
    small, large = reloads.Size(100, 20, 600), reloads.Size(150, 60, 900)
    answers = reloads.Answers({})
    assert reloads.Result(9, answers, small, small).growth() == []
    assert len(reloads.Result(9, answers, small, large).growth()) == 3


def test_cells_are_drawn_and_their_moves_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    moves = iter([(0.001, 1e-5), (0.01, 1e-5), (0.0, 1e-3)])
    monkeypatch.setattr(cells, "moved", lambda *_: next(moves))
    found = cells.run(3, math.inf)
    assert (found.cells, found.furthest, found.mean, len(found.wrong)) == (3, 0.01, 1e-3, 2)
    assert cells.run(3, 0.0).cells == 0


def test_the_page_and_a_part_that_fails_altogether() -> None:
    text = page([Row("kills", 50, 7, "1.0 s", ["a", "b"])], 14, 2.5)
    assert "| kills | 50 | 7 | 2 | 1.0 s |" in text
    assert "KeyError" in in_own_process("no such part", 1)[0].wrong[0]
    assert sum(part.seconds for part in PARTS.values() if part.lane == 1) <= 840
