"""The bench on generated catalogues: what its groups are, its scores by hand, and that the truth is the generator's."""

from __future__ import annotations

import numpy as np
import pytest

from bench.field import generated, peers
from bench.field.catalogue_scores import Outcome, group_scores, groups_of
from bench.field.metrics import Answer
from bench.field.tasks import HORIZON
from demand.simulation.simulator import generate
from workspace.run.all_params import Params, load_all_params


@pytest.fixture(scope="module")
def params() -> Params:
    base = load_all_params()
    return base.model_copy(update={"train": base.train.model_copy(update={"rows": 2000, "n_estimators": 10})})


OUTCOME = Outcome(actual=np.array([[4.0, 0.0], [0.0, 0.0], [0.0, 2.0]]), expected=np.array([[2.0, 2.0], [0.0, 0.0], [0.0, 0.5]]),
                  age=np.array([10, 400, 60]), sold=np.array([True, True, False]), returns=np.array([False, False, True]))


def test_groups_by_hand():
    rows = {name: np.flatnonzero(mask).tolist() for name, mask in groups_of(OUTCOME).items() if mask.any()}
    assert rows == {"all": [0, 2], "speed 0.3 to 1": [2], "speed 1 to 3": [0], "age 0 to 56 days": [0], "age 57 to 182 days": [2],
                    "never sold before": [2], "back from out of stock": [2]}


def test_scores_by_hand():
    forecast = np.array([[3.0, 3.0], [0.5, 0.1], [9.0, 1.0]])
    scores = group_scores([OUTCOME], {"ours": Answer(forecast), "truth": Answer(OUTCOME.expected)})
    ours, truth = (scores["all"]["methods"][name] for name in ("ours", "truth"))
    assert ours["wape_totals"] == pytest.approx(100 * (2 + 8) / 6)
    assert ours["to_the_mean"] == pytest.approx(100 * (1 + 1 + 0.5) / 4.5)  # days off sale do not count
    assert ours["ended_units"] == pytest.approx(100 * 0.6 / 6)
    assert truth["to_the_mean"] == truth["ended_units"] == 0
    assert scores["speed 1 to 3"]["series"] == 1
    assert scores["age 366 days and more"]["methods"]["ours"] == {}


def test_a_small_catalogue_through_the_bench(params: Params, monkeypatch: pytest.MonkeyPatch):
    demo = generated.SIZE | {"stores": 2, "items": 8, "years": 1.0, "level": 4.0}
    monkeypatch.setattr(generated, "KINDS", {"small": demo})
    monkeypatch.setattr(generated, "SEEDS", (5,))
    monkeypatch.setattr(peers, "peer_forecasts", lambda task: {"weekday mean": peers.weekday_mean(task)})
    kind = generated.judge_kind("small", params)
    assert kind["refused"] == []
    chain = generate(params.demo.model_validate(params.demo.model_dump() | demo | {"seed": 5}))
    last = chain.sold - HORIZON
    known = chain.row[:last].any(axis=0)
    expected, actual = chain.expected[last:chain.sold, known], chain.units[last:chain.sold, known]
    on = expected.sum(axis=0) > 0
    truth = kind["groups"]["all"]["methods"]["true mean"]
    error = np.abs(actual[:, on].sum(axis=0) - expected[:, on].sum(axis=0)).sum()
    assert truth["wape_totals"] == pytest.approx(100 * error / actual[:, on].sum())
    assert truth["to_the_mean"] == 0
    page = generated.markdown({"machine": "one", "kinds": {"small": kind}})
    head = "| totals | series | true mean | weekday mean | this project |\n| --- | --- | --- | --- | --- |"
    assert f"{head}\n| all | {on.sum()} |" in page


def test_a_refusal_is_words(params: Params, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(generated, "KINDS", {"small": generated.SIZE | {"stores": 1, "items": 3, "years": 0.5}})
    monkeypatch.setattr(peers, "peer_forecasts", lambda _: {})
    monkeypatch.setattr(generated, "this_project", lambda *_: 1 / 0)
    kind = generated.judge_kind("small", params)
    assert kind["groups"] == {}
    assert "seed 301: it broke with ZeroDivisionError" in generated.markdown({"machine": "one", "kinds": {"small": kind}})
