"""One of the two sockets of a relayed connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Protocol, cast

# No lingering: closing throws away what is unsent and sends an RST instead of a FIN.
_NO_LINGER = struct.pack("ii", 1, 0)


class Between(Protocol):
    """What lies between two ends."""

    def made(self, end: End) -> None: ...

    def data(self, source: End, data: bytes) -> None: ...

    def finished(self, source: End) -> None: ...

    def lost(self, source: End, broken: bool) -> None: ...

    def other(self, end: End) -> End: ...


class End(asyncio.Protocol):
    """Tells `between` what happens here; what is asked of it while not open does nothing."""

    def __init__(self, between: Between) -> None:
        self._between = between
        self._transport: asyncio.Transport | None = None
        self.has_finished = False  # the peer will send no more
        self.peer = ""  # the peer's address

    @property
    def is_open(self) -> bool:
        """Whether there is a socket."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if name else ""
        self._between.made(self)

    def data_received(self, data: bytes) -> None:
        self._between.data(self, data)

    def eof_received(self) -> bool:
        self.has_finished = True
        self._between.finished(self)
        # TLS has no half-closed connections.
        return self._transport is not None and self._transport.can_write_eof()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._between.lost(self, broken=error is not None)

    def pause_writing(self) -> None:
        self._between.other(self).pause()

    def resume_writing(self) -> None:
        self._between.other(self).resume()

    def pause(self) -> None:
        """Read no more for now."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._transport is not None:
            self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send, sooner or later."""
        if self._transport is not None:
            self._transport.write(data)

    def finish(self) -> None:
        """Send what is left, then FIN; go on reading where the protocol can."""
        if self._transport is None:
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def close(self) -> None:
        """Send what is left, then close."""
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """Close with an RST."""
        if self._transport is None:
            return
        end = self._transport.get_extra_info("socket")
        if end is not None and end.fileno() >= 0:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()
