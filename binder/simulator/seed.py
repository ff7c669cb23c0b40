"""Load balancers from a file or from the admin port, and the state as the admin port shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from binder.simulator.accounts import Grant, Key
from binder.simulator.changes import Changes
from binder.simulator.model import Endpoint, Group, HealthCheck, Listener, LoadBalancer, Target
from binder.simulator.world import World

BY = "seed"


def sow(world: World, seed: Mapping[str, Any]) -> None:
    """Add what `seed` describes; ValueError says what is wrong with it.

    ``load_balancers: [{id, name, kind, vpc_id, tags, listeners: [{id, protocol, port, targets,
    rules: [{id, domain, url, targets}]}]}]``, ``keys: [{secret_id, secret_key, account, token,
    expires_at, grants}]``, ``instances: {ins-1: 10.0.0.1}``, ``quotas: {NAME: limit}``.
    """
    unknown = seed.keys() - {"load_balancers", "keys", "instances", "quotas"}
    if unknown:
        raise ValueError(f"a seed has no {', '.join(sorted(unknown))}")
    world.instances.update(seed.get("instances", {}))
    world.quotas.update(seed.get("quotas", {}))
    for row in seed.get("keys", ()):
        world.accounts.add(_key(row))
    for row in seed.get("load_balancers", ()):
        world.touch(_load_balancer(world, row))


def _key(row: Mapping[str, Any]) -> Key:
    values = dict(row)
    if "grants" in values:
        values["grants"] = tuple(Grant(*grant) for grant in values["grants"])
    key: Key = _made(Key, values)
    return key


def _load_balancer(world: World, row: Mapping[str, Any]) -> str:
    values = dict(row)
    listeners = values.pop("listeners", ())
    name: str = values.setdefault("id", world.new_id("lb"))
    values.setdefault("name", name)
    values.setdefault("vip", world.new_vip())
    lb: LoadBalancer = _made(
        LoadBalancer, {"region": world.region, "created_at": world.now(), **values}
    )
    if name in world.load_balancers:
        raise ValueError(f"{name} is there already")
    changes = Changes(world, BY)
    changes.create_lb(lb)
    for listener in listeners:
        _listener(world, changes, lb, listener)
    return name


def _listener(world: World, changes: Changes, lb: LoadBalancer, row: Mapping[str, Any]) -> None:
    values = dict(row)
    targets, rules = values.pop("targets", ()), values.pop("rules", ())
    check = values.pop("health_check", {})
    name = values.setdefault("id", world.new_id("lbl"))
    values.setdefault("name", f"listener-{values.get('port')}")
    listener: Listener = _made(Listener, {"created_at": world.now(), **values})
    if listener.is_l7:
        changes.create_listener(lb.id, listener)
        for rule in rules:
            changes.create_rule(lb.id, name, _group(world, rule, "HTTP"))
    else:
        rules = [{"health_check": check, "targets": targets}]
        group = _group(world, rules[0], "PING" if listener.protocol == "UDP" else "TCP")
        listener.groups[group.id] = group
        changes.create_listener(lb.id, listener)
    for group, rule in zip(listener.groups.values(), rules):
        for target in rule.get("targets", ()):
            changes.bind(lb.id, name, group.id, _target(target))


def _group(world: World, row: Mapping[str, Any], kind: str) -> Group:
    values = {name: value for name, value in row.items() if name != "targets"}
    given = values.pop("health_check", {})
    check = _made(HealthCheck, {"kind": kind, "domain": values.get("domain", ""), **given})
    values.setdefault("id", world.new_id("loc"))
    group: Group = _made(Group, {**values, "health_check": check})
    return group


def _target(row: Mapping[str, Any]) -> Target:
    values = dict(row)
    place: dict[str, Any] = {name: values.pop(name) for name in ("ip", "port") if name in values}
    endpoint = _made(Endpoint, place)
    target: Target = _made(Target, {"endpoint": endpoint, **values})
    return target


def _made(kind: type[Any], values: Mapping[str, Any]) -> Any:
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}") from None


def state(world: World) -> dict[str, Any]:
    """Everything there is, for people and tests."""
    return {
        "now": world.now(),
        "region": world.region,
        "held": dict(world.tasks.held),
        "tasks": {name: int(task.status) for name, task in world.tasks.known.items()},
        "load_balancers": [_shown(lb) for lb in world.load_balancers.values()],
    }


def _shown(lb: LoadBalancer) -> dict[str, Any]:
    values = {name: value for name, value in vars(lb).items() if name != "listeners"}
    return {**values, "listeners": [_shown_listener(row) for row in lb.listeners.values()]}


def _shown_listener(listener: Listener) -> dict[str, Any]:
    values = {name: value for name, value in vars(listener).items() if name != "groups"}
    return {**values, "groups": [_shown_group(row) for row in listener.groups.values()]}


def _shown_group(group: Group) -> dict[str, Any]:
    targets = [
        {**vars(row), "endpoint": None, "ip": row.endpoint.ip, "port": row.endpoint.port}
        for row in group.targets.values()
    ]
    for row in targets:
        del row["endpoint"]
    return {**vars(group), "health_check": vars(group.health_check), "targets": targets}
