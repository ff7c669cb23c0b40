"""Health of all load balancers on which something waits, thirty to a call."""

from __future__ import annotations

from collections.abc import Callable

from binder.cloud.codes import CloudError, Kind
from binder.controller.ports import Cloud
from binder.controller.state import Balancer, State
from binder.settings import Settings

_NEARLY = 0.5  # of the pause
PER_CALL = 30  # DescribeTargetHealth takes so many LoadBalancerIds (CLB API)


class Poller:
    """`poll` reads what is due, and says which load balancers have news and when to come again."""

    def __init__(self, state: State, cloud: Cloud, clock: Callable[[], float]) -> None:
        self._state, self._cloud, self._clock = state, cloud, clock

    def poll(self) -> tuple[list[str], list[CloudError]]:
        """Load balancers that were read, and what could not be read."""
        read: list[str] = []
        errors: list[CloudError] = []
        due = self._due()
        for start in range(0, len(due), PER_CALL):
            chunk = due[start : start + PER_CALL]
            try:
                answer = self._cloud.health(chunk)
            except CloudError as error:
                errors.append(error)
                self._mark(chunk, error.kind is Kind.CHANGED)
                continue
            with self._state.lock:
                for lb in chunk:
                    one = self._state.balancers.get(lb)
                    if one is None:
                        continue
                    one.polled_at = answer.started
                    if lb in answer.value:
                        one.reading = one.reading._replace(
                            health=answer.value[lb], health_at=answer.started
                        )
                    else:
                        one.listeners_dirty = True  # it has gone; the next round makes sure
                    read.append(lb)
        return read, errors

    def _mark(self, chunk: list[str], changed: bool) -> None:
        """What failed is asked again at its pace, not at once."""
        now = self._clock()
        with self._state.lock:
            for lb in chunk:
                one = self._state.balancers.get(lb)
                if one is not None:
                    one.polled_at = now
                    one.listeners_dirty |= changed

    def _due(self) -> list[str]:
        now, settings = self._clock(), self._state.settings
        with self._state.lock:
            shares = {
                lb: (now - one.polled_at) / pause(one, now, settings)
                for lb, one in self._state.balancers.items()
                if one.plan.poll
            }
        # Those that are nearly due come along, as one call costs the same; so they keep step.
        due = max(shares.values(), default=0.0) >= 1.0
        return sorted(lb for lb, share in shares.items() if due and share >= _NEARLY)


def pause(one: Balancer, now: float, settings: Settings) -> float:
    """Seconds between two readings: short at first, longer for what takes long."""
    waited = now - one.pending_since
    if waited <= settings.poll_quick:
        return settings.poll_first
    return min(2 * settings.poll_first * waited / settings.poll_quick, settings.poll_most)
