"""Actions as the parameters of calls: what CLB is told, one function per kind of action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from binder.core.actions import (
    Action,
    CreateListener,
    CreateRule,
    DeleteListener,
    DeleteRule,
    Deregister,
    Modify,
    Register,
    Retag,
    Weigh,
)
from binder.core.clb import Attributes, Check

Body = dict[str, Any]
Place = tuple[str, str]  # listener, and location or ""
ITEM = 50  # targets in one item of ModifyList
_HEALTH: Mapping[str, str] = {
    "http_path": "HttpCheckPath",
    "http_domain": "HttpCheckDomain",
    "http_method": "HttpCheckMethod",
    "http_code": "HttpCode",
    "check_type": "CheckType",
    "check_port": "CheckPort",
    "source_ip": "SourceIpType",
}


def place(action: Action) -> Place:
    """Which listener or rule an action is about; ("", "") for a listener that is not there yet."""
    if isinstance(action, CreateListener):
        return "", ""
    if isinstance(action, (Register, Retag, Weigh, Deregister)):
        return action.key.listener, action.key.location
    return action.listener, getattr(action, "location", "")


def targets(actions: Sequence[Register | Deregister]) -> Body:
    """Of BatchRegisterTargets and BatchDeregisterTargets."""
    return {"Targets": [{**_place(one), **_target(one)} for one in actions]}


def items(actions: Sequence[Weigh | Retag]) -> Body:
    """Of BatchModifyTargetWeight and BatchModifyTargetTag; `actions` are in order of places."""
    rows = []
    for _, group in groupby(actions, place):
        some = list(group)
        rows += [
            {**_place(some[0]), "Targets": [_target(one) for one in some[at : at + ITEM]]}
            for at in range(0, len(some), ITEM)
        ]
    return {"ModifyList": rows}


def create_listener(actions: Sequence[CreateListener]) -> Body:
    """One listener for each; they differ in name and port only."""
    first = actions[0]
    body: Body = {
        "Ports": [one.frontend.port for one in actions],
        "ListenerNames": [one.name for one in actions],
        "Protocol": first.frontend.protocol,
    }
    if first.certificate:
        body["Certificate"] = {"SSLMode": "UNIDIRECTIONAL", "CertId": first.certificate}
    # Health check, scheduler and session of layer 7 belong to the rules, and are refused here.
    return body if first.frontend.layer_7 else {**body, **_attributes(first.attributes)}


def create_rule(actions: Sequence[CreateRule], address: str) -> Body:
    """Rules of one listener; `address` is the domain of one without."""
    rules = [
        {
            "Domain": one.frontend.domain or address,
            "Url": one.frontend.url,
            **_attributes(one.attributes),
        }
        for one in actions
    ]
    return {"ListenerId": actions[0].listener, "Rules": rules}


def modify(actions: Sequence[Modify]) -> Body:
    """Of ModifyListener and ModifyRule: one of them."""
    return {**_place(actions[0]), **_attributes(actions[0].attributes)}


def delete_listener(actions: Sequence[DeleteListener]) -> Body:
    """One listener."""
    return {"ListenerId": actions[0].listener}


def delete_rule(actions: Sequence[DeleteRule]) -> Body:
    """Rules of one listener."""
    return {"ListenerId": actions[0].listener, "LocationIds": [one.location for one in actions]}


def _place(action: Action) -> Body:
    listener, location = place(action)
    return {"ListenerId": listener, **({"LocationId": location} if location else {})}


def _target(action: Register | Retag | Weigh | Deregister) -> Body:
    """A Pod is known by its address alone: with an InstanceId beside it CLB refuses the target."""
    body: Body = {"EniIp": action.key.ip, "Port": action.key.port}
    if isinstance(action, (Register, Weigh)):
        body["Weight"] = action.weight
    if isinstance(action, (Register, Retag)):
        body["Tag"] = action.tag
    return body


def _attributes(told: Attributes) -> Body:
    """What is None is left out, and so left as it is."""
    health = _check(told.check) if told.check else {}
    values = told._asdict()
    health |= {name: values[field] for field, name in _HEALTH.items() if values[field] is not None}
    body: Body = {"HealthCheck": health or None}
    body |= {"Scheduler": told.scheduler, "SessionExpireTime": told.session}
    return {name: value for name, value in body.items() if value is not None}


def _check(check: Check) -> Body:
    return {
        "HealthSwitch": int(check.enabled),
        "IntervalTime": check.interval,
        "TimeOut": check.timeout,
        "HealthNum": check.healthy,
        "UnHealthNum": check.unhealthy,
    }
