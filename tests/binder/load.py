"""An open-loop HTTP load generator: it asks at a fixed rate, however slowly answers come.

A generator that waits for answers slows down with the system under test and hides the requests
that would have failed meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import aiohttp


@dataclass
class Result:
    """What became of the requests."""

    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)  # by class: no answer, or half of one
    latencies: list[float] = field(default_factory=list)  # seconds, of answers only

    @property
    def sent(self) -> int:
        return self.statuses.total() + self.errors.total()

    @property
    def failures(self) -> int:
        """Requests without an answer, or with one below 200 or above 399."""
        wrong = sum(count for status, count in self.statuses.items() if not 200 <= status < 400)
        return wrong + self.errors.total()

    def percentile(self, percent: float) -> float:
        """The latency that this share of answers kept within, in seconds."""
        ordered = sorted(self.latencies) or [0.0]
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    def __str__(self) -> str:
        shares = " ".join(f"p{p}={self.percentile(p) * 1000:.1f}ms" for p in (50, 99, 100))
        return (
            f"{self.sent} sent, {self.failures} failed, statuses {dict(self.statuses)}, "
            f"errors {dict(self.errors)}, {shares}"
        )


class Load:
    """Asks for `url` `rate` times per second until told to stop.

    `reuse`: keep connections between requests, as browsers and service meshes do.
    """

    def __init__(self, url: str, rate: float, timeout_s: float = 5.0, reuse: bool = False) -> None:
        self.result = Result()
        self._url, self._rate = url, rate
        self._connector = aiohttp.TCPConnector(limit=0, force_close=not reuse)
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session = aiohttp.ClientSession(connector=self._connector, timeout=timeout)
        self._stopping = asyncio.Event()

    async def run(self, seconds: float | None = None) -> Result:
        """Load for so long, or until `stop`; the result is there when the last answer is."""
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        requests: set[asyncio.Task[None]] = set()
        while not self._stopping.is_set() and (seconds is None or sent < seconds * self._rate):
            request = asyncio.create_task(self._ask())
            requests.add(request)
            request.add_done_callback(requests.discard)
            sent += 1
            await self._pause(began + sent / self._rate - loop.time())
        await asyncio.gather(*requests)
        await self._session.close()
        await asyncio.sleep(0)
        return self.result

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), max(seconds, 0.0))
        except asyncio.TimeoutError:
            return

    async def _ask(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with self._session.get(self._url) as answer:
                await answer.read()
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            self.result.errors[type(error).__name__] += 1
        else:
            self.result.statuses[answer.status] += 1
            self.result.latencies.append(loop.time() - began)
