"""How to provoke each documented error of each action: a table, so that gaps are seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from binder.simulator.actions import ACTIONS
from tests.binder.simulator.bed import HTTP, LB, TCP, Bed
from tests.binder.simulator.test_replies import CALLS

# Nothing that a caller does makes the simulator say these: trouble inside of CLB, stock that has
# run out, kinds of load balancer that are not simulated, or a code that only a prefix is left of.
INJECTED = frozenset(
    {
        *("InternalError", "FailedOperation", "ResourceInsufficient", "UnsupportedOperation"),
        *("InvalidParameter.RegionNotFound", "InvalidParameter.ClientTokenLimitExceeded"),
        "InvalidParameter.ProtocolCheckFailed",
    }
)
Provoke = Callable[[Bed], dict[str, Any]]


def good(action: str, **other: Any) -> Provoke:
    """The good call of `action` with something else in it; None leaves a parameter out."""
    params = {**CALLS[action], **other}
    return lambda _bed: {name: value for name, value in params.items() if value is not None}


def busy(action: str) -> Provoke:
    def provoke(bed: Bed) -> dict[str, Any]:
        bed.admin("faults", effect="hold")
        return CALLS[action]

    return provoke


def denied(action: str) -> Provoke:
    def provoke(bed: Bed) -> dict[str, Any]:
        parameters = {"code": "UnauthorizedOperation"}
        bed.fault("error", action=action, parameters=parameters)
        return CALLS[action]

    return provoke


def over(quota: str, action: str) -> Provoke:
    def provoke(bed: Bed) -> dict[str, Any]:
        bed.admin("faults", effect="set-quota", parameters={"name": quota, "limit": 0})
        return CALLS[action]

    return provoke


def bound(count: int, **params: Any) -> Provoke:
    """`count` targets are bound, then the load balancer is deleted."""

    def provoke(bed: Bed) -> dict[str, Any]:
        rows = bed.targets(count, ListenerId=TCP)
        bed.call("BatchRegisterTargets", LoadBalancerId=LB, Targets=rows)
        return {"LoadBalancerIds": [LB], **params}

    return provoke


def loaded(bed: Bed) -> dict[str, Any]:
    bed.bind("10.0.0.1")
    bed.simulator.do(lambda: setattr(bed.world.load_balancers[LB], "traffic_mbps", 11.0))
    return {"LoadBalancerIds": [LB]}


def hasty(bed: Bed) -> dict[str, Any]:
    bed.simulator.do(lambda: bed.world.deletions.extend([bed.world.now()] * 30))
    return {"LoadBalancerIds": [LB], "ForceDelete": True}


def protected(bed: Bed) -> dict[str, Any]:
    bed.done("ModifyLoadBalancerAttributes", LoadBalancerId=LB, DeleteProtect=True)
    return {"LoadBalancerIds": [LB]}


def strict(bed: Bed) -> dict[str, Any]:
    bed.switch(unknown_listener_described="error")
    return {"LoadBalancerId": LB, "ListenerIds": ["lbl-unknown"]}


def placed(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"ListenerId": TCP, "EniIp": "10.0.0.1", "Port": 80, **row} for row in rows]


UNKNOWN = "lb-unknown"
GOOD = {"EniIp": "10.0.0.1", "Port": 80}
TWICE = [GOOD, GOOD]
BOTH = [{**GOOD, "InstanceId": "ins-1"}]
NO_ADDRESS = [{"EniIp": "10.0.0.256", "Port": 80}]
HEAVY = [{**GOOD, "Weight": 101}]
LONG = [{**GOOD, "Tag": "x" * 65}]

Table = dict[tuple[str, str], Provoke]
PROVOKED: Table = {}
for _action in ACTIONS.keys() - {"AssumeRoleWithWebIdentity"}:
    PROVOKED[_action, "FailedOperation.ResourceInOperating"] = busy(_action)
    PROVOKED[_action, "UnauthorizedOperation"] = denied(_action)
    for _name in ("LoadBalancerId", "LoadBalancerIds"):
        if _name in CALLS[_action]:
            _value: Any = [UNKNOWN] if _name.endswith("s") else UNKNOWN
            PROVOKED[_action, "InvalidParameter.LBIdNotFound"] = good(_action, **{_name: _value})
            PROVOKED[_action, "InvalidParameter"] = good(_action, **{_name: 7})
for _action in ("BatchRegisterTargets", "BatchDeregisterTargets"):
    for _code, _rows in {
        "InvalidParameter": placed({"InstanceId": "ins-1"}),
        "InvalidParameter.FormatError": placed({"EniIp": "10.0.0.256"}),
        "InvalidParameter.ListenerIdNotFound": placed({"ListenerId": "lbl-unknown"}),
        "InvalidParameter.LocationNotFound": placed({"ListenerId": HTTP, "LocationId": "loc-0"}),
        "InvalidParameterValue.Duplicate": placed({}, {}),
        "InvalidParameterValue.Length": placed({"Tag": "x" * 65}),
        f"InvalidParameterValue{'.Range' * ('Dereg' in _action)}": placed({"Weight": 101}),
        "MissingParameter": placed({"ListenerId": HTTP}),
    }.items():
        PROVOKED[_action, _code] = good(_action, Targets=_rows)
for _action in ("BatchModifyTargetWeight", "BatchModifyTargetTag"):
    for _code, _rows in {
        "InvalidParameter.FormatError": NO_ADDRESS,
        "InvalidParameterValue": HEAVY,
        "InvalidParameterValue.Length": LONG,
    }.items():
        _list = [{"ListenerId": TCP, "Targets": _rows}]
        PROVOKED[_action, _code] = good(_action, ModifyList=_list)
for _action in ("RegisterTargets", "DeregisterTargets", "ModifyTargetWeight"):
    PROVOKED[_action, "InvalidParameter"] = good(_action, Targets=BOTH)
    PROVOKED[_action, "InvalidParameter.FormatError"] = good(_action, Targets=NO_ADDRESS)
    PROVOKED[_action, "InvalidParameterValue"] = good(_action, Targets=HEAVY)
    PROVOKED[_action, "InvalidParameterValue.Duplicate"] = good(_action, Targets=TWICE)
    PROVOKED[_action, "InvalidParameterValue.Length"] = good(_action, Targets=LONG)
    PROVOKED[_action, "MissingParameter"] = good(_action, Targets=None)
PROVOKED |= {
    ("BatchRegisterTargets", "LimitExceeded"): over(
        "TOTAL_TARGET_BIND_QUOTA", "BatchRegisterTargets"
    ),
    ("RegisterTargets", "LimitExceeded"): over("TOTAL_TARGET_BIND_QUOTA", "RegisterTargets"),
    ("CreateListener", "LimitExceeded"): over("TOTAL_LISTENER_QUOTA", "CreateListener"),
    ("CreateListener", "InvalidParameter.PortCheckFailed"): good("CreateListener", Ports=[80]),
    ("CreateListener", "InvalidParameterValue"): good("CreateListener", Protocol="SMTP"),
    ("CreateListener", "InvalidParameterValue.Length"): good("CreateListener", Ports=[1] * 50),
    ("CreateRule", "LimitExceeded"): over("TOTAL_LISTENER_RULE_QUOTA", "CreateRule"),
    ("CreateRule", "InvalidParameterValue"): good(
        "CreateRule", Rules=[{"Domain": "d", "Url": "/", "Scheduler": "RANDOM"}]
    ),
    ("CreateRule", "InvalidParameterValue.Length"): good(
        "CreateRule", Rules=[{"Domain": "d" * 81, "Url": "/"}]
    ),
    ("ModifyListener", "InvalidParameterValue"): good("ModifyListener", Scheduler="RANDOM"),
    ("ModifyListener", "InvalidParameterValue.Length"): good(
        "ModifyListener", ListenerName="n" * 81
    ),
    ("ModifyRule", "InvalidParameterValue"): good("ModifyRule", Scheduler="RANDOM"),
    ("ModifyRule", "InvalidParameterValue.Length"): good("ModifyRule", Url="/" * 201),
    ("ModifyDomainAttributes", "InvalidParameterValue.Length"): good(
        "ModifyDomainAttributes", NewDomain="d" * 81
    ),
    ("DeleteRule", "InvalidParameterValue.Length"): good("DeleteRule", Domain="d" * 81),
    ("DeleteLoadBalancerListeners", "InvalidParameterValue.Length"): good(
        "DeleteLoadBalancerListeners", ListenerIds=[TCP] * 21
    ),
    ("DescribeTargets", "InvalidParameter.InvalidFilter"): good(
        "DescribeTargets", Filters=[{"Name": "colour", "Values": ["red"]}]
    ),
    ("DescribeTargets", "InvalidParameter.ListenerIdNotFound"): good(
        "DescribeTargets", ListenerIds=["lbl-unknown"]
    ),
    ("DescribeTargets", "InvalidParameterValue.Length"): good(
        "DescribeTargets", ListenerIds=[TCP] * 21
    ),
    ("DescribeTargetHealth", "InvalidParameterValue.Length"): good(
        "DescribeTargetHealth", LoadBalancerIds=[LB] * 31
    ),
    ("DescribeListeners", "InvalidParameter.ListenerIdNotFound"): strict,
    ("DescribeListeners", "InvalidParameterValue.Length"): good(
        "DescribeListeners", ListenerIds=[TCP] * 101
    ),
    ("CreateLoadBalancer", "InvalidParameter"): good("CreateLoadBalancer", Number="one"),
    ("CreateLoadBalancer", "InvalidParameterValue"): good(
        "CreateLoadBalancer", LoadBalancerType="PRIVATE"
    ),
    ("CreateLoadBalancer", "InvalidParameterValue.Length"): good(
        "CreateLoadBalancer", ClientToken="x" * 65
    ),
    ("CreateLoadBalancer", "InvalidParameterValue.Range"): good("CreateLoadBalancer", Number=21),
    ("CreateLoadBalancer", "LimitExceeded"): over("TOTAL_OPEN_CLB_QUOTA", "CreateLoadBalancer"),
    ("DescribeLoadBalancers", "InvalidParameter"): good("DescribeLoadBalancers", Limit="ten"),
    ("DescribeLoadBalancers", "InvalidParameterValue.Length"): good(
        "DescribeLoadBalancers", LoadBalancerIds=[LB] * 21
    ),
    ("DescribeLoadBalancers", "InvalidParameterValue.Range"): good(
        "DescribeLoadBalancers", Limit=101
    ),
    ("DescribeLoadBalancers", "InvalidParameterValue.InvalidFilter"): good(
        "DescribeLoadBalancers", Filters=[{"Name": "colour", "Values": ["red"]}]
    ),
    ("DeleteLoadBalancer", "FailedOperation"): protected,
    ("DeleteLoadBalancer", "FailedOperation.FrequencyCheckRisk"): hasty,
    ("DeleteLoadBalancer", "FailedOperation.TargetNumCheckRisk"): bound(20),
    ("DeleteLoadBalancer", "FailedOperation.TrafficCheckRisk"): loaded,
    ("DeleteLoadBalancer", "InvalidParameterValue.Length"): good(
        "DeleteLoadBalancer", LoadBalancerIds=[LB] * 21
    ),
    ("ModifyLoadBalancerAttributes", "InvalidParameterValue.Length"): good(
        "ModifyLoadBalancerAttributes", LoadBalancerName="n" * 81
    ),
    ("SetLoadBalancerSecurityGroups", "InvalidParameterValue.Length"): good(
        "SetLoadBalancerSecurityGroups", SecurityGroups=["sg"] * 51
    ),
    ("DescribeTaskStatus", "InvalidParameter"): good("DescribeTaskStatus", DealName="unknown"),
    ("DescribeAsyncJobs", "InvalidParameter"): good("DescribeAsyncJobs", NextToken="x"),
    ("DescribeAsyncJobs", "InvalidParameterValue.Length"): good(
        "DescribeAsyncJobs", RequestIds=["x"] * 101
    ),
    ("DescribeAsyncJobs", "InvalidParameterValue.Range"): good("DescribeAsyncJobs", MaxResults=0),
    ("DescribeLBListeners", "InvalidParameter"): good("DescribeLBListeners", Backends="all"),
}
# Documented for these too, but nothing that the simulator looks at could be wrong in that way.
UNPROVOKED: dict[str, set[str]] = {
    "InvalidParameter.PortCheckFailed": {"BatchDeregisterTargets", "BatchRegisterTargets"},
    "LimitExceeded": {
        *("BatchDeregisterTargets", "DeleteLoadBalancer", "SetLoadBalancerSecurityGroups"),
    },
    "InvalidParameterValue.Length": {"DeleteListener", "DescribeLBListeners"},
    "InvalidParameter.LBIdNotFound": {
        *("DescribeAsyncJobs", "DescribeLBListeners", "DescribeLoadBalancers"),
    },
    "InvalidParameterValue": {
        "BatchDeregisterTargets",  # documents .Range beside it
        *("DeleteListener", "DeleteLoadBalancer", "DeleteLoadBalancerListeners", "DeleteRule"),
        *("ModifyDomainAttributes", "ModifyLoadBalancerAttributes"),
        "SetLoadBalancerSecurityGroups",
    },
}


def addresses(action: str) -> bool:
    """Only an address has a format here, so FormatError is provoked with targets alone."""
    return "Target" in action and not action.startswith("Describe")
