"""The brake: many targets that go though no Pod is being deleted are more likely a mistake.

A wrong selector, a view that lost half of the cluster, a namespace that vanished from a cache: a
few targets may go at once, and each of many only when the API server itself agrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import NamedTuple

from binder.core.actions import Tell
from binder.core.clb import Key
from binder.core.objects import Owner
from binder.settings import Settings


class Origin(NamedTuple):
    """A listener or rule from which targets would go."""

    lb: str
    listener: str
    location: str
    owner: Owner | None  # to be told
    counted: set[Key]  # targets of ours there that have weight


class Brake:
    """For one plan: `held` and `left` are for the next one, `confirm` and `tells` for others.

    `held`: since when a removal waits; `left`: when a target went that nobody's deletion explains;
    `confirmed`: namespace ("": all of them) to when the API server last agreed with our view.
    """

    def __init__(
        self,
        held: Mapping[Key, float],
        left: Mapping[Key, float],
        confirmed: Mapping[str, float],
        now: float,
        settings: Settings,
    ) -> None:
        self._held_before, self._left_before, self._confirmed = held, left, confirmed
        self._now, self._settings = now, settings
        self.held: dict[Key, float] = {}
        self.left = {key: at for key, at in left.items() if at > now - settings.brake_window}
        self.confirm: set[str] = set()
        self.tells: list[Tell] = []

    def release(self, origin: Origin, homes: Mapping[Key, str]) -> list[Key]:
        """The keys of `homes` that may go now; the namespace of each Pod, as far as it is known."""
        released = list(homes)
        if not self._are_few(origin, released):
            for key in homes:
                self.held[key] = self._held_before.get(key, self._now)
            released = [key for key, home in homes.items() if self._is_confirmed(key, home)]
            self._hold(origin, homes, released)
        for key in released:
            self.left[key] = self._left_before.get(key, self._now)
        return released

    def _are_few(self, origin: Origin, going: list[Key]) -> bool:
        place = origin.listener, origin.location
        recent = {key for key in self.left if (key.listener, key.location) == place}
        share = self._settings.brake * len(origin.counted | recent)
        return len(recent.union(going)) <= share or self._settings.allow_mass_removal

    def _is_confirmed(self, key: Key, home: str) -> bool:
        said = [self._confirmed[name] for name in {"", home} if name in self._confirmed]
        return max(said, default=-inf) > self.held[key]

    def _hold(self, origin: Origin, homes: Mapping[Key, str], released: list[Key]) -> None:
        waiting = {home for key, home in homes.items() if key not in released}
        self.confirm |= waiting
        told = any(key in self._held_before for key in homes)
        if waiting and origin.owner and not told:
            message = (
                f"{len(homes)} of {len(origin.counted)} targets of {origin.lb} {origin.listener} "
                "would go though their Pods are not being deleted; asking the API server first"
            )
            self.tells.append(Tell(origin.owner, "Warning", "MassRemovalHeld", message))
