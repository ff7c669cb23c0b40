"""Keys that wait for a worker: each at most once, each with one worker at a time.

A key that is added while a worker has it comes again when the worker is done.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Queue(Generic[Item]):
    """Keys by the time at which they are due, in seconds of `clock`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due: dict[Item, float] = {}
        self._heap: list[tuple[float, int, Item]] = []
        self._busy: set[Item] = set()
        self._count = 0
        self._closed = False
        self._ready = threading.Condition()

    def add(self, item: Item, after: float = 0.0) -> None:
        """Have `item` worked on `after` seconds from now, or sooner if that is known already."""
        with self._ready:
            at = self._clock() + after
            if item in self._due and self._due[item] <= at:
                return
            self._due[item] = at
            self._count += 1
            heapq.heappush(self._heap, (at, self._count, item))
            self._ready.notify()

    def get(self) -> Item | None:
        """The next key that is due, when it is due; None: the queue has been closed."""
        with self._ready:
            while not self._closed:
                item, wait = self._next()
                if item is not None:
                    self._busy.add(item)
                    return item
                self._ready.wait(wait)
            return None

    def next_due(self) -> Item | None:
        """The same, if one is due now."""
        with self._ready:
            item, _ = self._next()
            if item is not None:
                self._busy.add(item)
            return item

    def done(self, item: Item) -> None:
        """The worker has finished with `item`."""
        with self._ready:
            self._busy.discard(item)
            if item in self._due:
                self._count += 1
                heapq.heappush(self._heap, (self._due[item], self._count, item))
            self._ready.notify()

    def close(self) -> None:
        with self._ready:
            self._closed = True
            self._ready.notify_all()

    def __len__(self) -> int:
        with self._ready:
            return len(self._due)

    def _next(self) -> tuple[Item | None, float | None]:
        """The key to be worked on now; else how long to wait, None: for ever."""
        now = self._clock()
        while self._heap:
            at, _, item = self._heap[0]
            if self._due.get(item) != at or item in self._busy:
                heapq.heappop(self._heap)  # came sooner meanwhile, or comes again when done
                continue
            if at > now:
                return None, at - now
            heapq.heappop(self._heap)
            del self._due[item]
            return item, None
        return None, None
