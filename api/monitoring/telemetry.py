"""Metrics for Prometheus: a pure ASGI middleware, and what the model and the pipeline's files say at the time of a scrape.

With several workers each writes its own file (prometheus_client's multiprocess mode) and a scrape adds them up. No label holds a
store, an item or a path: routes appear as their templates.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from api.precompute import workers

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram
    from prometheus_client.core import Metric
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from api.monitoring.pipeline_facts import Pipeline
    from api.serving.model_store import ModelStore
    from api.serving.served import Served

BUCKETS = (0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds
KINDS = ("single", "batch", "series", "what_if", "total", "orders")  # of predictions
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH")
UNMATCHED = "(none)"  # the route of a path that is not ours


class Telemetry:
    """All metrics of one process.

    Args:
        directory: what the workers of one server share; None for one process alone.
    """

    def __init__(self, directory: Path | None) -> None:
        if directory is not None:
            (directory / "metrics").mkdir(parents=True, exist_ok=True)
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory / "metrics")
        else:
            os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
        # prometheus_client looks at that variable when it is imported.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

        disable_created_metrics()
        self.directory = directory
        self.registry = CollectorRegistry()
        self.requests = Counter("request_count", "HTTP requests answered", ["method", "route", "status"], registry=self.registry)
        self.predictions = Counter("prediction_count", "Store-item-days forecast", ["kind"], registry=self.registry)
        self.latency = Histogram("request_latency_seconds", "From a request's arrival to the end of its answer", ["route"],
                                 buckets=BUCKETS, registry=self.registry)
        self.errors = Counter("error_count", "HTTP answers with a status of 400 or more", ["route", "status"],
                              registry=self.registry)
        self.in_flight = Gauge("requests_in_flight", "Requests being answered", registry=self.registry,
                               multiprocess_mode="livesum")
        self.reloads = Counter("model_reload_count", "Attempts to bring a newer model", ["result"], registry=self.registry)
        self.counted = {kind: self.predictions.labels(kind) for kind in KINDS}
        self.children = lru_cache(512)(self.find_children)
        for result in ("loaded", "unchanged", "failed"):
            self.reloads.labels(result)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        requests, latency, errors = self.children(method if method in METHODS else "other", route, str(status))
        requests.inc()
        latency.observe(seconds)
        if errors is not None:
            errors.inc()

    def find_children(self, method: str, route: str, status: str) -> tuple[Counter, Histogram, Counter | None]:
        """Those of the metrics of requests that have these labels; `children` remembers them."""
        errors = self.errors.labels(route, status) if status >= "400" else None
        return self.requests.labels(method, route, status), self.latency.labels(route), errors

    def count_predictions(self, kind: str, days: int = 1) -> None:
        """Count store-item-days that were answered; `kind` is one of KINDS."""
        self.counted[kind].inc(days)

    def exposition(self, store: ModelStore) -> bytes:
        """The text format 0.0.4. prometheus_client appends _total to the name of a counter; these names are fixed without it."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        if self.directory is not None:
            MultiProcessCollector(registry)
        registry.register(Facts(store))
        text = generate_latest(registry)
        if self.directory is None:
            text = generate_latest(self.registry) + text
        for name in (b"request_count", b"prediction_count", b"error_count", b"model_reload_count"):
            text = text.replace(name + b"_total", name)
        return text


class Facts:
    """A collector of what is so now, not of what was counted."""

    def __init__(self, store: ModelStore) -> None:
        self.store = store

    def collect(self) -> Iterable[Metric]:
        yield from gauge("model_ready", "Whether a model is loaded", self.store.served is not None)
        if self.store.last_reload:
            yield from gauge("model_reload_ok", "Whether the last attempt to bring a newer model succeeded",
                             self.store.last_reload.result != "failed")
            yield from gauge("model_reload_timestamp_seconds", "When that was", self.store.last_reload.at)
        if self.store.served:
            yield from model_gauges(self.store.served, self.store.pipeline)
        yield from pipeline_gauges(self.store.pipeline)


def gauge(name: str, text: str, value: float | None, labels: Mapping[str, str] | None = None) -> Iterable[Metric]:
    """One gauge; none without a value."""
    from prometheus_client.core import GaugeMetricFamily

    if value is not None:
        family = GaugeMetricFamily(name, text, labels=list(labels or {}))
        family.add_metric(list((labels or {}).values()), value)
        yield family


def model_gauges(served: Served, pipeline: Pipeline) -> Iterable[Metric]:
    """About the model that serves."""
    facts = served.facts
    yield from gauge("model_info", "The model that serves", 1, {
        "version": served.version, "role": facts["role"], "trained_through": facts["trained_through"],
        "sha256": facts["sha256"][:12]})
    yield from gauge("model_age_seconds", "Since the model was promoted, or trained while there is no champion",
                     time.time() - facts["promoted_at"])
    yield from gauge("model_trained_through_timestamp_seconds", "The last day its training saw",
                     seconds(facts["trained_through"]))
    yield from gauge("forecast_origin_timestamp_seconds", "The last day whose sales it knows", seconds(served.origin))
    yield from gauge("forecast_last_day_timestamp_seconds", "The last day that it forecasts",
                     seconds(next(reversed(served.table.days))))
    yield from gauge("model_backtest_mape_percent", "Of its backtest, before it was promoted", facts["metrics"].get("mape"))
    champion = served.version if facts["role"] == "champion" else ""
    yield from gauge("drift_check_current", "Whether the last drift check is about this model and these sales",
                     (pipeline.checked, pipeline.as_of) == (champion, served.origin))


def pipeline_gauges(pipeline: Pipeline) -> Iterable[Metric]:
    """About the pipeline's own files."""
    yield from gauge("drift_detected", "Whether the champion's errors have drifted", pipeline.drift)
    yield from gauge("retrain_due", "Whether a model is due to be trained", pipeline.retrain)
    yield from gauge("data_drift_detected", "Whether the data have drifted", pipeline.data_drift)
    yield from gauge("drift_share", "Share of the columns that have drifted", pipeline.drift_share)
    yield from gauge("model_mape_percent", "Of the champion on the newest days, once it can be judged", pipeline.mape)
    yield from gauge("model_baseline_mape_percent", "What the champion's backtest lets expect on those days",
                     pipeline.baseline_mape)
    yield from gauge("retraining_count", "Champions promoted so far", pipeline.retrainings)
    yield from gauge("last_retraining_timestamp_seconds", "When the last one was promoted", pipeline.last_retraining)


class Middleware:
    """Counts and times every HTTP request."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app, self.telemetry = app, telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self.telemetry.in_flight.inc()
        try:
            await self.app(scope, receive, send_and_note_status)
        finally:
            self.telemetry.in_flight.dec()
            route = scope.get("route")
            self.telemetry.count_request(scope["method"], UNMATCHED if route is None else route.path, status,
                                         time.perf_counter() - start)


def seconds(day: str) -> float:
    """A day's beginning in seconds since 1970."""
    return float(np.datetime64(day, "s").astype(int))


def of_this_process() -> Telemetry:
    """Shared with the other workers where there are some."""
    return Telemetry(workers.directory() if workers.several() else None)
