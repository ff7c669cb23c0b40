"""``/healthz``, ``/readyz`` and ``/metrics``, for the kubelet and Prometheus.

One thread with an event loop, and one more that writes metrics: clients cost a socket each and not
a thread, those who are slow hold up nobody, and a scrape does not hold up a probe.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable
from typing import Any

from aiohttp import web

from binder.operations.health import Checks, Heart
from binder.operations.metrics import CONTENT_TYPE, Metrics

log = logging.getLogger(__name__)

MOST = 64  # connections; beyond them the oldest one gives way
LONGEST = 15.0  # seconds that a connection lasts, whatever its client does
_STOP = 5.0  # seconds to end in


class Operations:
    """Answers from `start` to `stop`; port 0 takes a free one."""

    def __init__(
        self,
        heart: Heart,
        ready: Checks,
        metrics: Metrics,
        *,
        host: str = "0.0.0.0",  # noqa: S104  the kubelet comes from outside of the Pod
        port: int = 9090,
        most: int = MOST,
        longest: float = LONGEST,
    ) -> None:
        self._heart, self._ready, self._metrics = heart, ready, metrics
        self._place = host, port
        self._most, self._longest = most, longest
        self._open: dict[web.RequestHandler, None] = {}  # in the order in which they came
        self._started: concurrent.futures.Future[int] = concurrent.futures.Future()
        self._over: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="operations", daemon=True)

    def start(self) -> int:
        """The port; OSError when it cannot be had."""
        self._thread.start()
        try:
            return self._started.result()
        except OSError as error:
            host, port = self._place
            raise OSError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None

    def stop(self) -> None:
        """Answer nobody any more; may be called twice."""
        loop, over = self._loop, self._over
        if loop is not None and over is not None and self._thread.is_alive():
            loop.call_soon_threadsafe(over.set)
            self._thread.join(_STOP)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            if self._started.done():
                log.exception("operations have ended")
            else:
                self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        routes = web.Application()
        routes.router.add_get("/healthz", self._healthz)
        routes.router.add_get("/readyz", self._readyz)
        runner = web.AppRunner(routes, access_log=None, shutdown_timeout=1.0)
        with concurrent.futures.ThreadPoolExecutor(1, "metrics") as writer:
            routes.router.add_get("/metrics", self._scrape(writer))
            await runner.setup()
            try:
                host, port = self._place
                assert runner.server is not None
                listening = await self._loop.create_server(
                    self._guarded(runner.server), host, port, backlog=self._most
                )
                self._started.set_result(listening.sockets[0].getsockname()[1])
                await self._over.wait()
                listening.close()
            finally:
                await runner.cleanup()

    def _guarded(
        self, server: Callable[[], web.RequestHandler]
    ) -> Callable[[], web.RequestHandler]:
        """Connections that end in time, and never are too many."""
        loop = asyncio.get_running_loop()

        def connected() -> web.RequestHandler:
            if len(self._open) >= self._most:
                self._end(next(iter(self._open)))
            handler = server()
            self._open[handler] = None
            loop.call_later(self._longest, self._end, handler)
            return handler

        return connected

    def _end(self, handler: web.RequestHandler) -> None:
        self._open.pop(handler, None)
        if handler.transport is not None:
            handler.transport.abort()

    async def _healthz(self, _: web.Request) -> web.Response:
        return _answer(self._heart.silent())

    async def _readyz(self, _: web.Request) -> web.Response:
        return _answer(self._ready.failing())

    def _scrape(self, writer: concurrent.futures.Executor) -> Callable[[web.Request], Any]:
        async def metrics(_: web.Request) -> web.Response:
            loop = asyncio.get_running_loop()
            try:
                text = await loop.run_in_executor(writer, self._metrics.text)
            except Exception:
                log.exception("no metrics")
                return _closing(web.Response(status=500, text="metrics could not be written\n"))
            return _closing(web.Response(body=text, headers={"Content-Type": CONTENT_TYPE}))

        return metrics


def _answer(problems: list[str]) -> web.Response:
    if problems:
        return _closing(web.Response(status=503, text="".join(f"{one}\n" for one in problems)))
    return _closing(web.Response(text="ok\n"))


def _closing(response: web.Response) -> web.Response:
    """A connection is for one request: idle ones would use up the number that there may be."""
    response.force_close()
    return response
