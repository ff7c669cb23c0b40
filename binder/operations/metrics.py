"""Metrics for Prometheus.

What happens is counted when it happens; what there is, is counted when somebody asks. So nothing is
spent on numbers that nobody reads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from binder.core.objects import Changes
from binder.operations.counts import Counts

log = logging.getLogger(__name__)

PREFIX = "tke_direct_binder_"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Seconds. A gate takes as long as the health check, 15 s by default; a drain one or two calls.
_GATE = (1, 2, 5, 10, 15, 20, 25, 30, 45, 60, 120, 300, 600)
_DRAIN = (0.25, 0.5, 1, 1.5, 2, 3, 5, 8, 12, 20, 30, 60)
_CALL = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 4)
_RECONCILE = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)


class Gauge(NamedTuple):
    """A number that is looked up when somebody asks."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


GAUGES = (
    Gauge("gate_pending_seconds", "How long the oldest closed gate has waited.", ("reason",)),
    Gauge("gates_pending", "Closed gates of Pods whose containers are ready."),
    Gauge("targets", "Targets by what CLB last said of them.", ("lb", "state")),
    Gauge("binding_state", "Waiting Pods and bindings, by where they stand.", ("state",)),
    Gauge("foreign_targets", "Targets of others in listeners and rules that the binder uses."),
    Gauge("ungated_pods", "Pods behind an opted-in Service or Ingress without the gate."),
    Gauge("ownership_degraded", "1: CLB does not give back the tags of targets."),
    Gauge("api_budget", "Calls per second that the binder allows itself now.", ("api",)),
    Gauge("view_age_seconds", "Since when the API server has not been heard of."),
    Gauge("synced", "1: every kind has been listed."),
    Gauge("leader", "1: this process holds the lease."),
)
EVENTS = "events_dropped"


class Now(NamedTuple):
    """Where the gauges come from; each is asked at every scrape and must be quick."""

    counts: Callable[[], Counts]
    changes: Callable[[], Changes]
    clock: Callable[[], float]  # that of the changes
    leads: Callable[[], bool]
    rate: Callable[[str], float]  # calls of an action per second that are allowed now
    dropped: Callable[[], int]  # events, since the start


class Metrics:
    """All metrics of one process, in a registry of their own.

    It serves as the observer of calls to CLB (`called`, `throttled`) too. Safe for threads.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._gate = self._histogram(
            "gate_latency_seconds", "From containers ready to gate open.", _GATE
        )
        self._drain = self._histogram(
            "drain_ack_seconds", "From a Pod's deletion to weight 0 read back.", _DRAIN
        )
        self._reconcile = self._histogram(
            "reconcile_seconds", "One round of work on one load balancer.", _RECONCILE
        )
        self._call = self._histogram("api_seconds", "One call to CLB.", _CALL, "api")
        self._opened = self._counter("gates_opened", "Gates opened, by reason.", "reason")
        self._reconciles = self._counter("reconciles", "Rounds of work, by result.", "result")
        self._calls = self._counter("api_calls", "Calls to CLB, by code.", "api", "code")
        self._throttles = self._counter("api_throttled", "Calls that CLB refused.", "api")
        self._apis: set[str] = set()
        self._collector = _Looked(self._apis)
        self._registry.register(self._collector)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(PREFIX + name, text, labels, buckets=buckets, registry=self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(PREFIX + name, text, labels, registry=self._registry)

    def look(self, now: Now) -> None:
        """Have gauges from here on."""
        self._collector.now = now

    def opened(self, seconds: float, reason: str) -> None:
        """A gate was opened, `seconds` after its containers were ready."""
        self._gate.observe(seconds)
        self._opened.labels(reason).inc()

    def drained(self, seconds: float) -> None:
        """CLB has acknowledged a weight of 0, `seconds` after the deletion was seen."""
        self._drain.observe(seconds)

    def reconciled(self, seconds: float, result: str) -> None:
        """A round of work has ended: "ok", or the code of what stopped it."""
        self._reconcile.observe(seconds)
        self._reconciles.labels(result).inc()

    def called(self, action: str, code: str, seconds: float) -> None:
        """A call to CLB has ended with `code`, "OK" for none."""
        self._calls.labels(action, code).inc()
        self._call.labels(action).observe(seconds)
        self._apis.add(action)

    def throttled(self, action: str, rate: float) -> None:
        """CLB wanted fewer calls; `rate` is looked up again at every scrape."""
        self._throttles.labels(action).inc()
        self._apis.add(action)

    def text(self) -> bytes:
        """All of them as Prometheus reads them."""
        return generate_latest(self._registry)

    def names(self) -> frozenset[str]:
        """Every name of a time series that there can be."""
        families = [*self._registry.collect(), *described()]
        kinds = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}
        return frozenset(
            family.name + suffix for family in families for suffix in kinds.get(family.type, ("",))
        )


def described() -> list[Metric]:
    """The metrics that are looked up, without a value."""
    gauges = [GaugeMetricFamily(PREFIX + g.name, g.help, labels=g.labels) for g in GAUGES]
    text = "Events that were given up, as there were too many."
    return [*gauges, CounterMetricFamily(PREFIX + EVENTS, text)]


class _Looked(Collector):
    """Asks for the numbers at every scrape."""

    def __init__(self, apis: set[str]) -> None:
        self._apis = apis
        self.now: Now | None = None

    def describe(self) -> Iterable[Metric]:
        return described()

    def collect(self) -> Iterable[Metric]:
        if self.now is None:
            return []
        rows = _rows(self.now, sorted(self._apis))
        families = {family.name: family for family in described()}
        for name, found in rows.items():
            family = families[PREFIX + name]
            for labels, value in found.items():
                # A collector gives samples, whatever kind of metric they are of.
                suffix = "_total" if family.type == "counter" else ""
                names = next((g.labels for g in GAUGES if g.name == name), ())
                family.add_sample(
                    family.name + suffix, dict(zip(names, labels, strict=True)), value
                )
        return families.values()


_Row = Mapping[tuple[str, ...], float]


def _rows(now: Now, apis: Iterable[str]) -> dict[str, _Row]:
    """By name of the metric and values of its labels."""
    counts, changes = now.counts(), now.changes()
    return {
        "gate_pending_seconds": {(reason,): age for reason, age in counts.pending.items()},
        "gates_pending": {(): counts.gates},
        "targets": {(lb, state): number for (lb, state), number in counts.targets.items()},
        "binding_state": {(state,): number for state, number in counts.bindings.items()},
        "foreign_targets": {(): counts.foreign},
        "ungated_pods": {(): counts.ungated},
        "ownership_degraded": {(): counts.untagged},
        "api_budget": {(api,): now.rate(api) for api in apis},
        "view_age_seconds": {(): max(0.0, now.clock() - changes.seen_at)},
        "synced": {(): changes.synced},
        "leader": {(): now.leads()},
        EVENTS: {(): now.dropped()},
    }
