"""Asking a target whether it serves: over the network, or by a script.

A probe answers True or False, in at most ``HealthCheck.timeout_s`` seconds, and never raises.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from binder.simulator.clock import Clock
from binder.simulator.model import Endpoint, HealthCheck

Probe = Callable[[HealthCheck, Endpoint], Awaitable[bool]]

USER_AGENT = "clb-healthcheck"  # CLB documentation, health check overview
_LONGEST_LINE = 8192  # bytes


async def network(check: HealthCheck, endpoint: Endpoint) -> bool:
    """Probe the way the check says: TCP and HTTP; other kinds never succeed."""
    attempt = {"TCP": _connects, "HTTP": _answers}.get(check.kind)
    if attempt is None:
        return False
    try:
        address = endpoint.ip, check.port or endpoint.port
        return await asyncio.wait_for(attempt(check, *address), check.timeout_s)
    except (OSError, ValueError, asyncio.TimeoutError):  # ValueError: no HTTP, endless line
        return False


async def _connects(_check: HealthCheck, ip: str, port: int) -> bool:
    _, writer = await asyncio.open_connection(ip, port)
    writer.close()
    return True


async def _answers(check: HealthCheck, ip: str, port: int) -> bool:
    reader, writer = await asyncio.open_connection(ip, port, limit=_LONGEST_LINE)
    try:
        writer.write(question(check, ip))
        _, status, *_ = (await reader.readline()).split(maxsplit=2)
        return accepts(check.http_codes, int(status))
    finally:
        writer.close()


def question(check: HealthCheck, ip: str) -> bytes:
    """The request of an HTTP probe."""
    lines = [
        f"{check.method} {check.path} {check.version}",
        f"Host: {check.domain or ip}",
        f"User-Agent: {USER_AGENT}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def accepts(mask: int, status: int) -> bool:
    """Whether the mask of HttpCode (1 for 1xx, 2 for 2xx, 4 for 3xx, ...) allows a status."""
    return 100 <= status <= 599 and bool(mask >> (status // 100 - 1) & 1)


class Scripted:
    """Probes by a script per IP, and by `otherwise` where there is none.

    Tests script every target; a running simulator gets its health faults here:
    ``scripted.by_ip["10.0.0.7"] = flapping()``.
    """

    def __init__(self, otherwise: Probe) -> None:
        self.otherwise = otherwise
        self.by_ip: dict[str, Probe] = {}

    async def __call__(self, check: HealthCheck, endpoint: Endpoint) -> bool:
        return await self.by_ip.get(endpoint.ip, self.otherwise)(check, endpoint)


async def passing(_check: HealthCheck, _endpoint: Endpoint) -> bool:
    """Succeed at once."""
    return True


async def failing(_check: HealthCheck, _endpoint: Endpoint) -> bool:
    """Fail at once, as a refused connection does."""
    return False


async def silent(_check: HealthCheck, _endpoint: Endpoint) -> bool:
    """Never come to a result, as a probe node that is down: the target keeps its health."""
    never: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    return await never


def flapping(*results: bool) -> Probe:
    """Give these results over and over; without any: pass, fail, pass, fail ..."""
    pattern = itertools.cycle(results or (True, False))

    async def flap(_check: HealthCheck, _endpoint: Endpoint) -> bool:
        return next(pattern)

    return flap


def hanging(clock: Clock) -> Probe:
    """Fail only when the time-out is over, as a target that accepts and says nothing."""

    async def hang(check: HealthCheck, _endpoint: Endpoint) -> bool:
        await clock.sleep(check.timeout_s)
        return False

    return hang
