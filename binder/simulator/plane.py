"""The data plane: for each listener a real socket on the load balancer's loopback address."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import NamedTuple

from binder.simulator.model import Endpoint, Group, Listener, LoadBalancer
from binder.simulator.relay_http import HttpRelay
from binder.simulator.relay_tcp import TcpRelay
from binder.simulator.relay_udp import UdpRelay
from binder.simulator.traffic import Address, Counts, Obstacle, Relay, Traffic, clear_way

Place = Callable[[LoadBalancer, Listener], Address]

_PROTOCOLS = frozenset({"TCP", "TCP_SSL", "UDP", "HTTP", "HTTPS"})


def on_the_vip(lb: LoadBalancer, listener: Listener) -> Address:
    """Listen where the API says; ports below 1024 may need rights."""
    return lb.vip, listener.port


class _Place(NamedTuple):
    """What should be open.  Listeners compare by identity: one created anew opens anew."""

    listener: Listener
    address: Address


class _Front(NamedTuple):
    """What is open, and the address it got."""

    place: _Place
    relay: Relay
    address: Address


class Plane:
    """Relays the traffic of all load balancers it was told of.

    `obstacle` is awaited before each connection to a target: faults of the way there.
    `place` says where to listen, if not at vip:port; port 0 takes any free one.
    `tls` is the server side of HTTPS and TCP_SSL listeners; without it they speak in clear.
    Listeners of other protocols (QUIC) get no socket.
    """

    def __init__(
        self,
        obstacle: Obstacle = clear_way,
        place: Place = on_the_vip,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._traffic = Traffic(obstacle)
        self._place, self._tls = place, tls
        self._fronts: dict[str, dict[str, _Front]] = {}
        self._lock = asyncio.Lock()  # one change of sockets at a time

    async def sync(self, lb: LoadBalancer) -> None:
        """Make sockets and connections match `lb`; call it after each change, as often as you like.

        Raises OSError when a listener cannot be opened, after all others were.
        """
        async with self._lock:
            fronts = self._fronts.setdefault(lb.id, {})
            wanted = self._wanted(lb)
            for key in [key for key, front in fronts.items() if wanted.get(key) != front.place]:
                await fronts.pop(key).relay.close()
            for front in fronts.values():
                front.relay.refresh()
            await self._open(fronts, wanted)

    async def remove(self, lb_id: str) -> None:
        """Close all sockets of a load balancer; unknown ones are fine."""
        async with self._lock:
            for front in self._fronts.pop(lb_id, {}).values():
                await front.relay.close()

    async def close(self) -> None:
        """Close everything."""
        for lb_id in list(self._fronts):
            await self.remove(lb_id)

    def address(self, listener: Listener) -> Address:
        """Where a listener listens.  Raises KeyError if it does not."""
        for fronts in self._fronts.values():
            if listener.id in fronts:
                return fronts[listener.id].address
        raise KeyError(listener.id)

    def counts(self, group: Group, endpoint: Endpoint) -> Counts:
        """What a target of a group got so far; keeps counting after the target is gone."""
        return self._traffic.counts(group.id, endpoint)

    def refused(self, group: Group) -> int:
        """How many connections or requests found no target that may serve."""
        return self._traffic.refused[group.id]

    def _wanted(self, lb: LoadBalancer) -> dict[str, _Place]:
        return {
            listener.id: _Place(listener, self._place(lb, listener))
            for listener in lb.listeners.values()
            if lb.running and not listener.stopped and listener.protocol in _PROTOCOLS
        }

    async def _open(self, fronts: dict[str, _Front], wanted: dict[str, _Place]) -> None:
        failures = []
        for key, place in wanted.items():
            if key in fronts:
                continue
            relay = self._relay(place.listener)
            try:
                address = await relay.open(*place.address)
            except OSError as error:
                await relay.close()
                failures.append(error)
            else:
                fronts[key] = _Front(place, relay, address)
        if failures:
            raise failures[0]

    def _relay(self, listener: Listener) -> Relay:
        if listener.protocol == "UDP":
            return UdpRelay(listener, self._traffic)
        tls = self._tls if listener.protocol in ("HTTPS", "TCP_SSL") else None
        kind = HttpRelay if listener.is_l7 else TcpRelay
        return kind(listener, self._traffic, tls)
