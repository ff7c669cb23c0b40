"""What a row of probe results says of a target.

Facts from the CLB documentation, "health check overview": a new target is being probed until
enough results in a row agree; from then on it needs as many in a row to change sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from binder.simulator.model import Group, Health, HealthCheck, Listener


@dataclass(frozen=True)
class Streak:
    """The verdict of one probe node so far, and how many results in a row it saw last."""

    health: Health = Health.UNKNOWN
    successes: int = 0
    failures: int = 0

    def after(self, check: HealthCheck, succeeded: bool) -> Streak:
        """The streak with one more result."""
        successes = self.successes + 1 if succeeded else 0
        failures = 0 if succeeded else self.failures + 1
        health = self.health
        if successes >= check.healthy:
            health = Health.ALIVE
        elif failures >= check.unhealthy:
            health = Health.DEAD
        return Streak(health, successes, failures)


def is_checked(listener: Listener, group: Group) -> bool:
    """Whether targets are probed; if not, they are all Close."""
    return group.health_check.enabled and not listener.stopped


def agreed(streaks: Iterable[Streak]) -> Health:
    """What the nodes of a load balancer say together: the worst that one of them says.

    An assumption: the documentation says that every node probes, not how they agree.
    """
    verdicts = {streak.health for streak in streaks}
    for health in (Health.DEAD, Health.UNKNOWN):
        if health in verdicts:
            return health
    return Health.ALIVE
