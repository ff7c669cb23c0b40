"""What Prometheus may read of a webhook process."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from binder.webhook.certificates import Due

# Below the resolution of the defaults lies where an answer should be.
_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)
RESULTS = ("patched", "unchanged", "malformed", "too-large", "too-slow", "too-many", "not-found")
HEALED = (
    *(each.value for each in Due if each is not Due.NOTHING),
    *("configuration-missing", "configuration-edited", "bundle"),
)


class Metrics:
    """In a registry of their own; every label is there from the start, at zero."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "webhook_requests",
            "Admission requests by result.",
            ["result"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "webhook_seconds",
            "From a request's header to its answer.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.connections = Gauge(
            "webhook_connections", "Connections that are open.", registry=self.registry
        )
        self.expiry = Gauge(
            "cert_expiry_seconds",
            "What the certificate that is served has left.",
            registry=self.registry,
        )
        self.passes = Counter(
            "webhook_passes",
            "How often everything was found or put in order.",
            registry=self.registry,
        )
        self.heals = Counter(
            "heals", "What was damaged or due, and was mended.", ["what"], registry=self.registry
        )
        for result in RESULTS:
            self.requests.labels(result)
        for what in HEALED:
            self.heals.labels(what)
