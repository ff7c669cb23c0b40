"""How to stop listening without losing a connection that was just accepted."""

from __future__ import annotations

import asyncio


def stop_accepting(server: asyncio.Server) -> None:
    """Accept no more at once; the sockets close in the loop's next turn.

    asyncio takes a connection from the kernel in one turn and makes its transport in the next; if
    the server is closed in between, the connection stays open and nobody ever hears of it.
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    loop.call_soon(server.close)
