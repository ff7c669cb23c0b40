"""``tke-direct-binder run``: the controller until it is told to end."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from binder.cluster.informer import Informers
from binder.commands.assembly import Parts, controller, given
from binder.operations import health, logs
from binder.operations.http import Operations
from binder.operations.metrics import Metrics, Now
from binder.operations.watcher import Operator
from binder.settings import Settings

LOG = logging.getLogger("binder")


def run(*, metrics_port: int, log_format: str | None, log_level: str, **options: Any) -> None:
    """Serve until SIGTERM or SIGINT; the lease is given back at the end."""
    place, settings = given(options)
    redactor = logs.set_up(log_format, log_level)
    metrics = Metrics()
    parts = Parts(place, settings, metrics, leads=True)
    heart = health.Heart(parts.clocks.now)
    watcher = Operator(metrics, heart, parts.clocks.now)
    made, informers = controller(parts, settings, watcher, writes=True)
    parts.keep_secret(redactor.hide)
    operations = operate(parts, informers, watcher, metrics, heart, settings, metrics_port)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    LOG.info("metrics", extra={"port": operations.start()})
    parts.spawn("lease", parts.lease.run)
    parts.spawn("events", parts.events.run)
    parts.spawn("credentials", parts.credentials.keep)
    informers.start()
    made.start()
    over.wait()
    LOG.info("ending")
    # The lease is given back last: until then nobody else writes.
    made.stop()
    informers.stop()
    parts.close()
    operations.stop()


def operate(
    parts: Parts,
    informers: Informers,
    watcher: Operator,
    metrics: Metrics,
    heart: health.Heart,
    settings: Settings,
    port: int,
) -> Operations:
    """Metrics and probes, not started yet."""
    metrics.look(
        Now(
            watcher.counts,
            informers.changes,
            parts.clocks.now,
            parts.lease.held,
            parts.budget.rate,
            lambda: parts.events.dropped,
        )
    )
    ready = health.Checks()
    ready.add("view", health.view(informers.changes, parts.clocks.now, settings.stale))
    return Operations(heart, ready, metrics, port=port)
