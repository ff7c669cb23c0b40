"""The admin port: state, seeds, faults, the journal, invariants, the clock and the switches.

JSON in, JSON out, no signature; never the port of the API.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from binder.simulator import invariants, seed
from binder.simulator.clock import RealClock, VirtualClock
from binder.simulator.faults import OUT_OF_BAND, Fault
from binder.simulator.out_of_band import happen
from binder.simulator.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Admin:
    """Hands of whoever runs the simulator."""

    def __init__(self, world: World) -> None:
        self._world = world

    def application(self) -> web.Application:
        """The paths of /_sim/."""
        app = web.Application(middlewares=[_said])
        app.add_routes(
            [
                web.get("/_sim/state", self.state),
                web.post("/_sim/seed", self.seed),
                web.get("/_sim/faults", self.faults),
                web.post("/_sim/faults", self.set_fault),
                web.delete("/_sim/faults", self.remove_faults),
                web.delete("/_sim/faults/{id}", self.remove_faults),
                web.get("/_sim/journal", self.journal),
                web.post("/_sim/invariants", self.invariants),
                web.get("/_sim/clock", self.clock),
                web.post("/_sim/clock", self.move_clock),
                web.post("/_sim/reset", self.reset),
                web.get("/_sim/switches", self.switches),
                web.post("/_sim/switches", self.set_switches),
            ]
        )
        return app

    async def state(self, _request: web.Request) -> web.Response:
        """Everything there is."""
        return web.json_response(seed.state(self._world))

    async def seed(self, request: web.Request) -> web.Response:
        """Add load balancers, keys, instances, quotas: see ``seed.sow``."""
        seed.sow(self._world, await _given(request))
        return web.json_response(seed.state(self._world))

    async def faults(self, _request: web.Request) -> web.Response:
        """The faults that are set, and how often each took effect."""
        return web.json_response(self._world.faults.listed())

    async def set_fault(self, request: web.Request) -> web.Response:
        """Set a fault, or let it happen at once: what is out of band and names no action."""
        given = await _given(request)
        fault = _fault(given)
        if fault.effect in OUT_OF_BAND and "action" not in given:
            happen(self._world, fault)
            return web.json_response({"happened": fault.effect})
        if fault.effect == "stale":
            self._world.snapshots.begin(self._world.load_balancers.values())
        return web.json_response({"id": self._world.faults.add(fault, self._world.now()).id})

    async def remove_faults(self, request: web.Request) -> web.Response:
        """Take back one, or all."""
        number = request.match_info.get("id")
        self._world.faults.remove(int(number) if number else None)
        return web.json_response(self._world.faults.listed())

    async def journal(self, request: web.Request) -> web.Response:
        """Entries after `?since=`, of `?kind=`, as JSON lines."""
        since, kind = int(request.query.get("since", 0)), request.query.get("kind")
        rows = self._world.journal.since(since, kind)
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        return web.Response(text=lines, content_type="application/x-ndjson")

    async def invariants(self, request: web.Request) -> web.Response:
        """Check the journal; the body says what only its sender knows, see ``Facts``."""
        facts = invariants.facts(await _given(request))
        found = invariants.check(list(self._world.journal), facts)
        return web.json_response([row._asdict() for row in found])

    async def clock(self, _request: web.Request) -> web.Response:
        """What time it is."""
        return web.json_response({"now": self._world.now()})

    async def move_clock(self, request: web.Request) -> web.Response:
        """``{"advance": 15}`` moves a virtual clock, ``{"skew": 301}`` puts a real one wrong."""
        given, clock = await _given(request), self._world.clock
        if "advance" in given and isinstance(clock, VirtualClock):
            await clock.advance(float(given["advance"]))
        elif "skew" in given and isinstance(clock, RealClock):
            clock.skew = float(given["skew"])
        else:
            raise ValueError(f"a {type(clock).__name__} cannot do {json.dumps(given)}")
        return await self.clock(request)

    async def reset(self, _request: web.Request) -> web.Response:
        """Load balancers, tasks, faults and the journal are gone; keys and switches stay."""
        self._world.reset()
        return web.json_response(seed.state(self._world))

    async def switches(self, _request: web.Request) -> web.Response:
        """All switches, with the questions that they answer."""
        return web.json_response(self._world.switches.described())

    async def set_switches(self, request: web.Request) -> web.Response:
        """``{"name": value}`` sets it."""
        for name, value in (await _given(request)).items():
            self._world.switches.set(name, value)
        return web.json_response(self._world.switches.described())


def _fault(given: dict[str, Any]) -> Fault:
    try:
        return Fault(**given)
    except TypeError as error:
        raise ValueError(str(error)) from None


async def _given(request: web.Request) -> dict[str, Any]:
    given = await request.json() if request.can_read_body else {}
    if not isinstance(given, dict):
        raise ValueError("an object is expected")  # noqa: TRY004  a 400 like the others
    return given


@web.middleware
async def _said(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What is wrong with a request is told in words, with status 400."""
    try:
        return await handler(request)
    except (ValueError, KeyError) as error:
        return web.json_response({"error": str(error)}, status=400)
