"""Registering, deregistering and weighing targets, singly and in batches."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from binder.simulator.actions.fields import LB, LISTENER, PORT, RULE, WEIGHT
from binder.simulator.call import Call, group_of
from binder.simulator.errors import ApiError
from binder.simulator.model import Endpoint, Group, Listener, Target
from binder.simulator.parameters import Params, many, record, text
from binder.simulator.switches import ERROR, FAIL_LISTENER
from binder.simulator.tasks import Step, Write

_TARGET = {
    "Port": PORT,
    "Type": text(),
    "InstanceId": text(),
    "EniIp": text(),
    "Weight": WEIGHT,
    "Tag": text(),
}
_BATCH_TARGET = {
    "ListenerId": text(required=True),
    "LocationId": text(),
    "Port": PORT,
    "InstanceId": text(),
    "EniIp": text(),
    "Weight": WEIGHT,
    "Tag": text(),
}
_UP_TO_20 = many(record(_TARGET), required=True, most=20)
REGISTER = {**LISTENER, **RULE, "Targets": _UP_TO_20}
WEIGH = {
    **LISTENER,
    **RULE,
    "Targets": many(record(_TARGET), required=True),
    "Weight": WEIGHT,
}
BATCH = {**LB, "Targets": many(record(_BATCH_TARGET), required=True, most=500)}
_WEIGHT_RULE = {
    "ListenerId": text(required=True),
    **RULE,
    "Targets": many(record(_TARGET), required=True, most=50),
    "Weight": WEIGHT,
}
BATCH_WEIGH = {**LB, "ModifyList": many(record(_WEIGHT_RULE), required=True, most=100)}
_TAG_RULE = {
    "ListenerId": text(required=True),
    "LocationId": text(),
    "Targets": many(record(_TARGET), required=True),
    "Tag": text(),
}
BATCH_TAG = {**LB, "ModifyList": many(record(_TAG_RULE), required=True)}

MOST = 500  # targets in one batch
DEFAULT_WEIGHT = 10
Row = tuple[Listener, Group, Endpoint, Params]


def register(call: Call) -> Write:
    """RegisterTargets: one listener or rule."""
    rows = _rows_of_one(call)
    for _, group, endpoints in _by_group(rows):
        _check_quota(call, group, endpoints)
    return _write(call, [_bind(call, row) for row in rows])


def deregister(call: Call) -> Write:
    """DeregisterTargets: what is not bound is InvalidParameter."""
    rows = _rows_of_one(call)
    for _, group, endpoint, _ in rows:
        _require_bound(group, endpoint)
    return _write(call, [_unbind(call, row) for row in rows])


def weigh(call: Call) -> Write:
    """ModifyTargetWeight: the weight of a target goes before that of the request."""
    rows = _rows_of_one(call)
    return _write(call, [_weigh(call, row, call.params.get("Weight")) for row in rows])


def batch_register(call: Call) -> Write:
    """BatchRegisterTargets: fails by listener."""
    rows = _rows_of_batch(call)
    failed = _failed_by_fault(call, rows)
    for listener, group, endpoints in _by_group(rows):
        try:
            _check_quota(call, group, endpoints)
        except ApiError:
            if call.world.switches.batch_over_quota == ERROR:
                raise
            failed.add(listener.id)
    return _batch(call, rows, failed, _bind)


def batch_deregister(call: Call) -> Write:
    """BatchDeregisterTargets: what is not bound fails its listener, or else, as a switch says."""
    rows = _rows_of_batch(call)
    failed = _failed_by_fault(call, rows)
    for listener, group, endpoint, _ in rows:
        if endpoint in group.targets:
            continue
        if call.world.switches.deregister_missing == ERROR:
            _require_bound(group, endpoint)
        if call.world.switches.deregister_missing == FAIL_LISTENER:
            failed.add(listener.id)
    return _batch(call, rows, failed, _unbind)


def batch_weigh(call: Call) -> Write:
    """BatchModifyTargetWeight: at most 500 targets over all its rules."""
    return _write(call, [_weigh(call, row, rule.get("Weight")) for rule, row in _ruled(call)])


def batch_tag(call: Call) -> Write:
    """BatchModifyTargetTag: the tag of a target goes before that of its rule."""
    lb, steps = call.params["LoadBalancerId"], []
    for rule, (listener, group, endpoint, given) in _ruled(call):
        _require_bound(group, endpoint)
        tag = given.get("Tag") or rule.get("Tag", "")
        _check_tag(call, tag)
        steps.append(partial(call.changes.tag, lb, listener.id, group.id, endpoint, tag))
    return _write(call, steps)


def _ruled(call: Call) -> Iterator[tuple[Params, Row]]:
    """Each target of ModifyList with its rule; at most 500 of them."""
    rules = call.params["ModifyList"]
    if sum(len(rule["Targets"]) for rule in rules) > MOST:
        raise ApiError("InvalidParameterValue.Length", name="Targets", bound=MOST + 1)
    for rule in rules:
        listener = call.listener(rule["ListenerId"])
        group = group_of(listener, rule)
        for given in rule["Targets"]:
            yield rule, (listener, group, _endpoint(call, given), given)


def _rows_of_one(call: Call) -> list[Row]:
    listener = call.listener()
    group = group_of(listener, call.params)
    given = call.params["Targets"]
    return _distinct([(listener, group, _endpoint(call, target), target) for target in given])


def _rows_of_batch(call: Call) -> list[Row]:
    rows = []
    for given in call.params["Targets"]:
        listener = call.listener(given["ListenerId"])
        rows.append((listener, group_of(listener, given), _endpoint(call, given), given))
    _poison(call, rows)
    return _distinct(rows)


def _distinct(rows: list[Row]) -> list[Row]:
    """The same target twice in one request is refused; an assumption, the code is documented."""
    if len({(id(group), endpoint) for _, group, endpoint, _ in rows}) < len(rows):
        raise ApiError("InvalidParameterValue.Duplicate", name="Targets")
    return rows


def _endpoint(call: Call, given: Mapping[str, Any]) -> Endpoint:
    """Where a target listens. Exactly one of EniIp and InstanceId says so (SDK, BatchTarget)."""
    ip, instance = given.get("EniIp"), given.get("InstanceId")
    if bool(ip) == bool(instance):
        raise ApiError("InvalidParameter", "exactly one of InstanceId and EniIp is needed")
    if "Port" not in given:
        raise ApiError("MissingParameter", name="Port")
    _check_tag(call, given.get("Tag", ""))
    if instance:
        ip = call.world.instances.get(instance)
        if ip is None:
            raise ApiError("InvalidParameter", f"instance {instance} not found")
    return Endpoint(_address(call, str(ip)), given["Port"])


def _check_tag(call: Call, tag: str) -> None:
    longest = call.world.switches.tag_longest
    if len(tag) > longest:
        raise ApiError("InvalidParameterValue.Length", name="Tag", bound=longest + 1)


def _address(call: Call, ip: str) -> str:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        raise ApiError("InvalidParameter.FormatError", f"{ip} is not an address") from None
    networks = map(ipaddress.ip_network, call.world.vpc_networks)
    refused = call.world.switches.outside_vpc == ERROR
    if refused and not any(address in network for network in networks):
        raise ApiError("InvalidParameter", f"{ip} is not in the VPC of the load balancer")
    return ip


def _by_group(rows: Iterable[Row]) -> list[tuple[Listener, Group, list[Endpoint]]]:
    found: dict[int, tuple[Listener, Group, list[Endpoint]]] = {}
    for listener, group, endpoint, _ in rows:
        found.setdefault(id(group), (listener, group, []))[2].append(endpoint)
    return list(found.values())


def _check_quota(call: Call, group: Group, endpoints: list[Endpoint]) -> None:
    limit = call.world.quota("TOTAL_TARGET_BIND_QUOTA")
    if len(group.targets.keys() | set(endpoints)) > limit:
        raise ApiError("LimitExceeded", name="TOTAL_TARGET_BIND_QUOTA", limit=limit)


def _require_bound(group: Group, endpoint: Endpoint) -> None:
    if endpoint not in group.targets:
        raise ApiError("InvalidParameter", f"target {endpoint.ip}:{endpoint.port} not bound")


def _bind(call: Call, row: Row) -> Step:
    listener, group, endpoint, given = row
    target = Target(
        endpoint,
        given.get("Weight", DEFAULT_WEIGHT),
        given.get("Tag", ""),
        instance=given.get("InstanceId", ""),
    )
    lb = call.params["LoadBalancerId"]
    return partial(call.changes.bind, lb, listener.id, group.id, target)


def _unbind(call: Call, row: Row) -> Step:
    listener, group, endpoint, _ = row
    lb = call.params["LoadBalancerId"]
    return partial(call.changes.unbind, lb, listener.id, group.id, endpoint)


def _weigh(call: Call, row: Row, of_request: int | None) -> Step:
    listener, group, endpoint, given = row
    _require_bound(group, endpoint)
    weight = given.get("Weight", DEFAULT_WEIGHT if of_request is None else of_request)
    lb = call.params["LoadBalancerId"]
    return partial(call.changes.weigh, lb, listener.id, group.id, endpoint, weight)


def _batch(call: Call, rows: list[Row], failed: set[str], step: Any) -> Write:
    steps = [step(call, row) for row in rows if row[0].id not in failed]
    message = "some targets could not be changed" if failed else ""
    reply = {"FailListenerIdSet": sorted(failed), "Message": message}
    return Write(steps, (call.params["LoadBalancerId"],), reply)


def _write(call: Call, steps: Sequence[Step]) -> Write:
    return Write(steps, (call.params["LoadBalancerId"],))


def _failed_by_fault(call: Call, rows: list[Row]) -> set[str]:
    named = {listener.id for listener, *_ in rows}
    if not call.effects.get("fail-listeners"):
        return set()
    return named & set(call.effects.value("fail-listeners", "ids", named))


def _poison(call: Call, rows: list[Row]) -> None:
    ips = {endpoint.ip for _, _, endpoint, _ in rows}
    for fault in call.effects.rows:
        if fault.effect == "poison" and fault.parameters["ip"] in ips:
            raise ApiError(fault.parameters.get("code", "InvalidParameter"))
