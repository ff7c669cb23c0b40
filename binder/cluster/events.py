"""Events of Pods, Services and Ingresses, few and never in anybody's way.

What is told again and again is one event whose count grows, as the recorder of client-go does it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from binder.cluster.api import MERGE, NOT_FOUND, Api, Failed, Json, Refused
from binder.cluster.status import stamp
from binder.core.actions import Tell

log = logging.getLogger(__name__)

COMPONENT = "tke-direct-binder"
_API_VERSIONS = {"Ingress": "networking.k8s.io/v1"}  # of what events are about; else v1
_LONGEST = 1024  # of a message, in bytes (Kubernetes, core/validation/events.go)
_LONGEST_NAME = 200  # of an object, in the name of its event: with a suffix at most 253


@dataclass
class _Series:
    """What has been told of one thing."""

    name: str
    first: float  # seconds since the epoch
    count: int = 0
    created: bool = False
    written_at: float | None = None  # by our own clock; None: not yet, or in vain
    queued: bool = False


class Events:
    """Takes what is to be told, and writes it from its own thread.

    `dropped` counts what was given up because the queue was full, `failed` what the API server
    did not take.
    """

    def __init__(
        self,
        api: Api,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        quiet: float = 300.0,  # seconds between two writes of the same
        rate: float = 5.0,  # writes per second
        burst: int = 50,
        queue: int = 1000,
        series: int = 4096,
    ) -> None:
        self.dropped = self.failed = 0
        self._api, self._clock, self._wall = api, clock, wall
        self._quiet, self._rate, self._burst = quiet, rate, burst
        self._most_queued, self._most_series = queue, series
        self._series: OrderedDict[Tell, _Series] = OrderedDict()
        self._queue: deque[tuple[Tell, _Series]] = deque()
        self._tokens, self._filled_at = float(burst), clock()
        self._changed = threading.Condition()
        self._serial = 0

    def tell(self, action: Tell) -> None:
        """Note it; returns at once."""
        with self._changed:
            series = self._series_of(action)
            series.count += 1
            if series.queued or not self._due(series):
                return
            series.queued = True
            self._queue.append((action, series))
            if len(self._queue) > self._most_queued:
                _, oldest = self._queue.popleft()
                oldest.queued = False
                self.dropped += 1
            self._changed.notify()

    def run(self, stop: threading.Event) -> None:
        """Write until `stop` is set, which is noticed within half a second."""
        while not stop.is_set():
            pause = self.step()
            if pause:
                with self._changed:
                    self._changed.wait(min(pause, _IDLE))
        if self._queue:
            log.warning("%d events are not written", len(self._queue))

    def step(self) -> float:
        """Write at most one event; how many seconds nothing can be done then."""
        with self._changed:
            if not self._queue:
                return _IDLE
            missing = self._missing()
            if missing:
                return missing
            self._tokens -= 1
            action, series = self._queue.popleft()
            series.queued = False
            count = series.count
        self._write(action, series, count)
        return 0.0

    def _due(self, series: _Series) -> bool:
        return series.written_at is None or self._clock() - series.written_at >= self._quiet

    def _series_of(self, action: Tell) -> _Series:
        series = self._series.get(action)
        if series is None:
            self._serial += 1
            now = self._wall()
            about = action.about.name[:_LONGEST_NAME].rstrip("-.")
            name = f"{about}.{int(now * 1e6):x}{self._serial:x}"
            series = self._series[action] = _Series(name, now)
            if len(self._series) > self._most_series:
                self._series.popitem(last=False)
        self._series.move_to_end(action)
        return series

    def _missing(self) -> float:
        """Seconds until there is a token; 0: there is one."""
        now = self._clock()
        earned = (now - self._filled_at) * self._rate
        self._tokens, self._filled_at = min(self._tokens + earned, self._burst), now
        return max(0.0, (1 - self._tokens) / self._rate)

    def _write(self, action: Tell, series: _Series, count: int) -> None:
        began = self._clock()
        try:
            if not (series.created and self._update(action, series, count)):
                self._create(action, series, count)
        except Failed as error:
            series.written_at = None
            self.failed += 1
            log.warning("event %s of %s: %s", action.reason, action.about, error)
        else:
            series.created, series.written_at = True, began

    def _create(self, action: Tell, series: _Series, count: int) -> None:
        about = action.about
        body: Json = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": series.name, "namespace": about.namespace},
            "involvedObject": {
                "apiVersion": _API_VERSIONS.get(about.kind, "v1"),
                "kind": about.kind,
                "namespace": about.namespace,
                "name": about.name,
                "uid": about.uid,
            },
            "type": action.type,
            "reason": action.reason,
            "message": action.message.encode()[:_LONGEST].decode(errors="ignore"),
            "source": {"component": COMPONENT},
            "firstTimestamp": stamp(series.first),
            **self._times(count),
        }
        self._api.call("POST", _path(action), body=body)

    def _update(self, action: Tell, series: _Series, count: int) -> bool:
        """False: it has run out, as events do after an hour."""
        try:
            path = f"{_path(action)}/{series.name}"
            self._api.call("PATCH", path, body=self._times(count), media=MERGE)
        except Refused as error:
            if error.status != NOT_FOUND:
                raise
            return False
        return True

    def _times(self, count: int) -> Json:
        return {"count": count, "lastTimestamp": stamp(self._wall())}


_IDLE = 0.5


def _path(action: Tell) -> str:
    return f"/api/v1/namespaces/{action.about.namespace}/events"
