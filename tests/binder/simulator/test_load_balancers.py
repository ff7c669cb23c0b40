"""Creating, finding, changing and deleting load balancers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.binder.simulator.bed import LB, TCP, Bed


def new(bed: Bed, **more: Any) -> Any:
    return bed.call("CreateLoadBalancer", LoadBalancerType="OPEN", **more)


def test_a_new_one_is_creating_then_runs(bed: Bed) -> None:
    reply = new(bed, LoadBalancerName="fresh", VpcId="vpc-1")
    (name,) = reply.LoadBalancerIds
    ids = {"LoadBalancerIds": [name]}
    assert bed.call("DescribeLoadBalancers", **ids).LoadBalancerSet[0].Status == 0
    bed.simulator.advance(10)
    (lb,) = bed.call("DescribeLoadBalancers", **ids).LoadBalancerSet
    assert (lb.Status, lb.LoadBalancerName, lb.VpcId) == (1, "fresh", "vpc-1")


@pytest.mark.parametrize("by", ["TaskId", "DealName"])
def test_the_ids_may_come_later_with_the_task(bed: Bed, by: str) -> None:
    bed.fault("empty-ids", action="CreateLoadBalancer")
    reply = new(bed)
    assert reply.LoadBalancerIds == []
    asked = {by: reply.RequestId if by == "TaskId" else reply.DealName}
    assert len(bed.call("DescribeTaskStatus", **asked).LoadBalancerIds) == 1


def test_a_client_token_makes_it_once(bed: Bed) -> None:
    first, second = new(bed, ClientToken="t"), new(bed, ClientToken="t")
    assert first.LoadBalancerIds == second.LoadBalancerIds
    assert new(bed, ClientToken="u").LoadBalancerIds != first.LoadBalancerIds
    assert bed.call("DescribeLoadBalancers").TotalCount == 3


def test_an_internal_one_needs_a_subnet(bed: Bed) -> None:
    internal = {"LoadBalancerType": "INTERNAL", "VpcId": "vpc-1"}
    assert bed.error("CreateLoadBalancer", **internal).code == "MissingParameter"
    assert bed.call("CreateLoadBalancer", **internal, SubnetId="subnet-1").LoadBalancerIds


def test_the_quota_of_load_balancers_holds(bed: Bed) -> None:
    bed.admin("seed", quotas={"TOTAL_OPEN_CLB_QUOTA": 3})
    assert new(bed, Number=2).LoadBalancerIds
    error = bed.error("CreateLoadBalancer", LoadBalancerType="OPEN")
    assert error.code == "LimitExceeded"
    rows = {row.QuotaId: row for row in bed.call("DescribeQuota").QuotaSet}
    quota = rows["TOTAL_OPEN_CLB_QUOTA"]
    assert (quota.QuotaCurrent, quota.QuotaLimit) == (3, 3)


def test_pages_cover_everything_once(bed: Bed) -> None:
    for _ in range(3):
        new(bed, Number=15)
    seen: list[str] = []
    while True:
        page = bed.call("DescribeLoadBalancers", Offset=len(seen))
        assert page.TotalCount == 46
        if not page.LoadBalancerSet:
            break
        assert len(page.LoadBalancerSet) <= 20  # the default
        seen += [lb.LoadBalancerId for lb in page.LoadBalancerSet]
    assert len(seen) == len(set(seen)) == 46


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"LoadBalancerIds": [LB]}, True),
        ({"LoadBalancerIds": ["lb-unknown"]}, False),
        ({"LoadBalancerName": "sho"}, True),
        ({"LoadBalancerType": "INTERNAL"}, False),
        ({"Forward": 0}, False),
        ({"VpcId": "vpc-sim"}, True),
        ({"VpcId": "vpc-2"}, False),
        ({"SecurityGroup": "sg-1"}, False),
        ({"WithRs": 1}, True),
        ({"WithRs": 0}, False),
        ({"BackendPrivateIps": ["10.0.0.1"]}, True),
        ({"SearchKey": "shop"}, True),
        ({"SearchKey": "nothing"}, False),
        ({"Filters": [{"Name": "tag-key", "Values": ["team"]}]}, True),
        ({"Filters": [{"Name": "tag:team", "Values": ["web", "db"]}]}, True),
        ({"Filters": [{"Name": "tag:team", "Values": ["db"]}]}, False),
        ({"Filters": [{"Name": "charge-type", "Values": ["PREPAID"]}]}, False),
    ],
)
def test_load_balancers_are_found(bed: Bed, params: dict[str, Any], found: bool) -> None:
    bed.bind("10.0.0.1")
    assert bed.call("DescribeLoadBalancers", **params).TotalCount == int(found)


def test_they_are_sorted(bed: Bed) -> None:
    bed.simulator.advance(10)
    (newest,) = new(bed, LoadBalancerName="aaa").LoadBalancerIds
    first = bed.call("DescribeLoadBalancers").LoadBalancerSet[0]
    assert first.LoadBalancerId == newest
    first = bed.call("DescribeLoadBalancers", OrderType=0).LoadBalancerSet[0]
    assert first.LoadBalancerId == LB
    ordered = bed.call("DescribeLoadBalancers", OrderBy="LoadBalancerName", OrderType=0)
    assert [lb.LoadBalancerName for lb in ordered.LoadBalancerSet] == ["aaa", "shop"]


def test_another_region_is_another_world(bed: Bed) -> None:
    client = bed.new_client(region="ap-shanghai")
    assert bed.call("DescribeLoadBalancers", client).TotalCount == 0
    error = bed.error("DescribeTargets", client, LoadBalancerId=LB)
    assert error.code == "InvalidParameter.LBIdNotFound"
    error = bed.error("DeleteLoadBalancer", client, LoadBalancerIds=[LB])
    assert error.code == "InvalidParameter.LBIdNotFound"


def test_attributes_and_security_groups_change(bed: Bed) -> None:
    bed.done("ModifyLoadBalancerAttributes", LoadBalancerId=LB, LoadBalancerPassToTarget=True)
    bed.done("SetLoadBalancerSecurityGroups", LoadBalancerId=LB, SecurityGroups=["sg-1", "sg-2"])
    bed.done("SetLoadBalancerSecurityGroups", LoadBalancerId=LB, SecurityGroups=["sg-3"])
    (lb,) = bed.call("DescribeLoadBalancers").LoadBalancerSet
    assert (lb.LoadBalancerPassToTarget, lb.SecureGroups) == (True, ["sg-3"])
    bed.done("SetLoadBalancerSecurityGroups", LoadBalancerId=LB)
    assert bed.call("DescribeLoadBalancers").LoadBalancerSet[0].SecureGroups == []


def test_deletion_is_refused_at_20_targets_unless_forced(bed: Bed) -> None:
    rows = bed.targets(20, ListenerId=TCP)
    bed.call("BatchRegisterTargets", LoadBalancerId=LB, Targets=rows)
    error = bed.error("DeleteLoadBalancer", LoadBalancerIds=[LB])
    assert error.code == "FailedOperation.TargetNumCheckRisk"
    bed.done("DeleteLoadBalancer", LoadBalancerIds=[LB], ForceDelete=True)
    assert bed.error("DescribeTargets", LoadBalancerId=LB).code == "InvalidParameter.LBIdNotFound"


def test_19_targets_may_be_deleted(bed: Bed) -> None:
    rows = bed.targets(19, ListenerId=TCP)
    bed.call("BatchRegisterTargets", LoadBalancerId=LB, Targets=rows)
    bed.done("DeleteLoadBalancer", LoadBalancerIds=[LB])
    assert bed.call("DescribeLoadBalancers").TotalCount == 0


def test_the_30th_deletion_within_five_minutes_is_the_last(bed: Bed) -> None:
    bed.simulator.do(lambda: bed.world.deletions.extend([bed.world.now()] * 29))
    bed.admin("seed", load_balancers=[{"id": "lb-2"}])
    bed.done("DeleteLoadBalancer", LoadBalancerIds=["lb-2"])
    error = bed.error("DeleteLoadBalancer", LoadBalancerIds=[LB], ForceDelete=True)
    assert error.code == "FailedOperation.FrequencyCheckRisk"
    bed.simulator.advance(301)
    bed.done("DeleteLoadBalancer", LoadBalancerIds=[LB])


def test_the_default_quotas_are_those_that_were_seen(bed: Bed) -> None:
    rows = {row.QuotaId: row.QuotaLimit for row in bed.call("DescribeQuota").QuotaSet}
    assert rows == {
        "TOTAL_OPEN_CLB_QUOTA": 100,
        "TOTAL_INTERNAL_CLB_QUOTA": 200,
        "TOTAL_LISTENER_QUOTA": 50,
        "TOTAL_LISTENER_RULE_QUOTA": 50,
        "TOTAL_TARGET_BIND_QUOTA": 200,
        "TOTAL_SNAT_IP_QUOTA": 10,
        "TOTAL_FULL_PORT_RANGE_LISTENER_QUOTA": 1,
        "TOTAL_ISP_CLB_QUOTA": 15,
    }
