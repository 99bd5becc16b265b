"""Metrics for Prometheus: a pure ASGI middleware, and what the model and the pipeline's files say at the time of a scrape.

With several workers each writes its own file (prometheus_client's multiprocess mode) and a scrape adds them up. No label holds a
store, an item or a path: routes appear as their templates.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.precompute import workers

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from api.serving.model_store import ModelStore

BUCKETS = (0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds
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
        self.single, self.batch, self.series, self.what_if = (
            self.predictions.labels(kind) for kind in ("single", "batch", "series", "what_if"))
        for result in ("loaded", "unchanged", "failed"):
            self.reloads.labels(result)

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
        from prometheus_client.core import GaugeMetricFamily

        def gauge(name: str, text: str, value: float | None, labels: Mapping[str, str] | None = None) -> Iterable[Metric]:
            if value is not None:
                family = GaugeMetricFamily(name, text, labels=list(labels or {}))
                family.add_metric(list((labels or {}).values()), value)
                yield family

        served, last, pipeline = self.store.served, self.store.last, self.store.pipeline
        yield from gauge("model_ready", "Whether a model is loaded", served is not None)
        if last:
            yield from gauge("model_reload_ok", "Whether the last attempt to bring a newer model succeeded",
                             last.result != "failed")
            yield from gauge("model_reload_timestamp_seconds", "When that was", last.at)
        if served:
            facts = served.facts
            yield from gauge("model_info", "The model that serves", 1, {
                "version": served.version, "role": facts["role"], "trained_through": facts["trained_through"],
                "sha256": facts["sha256"][:12]})
            yield from gauge("model_age_seconds", "Since the model was promoted, or trained while there is no champion",
                             time.time() - facts["promoted_at"])
            yield from gauge("model_trained_through_timestamp_seconds", "The last day its training saw",
                             seconds(facts["trained_through"]))
            yield from gauge("forecast_origin_timestamp_seconds", "The last day whose sales it knows",
                             seconds(facts["forecast_origin"]))
            yield from gauge("forecast_last_day_timestamp_seconds", "The last day that it forecasts",
                             seconds(next(reversed(served.table.days))))
            yield from gauge("model_backtest_mape_percent", "Of its backtest, before it was promoted",
                             facts["metrics"].get("mape"))
            champion = served.version if facts["role"] == "champion" else ""
            yield from gauge("drift_check_current", "Whether the last drift check is about this model and these sales",
                             (pipeline.checked, pipeline.as_of) == (champion, facts["forecast_origin"]))
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
        self.known: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None], Callable[[], None] | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500
        in_flight = self.telemetry.in_flight
        in_flight.inc()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            in_flight.dec()
            route = scope.get("route")
            key = (scope["method"], route.path if route is not None else UNMATCHED, status)
            count, observe, error = self.known.get(key) or self.added(key)
            count()
            observe(time.perf_counter() - start)
            if error:
                error()

    def added(self, key: tuple[str, str, int]) -> Any:
        method, route, status = key
        method = method if method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH") else "other"
        t = self.telemetry
        found = (t.requests.labels(method, route, str(status)).inc, t.latency.labels(route).observe,
                 t.errors.labels(route, str(status)).inc if status >= 400 else None)
        if len(self.known) < 500:
            self.known[key] = found
        return found


def seconds(day: str) -> float:
    """A day's beginning in seconds since 1970."""
    import numpy as np

    return float(np.datetime64(day, "s").astype(int))


def of_this_process() -> Telemetry:
    """Shared with the other workers where there are some."""
    return Telemetry(workers.directory() if workers.several() else None)
