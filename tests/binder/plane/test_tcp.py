"""The L4 data path over real sockets: what weights, health and unbinding do to connections."""

from __future__ import annotations

import asyncio

import pytest

from binder.simulator.model import Endpoint, Health, Target
from binder.simulator.plane import Plane
from tests.binder.plane.bed import only_listener, run, until
from tests.binder.plane.tcp_bed import Bed, echoed, refused


def test_connections_take_turns_by_weight() -> None:
    async def scenario() -> None:
        async with Bed(3) as bed:
            for echo, weight in zip(bed.echoes, (3, 2, 1)):
                bed.target(echo.endpoint.ip).weight = weight
            greeted = [(await bed.greeted())[0] for _ in range(6)]
            assert [greeted.count(echo.endpoint.ip) for echo in bed.echoes] == [3, 2, 1]
            counts = bed.plane.counts(bed.group, bed.echoes[0].endpoint)
            assert (counts.connections, counts.open, counts.failures) == (3, 3, 0)

    run(scenario)


def test_weight_0_and_death_leave_established_connections_alone() -> None:
    async def scenario() -> None:
        async with Bed(2) as bed:
            ip, stream = await bed.greeted()
            for field, value in (("weight", 0), ("health", Health.DEAD)):
                setattr(bed.target(ip), field, value)
                await bed.plane.sync(bed.lb)
                assert await echoed(stream)
                assert {(await bed.greeted())[0] for _ in range(4)}.isdisjoint({ip})

    run(scenario)


def test_unbinding_cuts_silently() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            _, stream = await bed.greeted()
            assert await echoed(stream)
            bed.group.targets.clear()
            await bed.plane.sync(bed.lb)
            assert not await echoed(stream, 0.1)
            assert not stream[0].at_eof()
            assert bed.echoes[0].endings == []
            assert bed.plane.counts(bed.group, bed.echoes[0].endpoint).open == 0

    run(scenario)


def test_unbinding_resets_both_sides_if_the_listener_says_so() -> None:
    async def scenario() -> None:
        async with Bed(reset_on_deregister=True) as bed:
            _, stream = await bed.greeted()
            bed.group.targets.clear()
            await bed.plane.sync(bed.lb)
            with pytest.raises(ConnectionResetError):
                await stream[0].read()
            await until(lambda: bed.echoes[0].endings == ["RST"])

    run(scenario)


def test_a_target_bound_again_does_not_revive_its_old_connections() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            _, stream = await bed.greeted()
            endpoint = bed.echoes[0].endpoint
            bed.group.targets[endpoint] = Target(endpoint, health=Health.ALIVE)
            await bed.plane.sync(bed.lb)
            assert not await echoed(stream, 0.1)
            assert await echoed((await bed.greeted())[1])

    run(scenario)


def test_a_cut_side_that_hangs_up_is_let_go() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            _, stream = await bed.greeted()
            bed.group.targets.clear()
            await bed.plane.sync(bed.lb)
            stream[1].write_eof()
            assert await asyncio.wait_for(stream[0].read(), 5) == b""

    run(scenario)


def test_all_dead_is_all_alive() -> None:
    async def scenario() -> None:
        async with Bed(3) as bed:
            first, *others = bed.group.targets.values()
            for target in others:
                target.health = Health.DEAD
            assert {(await bed.greeted())[0] for _ in range(4)} == {first.endpoint.ip}
            first.health = Health.DEAD
            assert len({(await bed.greeted())[0] for _ in range(6)}) == 3

    run(scenario)


def test_without_a_target_connections_are_refused() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            (target,) = bed.group.targets.values()
            target.weight = 0
            assert await refused(bed)
            bed.group.targets.clear()
            assert await refused(bed)
            assert bed.plane.refused(bed.group) == 2

    run(scenario)


def test_an_unreachable_target_is_a_failure() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            await bed.echoes[0].stop()
            assert await refused(bed)
            assert bed.plane.counts(bed.group, bed.echoes[0].endpoint).failures == 1

    run(scenario)


def test_large_streams_pass_whole_and_slow_readers_slow_writers() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            _, (reader, writer) = await bed.greeted()
            data = bytes(range(256)) * 250_000  # 64 MB, more than all buffers of the kernel

            async def send() -> None:
                writer.write(data)
                await writer.drain()
                writer.write_eof()  # half-closed: what is left still comes back

            sending = asyncio.create_task(send())
            await asyncio.sleep(0.05)
            assert not sending.done()  # nobody reads, so nothing piles up in between
            assert await reader.read(-1) == data
            await sending
            await until(lambda: bed.echoes[0].endings == ["FIN"])
            await until(lambda: not bed.plane.counts(bed.group, bed.echoes[0].endpoint).open)

    run(scenario)


def test_what_a_client_says_before_its_target_is_reached_is_kept() -> None:
    async def scenario() -> None:
        async with Bed() as bed:

            async def slow(_endpoint: Endpoint) -> None:
                await asyncio.sleep(0.05)

            plane = Plane(slow, place=lambda lb, _listener: (lb.vip, 0))
            await plane.sync(bed.lb)
            reader, writer = await asyncio.open_connection(*plane.address(only_listener(bed.lb)))
            writer.write(b"hello")
            writer.write_eof()
            assert await reader.read() == f"{bed.echoes[0].endpoint.ip}\nhello".encode()
            writer.close()
            await plane.close()

    run(scenario)


def test_an_idle_connection_ends() -> None:
    async def scenario() -> None:
        async with Bed(idle_s=0.3) as bed:
            _, stream = await bed.greeted()
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(stream[0].read(), 5)

    run(scenario)


def test_an_obstacle_can_slow_and_block_the_way() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            way = asyncio.Event()

            async def obstacle(_endpoint: Endpoint) -> None:
                await way.wait()
                if len(waited) > 1:
                    raise OSError("no route")

            plane = Plane(obstacle, place=lambda lb, _listener: (lb.vip, 0))
            await plane.sync(bed.lb)
            waited = [1]
            reader, writer = await asyncio.open_connection(*plane.address(only_listener(bed.lb)))
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(reader.readline(), 0.05)
            waited.append(2)
            way.set()
            with pytest.raises(ConnectionResetError):
                await reader.readline()
            writer.close()
            assert bed.plane.counts(bed.group, bed.echoes[0].endpoint).failures == 0
            assert plane.counts(bed.group, bed.echoes[0].endpoint).failures == 1
            await plane.close()

    run(scenario)
