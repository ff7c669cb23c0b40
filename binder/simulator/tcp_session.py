"""One connection through a TCP listener: the client's socket, the target's, and bytes between."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from binder.simulator.model import Group, Listener, Target
from binder.simulator.tcp_end import End
from binder.simulator.traffic import Traffic, is_bound


class Session:
    """Chooses a target when the client has connected, then passes bytes both ways.

    A cut session swallows what it gets and lets each side go when that side hangs up; sides that
    never do are let go after the listener's idle time.
    """

    def __init__(self, listener: Listener, traffic: Traffic, sessions: set[Session]) -> None:
        self._listener, self._traffic, self._sessions = listener, traffic, sessions
        self.client, self.upstream = End(self), End(self)
        self._loop = asyncio.get_running_loop()
        self._bound: tuple[Group, Target] | None = None
        self._dial: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._heard = self._loop.time()
        self._counted = ExitStack()
        self._cut = False

    def made(self, end: End) -> None:
        """A side is there; with the client it begins, reading nothing until a target is there."""
        if end is self.client:
            # Not at once: Python 3.10 begins to read after this call, paused or not.
            self._loop.call_soon(end.pause)
            self._sessions.add(self)
            self._watch_idle()
            self._dial = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        group = next(iter(self._listener.groups.values()), None)
        target = group and self._traffic.choose(group, self.client.peer)
        if not group or not target or not await self._reach(group, target):
            self.reset()  # what a refusal looks like behind a relay that has already accepted
            return
        self.client.resume()
        self.refresh()

    async def _reach(self, group: Group, target: Target) -> bool:
        self._bound = group, target
        counts = self._traffic.counts(group.id, target.endpoint)
        self._counted.enter_context(counts.under_way())
        try:
            await self._traffic.obstacle(target.endpoint)
            await self._loop.create_connection(lambda: self.upstream, *target.endpoint)
        except OSError:
            counts.failures += 1
            return False
        counts.connections += 1
        return True

    def refresh(self) -> None:
        """Cut the session if its target is bound no more."""
        if self._bound is None or is_bound(*self._bound) or not self.upstream.is_open:
            return
        self._cut = True
        self._counted.close()
        if self._listener.reset_on_deregister:
            self.reset()
        for end in (self.client, self.upstream):
            end.resume()  # to notice when it hangs up

    def data(self, source: End, data: bytes) -> None:
        """Pass bytes on to the other side."""
        self._heard = self._loop.time()
        if not self._cut:
            self.other(source).write(data)

    def finished(self, source: End) -> None:
        """One side sends no more; the other may still."""
        other = self.other(source)
        if self._cut:
            source.close()
        elif other.has_finished:
            self.client.close()
            self.upstream.close()
        else:
            other.finish()

    def lost(self, source: End, broken: bool) -> None:
        """One side is gone; `broken`: by a reset or an error."""
        if broken and source is self.upstream and self._bound and not self._cut:
            group, target = self._bound
            self._traffic.counts(group.id, target.endpoint).failures += 1
        if broken and not self._cut:
            self.other(source).reset()
        elif not self._cut:
            self.other(source).close()
        if not (self.client.is_open or self.upstream.is_open):
            self._end()

    def other(self, end: End) -> End:
        """The opposite side."""
        return self.upstream if end is self.client else self.client

    def reset(self) -> None:
        """End both sides with an RST."""
        self.client.reset()
        self.upstream.reset()

    async def close(self) -> None:
        """Reset both sides; their sockets are closed in one of the loop's next turns."""
        if self._dial is not None:
            self._dial.cancel()
            await asyncio.wait([self._dial])
        self._cut = True
        self.reset()
        await asyncio.sleep(0)

    def _watch_idle(self) -> None:
        left = self._heard + self._listener.idle_s - self._loop.time()
        if left > 0:
            self._idle = self._loop.call_later(left, self._watch_idle)
        else:
            self.reset()

    def _end(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._dial is not None:
            self._dial.cancel()
        self._counted.close()
        self._sessions.discard(self)
