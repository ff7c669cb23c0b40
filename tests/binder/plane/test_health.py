"""Streaks of results, and the prober's timing under a clock moved by hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from binder.simulator.clock import VirtualClock
from binder.simulator.health import Streak, agreed
from binder.simulator.model import Endpoint, Health, HealthCheck, LoadBalancer, Target
from binder.simulator.probe import Probe, Scripted, failing, flapping, hanging, passing, silent
from binder.simulator.prober import Prober
from tests.binder.plane.bed import balancer, group, only_listener, run

WEB = Endpoint("10.0.0.1", 80)


@given(st.lists(st.booleans()), st.integers(2, 10), st.integers(2, 10))
def test_health_is_what_the_last_long_enough_row_says(
    results: list[bool], healthy: int, unhealthy: int
) -> None:
    check, streak = HealthCheck(healthy=healthy, unhealthy=unhealthy), Streak()
    expected = Health.UNKNOWN
    for number, result in enumerate(results, 1):
        streak = streak.after(check, result)
        if results[:number][-healthy:] == [True] * healthy:
            expected = Health.ALIVE
        elif results[:number][-unhealthy:] == [False] * unhealthy:
            expected = Health.DEAD
        assert streak.health is expected


def test_nodes_say_the_worst() -> None:
    alive, dead, new = Streak(Health.ALIVE), Streak(Health.DEAD), Streak()
    assert agreed([alive, alive]) is Health.ALIVE
    assert agreed([alive, new]) is Health.UNKNOWN
    assert agreed([alive, new, dead]) is Health.DEAD


class Probed:
    """A load balancer with one target under a virtual clock, and what the prober told of it."""

    def __init__(self, protocol: str = "TCP", nodes: int = 1, **check: int) -> None:
        self.clock = VirtualClock()
        self.script = Scripted(passing)
        self.asked = 0
        self.group = group(check=HealthCheck(**check))  # type: ignore[arg-type]
        self.lb = balancer(protocol, self.group)
        self.changes: list[tuple[float, Health]] = []
        self.prober = Prober(self.clock, self._count, self._note, nodes)
        self._began = self.clock.now()

    def bind(self, endpoint: Endpoint = WEB, weight: int = 10) -> Target:
        target = self.group.targets[endpoint] = Target(endpoint, weight)
        self.prober.sync(self.lb)
        return target

    def since(self, probe: Probe) -> float:
        """Answer by `probe` from now on; gives the time, in seconds of the test."""
        self.script.by_ip[WEB.ip] = probe
        return self.clock.now() - self._began

    async def _count(self, check: HealthCheck, endpoint: Endpoint) -> bool:
        self.asked += 1
        return await self.script(check, endpoint)

    def _note(self, _lb: LoadBalancer, _listener: object, _group: object, target: Target) -> None:
        self.changes.append((self.clock.now() - self._began, target.health))


def probed(test: Callable[[Probed], object], **settings: object) -> None:
    """Run a test of the prober in a loop that must end clean."""

    async def scenario() -> None:
        bed = Probed(**settings)  # type: ignore[arg-type]
        await test(bed)  # type: ignore[misc]
        await bed.prober.close()

    run(scenario)


def test_a_new_target_is_alive_after_interval_times_healthy_less_one() -> None:
    async def test(bed: Probed) -> None:
        target = bed.bind()
        await bed.clock.advance(9.9)
        assert (target.health, bed.changes) == (Health.UNKNOWN, [])
        await bed.clock.advance(0.1)
        assert bed.changes == [(10.0, Health.ALIVE)]

    probed(test)


def test_l4_fails_and_recovers_in_interval_times_count_less_one() -> None:
    async def test(bed: Probed) -> None:
        bed.bind()
        await bed.clock.advance(14)
        failed = bed.since(failing)
        await bed.clock.advance(20)
        recovered = bed.since(passing)
        await bed.clock.advance(20)
        assert bed.changes[1:] == [(25.0, Health.DEAD), (45.0, Health.ALIVE)]
        # The documented 10 s run from the first failing probe, at most an interval after the fact.
        assert 10 <= 25 - failed <= 15
        assert 10 <= 45 - recovered <= 15

    probed(test)


def test_l7_fails_in_timeout_times_n_plus_interval_times_n_less_one() -> None:
    async def test(bed: Probed) -> None:
        bed.since(hanging(bed.clock))
        bed.bind()
        await bed.clock.advance(30)
        assert bed.changes == [(16.0, Health.DEAD)]

    probed(test, protocol="HTTP")


def test_l4_probes_start_every_interval_even_if_they_hang() -> None:
    async def test(bed: Probed) -> None:
        bed.since(hanging(bed.clock))
        bed.bind()
        await bed.clock.advance(30)
        assert bed.changes == [(12.0, Health.DEAD)]

    probed(test)


def test_the_fastest_check_takes_two_seconds() -> None:
    async def test(bed: Probed) -> None:
        bed.bind()
        await bed.clock.advance(2)
        assert bed.changes == [(2.0, Health.ALIVE)]

    probed(test, interval_s=2, healthy=2)


def test_flapping_never_settles_and_silence_never_tells() -> None:
    async def test(bed: Probed) -> None:
        bed.since(flapping())
        bed.bind()
        await bed.clock.advance(100)
        bed.since(silent)
        await bed.clock.advance(100)
        assert bed.changes == []

    probed(test)


def test_probing_goes_on_at_weight_0_and_ends_with_the_target() -> None:
    async def test(bed: Probed) -> None:
        target = bed.bind(weight=0)
        await bed.clock.advance(10)
        assert target.health is Health.ALIVE
        bed.group.targets.clear()
        bed.prober.sync(bed.lb)
        asked = bed.asked
        await bed.clock.advance(60)
        assert bed.asked == asked

    probed(test)


def test_a_target_registered_again_begins_anew() -> None:
    async def test(bed: Probed) -> None:
        bed.bind()
        await bed.clock.advance(10)
        again = bed.bind()
        await bed.clock.advance(10)
        assert again.health is Health.ALIVE
        assert bed.changes == [(10.0, Health.ALIVE), (20.0, Health.ALIVE)]

    probed(test)


def test_a_check_switched_off_or_a_stopped_listener_closes_and_asks_nothing() -> None:
    async def test(bed: Probed) -> None:
        bed.group.health_check.enabled = False
        target = bed.bind()
        assert (target.health, bed.asked) == (Health.CLOSE, 0)
        bed.group.health_check.enabled = True
        bed.prober.sync(bed.lb)
        await bed.clock.advance(10)
        only_listener(bed.lb).stopped = True
        bed.prober.sync(bed.lb)
        healths = [Health.CLOSE, Health.UNKNOWN, Health.ALIVE, Health.CLOSE]
        assert [health for _, health in bed.changes] == healths

    probed(test)


def test_every_node_probes_and_syncing_often_changes_nothing() -> None:
    async def test(bed: Probed) -> None:
        bed.bind()
        for _ in range(5):
            bed.prober.sync(bed.lb)
        await bed.clock.advance(14.9)
        assert bed.asked == 12
        assert bed.changes == [(13.75, Health.ALIVE)]  # when the last node agrees

    probed(test, nodes=4)


def test_a_removed_load_balancer_is_forgotten() -> None:
    async def test(bed: Probed) -> None:
        bed.bind()
        await asyncio.sleep(0)
        bed.prober.remove("lb-1")
        bed.prober.remove("lb-2")
        await bed.clock.advance(60)
        assert bed.asked == 1

    probed(test)


def test_a_probe_that_swallows_its_cancellation_ends_all_the_same() -> None:
    async def test(bed: Probed) -> None:
        async def stubborn(_check: HealthCheck, _endpoint: Endpoint) -> bool:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            return True

        bed.since(stubborn)
        bed.bind()
        await asyncio.sleep(0)
        bed.group.targets.clear()
        bed.prober.sync(bed.lb)
        await bed.clock.advance(60)
        assert bed.changes == []

    probed(test)
