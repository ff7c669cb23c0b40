"""What the relays of a load balancer's listeners have in common: turns, counts, faults."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from binder.simulator.balance import Balancer
from binder.simulator.model import Endpoint, Group, Target

Obstacle = Callable[[Endpoint], Awaitable[None]]
"""Awaited before a target is connected to.  It may wait (a slow way) or raise OSError (a dead
one); the faults of a simulator come in here."""

Address = tuple[str, int]


async def clear_way(_endpoint: Endpoint) -> None:
    """Put no obstacle before a target."""


@dataclass
class Counts:
    """What a target got since the start, also over removal and return."""

    connections: int = 0  # made to it; for UDP: flows; not counted for L7
    open: int = 0  # connections, flows or (L7) requests given to it that have not ended
    requests: int = 0  # L7 only
    failures: int = 0  # not reached, reset by it, or no whole answer

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Count something as open while it lasts."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


class Traffic:
    """The turns and counts of all groups of a plane."""

    def __init__(self, obstacle: Obstacle = clear_way) -> None:
        self.obstacle = obstacle
        self.refused: Counter[str] = Counter()  # by group: no target could serve
        self._balancers: defaultdict[str, Balancer] = defaultdict(Balancer)
        self._counts: defaultdict[tuple[str, Endpoint], Counts] = defaultdict(Counts)

    def counts(self, group_id: str, endpoint: Endpoint) -> Counts:
        """The counts of a target in a group; zeros for a stranger."""
        return self._counts[group_id, endpoint]

    def choose(self, group: Group, client: str) -> Target | None:
        """The target for the next connection or request of a client's address."""
        load = partial(self._load, group.id)
        chosen = self._balancers[group.id].choose(group, client, load)
        if chosen is None:
            self.refused[group.id] += 1
        return chosen

    def _load(self, group_id: str, endpoint: Endpoint) -> int:
        return self.counts(group_id, endpoint).open


def is_bound(group: Group, target: Target) -> bool:
    """Whether a target is still registered; one that came back is another one."""
    return group.targets.get(target.endpoint) is target


class Relay(Protocol):
    """The data path of one listener."""

    async def open(self, host: str, port: int) -> Address:
        """Begin to accept; gives the address, for port 0 asks for any.  Raises OSError."""

    def refresh(self) -> None:
        """Cut what goes to targets that are bound no more."""

    async def close(self) -> None:
        """Accept nothing more and cut what is under way."""
