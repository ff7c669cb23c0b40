"""The server over real TLS: clear answers, and no client that could keep others out."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import Coroutine
from typing import Any

import pytest

from binder.webhook.certificates import Pair
from binder.webhook.options import Limits
from binder.webhook.server import Server
from tests.binder.webhook.test_mutate import pod, review
from tests.binder.webhook.tls import (
    Streams,
    ask,
    ask_once,
    connect,
    head,
    material,
    reply_on,
    serving,
)

GIVEN = material()
REVIEW = json.dumps(review()).encode()
GONE = (OSError, asyncio.IncompleteReadError)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 30))


def counted(server: Server, result: str) -> float:
    registry = server._metrics.registry
    return registry.get_sample_value("webhook_requests_total", {"result": result}) or 0.0


def test_a_review_is_answered_and_the_connection_kept() -> None:
    async def test() -> None:
        async with serving(GIVEN) as server:
            streams = await connect(server.port, GIVEN)
            for _ in range(3):
                reply = await ask(streams, REVIEW)
                assert reply.status == 200
                assert reply.json["response"]["patchType"] == "JSONPatch"
            assert counted(server, "patched") == 3
            streams[1].transport.abort()

    run(test())


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b"null", 400, "the body must be an object"),
        (b"{}", 400, "expected AdmissionReview of admission.k8s.io/v1"),
        (gzip.compress(REVIEW), 400, "not JSON"),
        (json.dumps(review(pod(readinessGates=1))).encode(), 400, "readinessGates must be a list"),
        (b" " * (5 << 20), 413, "the body may have 4194304 bytes"),
    ],
    ids=["empty", "half", "binary", "deep", "null", "no review", "gzip", "gates", "large"],
)
def test_what_is_no_review_gets_a_clear_answer(body: bytes, status: int, text: str) -> None:
    async def test() -> None:
        async with serving(GIVEN) as server:
            reply = await ask_once(server.port, GIVEN, body)
            assert reply.status == status
            assert text in reply.body.decode()
            assert (await ask_once(server.port, GIVEN, REVIEW)).status == 200
            assert server._bodies == 0

    run(test())


@pytest.mark.parametrize("how", [{"path": "/"}, {"method": "GET"}])
def test_nothing_else_is_served(how: dict[str, str]) -> None:
    async def test() -> None:
        async with serving(GIVEN) as server:
            reply = await ask_once(server.port, GIVEN, b"", **how)
            assert (reply.status, reply.body) == (404, b"only POST /mutate is served here\n")

    run(test())


def test_a_body_without_a_length_is_limited_too() -> None:
    async def test() -> None:
        async with serving(GIVEN, Limits(body=1000)) as server:
            streams = await connect(server.port, GIVEN)
            streams[1].write(
                b"POST /mutate HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            streams[1].write(b"7d0\r\n" + b"x" * 2000 + b"\r\n")
            assert (await reply_on(streams)).status == 413
            streams[1].transport.abort()

    run(test())


def test_all_bodies_together_have_a_limit() -> None:
    async def test() -> None:
        async with serving(GIVEN, Limits(bodies=1000)) as server:
            slow = await connect(server.port, GIVEN)
            slow[1].write(head(900) + b"x" * 800)
            while server._bodies < 800:
                await asyncio.sleep(0)
            refused = await ask_once(server.port, GIVEN, REVIEW.ljust(900))
            assert (refused.status, refused.body) == (503, b"too many large requests at once\n")
            slow[1].transport.abort()
            while server._bodies:
                await asyncio.sleep(0)
            assert (await ask_once(server.port, GIVEN, REVIEW.ljust(900))).status == 200

    run(test())


def test_a_slow_body_is_answered_when_its_time_is_over() -> None:
    async def test() -> None:
        async with serving(GIVEN, Limits(body_time=0.05)) as server:
            streams = await connect(server.port, GIVEN)
            streams[1].write(head(100) + b"{")
            reply = await reply_on(streams)
            assert (reply.status, reply.body) == (408, b"no body within 0.05 s\n")
            assert counted(server, "too-slow") == 1
            streams[1].transport.abort()

    run(test())


async def silent(port: int) -> Streams:
    return await asyncio.open_connection("127.0.0.1", port)


async def half_a_header(port: int) -> Streams:
    streams = await connect(port, GIVEN)
    streams[1].write(b"POST /mut")
    return streams


async def idle(port: int) -> Streams:
    streams = await connect(port, GIVEN)
    assert (await ask(streams, REVIEW)).status == 200
    return streams


@pytest.mark.parametrize(
    ("client", "limits"),
    [
        (silent, Limits(handshake=0.05)),
        (half_a_header, Limits(first_byte=0.05)),
        (idle, Limits(idle=0.05)),
    ],
)
def test_whoever_says_nothing_is_closed(client: Any, limits: Limits) -> None:
    async def test() -> None:
        async with serving(GIVEN, limits) as server:
            streams = await client(server.port)
            with pytest.raises(GONE):
                await streams[0].readexactly(1)
            streams[1].transport.abort()
            while server._http._known:
                await asyncio.sleep(0.01)

    run(test())


def test_idle_connections_give_way_when_all_places_are_taken() -> None:
    async def test() -> None:
        async with serving(GIVEN, Limits(connections=3, idle_when_full=0.05)) as server:
            held = [await idle(server.port) for _ in range(3)]
            assert (await ask_once(server.port, GIVEN, REVIEW)).status == 200
            for streams in held:
                streams[1].transport.abort()

    run(test())


def test_those_who_wait_for_a_place_get_their_turn() -> None:
    async def test() -> None:
        async with serving(GIVEN, Limits(connections=2)) as server:
            asked = [ask_once(server.port, GIVEN, REVIEW) for _ in range(20)]
            assert {reply.status for reply in await asyncio.gather(*asked)} == {200}

    run(test())


def test_a_client_that_does_not_trust_us_frees_its_place() -> None:
    async def test() -> None:
        async with serving(GIVEN, Limits(connections=1)) as server:
            for _ in range(5):
                with pytest.raises(ssl.SSLError):
                    await connect(server.port, material())
            assert (await ask_once(server.port, GIVEN, REVIEW)).status == 200

    run(test())


def test_a_new_certificate_is_for_new_connections() -> None:
    async def test() -> None:
        new = material()
        async with serving(GIVEN) as server:
            kept = await connect(server.port, GIVEN)
            server.use(new.pairs[0])
            assert (await ask(kept, REVIEW)).status == 200
            assert (await ask_once(server.port, new, REVIEW)).status == 200
            with pytest.raises(ssl.SSLError):
                await connect(server.port, GIVEN)
            kept[1].transport.abort()

    run(test())


def test_a_certificate_that_cannot_be_served_leaves_the_old_one() -> None:
    async def test() -> None:
        async with serving(GIVEN) as server:
            with pytest.raises(ValueError, match="the certificate cannot be served"):
                server.use(Pair(GIVEN.pairs[0].certificate, material().pairs[0].key))
            assert (await ask_once(server.port, GIVEN, REVIEW)).status == 200

    run(test())
