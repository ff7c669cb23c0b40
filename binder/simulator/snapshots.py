"""What reads would have shown some seconds ago: copies taken at each change, once asked for."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field

from binder.simulator.model import LoadBalancer


@dataclass
class Snapshots:
    """Copies of load balancers with the moments since which they were so."""

    keeping: bool = False
    _copies: dict[str, list[tuple[float, LoadBalancer | None]]] = field(default_factory=dict)

    def begin(self, lbs: Iterable[LoadBalancer]) -> None:
        """Keep copies from now on; what is there now counts as there since ever."""
        if not self.keeping:
            self.keeping = True
            for lb in lbs:
                self._copies[lb.id] = [(float("-inf"), copy.deepcopy(lb))]

    def take(self, name: str, lb: LoadBalancer | None, moment: float) -> None:
        """Note how the load balancer `name` is since `moment`."""
        if self.keeping:
            self._copies.setdefault(name, []).append((moment, copy.deepcopy(lb)))

    def at(self, moment: float) -> dict[str, LoadBalancer]:
        """All load balancers as they were at `moment`."""
        seen = {}
        for name, rows in self._copies.items():
            earlier = [lb for since, lb in rows if since <= moment]
            if earlier and earlier[-1]:
                seen[name] = earlier[-1]
        return seen
