"""Real targets on loopback, a load balancer in front of them, and a loop that must end clean."""

from __future__ import annotations

import asyncio
import gc
import itertools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import web

from binder.simulator.accepting import stop_accepting
from binder.simulator.clock import settle
from binder.simulator.model import (
    Endpoint,
    Group,
    Health,
    HealthCheck,
    Listener,
    LoadBalancer,
    Target,
)
from binder.simulator.plane import Plane

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

NETWORK = "127.77."
_numbers = itertools.count(1)


def loopback() -> str:
    """An address that no other test of this process uses."""
    number = next(_numbers)
    return f"{NETWORK}{number // 250}.{number % 250 + 1}"


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario in a loop of its own; it must leave neither tasks nor open sockets."""

    async def clean() -> None:
        await asyncio.wait_for(scenario(), 30)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others, f"left running: {others}"

    asyncio.run(clean())
    gc.collect()  # forgotten sockets warn when they are collected; a warning is an error
    assert not open_sockets()


def open_sockets() -> list[socket.socket]:
    """Those of these tests: other tests of this process may have a cluster that lives on."""
    return [one for one in gc.get_objects() if isinstance(one, socket.socket) and _is_ours(one)]


def _is_ours(one: socket.socket) -> bool:
    if one.fileno() == -1:
        return False
    names = [str(one.getsockname())]
    with suppress(OSError):  # not connected
        names.append(str(one.getpeername()))
    return any(NETWORK in name for name in names)


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait for something the kernel or another task brings about."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        assert loop.time() < end, "waited in vain"
        await asyncio.sleep(0.002)


class Server:
    """A target: a real HTTP server that says its IP; `handler` replaces what it does."""

    def __init__(self, handler: Handler | None = None, delay_s: float = 0.0) -> None:
        self.served = 0
        self._handler, self._delay_s = handler or self.say_ip, delay_s
        self._site: asyncio.Server | None = None

    async def start(self, ip: str | None = None) -> Endpoint:
        self._server = web.Server(self._handle, access_log=None, handler_cancellation=True)
        loop = asyncio.get_running_loop()
        self._site = await loop.create_server(self._server, ip or loopback(), 0)
        self.endpoint = Endpoint(*self._site.sockets[0].getsockname()[:2])
        return self.endpoint

    async def stop(self) -> None:
        """Die at once: what is under way is cut."""
        if self._site is None:
            return
        stop_accepting(self._site)
        self._site = None
        await asyncio.sleep(0)
        for connection in self._server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await self._server.shutdown(0.01)
        await settle()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.served += 1
        await asyncio.sleep(self._delay_s)
        return await self._handler(request)

    async def say_ip(self, _request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=self.endpoint.ip)


def group(*endpoints: Endpoint, name: str = "loc-1", **fields: Any) -> Group:
    """A group of targets that probes have found alive."""
    targets = {one: Target(one, health=Health.ALIVE) for one in endpoints}
    return Group(name, fields.pop("check", HealthCheck()), targets=targets, **fields)


def balancer(protocol: str, *groups: Group, **fields: Any) -> LoadBalancer:
    """A load balancer with one listener."""
    rows = {one.id: one for one in groups}
    listener = Listener("lbl-1", "web", protocol, 80, groups=rows, **fields)
    return LoadBalancer("lb-1", "test", loopback(), listeners={"lbl-1": listener})


def only_listener(lb: LoadBalancer) -> Listener:
    (listener,) = lb.listeners.values()
    return listener


@asynccontextmanager
async def serving(
    lb: LoadBalancer, *servers: Server, **settings: Any
) -> AsyncIterator[tuple[Plane, str]]:
    """A plane that serves `lb` on free ports, and the URL of its first listener."""
    plane = Plane(place=lambda lb, _listener: (lb.vip, 0), **settings)
    try:
        await plane.sync(lb)
        host, port = plane.address(next(iter(lb.listeners.values())))
        yield plane, f"http://{host}:{port}"
    finally:
        await plane.close()
        for server in servers:
            await server.stop()


async def started(count: int, delay_s: float = 0.0) -> list[Server]:
    """Servers that run."""
    servers = [Server(delay_s=delay_s) for _ in range(count)]
    for server in servers:
        await server.start()
    return servers
