"""The L7 data path over real sockets: routing, headers, streaming, failures, draining."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from binder.simulator.headers import end_to_end, to_target
from binder.simulator.model import Endpoint, Group, Health
from tests.binder.plane.bed import (
    Handler,
    Server,
    balancer,
    group,
    only_listener,
    run,
    serving,
    started,
    until,
)


@asynccontextmanager
async def client(url: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(url, auto_decompress=False) as session:
        yield session
    await asyncio.sleep(0)


async def text(session: aiohttp.ClientSession, path: str, **options: object) -> str:
    async with session.get(path, **options) as answer:  # type: ignore[arg-type]
        return await answer.text() if answer.status == 200 else str(answer.status)


def test_host_and_path_choose_the_target() -> None:
    async def scenario() -> None:
        servers = await started(3)
        shop, api, other = (server.endpoint for server in servers)
        lb = balancer(
            "HTTP",
            group(shop, name="loc-1", domain="shop.example.com", url="/"),
            group(api, name="loc-2", domain="shop.example.com", url="/api"),
            group(other, name="loc-3", domain="*.example.com", url="/only"),
        )
        async with serving(lb, *servers) as (_, url), client(url) as session:
            for host, path, expected in [
                ("shop.example.com", "/x", shop.ip),
                ("SHOP.example.com:80", "/api/v1?x=1", api.ip),
                ("blog.example.com", "/only/this", other.ip),
                ("blog.example.com", "/", "404"),
                ("unknown", "/", shop.ip),
            ]:
                assert await text(session, path, headers={"Host": host}) == expected
            only_listener(lb).groups.clear()
            assert await text(session, "/") == "404"

    run(scenario)


async def one(handler: Handler) -> tuple[Server, Group]:
    server = Server(handler)
    return server, group(await server.start())


def test_requests_and_answers_pass_unchanged_but_for_the_proxys_own_headers() -> None:
    async def scenario() -> None:
        seen: list[web.BaseRequest] = []

        async def handler(request: web.BaseRequest) -> web.Response:
            seen.append(request)
            headers = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Encoding", "gzip")]
            return web.Response(status=418, reason="Teapot", body=b"\x1f", headers=headers)

        server, rule = await one(handler)
        async with serving(balancer("HTTP", rule), server) as (_, url), client(url) as session:
            sent = {"Host": "shop.example.com", "X-Forwarded-For": "1.2.3.4", "Connection": "X-Hop"}
            path = "/a%2Fb/%C3%A9?q=%20+&r"
            async with session.get(path, headers={**sent, "X-Hop": "1"}) as answer:
                assert (answer.status, answer.reason) == (418, "Teapot")
                assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]
                assert await answer.read() == b"\x1f"
            (request,) = seen
            assert request.rel_url.raw_path_qs == path
            assert request.headers["Host"] == "shop.example.com"
            assert request.headers["X-Forwarded-For"] == "1.2.3.4, 127.0.0.1"
            assert request.headers["X-Real-IP"] == "127.0.0.1"
            assert "X-Hop" not in request.headers

    run(scenario)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("body", [None, b"", b"x" * 300_000], ids=["none", "empty", "large"])
def test_every_method_passes_with_and_without_a_body(method: str, body: bytes | None) -> None:
    async def scenario() -> None:
        async def handler(request: web.BaseRequest) -> web.Response:
            return web.Response(headers={"X-Got": f"{request.method} {len(await request.read())}"})

        server, rule = await one(handler)
        async with serving(balancer("HTTP", rule), server) as (_, url), client(url) as session:
            for _ in range(2):  # the second on the same connection
                async with session.request(method, "/", data=body) as answer:
                    assert answer.headers["X-Got"] == f"{method} {len(body or b'')}"

    run(scenario)


def test_bodies_stream_both_ways_and_100_continue_is_answered() -> None:
    async def scenario() -> None:
        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            async for chunk in request.content.iter_any():
                await response.write(chunk)
            return response

        heard: asyncio.Queue[bytes] = asyncio.Queue()

        async def body() -> AsyncIterator[bytes]:
            for word in (b"one", b"two", b"three"):
                yield word
                assert await heard.get() == word  # it came back before the next one left

        server, rule = await one(handler)
        async with serving(balancer("HTTP", rule), server) as (_, url), client(url) as session:
            answer = await session.post("/", data=body(), expect100=True)
            async for chunk in answer.content.iter_any():
                heard.put_nowait(chunk)

    run(scenario)


def test_a_target_that_breaks_off_breaks_the_answer_off() -> None:
    async def scenario() -> None:
        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"half")
            assert request.transport
            request.transport.abort()
            return response

        server, rule = await one(handler)
        async with serving(balancer("HTTP", rule), server) as (plane, url), client(url) as session:
            with pytest.raises(aiohttp.ClientError):
                await text(session, "/")
            assert plane.counts(rule, server.endpoint).failures == 1

    run(scenario)


def test_nobody_to_answer_is_502_and_a_slow_one_504() -> None:
    async def scenario() -> None:
        server, rule = await one(Server().say_ip)

        async def obstacle(_endpoint: Endpoint) -> None:
            if slow:
                raise asyncio.TimeoutError

        slow = False
        lb = balancer("HTTP", rule)
        async with serving(lb, server, obstacle=obstacle) as (plane, url), client(url) as session:
            await server.stop()
            assert await text(session, "/") == "502"
            slow = True
            assert await text(session, "/") == "504"
            counts = plane.counts(rule, server.endpoint)
            assert (counts.requests, counts.failures, counts.open) == (2, 2, 0)
            rule.targets.clear()
            assert await text(session, "/") == "502"
            assert plane.refused(rule) == 1

    run(scenario)


@pytest.mark.parametrize("drain", ["weight", "unbind", "dead"])
def test_a_request_under_way_ends_and_none_follows_it(drain: str) -> None:
    async def scenario() -> None:
        old, new = await started(2, delay_s=0.1)
        rule = group(old.endpoint)
        lb = balancer("HTTP", rule)
        async with serving(lb, old, new) as (plane, url), client(url) as session:
            under_way = asyncio.create_task(text(session, "/"))
            await until(lambda: old.served)
            rule.targets |= group(new.endpoint).targets
            leaving = rule.targets[old.endpoint]
            if drain == "unbind":
                del rule.targets[old.endpoint]
            else:
                leaving.weight = 0 if drain == "weight" else 10
                leaving.health = Health.ALIVE if drain == "weight" else Health.DEAD
            await plane.sync(lb)
            assert await text(session, "/") == new.endpoint.ip
            assert await under_way == old.endpoint.ip
            assert await text(session, "/") == new.endpoint.ip  # on a connection used before
            assert old.served == 1

    run(scenario)


def test_least_conn_avoids_the_busy() -> None:
    async def scenario() -> None:
        busy, free = await started(2, delay_s=0.05)
        rule = group(busy.endpoint, free.endpoint, scheduler="LEAST_CONN")
        lb = balancer("HTTP", rule)
        async with serving(lb, busy, free) as (plane, url), client(url) as session:
            plane.counts(rule, busy.endpoint).open += 5
            answers = await asyncio.gather(*[text(session, "/") for _ in range(4)])
            assert set(answers) == {free.endpoint.ip}

    run(scenario)


def test_a_client_that_hangs_up_frees_its_target() -> None:
    async def scenario() -> None:
        server = Server(delay_s=20)
        rule = group(await server.start())
        async with serving(balancer("HTTP", rule), server) as (plane, url):
            async with client(url) as session:
                with pytest.raises(asyncio.TimeoutError):
                    await text(session, "/", timeout=aiohttp.ClientTimeout(total=0.05))
            await until(lambda: plane.counts(rule, server.endpoint).open == 0)
            assert plane.counts(rule, server.endpoint).failures == 0

    run(scenario)


def test_a_listener_taken_away_cuts_its_requests() -> None:
    async def scenario() -> None:
        server = Server(delay_s=20)
        lb = balancer("HTTP", group(await server.start()))
        async with serving(lb, server) as (plane, url), client(url) as session:
            under_way = asyncio.create_task(text(session, "/"))
            await until(lambda: server.served)
            lb.listeners.clear()
            await plane.sync(lb)
            with pytest.raises(aiohttp.ClientError):
                await under_way
            with pytest.raises(aiohttp.ClientConnectorError):
                await text(session, "/")

    run(scenario)


def test_headers_of_one_hop_are_dropped() -> None:
    headers = {"connection": "close, x-mine", "X-Mine": "1", "TE": "x", "Expect": "100-continue"}
    assert list(end_to_end({**headers, "Accept": "*/*"})) == ["Expect", "Accept"]
    assert dict(to_target(headers, "9.9.9.9")) == {
        "X-Forwarded-For": "9.9.9.9",
        "X-Real-IP": "9.9.9.9",
        "Connection": "close",
    }
