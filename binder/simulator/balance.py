"""Which target of a group gets the next connection or request.

Facts from the CLB documentation, "health check overview" and "load balancing algorithm selection
and weight configuration": weight 0 gets nothing new, neither does a target that is abnormal or
still being probed; where no target is healthy, all of them are forwarded to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zlib import crc32

from binder.simulator.model import Endpoint, Group, Health, Target

Load = Callable[[Endpoint], int]
"""How many connections (L4) or requests (L7) a target works on now."""


def serving(group: Group) -> list[Target]:
    """The targets that new traffic may go to.

    A healthy target of weight 0 still counts as healthy: beside it, abnormal ones get nothing.
    """
    weighted = [target for target in group.targets.values() if target.weight > 0]
    if any(is_healthy(target) for target in group.targets.values()):
        return [target for target in weighted if is_healthy(target)]
    return weighted


def is_healthy(target: Target) -> bool:
    """Whether probes found the target fit, or nobody probes it."""
    return target.health in (Health.ALIVE, Health.CLOSE)


class Balancer:
    """Takes turns among the targets of one group, by its scheduler.

    Turns are smooth (nginx's weighted round-robin): weights 5, 1, 1 give a a b a c a a, never
    five in a row.  They begin anew when the candidates or their weights change, because credit
    earned among other weights would favour or starve a target for a long time.
    """

    def __init__(self) -> None:
        self._weights: dict[Endpoint, int] = {}
        self._credit: dict[Endpoint, int] = {}

    def choose(self, group: Group, client: str, load: Load) -> Target | None:
        """The target for the next connection of the address `client`; None: nobody may serve."""
        candidates = serving(group)
        if not candidates:
            return None
        if group.scheduler == "IP_HASH":
            return of_client(candidates, client)
        if group.scheduler == "LEAST_CONN":
            candidates = least_loaded(candidates, load)
        return self._next(candidates)

    def _next(self, candidates: Sequence[Target]) -> Target:
        weights = {target.endpoint: target.weight for target in candidates}
        if weights != self._weights:
            self._weights, self._credit = weights, dict.fromkeys(weights, 0)
        for endpoint, weight in weights.items():
            self._credit[endpoint] += weight
        chosen = max(candidates, key=lambda target: self._credit[target.endpoint])
        self._credit[chosen.endpoint] -= sum(weights.values())
        return chosen


def least_loaded(candidates: Sequence[Target], load: Load) -> list[Target]:
    """Those with the smallest load in proportion to their weight."""
    loads = [load(target.endpoint) / target.weight for target in candidates]
    least = min(loads)
    return [target for target, value in zip(candidates, loads) if value == least]


def of_client(candidates: Sequence[Target], client: str) -> Target:
    """The target that belongs to a client's address while the candidates stay the same."""
    place = crc32(client.encode()) % sum(target.weight for target in candidates)
    for target in candidates:
        place -= target.weight
        if place < 0:
            return target
    raise AssertionError("the place lies below the sum of the weights")
