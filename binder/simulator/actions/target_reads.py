"""What is bound, and how it is: DescribeTargets, DescribeTargetHealth, DescribeLBListeners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from binder.simulator import shapes
from binder.simulator.actions.fields import FILTERS, LB, PORT
from binder.simulator.call import Call, Reply
from binder.simulator.errors import ApiError
from binder.simulator.model import Group, Health, Listener, LoadBalancer, Target
from binder.simulator.parameters import many, record, text

TARGETS = {
    **LB,
    "ListenerIds": many(text(), most=20),
    "Protocol": text(),
    "Port": PORT,
    "Filters": FILTERS,
}
HEALTH = {
    "LoadBalancerIds": many(text(), required=True, most=30),
    "ListenerIds": many(text()),
    "LocationIds": many(text()),
}
BACKENDS = {
    "Backends": many(
        record({"VpcId": text(required=True), "PrivateIp": text(required=True)}), required=True
    )
}
FILTER_NAMES = ("location-id", "private-ip-address", "tag")


def targets(call: Call) -> Reply:
    """DescribeTargets: everything that the load balancer has, unless narrowed."""
    wanted: dict[str, set[str]] = {}
    for row in call.params.get("Filters", ()):
        if row["Name"] not in FILTER_NAMES:
            raise ApiError("InvalidParameter.InvalidFilter", name=row["Name"])
        wanted[row["Name"]] = set(row["Values"])
    lb = call.seen_lb(call.params["LoadBalancerId"])
    return {"Listeners": [_backends(call, row, wanted) for row in chosen(lb, call.params)]}


def chosen(lb: LoadBalancer, params: Mapping[str, Any]) -> list[Listener]:
    """The listeners of `lb` that ListenerIds, Protocol and Port leave."""
    names = params.get("ListenerIds")
    for name in names or ():
        if name not in lb.listeners:
            raise ApiError("InvalidParameter.ListenerIdNotFound", listener=name)
    return [
        listener
        for listener in lb.listeners.values()
        if (not names or listener.id in names)
        and params.get("Protocol", listener.protocol) == listener.protocol
        and params.get("Port", listener.port) == listener.port
    ]


def _backends(call: Call, listener: Listener, wanted: Mapping[str, set[str]]) -> Reply:
    """L4: Rules is null; L7: Targets is."""

    def shown(group: Group) -> list[Any]:
        rows = group.targets.values()
        return [shapes.backend(row, call.world.switches) for row in rows if _fits(row, wanted)]

    locations = wanted.get("location-id")
    groups = [row for row in listener.groups.values() if not locations or row.id in locations]
    rules = [
        {
            "LocationId": row.id,
            "Domain": row.domain,
            "Url": row.url,
            "Targets": shown(row),
            "FunctionTargets": [],
        }
        for row in groups
    ]
    return {
        "ListenerId": listener.id,
        "Protocol": listener.protocol,
        "Port": listener.port,
        "EndPort": listener.end_port,
        "Rules": rules if listener.is_l7 else None,
        "Targets": None if listener.is_l7 else [t for row in groups for t in shown(row)],
    }


def _fits(target: Target, wanted: Mapping[str, set[str]]) -> bool:
    return target.endpoint.ip in wanted.get(
        "private-ip-address", {target.endpoint.ip}
    ) and target.tag in wanted.get("tag", {target.tag})


def health(call: Call) -> Reply:
    """DescribeTargetHealth: an L4 listener has one rule without Domain and Url."""
    most = call.effects.value("truncate-health", "count", 1)
    return {
        "LoadBalancers": [
            {
                "LoadBalancerId": lb.id,
                "LoadBalancerName": lb.name,
                "Listeners": [_health(call, row) for row in _listeners(call, lb)[:most]],
            }
            for lb in map(call.seen_lb, call.params["LoadBalancerIds"])
        ]
    }


def _listeners(call: Call, lb: LoadBalancer) -> list[Listener]:
    names = call.params.get("ListenerIds")
    return [row for row in lb.listeners.values() if not names or row.id in names]


def _health(call: Call, listener: Listener) -> Reply:
    locations = call.params.get("LocationIds")
    return {
        "ListenerId": listener.id,
        "ListenerName": listener.name,
        "Protocol": listener.protocol,
        "Port": listener.port,
        "Rules": [
            {
                "LocationId": group.id,
                "Domain": group.domain if listener.is_l7 else None,
                "Url": group.url if listener.is_l7 else None,
                "RuleId": "",
                "Targets": _target_health(call, group),
            }
            for group in listener.groups.values()
            if not locations or group.id in locations
        ],
    }


def _target_health(call: Call, group: Group) -> list[Any]:
    world = call.world
    fresh_s = call.effects.value("hide-from-health", "seconds", 5)
    rows = [
        shapes.target_health(target, _said(call, target), world.switches)
        for target in group.targets.values()
        if fresh_s is None or world.now() - target.registered_at >= fresh_s
    ]
    return rows[: world.switches.health_reply_most_targets or None]


def _said(call: Call, target: Target) -> Health:
    """What the reply says of a target, which a fault may turn into a lie."""
    lie = call.effects.get("say-health")
    if lie and lie.parameters.get("ip", target.endpoint.ip) == target.endpoint.ip:
        return Health(lie.parameters["health"])
    return target.health


def listeners_of_backends(call: Call) -> Reply:
    """DescribeLBListeners: which listeners hold an address."""
    wanted = {(row["VpcId"], row["PrivateIp"]) for row in call.params["Backends"]}
    found = []
    for lb in call.seen().values():
        rows = [_holding(lb, listener, wanted) for listener in lb.listeners.values()]
        if any(rows):
            found.append(
                {
                    "LoadBalancerId": lb.id,
                    "Vip": lb.vip,
                    "Listeners": [row for row in rows if row],
                    "Region": lb.region,
                }
            )
    return {"LoadBalancers": found}


def _holding(lb: LoadBalancer, listener: Listener, wanted: set[tuple[str, str]]) -> Reply | None:
    rules = []
    for group in listener.groups.values():
        targets = [
            _held(row) for row in group.targets.values() if (lb.vpc_id, row.endpoint.ip) in wanted
        ]
        if targets:
            rule = {"LocationId": group.id, "Domain": group.domain, "Url": group.url}
            rules.append({**rule, "Targets": targets})
    if not rules:
        return None
    return {
        "ListenerId": listener.id,
        "Protocol": listener.protocol,
        "Port": listener.port,
        "EndPort": listener.end_port,
        "Rules": rules if listener.is_l7 else None,
        "Targets": None if listener.is_l7 else rules[0]["Targets"],
    }


def _held(target: Target) -> Reply:
    return {
        "Type": "cvm" if target.instance else "eni",
        "PrivateIp": target.endpoint.ip,
        "Port": target.endpoint.port,
        "VpcId": 1,
        "Weight": target.weight,
    }
