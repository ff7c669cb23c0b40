"""All of it together: the world, the API port, the admin port, the data plane and the probes."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from aiohttp import web

from binder.simulator import seed
from binder.simulator.accounts import Key
from binder.simulator.admin import Admin
from binder.simulator.clock import Clock, RealClock, VirtualClock
from binder.simulator.journal import Journal
from binder.simulator.plane import Plane
from binder.simulator.probe import Probe, network
from binder.simulator.prober import Prober
from binder.simulator.server import Server
from binder.simulator.tasks import Pace
from binder.simulator.world import World

log = logging.getLogger(__name__)
T = TypeVar("T")

KEY = Key("AKIDsimulator", "simulator-secret-key")


class Simulator:
    """A running simulator, between ``async with`` and its end.

    `plane` is the data plane, None for the API alone: then nobody probes, and targets stay Unknown
    until somebody says otherwise. Ports of 0 take free ones, see ``api_port`` and ``admin_port``.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        region: str = "ap-guangzhou",
        key: Key = KEY,
        plane: Plane | None = None,
        probe: Probe = network,
        journal: Journal | None = None,
        pace: Pace | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        admin_port: int = 0,
    ) -> None:
        clock = clock or RealClock()
        virtual = isinstance(clock, VirtualClock)
        pace = pace or Pace(reply_takes_time=not virtual)
        journal = Journal() if journal is None else journal  # an empty one is false
        self.world = World(clock, region, journal=journal, pace=pace)
        self.world.accounts.add(key)
        self.plane = plane
        self._prober = Prober(clock, probe, self.world.note_health) if plane else None
        self._host, self._ports = host, (port, admin_port)
        self._runners: list[web.BaseRunner] = []

    async def __aenter__(self) -> Simulator:
        self._api = api = web.ServerRunner(
            web.Server(Server(self.world).handle), shutdown_timeout=0.1
        )
        admin = web.AppRunner(
            Admin(self.world).application(), access_log=None, shutdown_timeout=0.1
        )
        self.api_port = await self._serve(api, self._ports[0])
        self.admin_port = await self._serve(admin, self._ports[1])
        self.world.refuse = lambda seconds: self.world.spawn(self._refuse(seconds))
        if self.plane:
            self.world.changed.append(self._follow)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.world.stop()
        if self.plane and self._prober:
            await self._prober.close()
            await self.plane.close()
        for runner in self._runners:
            await runner.cleanup()

    async def _serve(self, runner: web.BaseRunner, port: int) -> int:
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, self._host, port).start()
        return int(runner.addresses[0][1])

    async def _refuse(self, seconds: float) -> None:
        """Close the API port and all connections to it, for `seconds`."""
        for site in list(self._api.sites):
            await site.stop()
        for connection in self._api.server.connections if self._api.server else ():
            connection.force_close()
        await self.world.clock.sleep(seconds)
        await web.TCPSite(self._api, self._host, self.api_port).start()

    def _follow(self, name: str) -> None:
        """Let the data plane and the probes have what is new of a load balancer."""
        self.world.spawn(self._sync(name))

    async def _sync(self, name: str) -> None:
        lb = self.world.load_balancers.get(name)
        if not self.plane or not self._prober:
            return
        if lb is None:
            self._prober.remove(name)
            await self.plane.remove(name)
            return
        self._prober.sync(lb)
        try:
            await self.plane.sync(lb)
        except OSError as error:
            log.warning("a listener of %s cannot be opened: %s", name, error)

    def sow(self, rows: Mapping[str, Any]) -> None:
        """Add load balancers and more, see ``seed.sow``. In the event loop."""
        seed.sow(self.world, rows)


class Running:
    """A simulator in a thread of its own, for callers that block."""

    def __init__(self, simulator: Simulator, loop: asyncio.AbstractEventLoop) -> None:
        self.simulator, self._loop = simulator, loop

    @property
    def world(self) -> World:
        """The world. Change it with ``do`` only."""
        return self.simulator.world

    @property
    def endpoint(self) -> str:
        """What HttpProfile takes."""
        return f"127.0.0.1:{self.simulator.api_port}"

    @property
    def admin(self) -> str:
        """The URL of the admin port."""
        return f"http://127.0.0.1:{self.simulator.admin_port}/_sim"

    def do(self, work: Callable[[], T]) -> T:
        """Call `work` in the simulator's loop."""

        async def call() -> T:
            return work()

        return self.wait(call())

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Await `work` in the simulator's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def advance(self, seconds: float) -> None:
        """Move a virtual clock."""
        clock = self.world.clock
        if not isinstance(clock, VirtualClock):
            raise TypeError("only a virtual clock can be moved")
        self.wait(clock.advance(seconds))


@contextmanager
def running(**options: Any) -> Iterator[Running]:
    """Run a ``Simulator(**options)`` in a thread until the block ends."""
    ready: Future[tuple[Running, Callable[[], Any]]] = Future()

    async def main() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with Simulator(**options) as simulator:
                stop: Callable[[], Any] = partial(loop.call_soon_threadsafe, over.set)
                ready.set_result((Running(simulator, loop), stop))
                await over.wait()
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="simulator")
    thread.start()
    handle, stop = ready.result()
    try:
        yield handle
    finally:
        stop()
        thread.join()
