"""Answers API servers over TLS, whoever else connects: with limits of time, number and memory.

A connection takes a place before its handshake begins. When all places are taken, new connections
wait in the kernel, which costs us nothing, and idle ones are closed to make room.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from binder.webhook.certificates import Pair
from binder.webhook.configuration import PATH
from binder.webhook.metrics import Metrics
from binder.webhook.mutate import MalformedReviewError, answer
from binder.webhook.options import Limits

LOG = logging.getLogger(__name__)
_CHUNK = 1 << 16
_BACKLOG = 1024
_SWEEP = 0.5


class Refusal(Exception):
    """A request that is not answered with a review; metric's label, HTTP status, text."""

    def __init__(self, result: str, status: int, text: str) -> None:
        super().__init__(text)
        self.result, self.status, self.text = result, status, text


class Server:
    """Serves from `start` to `stop`; `use` gives it a certificate, at any time and first of all."""

    def __init__(
        self, own_namespace: str, gate: str, metrics: Metrics, limits: Limits | None = None
    ) -> None:
        self._own, self._gate = own_namespace, gate
        self._metrics, self._limits = metrics, limits or Limits()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._bodies = 0  # bytes of bodies that are held now
        self._http = _Http(self._handle, keepalive_timeout=self._limits.idle, lingering_time=2.0)
        self._places = asyncio.Semaphore(self._limits.connections)
        self._listener: socket.socket | None = None
        self._loops: list[asyncio.Task[None]] = []
        self._carried: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        assert self._listener
        return int(self._listener.getsockname()[1])

    def use(self, pair: Pair) -> None:
        """From the next handshake on; connections that are open stay. ValueError: it is unfit."""
        with tempfile.TemporaryDirectory() as folder:  # the module ssl reads files only
            path = Path(folder, "pair.pem")
            path.touch(0o600)
            path.write_text(pair.certificate + pair.key, encoding="utf-8")
            # First on trial: a context that fails half-way would refuse everybody.
            for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self._context):
                try:
                    context.load_cert_chain(path)
                except ssl.SSLError as error:
                    raise ValueError(f"the certificate cannot be served: {error.reason}") from None

    def start(self, host: str, port: int) -> None:
        """OSError where the address cannot be had."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server(
            (host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=host == "::"
        )
        self._listener.setblocking(False)
        loop = asyncio.get_running_loop()
        self._loops = [loop.create_task(self._accept()), loop.create_task(self._sweep())]

    async def stop(self, seconds: float = 2.0) -> None:
        """Take no more; what is being answered has so long to end."""
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._listener:
            self._listener.close()
        self._http.sweep(time.monotonic(), 0.0, 0.0)  # idle ones, which aiohttp would wait for
        await self._http.shutdown(seconds)
        for task in self._carried:
            task.cancel()
        await asyncio.gather(*self._carried, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        assert self._listener
        while True:
            await self._places.acquire()
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError as error:  # too many files are open, or the client has gone already
                self._places.release()
                LOG.warning("accept: %s", error)
                await asyncio.sleep(_SWEEP)
                continue
            task = loop.create_task(self._carry(connection))
            self._carried.add(task)
            task.add_done_callback(self._carried.discard)

    async def _carry(self, connection: socket.socket) -> None:
        """From the handshake to the end; then its place is free."""
        protocol: _Connection = self._http.connection()
        self._metrics.connections.inc()
        try:
            # Whoever does not speak TLS, or not in time, is closed; there is nothing to answer.
            with suppress(OSError, asyncio.TimeoutError):
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: protocol.handler,
                    connection,
                    ssl=self._context,
                    ssl_handshake_timeout=self._limits.handshake,
                )
                await protocol.lost
        finally:
            self._http.forget(protocol)
            self._metrics.connections.dec()
            self._places.release()

    async def _sweep(self) -> None:
        """Close whoever is silent for too long, and sooner when there is no room."""
        limits = self._limits
        while True:
            await asyncio.sleep(_SWEEP)
            idle = limits.idle_when_full if self._places.locked() else limits.idle
            self._http.sweep(time.monotonic(), limits.first_byte, idle)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        began = time.monotonic()
        self._http.busy(request)
        try:
            result, reply = await self._answer(request)
        except Refusal as refusal:
            result = refusal.result
            reply = web.Response(status=refusal.status, text=refusal.text + "\n")
            reply.force_close()
        finally:
            self._http.idle(request)
        self._metrics.requests.labels(result).inc()
        self._metrics.seconds.observe(time.monotonic() - began)
        return reply

    async def _answer(self, request: web.BaseRequest) -> tuple[str, web.Response]:
        if request.path != PATH or request.method != "POST":
            raise Refusal("not-found", 404, f"only POST {PATH} is served here")
        body = await self._body(request)
        try:
            given = answer(json.loads(body), self._own, self._gate)
        except MalformedReviewError as error:
            raise Refusal("malformed", 400, f"no valid AdmissionReview: {error}") from None
        except (ValueError, RecursionError):
            raise Refusal("malformed", 400, "no valid AdmissionReview: not JSON") from None
        finally:
            self._bodies -= len(body)
        return given.result, web.json_response(given.review)

    async def _body(self, request: web.BaseRequest) -> bytes:
        """The body, which counts in `_bodies` until the caller takes it off."""
        if (request.content_length or 0) > self._limits.body:
            raise self._too_large()
        body = bytearray()
        try:
            await asyncio.wait_for(self._read(request, body), self._limits.body_time)
        except BaseException as error:
            self._bodies -= len(body)
            if isinstance(error, asyncio.TimeoutError):
                seconds = self._limits.body_time
                raise Refusal("too-slow", 408, f"no body within {seconds:g} s") from None
            raise
        return bytes(body)

    async def _read(self, request: web.BaseRequest, body: bytearray) -> None:
        async for chunk in request.content.iter_chunked(_CHUNK):
            if len(body) + len(chunk) > self._limits.body:
                raise self._too_large()
            if self._bodies + len(chunk) > self._limits.bodies:
                raise Refusal("too-many", 503, "too many large requests at once")
            body += chunk
            self._bodies += len(chunk)

    def _too_large(self) -> Refusal:
        return Refusal("too-large", 413, f"the body may have {self._limits.body} bytes")


class _Connection:
    """A connection as the sweeper sees it."""

    def __init__(self, handler: web.RequestHandler) -> None:
        self.handler = handler
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.quiet_since: float | None = None  # None: it is being answered, or not yet open
        self.fresh = True  # no request has come yet


class _Http(web.Server):
    """aiohttp's protocol, and what is known of each connection."""

    def __init__(self, handler: Any, **options: Any) -> None:
        super().__init__(handler, access_log=None, auto_decompress=False, **options)
        self._known: dict[object, _Connection] = {}

    def connection(self) -> _Connection:
        made = _Connection(self())
        self._known[made.handler] = made
        return made

    def forget(self, connection: _Connection) -> None:
        """It has ended, perhaps before it was open."""
        self._known.pop(connection.handler, None)

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._known[handler].quiet_since = time.monotonic()

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        known = self._known.get(handler)
        if known and not known.lost.done():
            known.lost.set_result(None)

    def busy(self, request: web.BaseRequest) -> None:
        if known := self._known.get(request.protocol):
            known.quiet_since, known.fresh = None, False

    def idle(self, request: web.BaseRequest) -> None:
        if known := self._known.get(request.protocol):
            known.quiet_since = time.monotonic()

    def sweep(self, now: float, first: float, idle: float) -> None:
        for known in list(self._known.values()):
            limit = min(first, idle) if known.fresh else idle
            transport = known.handler.transport
            if known.quiet_since is not None and now - known.quiet_since > limit and transport:
                transport.abort()
