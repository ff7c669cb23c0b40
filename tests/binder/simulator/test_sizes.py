"""Lists and numbers at their limits: N is taken, N + 1 is refused with the documented code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.binder.simulator.bed import HTTP, LB, RULE, TCP, Bed

LENGTH, RANGE, VALUE = (
    "InvalidParameterValue.Length",
    "InvalidParameterValue.Range",
    "InvalidParameterValue",
)
Row = tuple[str, int, Callable[[Bed, int], dict[str, Any]], str]


def on(listener: str = TCP, **more: Any) -> dict[str, Any]:
    return {"LoadBalancerId": LB, "ListenerId": listener, **more}


def check(**values: int) -> Callable[[Bed, int], dict[str, Any]]:
    """A health check with one field at the limit."""
    (name,) = values
    return lambda _bed, n: on(HealthCheck={"IntervalTime": 100, name: n})


def batch(bed: Bed, count: int, **more: Any) -> dict[str, Any]:
    return {"LoadBalancerId": LB, "Targets": bed.targets(count, ListenerId=TCP, **more)}


def one(bed: Bed, **more: Any) -> dict[str, Any]:
    return {"LoadBalancerId": LB, "Targets": bed.targets(1, ListenerId=TCP, **more)}


def weighed(bed: Bed, rules: list[int], **what: Any) -> dict[str, Any]:
    """Rules with so many targets each, all of which are bound."""
    what = what or {"Weight": 5}
    rows = bed.targets(sum(rules))
    bed.simulator.do(lambda: bed.world.quotas.update(TOTAL_TARGET_BIND_QUOTA=2000))
    for start in range(0, len(rows), 500):
        placed = [{**row, "ListenerId": TCP} for row in rows[start : start + 500]]
        bed.call("BatchRegisterTargets", LoadBalancerId=LB, Targets=placed)
    left = iter(rows)
    return {
        "LoadBalancerId": LB,
        "ModifyList": [
            {"ListenerId": TCP, "Targets": [next(left) for _ in range(count)], **what}
            for count in rules
        ],
    }


def filters(count: int, values: int = 1) -> dict[str, Any]:
    row = {"Name": "tag-key", "Values": ["team"] * values}
    return {"Filters": [row] * count}


SIZES: list[Row] = [
    ("RegisterTargets", 20, lambda bed, n: on(Targets=bed.targets(n)), LENGTH),
    ("BatchRegisterTargets", 500, batch, LENGTH),
    ("BatchDeregisterTargets", 500, batch, LENGTH),
    ("BatchRegisterTargets", 100, lambda bed, n: one(bed, Weight=n), VALUE),
    ("BatchRegisterTargets", 65535, lambda bed, n: batch(bed, 1) | _port(n), VALUE),
    ("BatchRegisterTargets", 64, lambda bed, n: one(bed, Tag="x" * n), LENGTH),
    ("BatchModifyTargetWeight", 100, lambda bed, n: weighed(bed, [1] * n), LENGTH),
    ("BatchModifyTargetWeight", 50, lambda bed, n: weighed(bed, [n]), LENGTH),
    ("BatchModifyTargetWeight", 500, lambda b, n: weighed(b, [50] * 9 + [25, n - 475]), LENGTH),
    ("BatchModifyTargetTag", 500, lambda bed, n: weighed(bed, [n], Tag="t"), LENGTH),
    ("BatchModifyTargetTag", 64, lambda bed, n: weighed(bed, [1], Tag="t" * n), LENGTH),
    ("DescribeTargetHealth", 30, lambda _bed, n: {"LoadBalancerIds": [LB] * n}, LENGTH),
    ("DescribeListeners", 100, lambda _bed, n: _ids(n), LENGTH),
    ("DescribeTargets", 20, lambda _bed, n: _ids(n), LENGTH),
    ("DeleteLoadBalancerListeners", 20, lambda _bed, n: _ids(n), LENGTH),
    ("DescribeLoadBalancers", 20, lambda _bed, n: {"LoadBalancerIds": [LB] * n}, LENGTH),
    ("DescribeLoadBalancers", 100, lambda _bed, n: {"Limit": n}, RANGE),
    ("DescribeLoadBalancers", 10, lambda _bed, n: filters(n), LENGTH),
    ("DescribeLoadBalancers", 100, lambda _bed, n: filters(1, n), LENGTH),
    ("DeleteLoadBalancer", 20, lambda _bed, n: {"LoadBalancerIds": [LB] * n}, LENGTH),
    ("CreateLoadBalancer", 20, lambda _bed, n: _new(Number=n), RANGE),
    ("CreateLoadBalancer", 64, lambda _bed, n: _new(ClientToken="x" * n), LENGTH),
    (
        "CreateLoadBalancer",
        20,
        lambda _b, n: _new(Tags=[{"TagKey": str(i)} for i in range(n)]),
        LENGTH,
    ),
    ("CreateListener", 49, lambda bed, n: _ports(bed, list(range(1000, 1000 + n))), LENGTH),
    ("CreateListener", 65535, lambda bed, n: _ports(bed, [n]), VALUE),
    ("CreateListener", 3600, lambda bed, n: _ports(bed, [81]) | {"SessionExpireTime": n}, VALUE),
    ("CreateListener", 80, lambda bed, n: _ports(bed, [81]) | {"ListenerNames": ["n" * n]}, LENGTH),
    ("ModifyListener", 1980, lambda _bed, n: on(IdleConnectTimeout=n), VALUE),
    ("ModifyListener", 60, check(TimeOut=0), VALUE),
    ("ModifyListener", 300, check(IntervalTime=0), VALUE),
    ("ModifyListener", 10, check(HealthNum=0), VALUE),
    ("ModifyListener", 10, check(UnHealthNum=0), VALUE),
    ("ModifyListener", 31, check(HttpCode=0), VALUE),
    ("CreateRule", 80, lambda _bed, n: _rule(Domain="d" * n, Url="/"), LENGTH),
    ("CreateRule", 200, lambda _bed, n: _rule(Domain="d", Url="/" * n), LENGTH),
    ("CreateRule", 86400, lambda _b, n: _rule(Domain="d", Url="/", SessionExpireTime=n), VALUE),
    ("ModifyRule", 200, lambda _bed, n: on(HTTP, LocationId=RULE, Url="/" * n), LENGTH),
    ("DescribeAsyncJobs", 100, lambda _bed, n: {"MaxResults": n}, RANGE),
    ("DescribeAsyncJobs", 100, lambda _bed, n: {"RequestIds": ["x"] * n}, LENGTH),
    ("SetLoadBalancerSecurityGroups", 50, lambda _bed, n: _groups(n), LENGTH),
]


def _port(port: int) -> dict[str, Any]:
    return {"Targets": [{"ListenerId": TCP, "EniIp": "10.0.0.1", "Port": port}]}


def _ids(count: int) -> dict[str, Any]:
    return {"LoadBalancerId": LB, "ListenerIds": [TCP] * count}


def _new(**more: Any) -> dict[str, Any]:
    return {"LoadBalancerType": "OPEN", **more}


def _ports(bed: Bed, ports: list[int]) -> dict[str, Any]:
    bed.simulator.do(lambda: bed.world.quotas.update(TOTAL_LISTENER_QUOTA=1000))
    return {"LoadBalancerId": LB, "Ports": ports, "Protocol": "TCP"}


def _rule(**more: Any) -> dict[str, Any]:
    return on(HTTP, Rules=[more])


def _groups(count: int) -> dict[str, Any]:
    return {"LoadBalancerId": LB, "SecurityGroups": [f"sg-{at}" for at in range(count)]}


@pytest.mark.parametrize(
    ("action", "limit", "params", "code"),
    SIZES,
    ids=[f"{at}-{action}-{limit}" for at, (action, limit, *_) in enumerate(SIZES)],
)
def test_the_limit_is_taken_and_one_more_is_not(
    bed: Bed,
    action: str,
    limit: int,
    params: Callable[[Bed, int], dict[str, Any]],
    code: str,
) -> None:
    bed.simulator.do(lambda: bed.world.quotas.update(TOTAL_TARGET_BIND_QUOTA=2000))
    over = params(bed, limit + 1)
    assert bed.error(action, **over).code == code
    assert bed.call(action, **params(bed, limit)).RequestId


LOW: list[tuple[str, dict[str, Any], str]] = [
    ("BatchRegisterTargets", {**_port(80), "Targets": [{**_port(0)["Targets"][0]}]}, VALUE),
    ("ModifyListener", on(HealthCheck={"TimeOut": 1}), VALUE),
    ("ModifyListener", on(HealthCheck={"IntervalTime": 1}), VALUE),
    ("ModifyListener", on(HealthCheck={"HealthNum": 1}), VALUE),
    ("ModifyListener", on(HealthCheck={"TimeOut": 5, "IntervalTime": 5}), VALUE),
    ("ModifyListener", on(SessionExpireTime=29), VALUE),
    ("CreateRule", _rule(Domain="d", Url="/", SessionExpireTime=29), VALUE),
    ("DescribeLoadBalancers", {"Limit": 0}, RANGE),
    ("DescribeLoadBalancers", {"Offset": -1}, RANGE),
]


@pytest.mark.parametrize(("action", "params", "code"), LOW)
def test_below_the_least_is_refused(
    bed: Bed, action: str, params: dict[str, Any], code: str
) -> None:
    params = {"LoadBalancerId": LB, **params} if action.startswith("Batch") else params
    assert bed.error(action, **params).code == code


def test_the_message_is_that_of_the_real_service(bed: Bed) -> None:
    error = bed.error("CreateListener", **_ports(bed, list(range(1, 51))))
    assert error.message == "Length of .Ports should be less than 50"
