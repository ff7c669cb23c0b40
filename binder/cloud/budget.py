"""How often each action is called: token buckets that slow down when CLB says so.

CLB counts calls by action, region and sub-account, 20 a second by default (each page of its API).
A bucket lets a little less through. When a call is throttled all the same, as others use the same
account, its rate is halved, and grows by one call a second each minute (AIMD).
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from typing import Protocol

from binder.core.actions import Lane

LEAST = 1.0  # calls per second
SHORTEST = 0.001  # seconds to wait
PAUSE = 1.0  # seconds after a throttled call; CLB counts by the second
RECOVER = 1.0 / 60  # calls per second, per second
READ = (Lane.LISTENERS + Lane.REGISTER) / 2


class Observer(Protocol):
    """Who counts calls, for the metrics."""

    def called(self, action: str, code: str, seconds: float) -> None:
        """A call ended with `code` ("OK" for none) after `seconds`."""

    def throttled(self, action: str, rate: float) -> None:
        """CLB wanted fewer calls; from now on it is `rate` a second."""


class Nobody:
    """An observer that does not look."""

    def called(self, action: str, code: str, seconds: float) -> None: ...

    def throttled(self, action: str, rate: float) -> None: ...


class Bucket:
    """The tokens of one action; not locked, see Budget. `most` is calls per second."""

    def __init__(self, most: float, now: float) -> None:
        self._most = most
        self.rate = self._tokens = most
        self._at = now
        self._closed_until = now
        self._queue: list[tuple[float, int]] = []

    def join(self, ticket: tuple[float, int]) -> None:
        """Wait in line; the lower lane goes first."""
        heapq.heappush(self._queue, ticket)

    def admit(self, ticket: tuple[float, int], now: float) -> float:
        """0 when the holder of `ticket` may go, else in how many seconds to ask again."""
        self._refill(now)
        if now < self._closed_until:
            return self._closed_until - now
        if self._tokens < 1:
            return max(SHORTEST, (1 - self._tokens) / self.rate)
        if self._queue[0] != ticket:
            return 1 / self.rate
        heapq.heappop(self._queue)
        self._tokens -= 1
        return 0.0

    def leave(self, ticket: tuple[float, int]) -> None:
        """Do not wait any more."""
        self._queue.remove(ticket)
        heapq.heapify(self._queue)

    def slow_down(self, now: float) -> None:
        """Halve the rate, once for all calls that were throttled together."""
        self._refill(now)
        if now >= self._closed_until:
            self.rate = max(LEAST, self.rate / 2)
            self._closed_until = now + PAUSE
        self._tokens = 0.0

    def _refill(self, now: float) -> None:
        passed = max(0.0, now - max(self._at, self._closed_until))
        self._at = max(self._at, now)
        self.rate = min(self._most, self.rate + passed * RECOVER)
        self._tokens = min(self.rate, self._tokens + passed * self.rate)


class Budget:
    """One bucket per action; `clock` and `wait` are those of the caller, in seconds."""

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float],
        wait: Callable[[float], None],
        observer: Observer | None = None,
    ) -> None:
        self._rate = rate
        self._clock, self._wait = clock, wait
        self._observer = observer or Nobody()
        self._lock = threading.Lock()
        self._buckets: dict[str, Bucket] = {}
        self._numbers = itertools.count()

    def take(self, action: str, lane: float = READ) -> None:
        """Wait until `action` may be called once; a lower `lane` goes before."""
        with self._lock:
            bucket, ticket = self._bucket(action), (lane, next(self._numbers))
            bucket.join(ticket)
        while True:
            with self._lock:
                seconds = bucket.admit(ticket, self._clock())
            if not seconds:
                return
            try:
                self._wait(seconds)
            except BaseException:
                with self._lock:
                    bucket.leave(ticket)
                raise

    def throttled(self, action: str) -> None:
        """CLB refused a call of `action`."""
        with self._lock:
            bucket = self._bucket(action)
            bucket.slow_down(self._clock())
            rate = bucket.rate
        self._observer.throttled(action, rate)

    def rate(self, action: str) -> float:
        """How many calls of `action` a second it lets through now."""
        with self._lock:
            return self._bucket(action).rate

    def _bucket(self, action: str) -> Bucket:
        if action not in self._buckets:
            self._buckets[action] = Bucket(self._rate, self._clock())
        return self._buckets[action]
