"""The data path of a TCP listener: each connection goes to one target until it ends.

Facts from the CLB documentation on weights and unbinding: a weight of 0 and failing probes leave
established connections alone; an unbound target's are no longer forwarded, without a word to
either side, unless the listener has DeregisterTargetRst: then both get an RST.
"""

from __future__ import annotations

import asyncio
import ssl

from binder.simulator.accepting import stop_accepting
from binder.simulator.model import Listener
from binder.simulator.tcp_session import Session
from binder.simulator.traffic import Address, Traffic

_BACKLOG = 1024  # connections


class TcpRelay:
    """Relays the connections of one listener, with TLS ended here if `tls` is given."""

    def __init__(
        self, listener: Listener, traffic: Traffic, tls: ssl.SSLContext | None = None
    ) -> None:
        self._listener, self._traffic, self._tls = listener, traffic, tls
        self._server: asyncio.Server | None = None
        self._sessions: set[Session] = set()

    async def open(self, host: str, port: int) -> Address:
        """Begin to accept."""
        self._server = await asyncio.get_running_loop().create_server(
            self._accept, host, port, ssl=self._tls, backlog=_BACKLOG
        )
        address: Address = self._server.sockets[0].getsockname()[:2]
        return address

    def refresh(self) -> None:
        """Cut the connections of targets that are bound no more."""
        for session in list(self._sessions):
            session.refresh()

    async def close(self) -> None:
        """Accept nothing more and reset what is established."""
        if self._server is None:
            return
        stop_accepting(self._server)
        await asyncio.sleep(0)
        while self._sessions:
            await asyncio.gather(*[session.close() for session in list(self._sessions)])
        await self._server.wait_closed()

    def _accept(self) -> asyncio.Protocol:
        return Session(self._listener, self._traffic, self._sessions).client
