"""What a Service does: one port in front of several replicas, connection by connection."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress


@contextmanager
def relay(port: int, targets: Sequence[int]) -> Iterator[None]:
    """Carries bytes from `port` to `targets` in turn, in a thread of its own."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    over = asyncio.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(_serve(port, itertools.cycle(targets), ready, over))
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


async def _serve(
    port: int, targets: Iterator[int], ready: threading.Event, over: asyncio.Event
) -> None:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled: at the end. The module streams would print it.
        with suppress(OSError, asyncio.CancelledError):
            onward, back = await asyncio.open_connection("127.0.0.1", next(targets))
            await asyncio.gather(_copy(reader, back), _copy(onward, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", port, backlog=1024)
    ready.set()
    await over.wait()
    server.close()
    carried = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in carried:
        task.cancel()
    await asyncio.gather(*carried, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
