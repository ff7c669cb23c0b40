"""Listeners: one port of a load balancer each."""

from __future__ import annotations

from functools import partial
from typing import Any

from binder.simulator import shapes
from binder.simulator.actions.fields import (
    CERTIFICATE,
    FLAG,
    HEALTH_CHECK,
    IGNORED,
    LB,
    LISTENER,
    NAME,
    PORT,
    SWITCH,
    health_check,
    session,
)
from binder.simulator.actions.target_reads import chosen
from binder.simulator.call import Call, Reply
from binder.simulator.changes import recheck
from binder.simulator.errors import ApiError
from binder.simulator.model import Group, HealthCheck, Listener, LoadBalancer
from binder.simulator.parameters import integer, many, text
from binder.simulator.switches import OK
from binder.simulator.tasks import Step, Write

PROTOCOLS = ("TCP", "UDP", "TCP_SSL", "QUIC", "HTTP", "HTTPS")
_DATAGRAMS = ("UDP", "QUIC")
_SECURE = ("HTTPS", "TCP_SSL", "QUIC")
_RESCHEDULE = {
    "RescheduleTargetZeroWeight": SWITCH,
    "RescheduleUnhealthy": SWITCH,
    "RescheduleExpandTarget": SWITCH,
    "RescheduleStartTime": integer(low=0, high=3600),
    "RescheduleInterval": integer(low=0, high=3600),
}
_SHARED = {
    "HealthCheck": HEALTH_CHECK,
    "Certificate": CERTIFICATE,
    "MultiCertInfo": IGNORED,
    "SessionExpireTime": integer(low=0),
    "Scheduler": text(choices=("WRR", "LEAST_CONN", "IP_HASH")),
    "SniSwitch": FLAG,
    "TargetType": text(choices=("NODE", "TARGETGROUP", "TARGETGROUP-V2")),
    "SessionType": text(choices=("NORMAL", "QUIC_CID")),
    "KeepaliveEnable": FLAG,
    "DeregisterTargetRst": SWITCH,
    "MaxConn": integer(low=-1),
    "MaxCps": integer(low=-1),
    "IdleConnectTimeout": integer(low=10, high=1980),
    "ProxyProtocol": SWITCH,
    "SnatEnable": SWITCH,
    "DataCompressMode": text(choices=("transparent", "compatibility")),
    **_RESCHEDULE,
}
CREATE = {
    **LB,
    "Ports": many(PORT, required=True, most=49),
    "Protocol": text(required=True, choices=PROTOCOLS),
    "ListenerNames": many(NAME),
    "EndPort": integer(low=2, high=65535),
    "FullEndPorts": IGNORED,
    "H2cSwitch": SWITCH,
    "SslCloseSwitch": SWITCH,
    **_SHARED,
}
MODIFY = {**LISTENER, "ListenerName": NAME, **_SHARED}
DESCRIBE = {
    **LB,
    "ListenerIds": many(text(), most=100),
    "Protocol": text(),
    "Port": PORT,
}
DELETE_MANY = {**LB, "ListenerIds": many(text(), most=20)}

# Taken, given back by DescribeListeners, and without effect here.
ECHOED = (
    *("Certificate", "SniSwitch", "SessionType", "KeepaliveEnable", "MaxConn", "MaxCps"),
    *("RescheduleInterval", "RescheduleStartTime", "DataCompressMode"),
)


def create(call: Call) -> Write:
    """CreateListener: one for each of Ports, in their order."""
    lb, params = call.lb(), call.params
    ports, names = params["Ports"], params.get("ListenerNames")
    _check_create(call, lb)
    if names and len(names) != len(ports):
        raise ApiError("InvalidParameterValue.Length", name="ListenerNames", bound=len(ports) + 1)
    rows = [
        _listener(call, port, names[at] if names else f"listener-{port}")
        for at, port in enumerate(ports)
    ]
    steps = [partial(call.changes.create_listener, lb.id, row) for row in rows]
    return Write(steps, (lb.id,), {"ListenerIds": [row.id for row in rows]})


def _check_create(call: Call, lb: LoadBalancer) -> None:
    params = call.params
    l7 = params["Protocol"] in ("HTTP", "HTTPS")
    if l7 and "HealthCheck" in params:
        raise ApiError("InvalidParameter", "HealthCheck of HTTP and HTTPS belongs to the rules")
    certified = params.keys() & {"Certificate", "MultiCertInfo"} or params.get("SniSwitch")
    if params["Protocol"] in _SECURE and not certified:
        raise ApiError("InvalidParameter", "Certificate is needed for this protocol")
    if "EndPort" in params and len(params["Ports"]) > 1:
        raise ApiError("InvalidParameter", "a port range has exactly one of Ports")
    limit = call.world.quota("TOTAL_LISTENER_QUOTA")
    if len(lb.listeners) + len(params["Ports"]) > limit:
        raise ApiError("LimitExceeded", name="TOTAL_LISTENER_QUOTA", limit=limit)
    _check_ports(lb, params["Protocol"] in _DATAGRAMS, params["Ports"])


def _check_ports(lb: LoadBalancer, datagrams: bool, ports: list[int]) -> None:
    """TCP and what is built on it share one space of ports, UDP and QUIC the other."""
    taken = {row.port for row in lb.listeners.values() if (row.protocol in _DATAGRAMS) is datagrams}
    for port in ports:
        if port in taken:
            raise ApiError("InvalidParameter.PortCheckFailed", port=port, lb=lb.id)
        taken.add(port)


def _listener(call: Call, port: int, name: str) -> Listener:
    params = call.params
    protocol = params["Protocol"]
    listener = Listener(
        call.world.new_id("lbl"),
        name,
        protocol,
        port,
        reset_on_deregister=params.get("DeregisterTargetRst", False),
        idle_s=params.get("IdleConnectTimeout", 300 if protocol in _DATAGRAMS else 900),
        end_port=params.get("EndPort", 0),
        created_at=call.world.now(),
        echoed={name: params[name] for name in ECHOED if name in params},
    )
    if not listener.is_l7:
        group = _group(call, "PING" if protocol == "UDP" else "TCP")
        listener.groups[group.id] = group
    return listener


def _group(call: Call, kind: str) -> Group:
    """The pseudo-rule that an L4 listener's targets are in."""
    params = call.params
    return Group(
        call.world.new_id("loc"),
        health_check(params.get("HealthCheck"), HealthCheck(kind=kind)),
        params.get("Scheduler", "WRR"),
        session(params.get("SessionExpireTime", 0), 30, 3600),
        created_at=call.world.now(),
    )


def modify(call: Call) -> Write:
    """ModifyListener: only what is given changes."""
    listener, params = call.listener(), call.params
    if listener.is_l7 and params.keys() & {"HealthCheck", "Scheduler", "SessionExpireTime"}:
        raise ApiError("InvalidParameter", "these belong to the rules of HTTP and HTTPS")
    session(params.get("SessionExpireTime", 0), 30, 3600)
    steps: list[Step] = [partial(_change, call, listener, params)]
    if not listener.is_l7:
        group = next(iter(listener.groups.values()))
        check = health_check(params.get("HealthCheck"), group.health_check)
        steps.append(partial(_change_group, group, params, check))
    return Write(steps, (call.lb().id,))


def _change(call: Call, listener: Listener, params: dict[str, Any]) -> None:
    listener.name = params.get("ListenerName", listener.name)
    listener.reset_on_deregister = params.get("DeregisterTargetRst", listener.reset_on_deregister)
    listener.idle_s = params.get("IdleConnectTimeout", listener.idle_s)
    listener.echoed.update({name: params[name] for name in ECHOED if name in params})
    call.changes.note("listener-modified", call.lb(), listener)


def _change_group(group: Group, params: dict[str, Any], check: HealthCheck) -> None:
    group.scheduler = params.get("Scheduler", group.scheduler)
    group.session_s = params.get("SessionExpireTime", group.session_s)
    recheck(group, check)


def describe(call: Call) -> Reply:
    """DescribeListeners: not paginated, with the rules inside."""
    lb, params = call.seen_lb(call.params["LoadBalancerId"]), dict(call.params)
    wanted = params.get("ListenerIds")
    if wanted and call.world.switches.unknown_listener_described == OK:
        params["ListenerIds"] = [name for name in wanted if name in lb.listeners]
    rows = [] if wanted and not params["ListenerIds"] else chosen(lb, params)
    return {"Listeners": [shapes.listener(row) for row in rows], "TotalCount": len(rows)}


def delete(call: Call) -> Write:
    """DeleteListener: one."""
    lb, listener = call.lb(), call.listener()
    return Write([partial(call.changes.delete_listener, lb.id, listener.id)], (lb.id,))


def delete_many(call: Call) -> Write:
    """DeleteLoadBalancerListeners: without ListenerIds, all of them (CLB API page)."""
    lb = call.lb()
    names = call.params.get("ListenerIds") or list(lb.listeners)
    for name in names:
        call.listener(name)
    steps = [partial(call.changes.delete_listener, lb.id, name) for name in dict.fromkeys(names)]
    return Write(steps, (lb.id,))
