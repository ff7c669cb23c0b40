"""Replacing every target of a listener, one after the other, under load."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import NamedTuple

from binder.simulator.clock import RealClock
from binder.simulator.model import Endpoint, Group, Health, HealthCheck, LoadBalancer, Target
from binder.simulator.plane import Plane
from binder.simulator.probe import network
from binder.simulator.prober import Prober
from tests.binder.load import Load, Result
from tests.binder.plane.bed import Server, balancer, group, serving, started, until


class Pace(NamedTuple):
    """How a rollout goes; times in seconds."""

    protocol: str  # TCP, HTTP
    drain: bool  # weight 0, wait, unbind; else unbind, then kill
    rate: float = 200.0  # requests per second
    targets: int = 10
    delay_s: float = 0.02  # how long an answer takes
    interval_s: float = 0.02  # of the health check, which wants two successes
    drain_s: float = 0.05  # how long weight 0 lasts at least before unbinding
    pause_s: float = 0.0  # between two replacements
    timeout_s: float = 0.5  # of the clients
    reuse: bool = False  # clients keep connections


class Outcome(NamedTuple):
    """What the clients saw, and how many targets served at least one request."""

    result: Result
    served: int


async def rollout(pace: Pace) -> Outcome:
    """Replace all targets while the load lasts."""
    old = await started(pace.targets, pace.delay_s)
    new = await started(pace.targets, pace.delay_s)
    check = HealthCheck(healthy=2, unhealthy=2)
    check.interval_s = pace.interval_s  # type: ignore[assignment]
    rule = group(*[server.endpoint for server in old], check=check)
    lb, prober = balancer(pace.protocol, rule), Prober(RealClock(), network)
    async with serving(lb, *old, *new) as (plane, url):
        change = _Change(pace, lb, rule, plane, prober)
        load = Load(url, pace.rate, pace.timeout_s, pace.reuse)
        await change.sync()
        for server in old:
            await change.alive(server.endpoint)
        running = asyncio.create_task(load.run())
        for leaving, coming in zip(old, new):
            await change.replace(leaving, coming)
        load.stop()
        result = await running
        await prober.close()
    return Outcome(result, sum(server.served > 0 for server in (*old, *new)))


@dataclass
class _Change:
    pace: Pace
    lb: LoadBalancer
    rule: Group
    plane: Plane
    prober: Prober

    async def replace(self, leaving: Server, coming: Server) -> None:
        """Bring one target in and take another out."""
        self.rule.targets[coming.endpoint] = Target(coming.endpoint)
        await self.sync()
        await self.alive(coming.endpoint)
        counts = self.plane.counts(self.rule, leaving.endpoint)
        if self.pace.drain:
            self.rule.targets[leaving.endpoint].weight = 0
            await self.sync()
            await asyncio.sleep(self.pace.drain_s)
            await until(lambda: not counts.open)
        else:  # let the harm be certain: somebody waits for an answer
            await until(lambda: counts.open)
        del self.rule.targets[leaving.endpoint]
        await self.sync()
        await leaving.stop()
        await asyncio.sleep(self.pace.pause_s)

    async def alive(self, endpoint: Endpoint) -> None:
        """Wait until probes say so."""
        target = self.rule.targets[endpoint]
        await until(lambda: target.health is Health.ALIVE, 30)

    async def sync(self) -> None:
        self.prober.sync(self.lb)
        await self.plane.sync(self.lb)
