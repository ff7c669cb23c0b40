"""A call with a deadline for all of it, which the SDK does not have.

The SDK's time-out is one of each operation of the socket, so a reply that drips in lasts for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises; TimeoutError when it takes longer than `seconds`.

    It runs in a thread of its own, which is left to itself then, and does not keep the process.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # handed to whoever waits
            done.set_exception(error)

    thread = threading.Thread(target=run, name="clb-call", daemon=True)
    thread.start()
    thread.join(seconds)
    if not done.done():
        raise TimeoutError
    return done.result()
