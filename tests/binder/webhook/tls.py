"""The webhook's server on loopback, and clients of it that behave or do not."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any, NamedTuple

from binder.webhook.certificates import Material, fresh
from binder.webhook.configuration import PATH
from binder.webhook.metrics import Metrics
from binder.webhook.options import Limits
from binder.webhook.server import Server
from schemas.contract import READINESS_GATE

NAMES = ("web.own.svc",)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Reply(NamedTuple):
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def material() -> Material:
    return fresh(NAMES, datetime.now(timezone.utc), 3600)


@asynccontextmanager
async def serving(given: Material, limits: Limits | None = None) -> AsyncIterator[Server]:
    server = Server("own", READINESS_GATE, Metrics(), limits)
    server.use(given.pairs[0])
    server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.stop(0.1)


async def connect(port: int, trusted: Material, name: str = NAMES[0]) -> Streams:
    """A verified connection."""
    context = ssl.create_default_context(cadata=trusted.bundle)
    return await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=name, ssl_handshake_timeout=10
    )


def head(length: int, path: str = PATH, method: str = "POST") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: w\r\nContent-Length: {length}\r\n\r\n".encode()


async def reply_on(streams: Streams) -> Reply:
    """The next reply; asyncio.IncompleteReadError or OSError where the server hangs up."""
    lines = (await streams[0].readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    body = await streams[0].readexactly(int(fields["content-length"]))
    return Reply(int(lines[0].split()[1]), body)


async def ask(streams: Streams, body: bytes, path: str = PATH, method: str = "POST") -> Reply:
    streams[1].write(head(len(body), path, method) + body)
    return await reply_on(streams)


async def ask_once(port: int, trusted: Material, body: bytes, **how: str) -> Reply:
    streams = await connect(port, trusted)
    try:
        return await ask(streams, body, **how)
    finally:
        streams[1].transport.abort()
