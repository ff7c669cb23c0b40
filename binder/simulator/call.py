"""A call that was let in, and what an action is: a row of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from binder.simulator.accounts import Key
from binder.simulator.changes import Changes
from binder.simulator.errors import ApiError
from binder.simulator.faults import Effects
from binder.simulator.model import Group, Listener, LoadBalancer
from binder.simulator.parameters import Params, Schema
from binder.simulator.tasks import Write
from binder.simulator.world import World

Reply = dict[str, Any]


@dataclass(eq=False)
class Call:
    """One call, after the gateway has let it in."""

    world: World
    action: Action
    request_id: str
    region: str
    key: Key
    params: Params = field(default_factory=dict)
    effects: Effects = field(default_factory=lambda: Effects([]))

    @property
    def changes(self) -> Changes:
        """Changes in the name of the caller."""
        return Changes(self.world, self.key.account, self.request_id)

    def seen(self) -> Mapping[str, LoadBalancer]:
        """The load balancers of the region, as a read shows them."""
        stale = self.effects.value("stale", "seconds", 1.0)
        rows = self.world.load_balancers
        if stale is not None:
            rows = self.world.snapshots.at(self.world.now() - stale)
        return {name: lb for name, lb in rows.items() if lb.region == self.region}

    def seen_lb(self, name: str) -> LoadBalancer:
        """One of them."""
        lb = self.seen().get(name)
        if lb is None:
            raise ApiError("InvalidParameter.LBIdNotFound", lb=name)
        return lb

    def lb(self) -> LoadBalancer:
        """The load balancer that a write is about, as it is."""
        return self.world.require_lb(self.params["LoadBalancerId"], self.region)

    def listener(self, name: str | None = None) -> Listener:
        """The listener `name` of it, or that of the parameter ListenerId."""
        name = name if name is not None else self.params["ListenerId"]
        listener = self.lb().listeners.get(name)
        if listener is None:
            raise ApiError("InvalidParameter.ListenerIdNotFound", listener=name)
        return listener


Run = Callable[[Call], "Reply | Write"]


@dataclass(frozen=True)
class Action:
    """What can be called: its parameters, its documented errors, and what it does."""

    name: str
    schema: Schema
    run: Run
    errors: frozenset[str]
    writes: bool = False
    synchronous: bool = False  # a write that is done when it is answered
    service: str = "clb"


def group_of(listener: Listener, where: Mapping[str, Any]) -> Group:
    """The targets that LocationId, or Domain and Url, of `where` mean.

    An L4 listener needs neither. MissingParameter where an L7 listener has to choose.
    """
    location, domain, url = (where.get(name) for name in ("LocationId", "Domain", "Url"))
    if not listener.is_l7 and not location:
        return next(iter(listener.groups.values()))
    if location:
        if location not in listener.groups:
            raise ApiError("InvalidParameter.LocationNotFound", location=location)
        return listener.groups[location]
    if domain is None or url is None:
        raise ApiError("MissingParameter", name="LocationId")
    for group in listener.groups.values():
        if (group.domain, group.url) == (domain, url):
            return group
    raise ApiError("InvalidParameter.LocationNotFound", location=f"{domain}{url}")
