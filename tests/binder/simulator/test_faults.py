"""Each fault has the effect that the SDK, or the next read, shows."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from binder.simulator.faults import EFFECTS, Fault, Faults
from tests.binder.simulator.bed import HTTP, LB, RULE, TCP, Bed

IP = "10.0.0.1"

# What the SDK makes of a reply that was spoilt: its code, and whether the write was done.
SPOILT: list[tuple[str, dict[str, Any], str, bool]] = [
    ("error", {"code": "InternalError"}, "InternalError", False),
    ("error", {"code": "RequestLimitExceeded"}, "RequestLimitExceeded", False),
    ("http", {"status": 502}, "ServerNetworkError", False),
    ("http", {"status": 429}, "ServerNetworkError", False),
    ("drop-before", {}, "ClientNetworkError", False),
    ("drop-after", {}, "ClientNetworkError", True),
    ("hang-before", {}, "ClientNetworkError", False),
    ("hang-after", {}, "ClientNetworkError", True),
    ("stall", {}, "ConnectionError", True),
    ("truncate", {}, "ChunkedEncodingError", True),
    ("not-json", {}, "JSONDecodeError", True),
    ("no-response", {}, "KeyError", True),
]


@pytest.mark.parametrize(
    ("effect", "parameters", "code", "done"), SPOILT, ids=[f"{r[0]}-{r[2]}" for r in SPOILT]
)
def test_a_spoilt_reply_is_what_the_sdk_says(
    bed: Bed, effect: str, parameters: dict[str, Any], code: str, done: bool
) -> None:
    bed.fault(effect, action="BatchRegisterTargets", parameters=parameters, budget=1)
    row = {"ListenerId": TCP, "EniIp": IP, "Port": 80}
    impatient = bed.new_client(timeout=0.05)  # type: ignore[arg-type]  # seconds, as requests has it
    error = bed.error("BatchRegisterTargets", impatient, LoadBalancerId=LB, Targets=[row])
    assert error.code == code
    assert bed.bound() == ({IP: 10} if done else {})


def test_an_error_may_hide_behind_its_content_type(bed: Bed) -> None:
    bed.fault("content-type", action="DescribeTargets")
    reply = bed.call("DescribeTargets", LoadBalancerId="lb-unknown")
    assert reply.Listeners is None  # the SDK takes it for success


def test_an_error_may_lack_its_request_id(bed: Bed) -> None:
    bed.fault("no-request-id", action="DescribeTargets")
    assert bed.error("DescribeTargets", LoadBalancerId="lb-unknown").code == "KeyError"


def test_a_dripping_reply_outlives_the_timeout(bed: Bed) -> None:
    bed.fault("drip", action="DescribeQuota", parameters={"pieces": 4, "seconds": 0.03})
    client = bed.new_client(timeout=0.08)  # type: ignore[arg-type]
    assert bed.call("DescribeQuota", client).QuotaSet


def test_a_fault_hits_whom_it_is_for(bed: Bed) -> None:
    bed.admin("seed", load_balancers=[{"id": "lb-2"}])
    error = {"code": "InternalError"}
    bed.fault("error", action="Describe*", lb="lb-2", parameters=error)
    assert bed.call("DescribeTargets", LoadBalancerId=LB).Listeners
    assert bed.error("DescribeTargets", LoadBalancerId="lb-2").code == "InternalError"
    assert bed.error("DescribeTargetHealth", LoadBalancerIds=[LB, "lb-2"]).code == "InternalError"


def test_nth_budget_duration_and_removal(bed: Bed) -> None:
    def outcomes(count: int) -> str:
        return "".join(
            "x" if hasattr(bed.raw("DescribeQuota", {}), "code") else "." for _ in range(count)
        )

    error = {"code": "InternalError"}
    bed.fault("error", action="DescribeQuota", nth=2, parameters=error)
    assert outcomes(4) == ".x.."
    bed.fault("error", action="DescribeQuota", budget=2, parameters=error)
    assert outcomes(4) == "xx.."
    bed.fault("error", action="DescribeQuota", duration=5, parameters=error)
    assert outcomes(2) == "xx"
    bed.simulator.advance(5)
    assert outcomes(2) == ".."
    bed.fault("error", action="DescribeQuota", parameters=error)
    bed.simulator.do(lambda: bed.world.faults.remove())
    assert outcomes(2) == ".."


def test_the_same_seed_throws_the_same_dice() -> None:
    def thrown(seed: int) -> list[bool]:
        faults = Faults(Random(seed))
        faults.add(Fault("delay", probability=0.5), 0)
        return [bool(faults.hit("DescribeQuota", (), "sub", 0)) for _ in range(64)]

    assert thrown(1) == thrown(1) != thrown(2)
    assert 16 < sum(thrown(1)) < 48


@pytest.mark.parametrize("given", [{"effect": "magic"}, {"effect": "delay", "probability": 2}])
def test_a_fault_that_cannot_be_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"effect|probability"):
        Fault(**given)


@pytest.mark.parametrize(
    ("effect", "status", "bound"),
    [
        ("task-fails", 1, []),
        ("task-half", 1, [IP]),
        ("task-not-applied", 0, []),
        ("task-stuck", 2, []),
        ("lose-targets", 0, [IP]),
    ],
)
def test_a_task_may_end_otherwise(bed: Bed, effect: str, status: int, bound: list[str]) -> None:
    bed.fault(effect, action="RegisterTargets", parameters={"message": "no"} if status == 1 else {})
    rows = [{"EniIp": ip, "Port": 80} for ip in (IP, "10.0.0.2")]
    task = bed.call("RegisterTargets", LoadBalancerId=LB, ListenerId=TCP, Targets=rows).RequestId
    bed.simulator.advance(100)
    reply = bed.call("DescribeTaskStatus", TaskId=task)
    assert (reply.Status, list(bed.bound())) == (status, bound)
    assert reply.Message == ("no" if status == 1 else "")


def test_a_batch_may_lose_targets_without_a_word(bed: Bed) -> None:
    bed.fault("lose-targets", action="BatchRegisterTargets", parameters={"count": 1})
    assert bed.bind(IP, "10.0.0.2").FailListenerIdSet == []
    assert list(bed.bound()) == [IP]


def test_one_target_may_poison_its_batch(bed: Bed) -> None:
    bed.fault("poison", parameters={"ip": "10.0.0.2"})
    rows = [{"ListenerId": TCP, "EniIp": ip, "Port": 80} for ip in (IP, "10.0.0.2")]
    error = bed.error("BatchRegisterTargets", LoadBalancerId=LB, Targets=rows)
    assert (error.code, bed.bound()) == ("InvalidParameter", {})
    assert bed.bind(IP).FailListenerIdSet == []


def test_reads_may_be_stale(bed: Bed) -> None:
    bed.fault("stale", action="Describe*", parameters={"seconds": 3})
    bed.bind(IP)
    assert bed.bound() == {}
    bed.simulator.advance(2.5)
    assert bed.bound() == {}
    bed.simulator.advance(0.5)
    assert bed.bound() == {IP: 10}


def test_health_may_miss_what_was_just_bound(bed: Bed) -> None:
    def shown() -> int:
        (lb,) = bed.call("DescribeTargetHealth", LoadBalancerIds=[LB]).LoadBalancers
        return len(lb.Listeners[0].Rules[0].Targets)

    bed.fault("hide-from-health", parameters={"seconds": 5})
    bed.bind(IP)
    assert shown() == 0
    bed.simulator.advance(5)
    assert shown() == 1


def test_health_may_be_cut_short_or_lie(bed: Bed) -> None:
    bed.bind(IP)
    bed.fault("truncate-health", parameters={"count": 1})
    bed.fault("say-health", parameters={"health": "Alive"})
    (lb,) = bed.call("DescribeTargetHealth", LoadBalancerIds=[LB]).LoadBalancers
    (listener,) = lb.Listeners
    assert listener.Rules[0].Targets[0].HealthStatusDetail == "Alive"


def test_the_quota_may_look_lower_than_it_is(bed: Bed) -> None:
    lie = {"name": "TOTAL_TARGET_BIND_QUOTA", "limit": 1}
    bed.fault("quota-shown", action="DescribeQuota", parameters=lie)
    rows = {row.QuotaId: row.QuotaLimit for row in bed.call("DescribeQuota").QuotaSet}
    assert rows["TOTAL_TARGET_BIND_QUOTA"] == 1
    assert bed.bind(IP, "10.0.0.2").FailListenerIdSet == []


def test_a_reply_may_be_late(bed: Bed) -> None:
    bed.fault("delay", action="DescribeQuota", parameters={"seconds": 0})
    assert bed.call("DescribeQuota").QuotaSet


def test_somebody_else_may_hold_the_load_balancer(bed: Bed) -> None:
    bed.fault("hold", parameters={"seconds": 3})
    row = {"ListenerId": TCP, "EniIp": IP, "Port": 80}
    error = bed.error("BatchRegisterTargets", LoadBalancerId=LB, Targets=[row])
    assert error.code == "FailedOperation.ResourceInOperating"
    bed.simulator.advance(3)
    bed.bind(IP)


def test_connections_may_be_refused_for_a_while(bed: Bed) -> None:
    bed.call("DescribeQuota")
    bed.fault("refuse", parameters={"seconds": 5})
    bed.simulator.advance(1)
    error = bed.error("DescribeQuota")
    assert error.code == "ClientNetworkError"
    assert "refused" in error.message
    bed.simulator.advance(4)
    assert bed.call("DescribeQuota").QuotaSet


OUT_OF_BAND: list[tuple[str, dict[str, Any], dict[str, dict[str, int]]]] = [
    ("delete-listener", {"id": HTTP}, {TCP: {IP: 10}}),
    ("delete-rule", {"id": RULE}, {TCP: {IP: 10}, HTTP: {}}),
    ("add-target", {"id": TCP, "ip": "10.9.9.9", "port": 1}, {TCP: {IP: 10, "10.9.9.9": 10}}),
    ("weight", {"ip": IP, "weight": 3}, {TCP: {IP: 3}, HTTP: {IP: 3}}),
    ("remove-target", {"ip": IP}, {TCP: {}, HTTP: {}}),
]


@pytest.mark.parametrize(
    ("effect", "parameters", "after"), OUT_OF_BAND, ids=[row[0] for row in OUT_OF_BAND]
)
def test_things_happen_behind_the_callers_back(
    bed: Bed, effect: str, parameters: dict[str, Any], after: dict[str, dict[str, int]]
) -> None:
    bed.bind(IP)
    bed.bind(IP, listener=HTTP, location=RULE)
    bed.fault(effect, parameters=parameters)
    found = {}
    for row in bed.call("DescribeTargets", LoadBalancerId=LB).Listeners:
        groups = [row.Targets or []] + [rule.Targets for rule in row.Rules or []]
        found[row.ListenerId] = {t.PrivateIpAddresses[0]: t.Weight for g in groups for t in g}
    assert {**found, **after} == found
    assert (HTTP in found) is (effect != "delete-listener")


def test_a_listener_may_come_back_under_another_id(bed: Bed) -> None:
    bed.bind(IP)
    bed.fault("recreate-listener", parameters={"id": TCP})
    rows = bed.call("DescribeListeners", LoadBalancerId=LB, Protocol="TCP").Listeners
    assert [(row.Port, row.ListenerId == TCP) for row in rows] == [(80, False)]
    (row,) = bed.call("DescribeTargets", LoadBalancerId=LB, Protocol="TCP").Listeners
    assert row.Targets == []


def test_the_load_balancer_may_go_at_the_third_call(bed: Bed) -> None:
    bed.fault("delete-lb", action="DescribeTargets", nth=3)
    bed.call("DescribeTargets", LoadBalancerId=LB)
    bed.call("DescribeTargets", LoadBalancerId=LB)
    assert bed.error("DescribeTargets", LoadBalancerId=LB).code == "InvalidParameter.LBIdNotFound"


def test_security_groups_may_change(bed: Bed) -> None:
    bed.fault("security-groups", parameters={"groups": ["sg-9"]})
    assert bed.call("DescribeLoadBalancers").LoadBalancerSet[0].SecureGroups == ["sg-9"]


def test_every_effect_is_tried_somewhere() -> None:
    from pathlib import Path

    text = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    assert [effect for effect in EFFECTS if f'"{effect}"' not in text] == []
