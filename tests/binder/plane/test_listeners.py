"""Sockets that follow the model: listeners that come, go, stop, or find their port taken."""

from __future__ import annotations

import asyncio

import pytest

from binder.simulator.model import Listener, LoadBalancer
from binder.simulator.plane import Plane
from tests.binder.plane.bed import only_listener, run
from tests.binder.plane.tcp_bed import Bed, echoed


def test_listeners_come_and_go_at_run_time() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            _, stream = await bed.greeted()
            first = only_listener(bed.lb)
            second = Listener("lbl-2", "more", "TCP", 81, groups={"loc-2": bed.group})
            bed.lb.listeners["lbl-2"] = second
            await bed.plane.sync(bed.lb)
            _, other = await asyncio.open_connection(*bed.plane.address(second))
            other.close()
            assert await echoed(stream)  # syncing disturbs nobody
            address = bed.plane.address(first)
            del bed.lb.listeners["lbl-1"]
            await bed.plane.sync(bed.lb)
            with pytest.raises(ConnectionResetError):
                await stream[0].read()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(*address)
            with pytest.raises(KeyError):
                bed.plane.address(first)

    run(scenario)


def test_what_is_stopped_or_not_running_has_no_socket() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            listener, address = only_listener(bed.lb), bed.address
            for owner, field in ((listener, "stopped"), (bed.lb, "running")):
                setattr(owner, field, not getattr(owner, field))
                await bed.plane.sync(bed.lb)
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection(*address)
                setattr(owner, field, not getattr(owner, field))
                await bed.plane.sync(bed.lb)
                assert (await bed.greeted())[0] == bed.echoes[0].endpoint.ip
                address = bed.address

    run(scenario)


def test_a_taken_port_is_told_and_the_other_listeners_serve() -> None:
    async def scenario() -> None:
        async with Bed() as bed:
            taken = bed.address
            places = {"lbl-1": taken, "lbl-2": (bed.lb.vip, 0)}
            second = Listener("lbl-2", "more", "TCP", 81, groups={"loc-2": bed.group})
            listeners = {**bed.lb.listeners, "lbl-2": second}
            lb = LoadBalancer("lb-2", "other", bed.lb.vip, listeners=listeners)
            plane = Plane(place=lambda _lb, listener: places[listener.id])
            with pytest.raises(OSError, match="in use"):
                await plane.sync(lb)
            _, writer = await asyncio.open_connection(*plane.address(second))
            writer.close()
            await plane.close()

    run(scenario)
