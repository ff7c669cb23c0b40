"""Run another program as our own child: no shell, nothing lost, nobody left behind.

Argo CD ends a plugin that takes too long by SIGKILL to the plugin and, at the same time, SIGTERM
to its process group, then SIGKILL to the group after five seconds (cmpserver/plugin/plugin.go).
So where we lead a group, as there, the child stays in it: whoever ends the group ends the child,
even when we are dead already.  Elsewhere it gets a session of its own, which we can end as a whole.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

from transformer.errors import ConfigError

if TYPE_CHECKING:
    import subprocess


class Finished(NamedTuple):
    """What a program did; a negative ``status`` is the signal that ended it."""

    status: int
    out: bytes
    err: bytes


class Stopped(SystemExit):
    """SIGTERM came; the exit code is what shells make of it."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise Stopped where SIGTERM meets us, so that whatever we started is ended."""

    def stop(number: int, _: FrameType | None) -> None:
        raise Stopped(128 + number)

    with _handling(stop):
        yield


def run(argv: Sequence[str]) -> Finished:
    """Run the program `argv` to its end, without input, here; raises ConfigError if it is missing.

    Whatever is raised meanwhile, the program is gone, and whatever it started.
    """
    child: subprocess.Popen[bytes] | None = None
    asked: list[int] = []
    try:
        with _handling(lambda number, _: asked.append(number)):  # not between fork and `child =`
            child = _started(argv)
        if asked:
            raise Stopped(128 + asked[0])
        out, err = child.communicate()
    except BaseException:
        if child:
            _end(child)
        raise
    return Finished(child.returncode, out, err)


def _started(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    import subprocess  # only builds that call kustomize pay for it

    try:
        return subprocess.Popen(  # noqa: S603 - a list of words, and no shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=not _leads_group(),
        )
    except FileNotFoundError:
        raise ConfigError(
            f"{argv[0]} is not on the PATH ({os.environ.get('PATH', '')}): put it there, which "
            "under Argo CD is the image of the plugin's container, and use Hard Refresh then"
        ) from None
    except OSError as error:
        raise ConfigError(f"{argv[0]} cannot be started: {error.strerror}") from None


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill `child` and what it started."""
    with _handling(signal.SIG_IGN), child:  # the group may be ours; closes pipes, and waits
        if _leads_group():
            os.killpg(0, signal.SIGTERM)
        else:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        child.kill()


def _leads_group() -> bool:
    return os.getpgrp() == os.getpid()


@contextmanager
def _handling(handler: signal._HANDLER) -> Iterator[None]:
    """Treat SIGTERM so for a while."""
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
