"""Changes to load balancers: each is one step, and one entry of the journal.

Who wants several to show at once does them between two awaits, and calls ``World.touch`` once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from binder.simulator.errors import ApiError
from binder.simulator.model import (
    Endpoint,
    Group,
    Health,
    HealthCheck,
    Listener,
    LoadBalancer,
    Target,
)
from binder.simulator.world import World


@dataclass(frozen=True)
class Changes:
    """The changes that `by` makes with the call `request_id`."""

    world: World
    by: str
    request_id: str = ""

    def create_lb(self, lb: LoadBalancer) -> None:
        """`lb` is there."""
        self.world.load_balancers[lb.id] = lb
        self._write("lb-created", lb)

    def delete_lb(self, name: str) -> None:
        """`name` is gone, with its listeners."""
        lb = self._lb(name)
        for listener in list(lb.listeners):
            self.delete_listener(name, listener)
        del self.world.load_balancers[name]
        self.world.deletions.append(self.world.now())
        self._write("lb-deleted", lb)

    def create_listener(self, lb: str, listener: Listener) -> None:
        """`lb` has `listener`."""
        self._lb(lb).listeners[listener.id] = listener
        self._write("listener-created", self._lb(lb), listener)

    def delete_listener(self, lb: str, name: str) -> None:
        """`lb` has no listener `name`."""
        listener = self._listener(lb, name)
        for group in list(listener.groups.values()):
            self._drop_group(lb, listener, group)
        del self._lb(lb).listeners[name]
        self._write("listener-deleted", self._lb(lb), listener)

    def create_rule(self, lb: str, listener: str, group: Group) -> None:
        """`listener` has the rule `group`; the first of a listener is its default."""
        row = self._listener(lb, listener)
        if group.default_server or not row.groups:
            make_default(row, group.domain)
            group.default_server = True
        row.groups[group.id] = group
        self._write("rule-created", self._lb(lb), row, group)

    def delete_rule(self, lb: str, listener: str, rule: str) -> None:
        """`listener` has no `rule`."""
        row = self._listener(lb, listener)
        group = row.groups.get(rule)
        if group is None:
            raise ApiError("InvalidParameter.LocationNotFound", location=rule)
        self._drop_group(lb, row, group)
        del row.groups[rule]
        self._write("rule-deleted", self._lb(lb), row, group)

    def bind(self, lb: str, listener: str, rule: str, target: Target) -> None:
        """`target` is bound; one that is there already stays, its weight is a switch."""
        row, group = self._group(lb, listener, rule)
        old = group.targets.get(target.endpoint)
        if old:
            if self.world.switches.reregister_updates_weight:
                self.weigh(lb, listener, rule, target.endpoint, target.weight)
            return
        target.registered_at = self.world.now()
        target.health = Health.UNKNOWN if group.health_check.enabled else Health.CLOSE
        group.targets[target.endpoint] = target
        self._write("bound", self._lb(lb), row, group, target)

    def unbind(self, lb: str, listener: str, rule: str, endpoint: Endpoint) -> None:
        """`endpoint` is not bound; it may have gone before."""
        row, group = self._group(lb, listener, rule)
        target = group.targets.pop(endpoint, None)
        if target:
            self._write("unbound", self._lb(lb), row, group, target)

    def weigh(self, lb: str, listener: str, rule: str, endpoint: Endpoint, weight: int) -> None:
        """`endpoint` has `weight`."""
        row, group = self._group(lb, listener, rule)
        target = group.targets.get(endpoint)
        if target is None:
            raise ApiError("InvalidParameter", f"target {endpoint.ip}:{endpoint.port} not bound")
        before, target.weight = target.weight, weight
        self._write("weight", self._lb(lb), row, group, target, before=before)

    def tag(self, lb: str, listener: str, rule: str, endpoint: Endpoint, tag: str) -> None:
        """`endpoint` has `tag`."""
        row, group = self._group(lb, listener, rule)
        target = group.targets.get(endpoint)
        if target is None:
            raise ApiError("InvalidParameter", f"target {endpoint.ip}:{endpoint.port} not bound")
        before, target.tag = target.tag, tag
        self._write("tag", self._lb(lb), row, group, target, before=before)

    def note(
        self,
        what: str,
        lb: LoadBalancer,
        listener: Listener | None = None,
        group: Group | None = None,
    ) -> None:
        """`lb`, or that part of it, has another attribute."""
        self._write(what, lb, listener, group)

    def _lb(self, name: str) -> LoadBalancer:
        return self.world.require_lb(name)

    def _listener(self, lb: str, name: str) -> Listener:
        listener = self._lb(lb).listeners.get(name)
        if listener is None:
            raise ApiError("InvalidParameter.ListenerIdNotFound", listener=name)
        return listener

    def _group(self, lb: str, listener: str, rule: str) -> tuple[Listener, Group]:
        row = self._listener(lb, listener)
        group = row.groups.get(rule)
        if group is None:
            raise ApiError("InvalidParameter.LocationNotFound", location=rule)
        return row, group

    def _drop_group(self, lb: str, listener: Listener, group: Group) -> None:
        for endpoint in list(group.targets):
            self.unbind(lb, listener.id, group.id, endpoint)

    def _write(
        self,
        what: str,
        lb: LoadBalancer,
        listener: Listener | None = None,
        group: Group | None = None,
        target: Target | None = None,
        **more: Any,
    ) -> None:
        values = {"what": what, "by": self.by, "request_id": self.request_id, "lb": lb.id}
        if listener:
            values["listener"] = listener.id
            values["location"] = group.id if group and listener.is_l7 else ""
        if target:
            more |= {
                "ip": target.endpoint.ip,
                "port": target.endpoint.port,
                "weight": target.weight,
                "tag": target.tag,
                "health": target.health.value,
            }
        self.world.journal.add("change", self.world.now(), **values, **more)


def recheck(group: Group, check: HealthCheck) -> None:
    """Give `group` another health check; what was known of its targets counts no more."""
    if check.enabled != group.health_check.enabled:
        for target in group.targets.values():
            target.health = Health.UNKNOWN if check.enabled else Health.CLOSE
    group.health_check = check


def make_default(listener: Listener, domain: str) -> None:
    """Let the rules of `domain` answer for hosts that no rule is for."""
    for group in listener.groups.values():
        group.default_server = group.domain == domain
