"""Champions that change while requests run: none fails, none mixes two models, and the server does not grow.

Two versions of different forecasts take turns; the server computes each anew. What each version has to answer is forecast here,
from its model file, without the server.
"""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.serving.bodies import Running, serving
from demand.model.demand_model import DemandModel, dump_model, read_model
from demand.model.trees.train_params import TrainParams
from demand.planning.forecast_table import forecast_next_days
from demand.schema.json_record import sha256
from workspace.run import paths
from workspace.run.panel_file import read_panel

CLIENTS, PAUSE = 2, 0.02  # threads that ask; seconds after an answer: the new champion has to be computed on the same cores
MORE_MEGABYTES, MORE_MAPS = 20, 40  # what is no growth
SETTLED = 5  # reloads until memory counts as settled
OTHER = "20300101T000000Z"
KEY = "torture"


@dataclass
class Answers:
    """What the clients got: how many answers, the failed ones, and those that are of neither version or of two."""

    expected: dict[str, np.ndarray]  # (S, H) by version
    count: int = 0
    failed: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)

    def check(self, status: int, content: bytes) -> None:
        """An answer to the batch of every series and day."""
        self.count += 1
        if status != 200:
            self.failed.append(f"{status} {content[:100]!r}")
            return
        answer = json.loads(content)
        version = answer["model_version"]
        self.versions.add(version)
        right = self.expected.get(version)
        if right is None or not np.allclose(answer["predicted_sales"], right.ravel(), rtol=1e-5, atol=1e-5):
            self.mixed.append(version)


@dataclass(frozen=True)
class Size:
    """MB of resident memory, open descriptors and mapped files of a process."""

    megabytes: float
    descriptors: int
    maps: int

    @classmethod
    def of(cls, running: Running) -> Size:
        process = Path(f"/proc/{running.pid}")
        return cls(running.memory("VmRSS"), len(list((process / "fd").iterdir())), (process / "maps").read_text().count("\n"))


@dataclass(frozen=True)
class Result:
    """Reloads done, their answers, and the server's size after SETTLED reloads and at the end."""

    reloads: int
    answers: Answers
    before: Size
    after: Size

    def growth(self) -> list[str]:
        """What has grown."""
        pairs = {"MB": (self.before.megabytes, self.after.megabytes, MORE_MEGABYTES),
                 "descriptors": (self.before.descriptors, self.after.descriptors, CLIENTS),
                 "mappings": (self.before.maps, self.after.maps, MORE_MAPS)}
        return [f"{before:.0f} {name} grew to {after:.0f}" for name, (before, after, more) in pairs.items()
                if after > before + more]


def second_version(tree: Path) -> list[dict[str, Any]]:
    """Store another champion, of fewer and smaller trees; the pointers of both."""
    first = json.loads((tree / paths.CHAMPION).read_bytes())
    train = TrainParams.model_validate(first["train"] | {"n_estimators": 5, "max_depth": 2, "base": "level"})
    content = dump_model(DemandModel.fit(read_panel(tree / paths.WINDOW), train, first["horizon"]))
    path = Path("models/versions") / OTHER / "model.pkl"
    (tree / path).parent.mkdir(parents=True)
    (tree / path).write_bytes(content)
    return [first, first | {"version": OTHER, "model": str(path), "sha256": sha256(content)}]


def expected(tree: Path, pointers: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Every series' forecast of every day by each version, as the forecast stage makes it."""
    panel = read_panel(tree / paths.FEATURES)
    models = {each["version"]: read_model((tree / each["model"]).read_bytes(), each["model"]) for each in pointers}
    return {version: forecast_next_days(panel, model, pointers[0]["horizon"]).point for version, model in models.items()}


def ask(running: Running, answers: Answers, body: bytes, over: threading.Event, lock: threading.Lock) -> None:
    """One client: the batch of everything, again and again over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    headers = {"content-type": "application/json", "x-api-key": running.key}
    while not over.wait(PAUSE):
        try:
            connection.request("POST", "/predict/batch", body, headers)
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
        except OSError as error:
            status, content = 0, repr(error).encode()
            connection.close()
        with lock:
            answers.check(status, content)
    connection.close()


def everything(tree: Path, horizon: int) -> bytes:
    """A batch of every series and day, by columns, in the order of `expected`."""
    panel = read_panel(tree / paths.FEATURES)
    rows = [(s, i, str(panel.last_day + 1 + day)) for s, i in zip(panel.store.tolist(), panel.item.tolist(), strict=True)
            for day in range(horizon)]
    return json.dumps(dict(zip(("store", "item", "date"), zip(*rows, strict=True), strict=True))).encode()


def put_pointer(tree: Path, pointer: dict[str, Any]) -> None:
    """As a promotion does it: in one step."""
    part = tree / "models/champion.json.new"
    part.write_text(json.dumps(pointer))
    part.replace(tree / paths.CHAMPION)


def run(template: Path, place: Path, reloads: int, until: float) -> Result:
    """Reload so often, or as often as the time (time.monotonic()) allows, under load."""
    tree = Path(shutil.copytree(template, place, symlinks=True))
    pointers = second_version(tree)
    truth = expected(tree, pointers)
    body = everything(tree, pointers[0]["horizon"])
    answers, over, lock, done = Answers(truth), threading.Event(), threading.Lock(), 0
    with serving(tree, KEY) as running:
        clients = [threading.Thread(target=ask, args=(running, answers, body, over, lock)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        before = Size.of(running)
        try:
            while done < reloads and (time.monotonic() < until or not done):
                put_pointer(tree, pointers[(done + 1) % 2])
                status, content = running.ask("/model/reload", b"")
                if status != 200 or json.loads(content)["model_version"] != pointers[(done + 1) % 2]["version"]:
                    answers.failed.append(f"reload: {status} {content[:200]!r}")
                done += 1
                if done == SETTLED:
                    before = Size.of(running)
        finally:
            over.set()
            for client in clients:
                client.join()
        return Result(done, answers, before, Size.of(running))
