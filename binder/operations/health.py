"""Whether the process is alive (its loops go round) and ready (it knows the cluster)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import NamedTuple

from binder.core.objects import Changes

log = logging.getLogger(__name__)

USUAL = 60.0  # seconds that a loop may be silent, unless it says otherwise


class _Beat(NamedTuple):
    at: float
    most: float


class Heart:
    """When each loop was last heard of, in seconds of `clock`. Safe for threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._beats: dict[str, _Beat] = {}

    def expect(self, loop: str, most: float = USUAL) -> None:
        """From now on `loop` beats at least every `most` seconds."""
        with self._lock:
            self._beats[loop] = _Beat(self._clock(), most)

    def beat(self, loop: str) -> None:
        """`loop` goes round; one that nobody expected may be silent for USUAL."""
        with self._lock:
            known = self._beats.get(loop)
            self._beats[loop] = _Beat(self._clock(), known.most if known else USUAL)

    def forget(self, loop: str) -> None:
        """It has ended, as it should."""
        with self._lock:
            self._beats.pop(loop, None)

    def silent(self) -> list[str]:
        """What is wrong, a line for each loop that has not been heard of for too long."""
        with self._lock:
            now, beats = self._clock(), sorted(self._beats.items())
        return [
            f"{loop}: silent for {now - beat.at:.0f} s, {beat.most:.0f} s are allowed"
            for loop, beat in beats
            if now - beat.at > beat.most
        ]


Check = Callable[[], str]  # what is wrong; "" when nothing is


class Checks:
    """Named checks, such as those of readiness."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        self._checks = {**self._checks, name: check}

    def failing(self) -> list[str]:
        """A line for each check that fails."""
        said = ((name, _asked(check)) for name, check in self._checks.items())
        return [f"{name}: {problem}" for name, problem in said if problem]


def _asked(check: Check) -> str:
    try:
        return check()
    except Exception as error:
        log.exception("a check failed to check")
        return f"could not be checked ({type(error).__name__})"


def view(changes: Callable[[], Changes], clock: Callable[[], float], stale: float) -> Check:
    """A check that the cluster has been listed, and heard of in the last `stale` seconds."""

    def check() -> str:
        seen = changes()
        if not seen.synced:
            return "the cluster has not been listed yet"
        age = clock() - seen.seen_at
        return f"the API server was last heard of {age:.0f} s ago" if age > stale else ""

    return check
