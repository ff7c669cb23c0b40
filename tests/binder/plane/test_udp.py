"""The data path of UDP listeners over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from binder.simulator.model import Endpoint, Group, LoadBalancer
from binder.simulator.plane import Plane
from tests.binder.plane.bed import balancer, group, loopback, only_listener, run, until


class Echo(asyncio.DatagramProtocol):
    """A UDP target that answers with its IP."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)
        self.endpoint = Endpoint(*transport.get_extra_info("sockname"))

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.transport.sendto(data + b" " + self.endpoint.ip.encode(), address)


class Client(asyncio.DatagramProtocol):
    """Asks and waits for the answer."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, _address: object) -> None:
        self.answers.put_nowait(data)

    async def ask(self, seconds: float = 1.0) -> str | None:
        """The IP of the target that answered; None: nobody."""
        self.transport.sendto(b"who")
        try:
            return (await asyncio.wait_for(self.answers.get(), seconds)).split()[1].decode()
        except asyncio.TimeoutError:
            return None


class Bed:
    def __init__(self, lb: LoadBalancer, rule: Group, echoes: list[Echo], plane: Plane) -> None:
        self.lb, self.rule, self.echoes, self.plane = lb, rule, echoes, plane
        self._clients: list[Client] = []

    async def client(self) -> Client:
        address = self.plane.address(only_listener(self.lb))
        loop = asyncio.get_running_loop()
        _, client = await loop.create_datagram_endpoint(Client, remote_addr=address)
        self._clients.append(client)
        return client

    async def close(self) -> None:
        for client in self._clients:
            client.transport.close()
        for echo in self.echoes:
            echo.transport.close()
        await self.plane.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def bed(count: int, **listener: object) -> AsyncIterator[Bed]:
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_datagram_endpoint(Echo, local_addr=(loopback(), 0)) for _ in range(count)
    ]
    echoes = [echo for _, echo in made]
    rule = group(*[echo.endpoint for echo in echoes])
    lb, plane = balancer("UDP", rule, **listener), Plane(place=lambda lb, _: (lb.vip, 0))
    await plane.sync(lb)
    it = Bed(lb, rule, echoes, plane)
    try:
        yield it
    finally:
        await it.close()


def test_a_client_stays_with_its_target_and_clients_take_turns() -> None:
    async def scenario() -> None:
        async with bed(2) as it:
            clients = [await it.client() for _ in range(2)]
            first = [await client.ask() for client in clients]
            assert set(first) == {echo.endpoint.ip for echo in it.echoes}
            assert [await client.ask() for client in clients] == first
            counts = it.plane.counts(it.rule, it.echoes[0].endpoint)
            assert (counts.connections, counts.open) == (1, 1)

    run(scenario)


def test_weight_0_keeps_flows_and_unbinding_ends_them() -> None:
    async def scenario() -> None:
        async with bed(2) as it:
            client = await it.client()
            first = await client.ask()
            leaving = next(one for one in it.rule.targets.values() if one.endpoint.ip == first)
            leaving.weight = 0
            await it.plane.sync(it.lb)
            assert await client.ask() == first
            assert await (await it.client()).ask() != first
            del it.rule.targets[leaving.endpoint]
            await it.plane.sync(it.lb)
            assert await client.ask() not in (first, None)

    run(scenario)


def test_without_a_target_datagrams_are_dropped() -> None:
    async def scenario() -> None:
        async with bed(1) as it:
            client = await it.client()
            it.rule.targets.clear()
            assert await client.ask(0.05) is None
            assert it.plane.refused(it.rule) == 1

    run(scenario)


def test_a_port_that_nobody_listens_on_is_a_failure() -> None:
    async def scenario() -> None:
        async with bed(1) as it:
            endpoint = it.echoes[0].endpoint
            it.echoes[0].transport.close()
            await asyncio.sleep(0)
            assert await (await it.client()).ask(0.05) is None
            await until(lambda: it.plane.counts(it.rule, endpoint).failures == 1)

    run(scenario)


def test_idle_flows_end() -> None:
    async def scenario() -> None:
        async with bed(1, idle_s=0.3) as it:
            assert await (await it.client()).ask()
            await until(lambda: it.plane.counts(it.rule, it.echoes[0].endpoint).open == 0)

    run(scenario)
