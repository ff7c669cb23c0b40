"""The connection of one binder to the API server, which can be cut.

While it is cut, nothing comes through and nothing is refused, as when a network is partitioned;
what was sent meanwhile arrives when it is mended.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

START_SECONDS = 10.0


class Wire:
    """Listens on a port of localhost from `with` on, and passes on to `host`:`port`."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._started: Future[int] = Future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="wire")

    def __enter__(self) -> Wire:
        self._thread.start()
        self.port = self._started.result(START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        self._loop.call_soon_threadsafe(self._whole.set)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over, self._whole = asyncio.Event(), asyncio.Event()
        self._whole.set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self._started.set_result(server.sockets[0].getsockname()[1])
        await self._over.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, near: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._whole.wait()
            far, there = await asyncio.open_connection(self._host, self._port)
            try:
                await asyncio.gather(self._pass(near, there), self._pass(far, writer))
            finally:
                there.close()
        except (OSError, asyncio.CancelledError):
            pass  # one side has gone, or the test is over
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            await self._whole.wait()
            sink.write(data)
            await sink.drain()
        sink.close()
