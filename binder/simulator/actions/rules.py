"""Rules: which host and path of an HTTP or HTTPS listener go to which targets."""

from __future__ import annotations

from functools import partial
from typing import Any

from binder.simulator.actions.fields import (
    CERTIFICATE,
    HEALTH_CHECK,
    IGNORED,
    LISTENER,
    SWITCH,
    health_check,
    session,
)
from binder.simulator.call import Call, group_of
from binder.simulator.changes import make_default, recheck
from binder.simulator.errors import ApiError
from binder.simulator.model import Group, HealthCheck, Listener
from binder.simulator.parameters import integer, many, record, text
from binder.simulator.tasks import Step, Write

_FORWARD = text(choices=("HTTP", "HTTPS", "GRPC", "GRPCS", "TRPC"))
_SCHEDULER = text(choices=("WRR", "LEAST_CONN", "IP_HASH"))
_DOMAIN = text(longest=80)
_RULE_INPUT = {
    "Url": text(required=True, longest=200),
    "Domain": _DOMAIN,
    "Domains": many(_DOMAIN),
    "SessionExpireTime": integer(low=0),
    "HealthCheck": HEALTH_CHECK,
    "Certificate": CERTIFICATE,
    "MultiCertInfo": IGNORED,
    "Scheduler": _SCHEDULER,
    "ForwardType": _FORWARD,
    "DefaultServer": SWITCH,
    "Http2": SWITCH,
    "Quic": SWITCH,
    "TargetType": text(choices=("NODE", "TARGETGROUP", "TARGETGROUP-V2")),
    "TrpcCallee": text(),
    "TrpcFunc": text(),
    "CookieName": text(),
}
CREATE = {**LISTENER, "Rules": many(record(_RULE_INPUT), required=True)}
MODIFY = {
    **LISTENER,
    "LocationId": text(required=True),
    "Url": text(longest=200),
    "HealthCheck": HEALTH_CHECK,
    "Scheduler": _SCHEDULER,
    "SessionExpireTime": integer(low=0),
    "ForwardType": _FORWARD,
    "TrpcCallee": text(),
    "TrpcFunc": text(),
    "OAuth": IGNORED,
    "CookieName": text(),
}
MODIFY_DOMAIN = {
    **LISTENER,
    "Domain": text(required=True, longest=80),
    "NewDomain": _DOMAIN,
    "NewDomains": many(_DOMAIN),
    "Certificate": CERTIFICATE,
    "MultiCertInfo": IGNORED,
    "Http2": SWITCH,
    "Quic": SWITCH,
    "DefaultServer": SWITCH,
    "NewDefaultServerDomain": _DOMAIN,
}
DELETE = {
    **LISTENER,
    "LocationIds": many(text()),
    "Domain": _DOMAIN,
    "Url": text(longest=200),
    "NewDefaultServerDomain": _DOMAIN,
}


def create(call: Call) -> Write:
    """CreateRule: HTTP and HTTPS listeners only; host and path are free, the quota holds."""
    listener, rules = _l7(call), call.params["Rules"]
    limit = call.world.quota("TOTAL_LISTENER_RULE_QUOTA")
    if len(listener.groups) + len(rules) > limit:
        raise ApiError("LimitExceeded", name="TOTAL_LISTENER_RULE_QUOTA", limit=limit)
    groups = [_group(call, given) for given in rules]
    taken = {(row.domain, row.url) for row in listener.groups.values()}
    for group in groups:
        _claim(taken, group.domain, group.url)
    lb = call.lb().id
    steps = [partial(call.changes.create_rule, lb, listener.id, group) for group in groups]
    return Write(steps, (lb,), {"LocationIds": [group.id for group in groups]})


def _l7(call: Call) -> Listener:
    listener = call.listener()
    if not listener.is_l7:
        raise ApiError("InvalidParameter", "This interface only support HTTP/HTTPS listener.")
    return listener


def _group(call: Call, given: dict[str, Any]) -> Group:
    domains = given.get("Domains") or [given.get("Domain")]
    if not domains[0]:
        raise ApiError("InvalidParameter", "one of Domain and Domains is needed")
    return Group(
        call.world.new_id("loc"),
        health_check(given.get("HealthCheck"), HealthCheck(kind="HTTP", domain=domains[0])),
        given.get("Scheduler", "WRR"),
        session(given.get("SessionExpireTime", 0), 30, 86400),
        domain=domains[0],
        url=given["Url"],
        default_server=given.get("DefaultServer", False),
        forward_type=given.get("ForwardType", "HTTP"),
        http2=given.get("Http2", False),
        created_at=call.world.now(),
    )


def _claim(taken: set[tuple[str, str]], domain: str, url: str) -> None:
    if (domain, url) in taken:
        raise ApiError("InvalidParameter", f"rule {domain}{url} exists already")
    taken.add((domain, url))


def modify(call: Call) -> Write:
    """ModifyRule: only what is given changes."""
    listener, params = _l7(call), call.params
    group = group_of(listener, {"LocationId": params["LocationId"]})
    session(params.get("SessionExpireTime", 0), 30, 86400)
    others = {(row.domain, row.url) for row in listener.groups.values() if row is not group}
    _claim(others, group.domain, params.get("Url", group.url))
    check = health_check(params.get("HealthCheck"), group.health_check)
    return Write([partial(_change, call, listener, group, check)], (call.lb().id,))


def _change(call: Call, listener: Listener, group: Group, check: HealthCheck) -> None:
    params = call.params
    group.url = params.get("Url", group.url)
    group.scheduler = params.get("Scheduler", group.scheduler)
    group.session_s = params.get("SessionExpireTime", group.session_s)
    group.forward_type = params.get("ForwardType", group.forward_type)
    recheck(group, check)
    call.changes.note("rule-modified", call.lb(), listener, group)


def modify_domain(call: Call) -> Write:
    """ModifyDomainAttributes: all rules of one domain."""
    listener, params = _l7(call), call.params
    groups = [row for row in listener.groups.values() if row.domain == params["Domain"]]
    if not groups:
        raise ApiError("InvalidParameter.LocationNotFound", location=params["Domain"])
    if "NewDomain" in params and "NewDomains" in params:
        raise ApiError("InvalidParameter", "only one of NewDomain and NewDomains may be given")
    new = params.get("NewDomain") or next(iter(params.get("NewDomains", ())), params["Domain"])
    others = {(row.domain, row.url) for row in listener.groups.values() if row not in groups}
    for group in groups:
        _claim(others, new, group.url)
    return Write([partial(_change_domain, call, listener, groups, new)], (call.lb().id,))


def _change_domain(call: Call, listener: Listener, groups: list[Group], new: str) -> None:
    params = call.params
    for group in groups:
        group.domain = new
        group.http2 = params.get("Http2", group.http2)
    if params.get("DefaultServer"):
        make_default(listener, new)
    if params.get("DefaultServer") is False and "NewDefaultServerDomain" in params:
        make_default(listener, params["NewDefaultServerDomain"])
    call.changes.note("rule-modified", call.lb(), listener, groups[0])


def delete(call: Call) -> Write:
    """DeleteRule: by LocationIds, or by Domain and perhaps Url."""
    listener, params = _l7(call), call.params
    groups = _condemned(listener, params)
    lb, new = call.lb().id, params.get("NewDefaultServerDomain")
    steps: list[Step] = [
        partial(call.changes.delete_rule, lb, listener.id, group.id) for group in groups
    ]
    if new:
        steps.append(partial(make_default, listener, new))
    return Write(steps, (lb,))


def _condemned(listener: Listener, params: dict[str, Any]) -> list[Group]:
    locations = params.get("LocationIds")
    if locations:
        return [group_of(listener, {"LocationId": name}) for name in dict.fromkeys(locations)]
    if "Domain" not in params:
        raise ApiError("MissingParameter", name="LocationIds")
    groups = [
        row
        for row in listener.groups.values()
        if row.domain == params["Domain"] and params.get("Url", row.url) == row.url
    ]
    if not groups:
        raise ApiError("InvalidParameter.LocationNotFound", location=params["Domain"])
    return groups
