"""Load balancers as a whole."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from binder.simulator import shapes
from binder.simulator.actions.fields import FILTERS, FLAG, IGNORED, LB, NAME, SWITCH, TAGS
from binder.simulator.call import Call, Reply
from binder.simulator.errors import ApiError
from binder.simulator.model import LoadBalancer
from binder.simulator.parameters import integer, many, text
from binder.simulator.tasks import Step, Write

CREATE = {
    "LoadBalancerType": text(required=True, choices=("OPEN", "INTERNAL")),
    "Forward": integer(low=1, high=1),
    "LoadBalancerName": NAME,
    "VpcId": text(),
    "SubnetId": text(),
    "Number": integer(low=1, high=20),
    "ClientToken": text(longest=64),
    "Tags": TAGS,
    "LoadBalancerPassToTarget": SWITCH,
    "DynamicVip": SWITCH,
    "SnatPro": SWITCH,
    "AdvancedRoute": SWITCH,
    "ProjectId": integer(),
    **dict.fromkeys(
        (
            *("AddressIPVersion", "MasterZoneId", "ZoneId", "SlaveZoneId", "InternetAccessible"),
            *("VipIsp", "Vip", "BandwidthPackageId", "ExclusiveCluster", "SlaType", "ClusterIds"),
            *("SnatIps", "ClusterTag", "EipAddressId", "Egress", "LBChargePrepaid"),
            *("LBChargeType", "AccessLogTopicId", "AvailableZoneAffinityInfo"),
        ),
        IGNORED,
    ),
}
DESCRIBE = {
    "LoadBalancerIds": many(text(), most=20),
    "LoadBalancerType": text(choices=("OPEN", "INTERNAL")),
    "Forward": FLAG,
    "LoadBalancerName": text(),
    "LoadBalancerVips": many(text()),
    "BackendPrivateIps": many(text()),
    "VpcId": text(),
    "SecurityGroup": text(),
    "WithRs": integer(low=-1, high=1),
    "Offset": integer(low=0),
    "Limit": integer(low=1, high=100),
    "OrderBy": text(choices=("LoadBalancerName", "CreateTime", "Domain", "LoadBalancerType")),
    "OrderType": FLAG,
    "SearchKey": text(),
    "Filters": FILTERS,
    **dict.fromkeys(
        ("Domain", "BackendPublicIps", "ProjectId", "MasterZone", "AdditionalFields"), IGNORED
    ),
}
DELETE = {
    "LoadBalancerIds": many(text(), required=True, most=20),
    "ForceDelete": SWITCH,
}
MODIFY = {
    **LB,
    "LoadBalancerName": NAME,
    "LoadBalancerPassToTarget": SWITCH,
    "DeleteProtect": SWITCH,
    "SnatPro": SWITCH,
    "ModifyClassicDomain": SWITCH,
    "SwitchFlag": integer(low=0, high=2),
    "TargetRegionInfo": IGNORED,
    "InternetChargeInfo": IGNORED,
    "AssociateEndpoint": text(),
}
SECURITY_GROUPS = {**LB, "SecurityGroups": many(text(), most=50)}


def create(call: Call) -> Write | Reply:
    """CreateLoadBalancer: the same ClientToken means the same load balancers."""
    params = call.params
    token = f"{call.key.uin}/{params.get('ClientToken', '')}"
    if "ClientToken" in params and token in call.world.client_tokens:
        return call.world.client_tokens[token]
    _check_create(call)
    lbs = [_new(call, at) for at in range(params.get("Number", 1))]
    for lb in lbs:
        call.changes.create_lb(lb)
    names, deal = tuple(lb.id for lb in lbs), call.world.new_id("deal")
    steps: list[Step] = [partial(_run, lb) for lb in lbs]
    shown = [] if call.effects.get("empty-ids") else list(names)
    reply = {"LoadBalancerIds": shown, "DealName": deal}
    if "ClientToken" in params:
        call.world.client_tokens[token] = reply
    return Write(steps, names, reply, created=names, deal=deal)


def _check_create(call: Call) -> None:
    params, world = call.params, call.world
    kind = params["LoadBalancerType"]
    for name in ("VpcId", "SubnetId"):
        if kind == "INTERNAL" and not params.get(name):
            raise ApiError("MissingParameter", name=name)
    quota = f"TOTAL_{kind}_CLB_QUOTA"
    same = [lb for lb in world.load_balancers.values() if lb.kind == kind]
    if len(same) + params.get("Number", 1) > world.quota(quota):
        raise ApiError("LimitExceeded", name=quota, limit=world.quota(quota))


def _new(call: Call, at: int) -> LoadBalancer:
    params = call.params
    name = call.world.new_id("lb")
    given = params.get("LoadBalancerName")
    lb = LoadBalancer(
        name,
        name if given is None else f"{given}-{at}" if at else given,
        call.world.new_vip(),
        kind=params["LoadBalancerType"],
        vpc_id=params.get("VpcId", "vpc-sim"),
        subnet_id=params.get("SubnetId", ""),
        tags={row["TagKey"]: row.get("TagValue", "") for row in params.get("Tags", ())},
        pass_to_target=params.get("LoadBalancerPassToTarget", False),
        running=False,
        region=call.region,
        created_at=call.world.now(),
        owner=call.key.account,
    )
    return lb


def _run(lb: LoadBalancer) -> None:
    lb.running = True


def describe(call: Call) -> Reply:
    """DescribeLoadBalancers: the newest first unless told otherwise, in pages."""
    params = call.params
    rows = [lb for lb in call.seen().values() if _fits(lb, params)]
    key = params.get("OrderBy", "CreateTime")
    rows.sort(key=lambda lb: str(shapes.load_balancer(lb)[key]))
    if params.get("OrderType", 1):
        rows.reverse()
    start = params.get("Offset", 0)
    page = rows[start : start + params.get("Limit", 20)]
    return {
        "TotalCount": len(rows),
        "LoadBalancerSet": [shapes.load_balancer(lb) for lb in page],
    }


def _fits(lb: LoadBalancer, params: dict[str, Any]) -> bool:
    ips = {endpoint.ip for _, group in lb.groups() for endpoint in group.targets}
    has_targets = params.get("WithRs", -1)
    return (
        lb.id in (params.get("LoadBalancerIds") or [lb.id])
        and params.get("LoadBalancerType", lb.kind) == lb.kind
        and params.get("Forward", 1) == 1
        and params.get("LoadBalancerName", "") in lb.name
        and lb.vip in (params.get("LoadBalancerVips") or [lb.vip])
        and params.get("VpcId", lb.vpc_id) == lb.vpc_id
        and (has_targets == -1 or bool(has_targets) is bool(ips))
        and params.get("SecurityGroup", "") in ("", *lb.security_groups)
        and bool(ips & set(params.get("BackendPrivateIps") or ips) or not ips)
        and any(params.get("SearchKey", "") in text for text in (lb.id, lb.name, lb.vip))
        and all(_passes(lb, row) for row in params.get("Filters", ()))
    )


def _passes(lb: LoadBalancer, row: dict[str, Any]) -> bool:
    """One filter; those that nothing here can differ in pass all."""
    name, values = row["Name"], row["Values"]
    if name == "tag-key":
        return any(key in values for key in lb.tags)
    if name.startswith("tag:"):
        return lb.tags.get(name.removeprefix("tag:")) in values
    if name == "charge-type":
        return "POSTPAID_BY_HOUR" in values
    if any(fnmatchcase(name, known) for known in KNOWN_FILTERS):
        return True
    raise ApiError("InvalidParameterValue.InvalidFilter", name=name)


KNOWN_FILTERS = ("internet-charge-type", "master-zone-id", "function-name", "vip-isp", "sla-type")


def delete(call: Call) -> Write:
    """DeleteLoadBalancer: risks are refused unless ForceDelete, too many at once always."""
    names, world = call.params["LoadBalancerIds"], call.world
    lbs = [world.require_lb(name, call.region) for name in names]
    for lb in lbs:
        _check_delete(lb, bool(call.params.get("ForceDelete")))
    recent = [moment for moment in world.deletions if moment > world.now() - 300]
    if len(recent) + len(lbs) > 30:
        raise ApiError("FailedOperation.FrequencyCheckRisk")
    return Write([partial(call.changes.delete_lb, lb.id) for lb in lbs], tuple(names))


def _check_delete(lb: LoadBalancer, force: bool) -> None:
    """The checks that the CLB API page of DeleteLoadBalancer lists."""
    if lb.delete_protected:
        raise ApiError("FailedOperation", f"{lb.id} is protected against deletion")
    targets = shapes.target_count(lb)
    if targets >= 20 and not force:
        raise ApiError("FailedOperation.TargetNumCheckRisk")
    if targets and lb.traffic_mbps > 10 and not force:
        raise ApiError("FailedOperation.TrafficCheckRisk")


def modify(call: Call) -> Write:
    """ModifyLoadBalancerAttributes: only what is given changes."""
    return Write([partial(_change, call, call.lb())], (call.lb().id,))


def _change(call: Call, lb: LoadBalancer) -> None:
    params = call.params
    lb.name = params.get("LoadBalancerName", lb.name)
    lb.pass_to_target = params.get("LoadBalancerPassToTarget", lb.pass_to_target)
    lb.delete_protected = params.get("DeleteProtect", lb.delete_protected)
    call.changes.note("lb-modified", lb)


def set_security_groups(call: Call) -> Write:
    """SetLoadBalancerSecurityGroups: exactly these, or none."""
    return Write([partial(_secure, call, call.lb())], (call.lb().id,))


def _secure(call: Call, lb: LoadBalancer) -> None:
    lb.security_groups = list(call.params.get("SecurityGroups", ()))
    call.changes.note("security-groups", lb)
