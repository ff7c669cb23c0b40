"""Probes every target of every group, for as long as it is bound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from binder.simulator.clock import Clock
from binder.simulator.health import Streak, agreed, is_checked
from binder.simulator.model import Group, Health, HealthCheck, Listener, LoadBalancer, Target
from binder.simulator.probe import Probe

OnChange = Callable[[LoadBalancer, Listener, Group, Target], None]


def ignore(_lb: LoadBalancer, _listener: Listener, _group: Group, _target: Target) -> None:
    """Hear of a change of health and do nothing."""


class Prober:
    """Keeps ``Target.health`` right.  Targets of weight 0 are probed like all others.

    `nodes` probe each target, each once per interval, evenly spread over it: a real load balancer
    is a cluster, all of which probes.  A changed HealthCheck counts from the next probe on.
    """

    def __init__(
        self, clock: Clock, probe: Probe, on_change: OnChange = ignore, nodes: int = 1
    ) -> None:
        self._watch = partial(Watch, clock, probe, nodes)
        self._on_change = on_change
        self._watches: dict[str, dict[Target, Watch]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def sync(self, lb: LoadBalancer) -> None:
        """Probe exactly the targets that `lb` has now; call it after each change.

        Needs a running event loop.  A target that was removed and registered again is a new one.
        """
        watches = self._watches.setdefault(lb.id, {})
        bound = {
            target: (listener, group)
            for listener, group in lb.groups()
            for target in group.targets.values()
        }
        for target in watches.keys() - bound.keys():
            watches.pop(target).stop()
        for target, place in bound.items():
            if target not in watches:
                change = partial(self._on_change, lb, *place, target)
                watches[target] = self._watch(*place, target, change)
            self._keep(watches[target].sync())

    def remove(self, lb_id: str) -> None:
        """Forget a load balancer; unknown ones are fine."""
        for watch in self._watches.pop(lb_id, {}).values():
            watch.stop()

    async def close(self) -> None:
        """Stop all probes and wait until they are gone."""
        for lb_id in list(self._watches):
            self.remove(lb_id)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


class Watch:
    """The probing of one target by the nodes of a cluster."""

    def __init__(
        self,
        clock: Clock,
        probe: Probe,
        nodes: int,
        listener: Listener,
        group: Group,
        target: Target,
        on_change: Callable[[], None],
    ) -> None:
        self._clock, self._probe, self._nodes = clock, probe, nodes
        self._listener, self._group, self._target = listener, group, target
        self._on_change = on_change
        self._streaks: list[Streak] = []
        self._tasks: list[asyncio.Task[None]] = []

    def sync(self) -> list[asyncio.Task[None]]:
        """Start or stop as the check is switched; off means Close.  Gives the tasks begun."""
        if not is_checked(self._listener, self._group):
            self.stop()
            self._change(Health.CLOSE)
            return []
        if self._tasks:
            return []
        self._streaks = streaks = [Streak()] * self._nodes
        self._change(Health.UNKNOWN)
        self._tasks = [
            asyncio.create_task(self._probing(node, streaks)) for node in range(self._nodes)
        ]
        return self._tasks

    def stop(self) -> None:
        """End the probing; results that are still to come are dropped."""
        for task in self._tasks:
            task.cancel()
        self._tasks, self._streaks = [], []

    async def _probing(self, node: int, streaks: list[Streak]) -> None:
        if node:  # the first one begins at once
            await self._clock.sleep(self._group.health_check.interval_s * node / self._nodes)
        while True:
            check, began = self._group.health_check, self._clock.now()
            succeeded = await self._probe(check, self._target.endpoint)
            if streaks is not self._streaks:
                return  # stopped: before Python 3.12 asyncio.wait_for may swallow a cancellation
            streaks[node] = streaks[node].after(check, succeeded)
            self._change(agreed(streaks))
            await self._clock.sleep(self._pause(check, began))

    def _pause(self, check: HealthCheck, began: float) -> float:
        """Seconds until the next probe.

        The documented windows differ: L7 fails after time-out x n + interval x (n-1), so its
        interval begins at the end of a probe; L4's after interval x (n-1), from start to start.
        """
        if self._listener.is_l7:
            return check.interval_s
        spent = self._clock.now() - began
        return min(max(check.interval_s - spent, 0.0), check.interval_s)  # clocks may jump

    def _change(self, health: Health) -> None:
        if self._target.health is not health:
            self._target.health = health
            self._on_change()
