"""The program in a container: a small HTTP server that does as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from binder.simulator.accepting import stop_accepting

MOST_HEADERS = 65536


@dataclass
class Behaviour:
    """How the programs of a Pod answer, from the next request on."""

    answer_after: float = 0.0
    hanging: bool = False  # connections are accepted, nothing is ever answered
    ready: bool = True  # what the readiness path says
    flapping: bool = False  # the readiness path says another thing each time
    ignores_term: bool = False


@dataclass
class Identity:
    """What every answer says, so that a client knows who served it."""

    namespace: str
    pod: str
    uid: str
    ip: str
    readiness_paths: set[str] = field(default_factory=set)


class App:
    """Listens from `start` to `terminate` or `kill`; counts what is not a kubelet's probe."""

    def __init__(self, identity: Identity, behaviour: Behaviour, ports: Iterable[int]) -> None:
        self.requests = 0
        self._identity = identity
        self._behaviour = behaviour
        self._ports = tuple(ports)
        self._servers: list[asyncio.Server] = []
        # Open connections, and whether there is a request on them.  The loop itself holds no task
        # that waits, so one that hangs would be lost.
        self._busy: dict[asyncio.StreamWriter, bool] = {}
        self._tasks: set[asyncio.Task[Any] | None] = set()
        self._quiet = asyncio.Event()
        self._stopping = False

    async def start(self) -> None:
        for port in self._ports:
            server = await asyncio.start_server(
                self._serve, self._identity.ip, port, limit=MOST_HEADERS, backlog=512
            )
            self._servers.append(server)

    async def terminate(self) -> None:
        """What SIGTERM does to a well-behaved server: no more connections, then no more requests.

        Returns when the program has ended, which is never if it ignores the signal.
        """
        if self._behaviour.ignores_term:
            await asyncio.Event().wait()
        self._stopping = True
        self._close_servers()
        for writer in [writer for writer, busy in self._busy.items() if not busy]:
            writer.close()
        while any(self._busy.values()):
            self._quiet.clear()
            await self._quiet.wait()

    def kill(self) -> None:
        """What SIGKILL does: connections break off."""
        self._stopping = True
        self._close_servers()
        for writer in list(self._busy):
            writer.transport.abort()
        for task in self._tasks:
            if task:
                task.cancel()

    def _close_servers(self) -> None:
        for server in self._servers:
            stop_accepting(server)
        self._servers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client has gone
        except asyncio.CancelledError:
            pass  # we were killed, and this is the end of the task
        finally:
            self._tasks.discard(task)
            self._busy.pop(writer, None)
            self._quiet.set()
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        keep = True
        while keep and not self._stopping:
            self._busy[writer] = False
            head = await reader.readuntil(b"\r\n\r\n")
            self._busy[writer] = True
            keep = await self._answer(head.decode("latin-1"), reader, writer)

    async def _answer(
        self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; whether the connection stays open."""
        request, *lines = head.rstrip().split("\r\n")
        method, path, version = request.split(" ", 2)
        parts = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in parts}
        await reader.readexactly(int(headers.get("content-length", 0)))
        if not headers.get("user-agent", "").startswith("kube-probe"):
            self.requests += 1
        await self._dawdle()
        keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        writer.write(self._response(method, path.partition("?")[0], keep and not self._stopping))
        await writer.drain()
        return keep

    async def _dawdle(self) -> None:
        if self._behaviour.answer_after:
            await asyncio.sleep(self._behaviour.answer_after)
        if self._behaviour.hanging:
            await asyncio.Event().wait()

    def _response(self, method: str, path: str, keep: bool) -> bytes:
        status = "200 OK" if self._is_well(path) else "503 Service Unavailable"
        who = self._identity
        body = json.dumps(
            {
                "pod": who.pod,
                "namespace": who.namespace,
                "uid": who.uid,
                "ip": who.ip,
                "path": path,
                "requests": self.requests,
            }
        )
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n"
            f"X-Pod: {who.pod}\r\n\r\n"
        )
        return (head + (body if method != "HEAD" else "")).encode()

    def _is_well(self, path: str) -> bool:
        if path not in self._identity.readiness_paths:
            return True
        if self._behaviour.flapping:
            self._behaviour.ready = not self._behaviour.ready
        return self._behaviour.ready
