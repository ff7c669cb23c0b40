"""What the loops tell, passed on to metrics and heart."""

from __future__ import annotations

from collections.abc import Callable

from binder.controller.state import State
from binder.operations.counts import Counts, count
from binder.operations.health import Heart
from binder.operations.metrics import Metrics


class Operator:
    """The watcher of a controller."""

    def __init__(self, metrics: Metrics, heart: Heart, clock: Callable[[], float]) -> None:
        self._metrics, self._heart, self._clock = metrics, heart, clock
        self._state: State | None = None

    def beat(self, loop: str) -> None:
        self._heart.beat(loop)

    def reconciled(self, lb: str, seconds: float, result: str) -> None:
        self._metrics.reconciled(seconds, result)

    def planned(self, state: State) -> None:
        self._state = state  # nothing is counted before somebody asks

    def drained(self, seconds: float) -> None:
        self._metrics.drained(seconds)

    def opened(self, seconds: float, reason: str) -> None:
        self._metrics.opened(seconds, reason)

    def counts(self) -> Counts:
        """What there is now."""
        state = self._state
        if state is None:
            return Counts()
        with state.lock:
            return count(state.view, state.balancers, state.ready_since, self._clock())
