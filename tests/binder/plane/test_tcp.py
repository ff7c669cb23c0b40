"""The L4 data path over real sockets: what weights, health and unbinding do to connections."""

from __future__ import annotations

import asyncio

import pytest

from binder.simulator.model import Endpoint, Health, Listener, LoadBalancer, Target
from binder.simulator.plane import Plane
from binder.simulator.traffic import Address
from tests.binder.plane.bed import balancer, group, loopback, only_listener, run, until

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """A TCP target that greets with its IP, then gives back what it gets."""

    async def start(self) -> Endpoint:
        self.endings: list[str] = []  # how clients left
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, loopback(), 0)
        self.endpoint = Endpoint(*self._server.sockets[0].getsockname())
        return self.endpoint

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            writer.write(f"{self.endpoint.ip}\n".encode())
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            self.endings.append("FIN")
        except ConnectionResetError:
            self.endings.append("RST")
        finally:
            writer.close()

    async def stop(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0)


class Bed:
    """A TCP listener in front of `count` echo targets."""

    def __init__(self, count: int = 1, **listener: object) -> None:
        self.count, self._settings = count, listener

    async def __aenter__(self) -> Bed:
        self.echoes = [Echo() for _ in range(self.count)]
        self.group = group(*[await echo.start() for echo in self.echoes])
        self.lb = balancer("TCP", self.group, **self._settings)
        self.plane = Plane(place=lambda lb, _listener: (lb.vip, 0))
        await self.plane.sync(self.lb)
        self.clients: list[asyncio.StreamWriter] = []
        return self

    async def __aexit__(self, *_failure: object) -> None:
        for client in self.clients:
            client.close()
        await self.plane.close()
        for echo in self.echoes:
            await echo.stop()
        await asyncio.sleep(0)

    @property
    def address(self) -> Address:
        return self.plane.address(only_listener(self.lb))

    def target(self, ip: str) -> Target:
        return next(one for one in self.group.targets.values() if one.endpoint.ip == ip)

    async def connect(self) -> Stream:
        stream = await asyncio.open_connection(*self.address)
        self.clients.append(stream[1])
        return stream

    async def greeted(self) -> tuple[str, Stream]:
        """A connection, and the IP of the target it went to."""
        stream = await self.connect()
        return (await stream[0].readline()).decode().strip(), stream


async def echoed(stream: Stream, seconds: float = 2.0) -> bool:
    """Whether the connection still works."""
    stream[1].write(b"ping")
    try:
        return await asyncio.wait_for(stream[0].readexactly(4), seconds) == b"ping"
    except asyncio.TimeoutError:
        return False


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


async def refused(bed: Bed) -> bool:
    """Whether a new connection ends at once."""
    try:
        stream = await bed.connect()
        return await asyncio.wait_for(stream[0].read(), 5) == b""
    except ConnectionResetError:
        return True


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


def test_listeners_come_and_go_at_run_time() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            _, stream = await bed.greeted()
            first = only_listener(bed.lb)
            second = Listener("lbl-2", "more", "TCP", 81, groups={"loc-2": bed.group})
            bed.lb.listeners["lbl-2"] = second
            await bed.plane.sync(bed.lb)
            _, other = await asyncio.open_connection(*bed.plane.address(second))
            other.close()
            assert await echoed(stream)  # syncing disturbs nobody
            address = bed.plane.address(first)
            del bed.lb.listeners["lbl-1"]
            await bed.plane.sync(bed.lb)
            with pytest.raises(ConnectionResetError):
                await stream[0].read()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(*address)
            with pytest.raises(KeyError):
                bed.plane.address(first)

    run(scenario)


def test_what_is_stopped_or_not_running_has_no_socket() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            listener, address = only_listener(bed.lb), bed.address
            for owner, field in ((listener, "stopped"), (bed.lb, "running")):
                setattr(owner, field, not getattr(owner, field))
                await bed.plane.sync(bed.lb)
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection(*address)
                setattr(owner, field, not getattr(owner, field))
                await bed.plane.sync(bed.lb)
                assert (await bed.greeted())[0] == bed.echoes[0].endpoint.ip
                address = bed.address

    run(scenario)


def test_a_taken_port_is_told_and_the_other_listeners_serve() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            taken = bed.address
            places = {"lbl-1": taken, "lbl-2": (bed.lb.vip, 0)}
            second = Listener("lbl-2", "more", "TCP", 81, groups={"loc-2": bed.group})
            listeners = {**bed.lb.listeners, "lbl-2": second}
            lb = LoadBalancer("lb-2", "other", bed.lb.vip, listeners=listeners)
            plane = Plane(place=lambda _lb, listener: places[listener.id])
            with pytest.raises(OSError, match="in use"):
                await plane.sync(lb)
            _, writer = await asyncio.open_connection(*plane.address(second))
            writer.close()
            await plane.close()

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
