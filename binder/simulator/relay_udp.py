"""The data path of a UDP listener: the datagrams of one client address go to one target.

Such a flow ends when nothing came for the listener's idle time, when its target is unbound, or
when the target's machine says that nobody listens.  The next datagram then begins another.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import cast

from binder.simulator.model import Group, Listener, Target
from binder.simulator.traffic import Address, Counts, Obstacle, Traffic, is_bound


class UdpRelay(asyncio.DatagramProtocol):
    """Relays the datagrams of one listener."""

    def __init__(self, listener: Listener, traffic: Traffic) -> None:
        self._listener, self._traffic = listener, traffic
        self._transport: asyncio.DatagramTransport | None = None
        self._flows: dict[Address, Flow] = {}
        self._dials: set[asyncio.Task[None]] = set()

    async def open(self, host: str, port: int) -> Address:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        self._transport = transport
        address: Address = transport.get_extra_info("sockname")[:2]
        return address

    def datagram_received(self, data: bytes, client: Address) -> None:
        flow = self._flows.get(client) or self._begin(client)
        if flow is not None:
            flow.send(data)

    def refresh(self) -> None:
        """End the flows to targets that are bound no more."""
        for flow in list(self._flows.values()):
            if not is_bound(flow.group, flow.target):
                flow.close()

    async def close(self) -> None:
        """Accept nothing more and end all flows."""
        for flow in list(self._flows.values()):
            flow.close()
        for dial in self._dials:
            dial.cancel()
        await asyncio.gather(*self._dials, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()
            await asyncio.sleep(0)  # the socket closes in the loop's next turn

    def _begin(self, client: Address) -> Flow | None:
        group = next(iter(self._listener.groups.values()), None)
        target = group and self._traffic.choose(group, client[0])
        if not group or not target:
            return None
        counts = self._traffic.counts(group.id, target.endpoint)
        flow = Flow(self, client, group, target, counts)
        self._flows[client] = flow
        dial = asyncio.get_running_loop().create_task(flow.dial(self._traffic.obstacle))
        self._dials.add(dial)
        dial.add_done_callback(self._dials.discard)
        return flow

    def reply(self, data: bytes, client: Address) -> None:
        """Send a target's datagram to the client it is for."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, client)

    def ended(self, flow: Flow) -> None:
        """Forget a flow."""
        if self._flows.get(flow.client) is flow:
            del self._flows[flow.client]

    @property
    def idle_s(self) -> float:
        """Seconds of silence after which a flow ends."""
        return self._listener.idle_s


class Flow(asyncio.DatagramProtocol):
    """What one client and one target send each other."""

    def __init__(
        self, relay: UdpRelay, client: Address, group: Group, target: Target, counts: Counts
    ) -> None:
        self.client, self.group, self.target = client, group, target
        self._relay = relay
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: list[bytes] = []  # came before the socket was there
        self._closed = False
        self._counted = ExitStack()
        self._counts = counts
        self._counted.enter_context(counts.under_way())
        self._loop = asyncio.get_running_loop()
        self._idle = self._loop.call_later(relay.idle_s, self.close)

    async def dial(self, obstacle: Obstacle) -> None:
        """Make the socket towards the target."""
        try:
            await obstacle(self.target.endpoint)
            await self._loop.create_datagram_endpoint(
                lambda: self, remote_addr=self.target.endpoint
            )
        except OSError as error:
            self.error_received(error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        if self._closed:
            self._transport.close()
            return
        self._counts.connections += 1
        for data in self._waiting:
            self._transport.sendto(data)

    def send(self, data: bytes) -> None:
        """Send a client's datagram to the target."""
        self._heard()
        if self._transport is None:
            self._waiting.append(data)
        else:
            self._transport.sendto(data)

    def datagram_received(self, data: bytes, _target: Address) -> None:
        self._heard()
        self._relay.reply(data, self.client)

    def error_received(self, _error: OSError) -> None:  # type: ignore[override]
        """The target's machine says that nobody listens (ICMP unreachable)."""
        self._counts.failures += 1
        self.close()

    def close(self) -> None:
        """End the flow; what still comes is dropped."""
        self._closed = True
        self._idle.cancel()
        self._counted.close()
        self._relay.ended(self)
        if self._transport is not None:
            self._transport.close()

    def _heard(self) -> None:
        self._idle.cancel()
        if not self._closed:
            self._idle = self._loop.call_later(self._relay.idle_s, self.close)
