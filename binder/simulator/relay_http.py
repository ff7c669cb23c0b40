"""The data path of an HTTP or HTTPS listener: each request goes to a target of its rule.

Facts from the CLB documentation ("layer-7 custom configuration", CreateListener's
KeepaliveEnable): clients may keep connections for 75 s; targets get a connection per request,
have 4 s to accept it and may be silent for 60 s.  So neither weight 0 nor unbinding disturbs a
request under way, and no later one can follow it to the same target.

Assumptions: a request is never sent twice, since that would hide drops from whoever measures
them; where no rule fits the answer is 404, where no target serves or is reached 502, where it
is silent too long 504.  WebSocket upgrades are not simulated.
"""

from __future__ import annotations

import asyncio
import ssl

from aiohttp import (
    ClientError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    web,
)
from yarl import URL

from binder.simulator.accepting import stop_accepting
from binder.simulator.clock import settle
from binder.simulator.headers import end_to_end, to_target
from binder.simulator.model import Endpoint, Listener
from binder.simulator.routes import route
from binder.simulator.traffic import Address, Counts, Traffic

_KEEP_ALIVE_S = 75.0
_TIMEOUT = ClientTimeout(total=None, sock_connect=4.0, sock_read=60.0)
_BACKLOG = 1024  # connections
_CUT_S = 0.05  # what requests have to end when their listener goes away
_ADDED_BY_AIOHTTP = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class HttpRelay:
    """Relays the requests of one listener, with TLS ended here if `tls` is given."""

    def __init__(
        self, listener: Listener, traffic: Traffic, tls: ssl.SSLContext | None = None
    ) -> None:
        self._listener, self._traffic, self._tls = listener, traffic, tls
        self._socket: asyncio.Server | None = None
        self._server = web.Server(
            self._answer,
            handler_cancellation=True,  # who hangs up does not want the answer any more
            auto_decompress=False,
            access_log=None,
            keepalive_timeout=_KEEP_ALIVE_S,
        )
        self._targets = ClientSession(
            connector=TCPConnector(limit=0, force_close=True),
            auto_decompress=False,
            cookie_jar=DummyCookieJar(),
            skip_auto_headers=_ADDED_BY_AIOHTTP,
            timeout=_TIMEOUT,
        )

    async def open(self, host: str, port: int) -> Address:
        """Begin to accept."""
        self._socket = await asyncio.get_running_loop().create_server(
            self._server, host, port, ssl=self._tls, backlog=_BACKLOG
        )
        address: Address = self._socket.sockets[0].getsockname()[:2]
        return address

    def refresh(self) -> None:
        """Do nothing: requests under way may end, and no connection outlives its request."""

    async def close(self) -> None:
        """Accept nothing more and cut what is under way."""
        if self._socket is not None:
            stop_accepting(self._socket)
            await asyncio.sleep(0)
        self._server.pre_shutdown()
        await self._server.shutdown(_CUT_S)
        await self._targets.close()
        await settle()  # shutdown cancels, but does not wait; sockets close a turn later

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        group = route(self._listener.groups.values(), request.host, request.path)
        if group is None:
            return web.Response(status=404)
        target = self._traffic.choose(group, request.remote or "")
        if target is None:
            return web.Response(status=502)
        counts = self._traffic.counts(group.id, target.endpoint)
        counts.requests += 1
        with counts.under_way():
            return await self._relay(request, target.endpoint, counts)

    async def _relay(
        self, request: web.BaseRequest, endpoint: Endpoint, counts: Counts
    ) -> web.StreamResponse:
        try:
            await self._traffic.obstacle(endpoint)
            answer = await self._ask(request, endpoint)
        except asyncio.TimeoutError:
            counts.failures += 1
            return web.Response(status=504)
        except (ClientError, OSError):
            counts.failures += 1
            return web.Response(status=502)
        async with answer:
            return await _pass_on(answer, request, counts)

    async def _ask(self, request: web.BaseRequest, endpoint: Endpoint) -> ClientResponse:
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # it is not part of the answer
        return await self._targets.request(
            request.method,
            URL(f"http://{endpoint.ip}:{endpoint.port}{request.rel_url.raw_path_qs}", encoded=True),
            headers=to_target(request.headers, request.remote or ""),
            data=request.content if request.body_exists else None,
            allow_redirects=False,
        )


async def _pass_on(
    answer: ClientResponse, request: web.BaseRequest, counts: Counts
) -> web.StreamResponse:
    """Stream a target's answer; if it breaks off, so does the client's connection."""
    response = web.StreamResponse(
        status=answer.status, reason=answer.reason, headers=end_to_end(answer.headers)
    )
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
    except (ClientPayloadError, asyncio.TimeoutError):
        counts.failures += 1
        if request.transport is not None:
            request.transport.abort()
    return response
