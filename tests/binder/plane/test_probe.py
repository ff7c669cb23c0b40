"""Real probes against real sockets."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from aiohttp import web

from binder.simulator.clock import RealClock
from binder.simulator.model import Endpoint, Health, HealthCheck
from binder.simulator.probe import accepts, network
from binder.simulator.prober import Prober
from tests.binder.plane.bed import Server, balancer, group, loopback, run, until

HTTP = HealthCheck(kind="HTTP", path="/ready?full=1", domain="shop.example.com")


def test_tcp_succeeds_where_somebody_listens() -> None:
    async def scenario() -> None:
        server = Server()
        endpoint = await server.start()
        assert await network(HealthCheck(), endpoint)
        assert await network(HealthCheck(port=endpoint.port), Endpoint(endpoint.ip, 1))
        await server.stop()
        assert not await network(HealthCheck(), endpoint)
        assert server.served == 0

    run(scenario)


def test_http_asks_what_the_check_says_as_clb_does() -> None:
    async def scenario() -> None:
        asked: list[tuple[str, str, str, str]] = []

        async def note(request: web.BaseRequest) -> web.Response:
            agent = request.headers["User-Agent"]
            asked.append((request.method, request.path_qs, request.host, agent))
            return web.Response()

        server = Server(note)
        endpoint = await server.start()
        assert await network(HTTP, endpoint)
        assert await network(replace(HTTP, method="GET", domain="", version="HTTP/1.0"), endpoint)
        await server.stop()
        assert asked == [
            ("HEAD", "/ready?full=1", "shop.example.com", "clb-healthcheck"),
            ("GET", "/ready?full=1", endpoint.ip, "clb-healthcheck"),
        ]

    run(scenario)


@pytest.mark.parametrize(("status", "mask", "healthy"), [(404, 15, True), (503, 15, False)])
def test_http_codes_are_a_mask(status: int, mask: int, healthy: bool) -> None:
    async def scenario() -> None:
        async def answer(_request: web.BaseRequest) -> web.Response:
            return web.Response(status=status)

        server = Server(answer)
        endpoint = await server.start()
        assert await network(replace(HTTP, http_codes=mask), endpoint) is healthy
        await server.stop()

    run(scenario)


def test_every_bit_of_the_mask_is_a_class_of_codes() -> None:
    assert [accepts(mask, 200) for mask in (1, 2, 4, 8, 16, 31)] == [
        *(False, True, False, False, False, True)
    ]
    assert all(accepts(1 << code // 100 - 1, code) for code in (100, 204, 301, 499, 599))
    assert not accepts(31, 600)
    assert not accepts(31, 99)


@pytest.mark.parametrize("answer", [b"", b"\r\n", b"SSH-2.0-OpenSSH\r\n", b"x" * 20_000])
def test_what_is_not_http_fails(answer: bytes) -> None:
    async def scenario() -> None:
        async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(serve, loopback(), 0)
        assert not await network(HTTP, Endpoint(*server.sockets[0].getsockname()))
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)

    run(scenario)


def test_a_target_that_accepts_and_says_nothing_fails_in_time() -> None:
    async def scenario() -> None:
        server = Server(delay_s=60)
        endpoint = await server.start()
        check = replace(HTTP)
        check.timeout_s = 0.05  # type: ignore[assignment]
        assert not await network(check, endpoint)
        await server.stop()

    run(scenario)


def test_kinds_that_are_not_simulated_fail() -> None:
    assert not asyncio.run(network(HealthCheck(kind="GRPC"), Endpoint("127.0.0.1", 1)))


def test_the_prober_follows_a_real_target() -> None:
    async def scenario() -> None:
        server = Server()
        endpoint = await server.start()
        check = HealthCheck(healthy=2, unhealthy=2)
        check.interval_s = 0.01  # type: ignore[assignment]
        bound = group(endpoint, check=check)
        prober = Prober(RealClock(), network)
        prober.sync(balancer("TCP", bound))
        target = bound.targets[endpoint]
        await until(lambda: target.health is Health.ALIVE)
        await server.stop()
        await until(lambda: target.health is Health.DEAD)
        await prober.close()

    run(scenario)
