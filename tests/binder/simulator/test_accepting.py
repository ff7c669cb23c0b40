"""A connection that has just been accepted is served, although nothing more is accepted."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from binder.simulator.accepting import stop_accepting
from binder.simulator.clock import settle


class Served(asyncio.Protocol):
    """Notes that it was given its connection."""

    def __init__(self, made: list[asyncio.Transport]) -> None:
        self._made = made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._made.append(cast(asyncio.Transport, transport))


def test_who_was_accepted_when_a_listener_closes_is_served() -> None:
    async def scenario() -> list[asyncio.Transport]:
        made: list[asyncio.Transport] = []
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Served(made), "127.0.0.1", 0)
        with socket.create_connection(server.sockets[0].getsockname()[:2]):
            # In the first turn it is taken from the kernel; the next one would make its transport.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert made == []
            stop_accepting(server)
            await settle()
        for transport in made:
            transport.close()
        await settle()
        assert not server.is_serving()
        return made

    assert len(asyncio.run(scenario())) == 1
