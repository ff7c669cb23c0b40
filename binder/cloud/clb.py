"""CLB as the controller sees it: five readings and one way to write."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from binder.cloud import read
from binder.cloud.client import Client
from binder.cloud.codes import CloudError
from binder.cloud.read import Addresses, Quota
from binder.cloud.write import Outcome, Writer
from binder.core.actions import Action, CreateRule
from binder.core.clb import Health, Key, Listener, Target

T = TypeVar("T")


@dataclass(frozen=True)
class Read(Generic[T]):
    """What was read, by calls of which the first started at `started` of the monotonic clock."""

    value: T
    started: float


class Clb:
    """The load balancers of one region. Readings raise CloudError; threads may share it."""

    def __init__(
        self, client: Client, writer: Writer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._writer, self._clock = client, writer, clock
        self._addresses: dict[str, Addresses] = {}

    def load_balancers(self, ids: Sequence[str]) -> Read[dict[str, Addresses]]:
        """The addresses of each; one that is not among the keys is not there, CLB says so."""
        found = self._read(lambda: read.load_balancers(self._client, ids))
        self._addresses.update(found.value)
        return found

    def listeners(self, lb: str) -> Read[tuple[Listener, ...]]:
        """All listeners of `lb` and their rules."""
        return self._read(lambda: read.listeners(self._client, lb, self._addresses_of(lb)))

    def targets(self, lb: str) -> Read[dict[Key, Target]]:
        """All targets of `lb`, ours and others."""
        return self._read(lambda: read.targets(self._client, lb))

    def health(self, lbs: Sequence[str]) -> Read[dict[str, dict[Key, Health]]]:
        """How the targets are; of a load balancer that is not among the keys nothing was said."""
        return self._read(lambda: read.health(self._client, lbs))

    def quota(self) -> Read[dict[str, Quota]]:
        """The quotas of the region."""
        return self._read(lambda: read.quota(self._client))

    def perform(self, lb: str, actions: Sequence[Action]) -> list[Outcome]:
        """Do `actions` to `lb`; what became of each is told in their order, nothing is raised."""
        bare = [one for one in actions if isinstance(one, CreateRule) and not one.frontend.domain]
        try:
            address = next(iter(self._addresses_of(lb)), "") if bare else ""
        except CloudError as error:
            others = [one for one in actions if one not in bare]
            done = {one.action: one for one in self._writer.perform(lb, others)}
            return [done.get(one, Outcome(one, error)) for one in actions]
        return self._writer.perform(lb, actions, address)

    def _addresses_of(self, lb: str) -> Addresses:
        """They do not change, so they are read once."""
        if lb not in self._addresses:
            self.load_balancers([lb])
        return self._addresses.get(lb, ())

    def _read(self, get: Callable[[], T]) -> Read[T]:
        started = self._clock()
        return Read(get(), started)
