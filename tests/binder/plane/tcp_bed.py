"""A TCP listener in front of targets that greet and echo."""

from __future__ import annotations

import asyncio

from binder.simulator.accepting import stop_accepting
from binder.simulator.model import Endpoint, Target
from binder.simulator.plane import Plane
from binder.simulator.traffic import Address
from tests.binder.plane.bed import balancer, group, loopback, only_listener

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
        stop_accepting(self._server)
        await asyncio.sleep(0)
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


async def refused(bed: Bed) -> bool:
    """Whether a new connection ends at once."""
    try:
        stream = await bed.connect()
        return await asyncio.wait_for(stream[0].read(), 5) == b""
    except ConnectionResetError:
        return True
