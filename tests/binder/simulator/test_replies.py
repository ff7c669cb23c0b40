"""Every reply fills every field that the SDK's models do not call nullable."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from tencentcloud.clb.v20180317 import models
from tencentcloud.common.abstract_model import AbstractModel

from tests.binder.simulator.bed import HTTP, LB, RULE, TCP, Bed

_TARGET = {"EniIp": "10.0.0.1", "Port": 80}
_PLACED = {"ListenerId": TCP, **_TARGET}

# One good call per action, on a load balancer that has a target everywhere.
CALLS: dict[str, dict[str, Any]] = {
    "CreateLoadBalancer": {"LoadBalancerType": "OPEN"},
    "DescribeLoadBalancers": {},
    "DeleteLoadBalancer": {"LoadBalancerIds": [LB]},
    "ModifyLoadBalancerAttributes": {"LoadBalancerId": LB, "LoadBalancerName": "other"},
    "SetLoadBalancerSecurityGroups": {"LoadBalancerId": LB, "SecurityGroups": ["sg-1"]},
    "CreateListener": {"LoadBalancerId": LB, "Ports": [81, 82], "Protocol": "TCP"},
    "DescribeListeners": {"LoadBalancerId": LB},
    "ModifyListener": {"LoadBalancerId": LB, "ListenerId": TCP, "ListenerName": "n"},
    "DeleteListener": {"LoadBalancerId": LB, "ListenerId": TCP},
    "DeleteLoadBalancerListeners": {"LoadBalancerId": LB, "ListenerIds": [TCP]},
    "CreateRule": {
        "LoadBalancerId": LB,
        "ListenerId": HTTP,
        "Rules": [{"Domain": "b.example", "Url": "/"}],
    },
    "ModifyRule": {"LoadBalancerId": LB, "ListenerId": HTTP, "LocationId": RULE, "Url": "/x"},
    "ModifyDomainAttributes": {
        "LoadBalancerId": LB,
        "ListenerId": HTTP,
        "Domain": "a.example",
        "NewDomain": "c.example",
    },
    "DeleteRule": {"LoadBalancerId": LB, "ListenerId": HTTP, "LocationIds": [RULE]},
    "RegisterTargets": {"LoadBalancerId": LB, "ListenerId": TCP, "Targets": [_TARGET]},
    "DeregisterTargets": {"LoadBalancerId": LB, "ListenerId": TCP, "Targets": [_TARGET]},
    "ModifyTargetWeight": {
        "LoadBalancerId": LB,
        "ListenerId": TCP,
        "Targets": [_TARGET],
        "Weight": 0,
    },
    "BatchRegisterTargets": {"LoadBalancerId": LB, "Targets": [_PLACED]},
    "BatchDeregisterTargets": {"LoadBalancerId": LB, "Targets": [_PLACED]},
    "BatchModifyTargetWeight": {
        "LoadBalancerId": LB,
        "ModifyList": [{"ListenerId": TCP, "Targets": [_TARGET], "Weight": 0}],
    },
    "BatchModifyTargetTag": {
        "LoadBalancerId": LB,
        "ModifyList": [{"ListenerId": TCP, "Targets": [_TARGET], "Tag": "pod"}],
    },
    "DescribeTargets": {"LoadBalancerId": LB},
    "DescribeTargetHealth": {"LoadBalancerIds": [LB]},
    "DescribeLBListeners": {"Backends": [{"VpcId": "vpc-sim", "PrivateIp": "10.0.0.1"}]},
    "DescribeTaskStatus": {"DealName": "deal"},
    "DescribeAsyncJobs": {},
    "DescribeQuota": {},
}

# Null without the model saying so: what L4 and L7 have in turn, and what no sample shows.
NULL = {
    ("TargetHealth", "TargetGroupId"),
    ("ListenerBackend", "Rules"),
    ("ListenerBackend", "Targets"),
    ("RewriteTarget", "RewriteCode"),
    ("RewriteTarget", "TakeUrl"),
    ("RewriteTarget", "RewriteType"),
}


def filled(bed: Bed) -> Bed:
    """`bed` with a target on each listener, and a task whose order is known."""
    bed.bind("10.0.0.1")
    bed.bind("10.0.0.1", listener=HTTP, location=RULE)
    deal = bed.call("CreateLoadBalancer", LoadBalancerType="OPEN").DealName
    bed.simulator.advance(10)
    CALLS["DescribeTaskStatus"]["DealName"] = deal
    return bed


@pytest.mark.parametrize("action", CALLS)
def test_a_good_reply_lacks_nothing(bed: Bed, action: str) -> None:
    reply = filled(bed).call(action, **CALLS[action])
    assert holes(reply) == set()


def test_every_action_is_here() -> None:
    from binder.simulator.actions import ACTIONS

    assert set(CALLS) == {name for name, row in ACTIONS.items() if row.service == "clb"}


def test_a_hole_would_be_seen() -> None:
    backend = models.Backend()
    backend._deserialize({"Type": "ENI", "PrivateIpAddresses": ["10.0.0.1"], "Weight": 1})
    assert ("Backend", "Port") in holes(backend)
    assert ("Backend", "Zone") not in holes(backend)  # nullable


def holes(model: AbstractModel) -> set[tuple[str, str]]:
    """Fields that are None and should not be, all the way down."""
    kind = type(model).__name__
    found = set()
    for name, value in vars(model).items():
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            if isinstance(row, AbstractModel):
                found |= holes(row)
        if value is None and name.lstrip("_") not in nullable(type(model)):
            found.add((kind, name.lstrip("_")))
    return found - NULL


def nullable(model: type[AbstractModel]) -> set[str]:
    """The fields of which the SDK says that they may be null."""
    text = inspect.getsource(model.__init__)
    rows = re.findall(r":param _(\w+): (.*?):type", text, re.S)
    return {name for name, said in rows if "null" in said}
