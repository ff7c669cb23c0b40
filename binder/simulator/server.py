"""The API over HTTP: what a client sees on the wire, sound or spoilt.

A reply goes out in one write (with header and body apart, Nagle's algorithm costs the Python SDK
40 ms a call), its status is 200 even for errors, and its Content-Type is a switch.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from binder.simulator import dispatch
from binder.simulator.dispatch import Answer
from binder.simulator.signature import Request
from binder.simulator.world import World

HTML = b"<html><body>not from CLB, but from something in between</body></html>"
FOR_EVER = 3600.0
_MOST = dispatch.MOST_BYTES["POST"]
Sent = web.StreamResponse


class Server:
    """Answers requests for `world`; an aiohttp low-level handler."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle(self, request: web.BaseRequest) -> Sent:
        """Answer one request."""
        if request.path != "/":
            return web.Response(status=404, body=HTML, content_type="text/html")
        received = await _received(request)
        answer = await dispatch.answer(self._world, received)
        for effect, spoil in SPOILT.items():
            fault = answer.effects.get(effect)
            if fault:
                return await spoil(request, self._body(answer), fault.parameters)
        return self._reply(self._body(answer), self._content_type(answer))

    def _content_type(self, answer: Answer) -> str:
        other: str | None = answer.effects.value(
            "content-type", "value", "application/json; charset=utf-8"
        )
        return other or self._world.switches.content_type

    def _body(self, answer: Answer) -> bytes:
        response = dict(answer.response)
        if answer.effects.get("no-request-id"):
            response["Response"] = {**response["Response"]}
            del response["Response"]["RequestId"]
        if answer.effects.get("no-response"):
            response = {"Unexpected": response["Response"]}
        if answer.effects.get("not-json"):
            return HTML
        return json.dumps(response, ensure_ascii=False, separators=(",", ":")).encode()

    def _reply(self, body: bytes, content_type: str) -> Sent:
        return web.Response(body=body, headers={"Content-Type": content_type})


async def _received(request: web.BaseRequest) -> Request:
    """The bytes as they came; of a body that is too large only the beginning."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > _MOST:
            break
    return Request(
        request.method,
        request.path_qs.partition("?")[2],
        {name.lower(): value for name, value in request.headers.items()},
        bytes(body),
        request.remote or "",
    )


async def _drop(request: web.BaseRequest, _body: bytes, _given: Mapping[str, Any]) -> Sent:
    return _cut(request)


async def _hang(request: web.BaseRequest, _body: bytes, given: Mapping[str, Any]) -> Sent:
    await asyncio.sleep(given.get("seconds", FOR_EVER))
    return _cut(request)


async def _gateway(_request: web.BaseRequest, _body: bytes, given: Mapping[str, Any]) -> Sent:
    return web.Response(status=given.get("status", 500), body=HTML, content_type="text/html")


async def _stall(request: web.BaseRequest, body: bytes, given: Mapping[str, Any]) -> Sent:
    await _half(request, body)
    return await _hang(request, body, given)


async def _truncate(request: web.BaseRequest, body: bytes, _given: Mapping[str, Any]) -> Sent:
    response = await _half(request, body)
    if request.transport:
        request.transport.close()
    return response


async def _drip(request: web.BaseRequest, body: bytes, given: Mapping[str, Any]) -> Sent:
    response = await _prepared(request, len(body))
    size = -(-len(body) // given.get("pieces", 10))
    for start in range(0, len(body), size):
        await response.write(body[start : start + size])
        await asyncio.sleep(given.get("seconds", 0.2))
    return response


async def _half(request: web.BaseRequest, body: bytes) -> Sent:
    response = await _prepared(request, len(body))
    await response.write(body[: len(body) // 2])
    return response


async def _prepared(request: web.BaseRequest, length: int) -> Sent:
    headers = {"Content-Type": "application/json", "Content-Length": str(length)}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    return response


def _cut(request: web.BaseRequest) -> Sent:
    """Close the connection without a word; what is returned reaches nobody."""
    if request.transport:
        request.transport.abort()
    return web.Response()


Spoil = Callable[[web.BaseRequest, bytes, Mapping[str, Any]], Awaitable[Sent]]
SPOILT: Mapping[str, Spoil] = {
    "http": _gateway,
    "drop-before": _drop,
    "drop-after": _drop,
    "hang-before": _hang,
    "hang-after": _hang,
    "stall": _stall,
    "truncate": _truncate,
    "drip": _drip,
}
