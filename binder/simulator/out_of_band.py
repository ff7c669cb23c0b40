"""What somebody else does, or the world: the faults that change things instead of replies."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from binder.simulator.changes import Changes
from binder.simulator.faults import Fault
from binder.simulator.model import Endpoint, Group, Health, Listener, LoadBalancer, Target
from binder.simulator.world import World

BY = "somebody-else"
Does = Callable[[World, LoadBalancer, Mapping[str, Any]], None]


def happen(world: World, fault: Fault, lbs: tuple[str, ...] = ()) -> None:
    """Let `fault` happen to `lbs`, or to those that it names itself."""
    if fault.effect == "set-quota":
        world.quotas[fault.parameters["name"]] = fault.parameters["limit"]
        return
    if fault.effect == "refuse":
        world.refuse(fault.parameters.get("seconds", 5))
        return
    names = lbs or tuple(name for name in world.load_balancers if fault.matches("", (name,), ""))
    for name in names:
        lb = world.load_balancers.get(name)
        if lb:
            DOES[fault.effect](world, lb, fault.parameters)
            world.touch(name)


def _hold(world: World, lb: LoadBalancer, wanted: Mapping[str, Any]) -> None:
    holder = world.new_request_id()
    world.tasks.held[lb.id] = holder

    async def let_go() -> None:
        await world.clock.sleep(wanted.get("seconds", 5))
        world.tasks.release(holder)

    world.spawn(let_go())


def _delete_lb(world: World, lb: LoadBalancer, _wanted: Mapping[str, Any]) -> None:
    _changes(world).delete_lb(lb.id)


def _delete_listener(world: World, lb: LoadBalancer, wanted: Mapping[str, Any]) -> None:
    for listener in _listeners(lb, wanted):
        _changes(world).delete_listener(lb.id, listener.id)


def _recreate_listener(world: World, lb: LoadBalancer, wanted: Mapping[str, Any]) -> None:
    for listener in _listeners(lb, wanted):
        _changes(world).delete_listener(lb.id, listener.id)
        groups = (
            dataclasses.replace(group, id=world.new_id("loc"), targets={})
            for group in listener.groups.values()
        )
        again = dataclasses.replace(
            listener, id=world.new_id("lbl"), groups={group.id: group for group in groups}
        )
        _changes(world).create_listener(lb.id, again)


def _delete_rule(world: World, lb: LoadBalancer, wanted: Mapping[str, Any]) -> None:
    for listener, group in list(lb.groups()):
        if group.id == wanted["id"]:
            _changes(world).delete_rule(lb.id, listener.id, group.id)


def _add_target(world: World, lb: LoadBalancer, wanted: Mapping[str, Any]) -> None:
    endpoint = Endpoint(wanted["ip"], wanted["port"])
    for listener in _listeners(lb, wanted):
        for group in listener.groups.values():
            target = Target(endpoint, wanted.get("weight", 10), wanted.get("tag", ""))
            _changes(world).bind(lb.id, listener.id, group.id, target)


def _weight(world: World, lb: LoadBalancer, wanted: Mapping[str, Any]) -> None:
    for listener, group, target in _targets(lb, wanted):
        where = (lb.id, listener.id, group.id, target.endpoint)
        _changes(world).weigh(*where, wanted["weight"])


def _remove_target(world: World, lb: LoadBalancer, wanted: Mapping[str, Any]) -> None:
    for listener, group, target in _targets(lb, wanted):
        _changes(world).unbind(lb.id, listener.id, group.id, target.endpoint)


def _security_groups(world: World, lb: LoadBalancer, wanted: Mapping[str, Any]) -> None:
    lb.security_groups = list(wanted["groups"])
    _changes(world).note("security-groups", lb)


def _set_health(world: World, lb: LoadBalancer, wanted: Mapping[str, Any]) -> None:
    for listener, group, target in _targets(lb, wanted):
        target.health = Health(wanted["health"])
        world.note_health(lb, listener, group, target)


DOES: Mapping[str, Does] = {
    "hold": _hold,
    "delete-listener": _delete_listener,
    "recreate-listener": _recreate_listener,
    "delete-rule": _delete_rule,
    "delete-lb": _delete_lb,
    "add-target": _add_target,
    "weight": _weight,
    "remove-target": _remove_target,
    "security-groups": _security_groups,
    "set-health": _set_health,
}


def _changes(world: World) -> Changes:
    return Changes(world, BY)


def _listeners(lb: LoadBalancer, wanted: Mapping[str, Any]) -> list[Listener]:
    return [row for row in lb.listeners.values() if wanted.get("id", row.id) == row.id]


def _targets(
    lb: LoadBalancer, wanted: Mapping[str, Any]
) -> Iterator[tuple[Listener, Group, Target]]:
    for listener, group in list(lb.groups()):
        for target in list(group.targets.values()):
            if wanted.get("ip", target.endpoint.ip) == target.endpoint.ip:
                yield listener, group, target
