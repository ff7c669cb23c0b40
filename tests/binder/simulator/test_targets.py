"""What happens to targets: one by one, in batches, and when a part of a batch fails."""

from __future__ import annotations

from typing import Any

import pytest

from tests.binder.simulator.bed import HTTP, LB, RULE, TCP, Bed

IP = "10.0.0.1"
TARGET = {"EniIp": IP, "Port": 80}


def one(**more: Any) -> dict[str, Any]:
    return {"LoadBalancerId": LB, "ListenerId": TCP, "Targets": [TARGET], **more}


def test_a_batch_is_there_when_it_returns(bed: Bed) -> None:
    reply = bed.bind(IP, Weight=7, Tag="pod-1")
    assert (reply.FailListenerIdSet, reply.Message) == ([], "")
    row = bed.call("DescribeTargets", LoadBalancerId=LB).Listeners[0].Targets[0]
    shown = (row.Type, row.PrivateIpAddresses, row.Port, row.Weight, row.Tag)
    assert shown == ("ENI", [IP], 80, 7, "pod-1")
    assert row.RegisteredTime == "2027-01-15 16:00:00"


def test_the_weight_is_10_unless_given(bed: Bed) -> None:
    bed.bind(IP)
    assert bed.bound() == {IP: 10}


def test_a_batch_may_span_listeners(bed: Bed) -> None:
    targets = [
        {"ListenerId": TCP, **TARGET},
        {"ListenerId": HTTP, "LocationId": RULE, **TARGET},
    ]
    bed.call("BatchRegisterTargets", LoadBalancerId=LB, Targets=targets)
    tcp, http = bed.call("DescribeTargets", LoadBalancerId=LB).Listeners
    assert (len(tcp.Targets), tcp.Rules) == (1, None)
    assert (http.Targets, len(http.Rules[0].Targets)) == (None, 1)


@pytest.mark.parametrize("where", [{"LocationId": RULE}, {"Domain": "a.example", "Url": "/"}])
def test_a_rule_is_named_by_id_or_by_host_and_path(bed: Bed, where: dict[str, str]) -> None:
    bed.done("RegisterTargets", **one(ListenerId=HTTP, **where))
    bed.done("ModifyTargetWeight", **one(ListenerId=HTTP, Weight=3, **where))
    (http,) = bed.call("DescribeTargets", LoadBalancerId=LB, ListenerIds=[HTTP]).Listeners
    assert http.Rules[0].Targets[0].Weight == 3
    bed.done("DeregisterTargets", **one(ListenerId=HTTP, **where))


def test_registering_singly_shows_when_the_task_ends(bed: Bed) -> None:
    bed.call("RegisterTargets", **one())
    assert bed.bound() == {}
    bed.simulator.advance(1)
    assert bed.bound() == {IP: 10}


def test_an_instance_is_bound_by_its_address(bed: Bed) -> None:
    bed.admin("seed", instances={"ins-1": "10.0.9.9"})
    bed.done("RegisterTargets", **one(Targets=[{"InstanceId": "ins-1", "Port": 80}]))
    row = bed.call("DescribeTargets", LoadBalancerId=LB).Listeners[0].Targets[0]
    assert (row.Type, row.InstanceId, row.PrivateIpAddresses) == ("CVM", "ins-1", ["10.0.9.9"])
    error = bed.error("RegisterTargets", **one(Targets=[{"InstanceId": "ins-2", "Port": 80}]))
    assert error.code == "InvalidParameter"


def test_the_weight_of_a_target_goes_first(bed: Bed) -> None:
    bed.bind(IP, "10.0.0.2")
    rows = [{**TARGET, "Weight": 0}, {"EniIp": "10.0.0.2", "Port": 80}]
    rule = {"ListenerId": TCP, "Targets": rows, "Weight": 5}
    bed.done("BatchModifyTargetWeight", LoadBalancerId=LB, ModifyList=[rule])
    assert bed.bound() == {IP: 0, "10.0.0.2": 5}
    bed.done("ModifyTargetWeight", **one(Targets=rows, Weight=6))
    assert bed.bound() == {IP: 0, "10.0.0.2": 6}


def test_tags_are_changed_at_once(bed: Bed) -> None:
    bed.bind(IP, "10.0.0.2", Tag="old")
    rows = [{**TARGET, "Tag": "own"}, {"EniIp": "10.0.0.2", "Port": 80}]
    rule = {"ListenerId": TCP, "Targets": rows, "Tag": "new"}
    bed.call("BatchModifyTargetTag", LoadBalancerId=LB, ModifyList=[rule])
    shown = bed.call("DescribeTargets", LoadBalancerId=LB).Listeners[0].Targets
    assert [row.Tag for row in shown] == ["own", "new"]
    rule["Targets"] = [{"EniIp": "10.0.0.3", "Port": 80}]
    error = bed.error("BatchModifyTargetTag", LoadBalancerId=LB, ModifyList=[rule])
    assert error.code == "InvalidParameter"


def test_weighing_what_is_not_bound_is_refused(bed: Bed) -> None:
    rule = {"ListenerId": TCP, "Targets": [TARGET], "Weight": 5}
    error = bed.error("BatchModifyTargetWeight", LoadBalancerId=LB, ModifyList=[rule])
    assert error.code == "InvalidParameter"


@pytest.mark.parametrize(("updates", "weight"), [(False, 10), (True, 50)])
def test_registering_again_is_a_switch(bed: Bed, updates: bool, weight: int) -> None:
    bed.switch(reregister_updates_weight=updates)
    bed.bind(IP)
    assert bed.bind(IP, Weight=50).FailListenerIdSet == []
    assert bed.bound() == {IP: weight}


def test_deregistering_singly_what_is_not_bound_is_refused(bed: Bed) -> None:
    assert bed.error("DeregisterTargets", **one()).code == "InvalidParameter"


@pytest.mark.parametrize(
    ("switch", "failed"), [("fail-listener", [TCP]), ("ok", []), ("error", None)]
)
def test_deregistering_in_a_batch_what_is_not_bound_is_a_switch(
    bed: Bed, switch: str, failed: list[str] | None
) -> None:
    bed.switch(deregister_missing=switch)
    bed.bind(IP)
    rows = [{"ListenerId": TCP, "EniIp": ip, "Port": 80} for ip in (IP, "10.0.0.9")]
    if failed is None:
        error = bed.error("BatchDeregisterTargets", LoadBalancerId=LB, Targets=rows)
        assert error.code == "InvalidParameter"
        return
    reply = bed.call("BatchDeregisterTargets", LoadBalancerId=LB, Targets=rows)
    assert reply.FailListenerIdSet == failed
    assert bed.bound() == ({IP: 10} if failed else {})  # a failing listener is untouched


def test_one_listener_fails_and_the_others_do_not(bed: Bed) -> None:
    bed.fault("fail-listeners", action="BatchRegisterTargets", parameters={"ids": [HTTP]})
    rows = [{"ListenerId": TCP, **TARGET}, {"ListenerId": HTTP, "LocationId": RULE, **TARGET}]
    reply = bed.call("BatchRegisterTargets", LoadBalancerId=LB, Targets=rows)
    assert (reply.FailListenerIdSet, bool(reply.Message)) == ([HTTP], True)
    tcp, http = bed.call("DescribeTargets", LoadBalancerId=LB).Listeners
    assert (len(tcp.Targets), len(http.Rules[0].Targets)) == (1, 0)


@pytest.mark.parametrize("limit", [100, 200])
def test_the_quota_of_targets_holds_at_n_and_n_plus_1(bed: Bed, limit: int) -> None:
    bed.switch(target_quota=limit)
    rows = bed.targets(limit + 1, ListenerId=TCP)
    error = bed.error("BatchRegisterTargets", LoadBalancerId=LB, Targets=rows)
    assert (error.code, bed.bound()) == ("LimitExceeded", {})
    bed.call("BatchRegisterTargets", LoadBalancerId=LB, Targets=rows[:limit])
    assert len(bed.bound()) == limit
    assert bed.bind(rows[0]["EniIp"]).FailListenerIdSet == []  # bound already: nothing new


def test_over_quota_may_fail_its_listener_only(bed: Bed) -> None:
    bed.switch(target_quota=1, batch_over_quota="fail-listener")
    assert bed.bind(IP, "10.0.0.2").FailListenerIdSet == [TCP]
    assert bed.bound() == {}


@pytest.mark.parametrize(("switch", "code"), [("ok", None), ("error", "InvalidParameter")])
def test_an_address_outside_of_the_vpc_is_a_switch(bed: Bed, switch: str, code: str | None) -> None:
    bed.switch(outside_vpc=switch)
    row = {"ListenerId": TCP, "EniIp": "192.0.2.1", "Port": 80}
    error = bed.raw("BatchRegisterTargets", {"LoadBalancerId": LB, "Targets": [row]})
    assert getattr(error, "code", None) == code


@pytest.mark.parametrize("action", ["BatchRegisterTargets", "BatchDeregisterTargets"])
def test_a_batch_can_be_asked_for_as_a_task(bed: Bed, action: str) -> None:
    bed.bind(IP)
    reply = bed.call(action, LoadBalancerId=LB, Targets=[{"ListenerId": TCP, **TARGET}])
    assert bed.call("DescribeTaskStatus", TaskId=reply.RequestId).Status == 0


def test_batches_may_be_asynchronous_too(bed: Bed) -> None:
    bed.switch(batch_is_synchronous=False)
    reply = bed.bind(IP)
    assert (bed.bound(), bed.call("DescribeTaskStatus", TaskId=reply.RequestId).Status) == ({}, 2)
    bed.simulator.advance(1)
    assert bed.bound() == {IP: 10}


@pytest.mark.parametrize(
    ("name", "values", "count"),
    [
        ("private-ip-address", ["10.0.0.2"], 1),
        ("tag", ["pod"], 2),
        ("tag", ["other"], 0),
        ("location-id", [RULE], 2),
    ],
)
def test_targets_are_filtered(bed: Bed, name: str, values: list[str], count: int) -> None:
    bed.bind(IP, "10.0.0.2", listener=HTTP, location=RULE, Tag="pod")
    rows = [{"Name": name, "Values": values}]
    _, http = bed.call("DescribeTargets", LoadBalancerId=LB, Filters=rows).Listeners
    assert len(http.Rules[0].Targets) == count


def test_targets_are_narrowed_by_protocol_and_port(bed: Bed) -> None:
    (row,) = bed.call("DescribeTargets", LoadBalancerId=LB, Protocol="TCP").Listeners
    assert row.ListenerId == TCP
    (row,) = bed.call("DescribeTargets", LoadBalancerId=LB, Port=8080).Listeners
    assert row.ListenerId == HTTP


def test_health_has_one_rule_without_host_on_l4(bed: Bed) -> None:
    bed.bind(IP)
    (lb,) = bed.call("DescribeTargetHealth", LoadBalancerIds=[LB]).LoadBalancers
    tcp, http = lb.Listeners
    (rule,) = tcp.Rules
    assert (rule.Domain, rule.Url, bool(rule.LocationId)) == (None, None, True)
    (target,) = rule.Targets
    assert (target.IP, target.Port, target.Weight) == (IP, 80, 10)
    assert (target.HealthStatusDetail, target.HealthStatus) == ("Unknown", False)
    assert [(row.LocationId, row.Domain) for row in http.Rules] == [(RULE, "a.example")]


@pytest.mark.parametrize(("health", "serves"), [("Alive", True), ("Dead", False), ("Close", True)])
def test_health_is_what_probes_say(bed: Bed, health: str, serves: bool) -> None:
    bed.bind(IP)
    bed.fault("set-health", parameters={"ip": IP, "health": health})
    (lb,) = bed.call("DescribeTargetHealth", LoadBalancerIds=[LB], ListenerIds=[TCP]).LoadBalancers
    target = lb.Listeners[0].Rules[0].Targets[0]
    assert (target.HealthStatusDetail, target.HealthStatus) == (health, serves)


def test_without_a_check_targets_are_closed(bed: Bed) -> None:
    bed.bind(IP)
    bed.done("ModifyListener", LoadBalancerId=LB, ListenerId=TCP, HealthCheck={"HealthSwitch": 0})
    bed.bind("10.0.0.2")
    (lb,) = bed.call("DescribeTargetHealth", LoadBalancerIds=[LB], ListenerIds=[TCP]).LoadBalancers
    shown = {row.HealthStatusDetail for row in lb.Listeners[0].Rules[0].Targets}
    assert shown == {"Close"}


def test_who_holds_an_address_is_found(bed: Bed) -> None:
    bed.bind(IP)
    wanted = [{"VpcId": "vpc-sim", "PrivateIp": IP}]
    (lb,) = bed.call("DescribeLBListeners", Backends=wanted).LoadBalancers
    assert [row.ListenerId for row in lb.Listeners] == [TCP]
    wanted = [{"VpcId": "vpc-sim", "PrivateIp": "10.9.9.9"}]
    assert bed.call("DescribeLBListeners", Backends=wanted).LoadBalancers == []


def test_three_thousand_targets_fit_into_one_reply(bed: Bed) -> None:
    bed.switch(target_quota=3000)
    rows = bed.targets(3000, ListenerId=TCP)
    for start in range(0, 3000, 500):
        chunk = rows[start : start + 500]
        bed.call("BatchRegisterTargets", LoadBalancerId=LB, Targets=chunk)
    (lb,) = bed.call("DescribeTargetHealth", LoadBalancerIds=[LB]).LoadBalancers
    assert len(lb.Listeners[0].Rules[0].Targets) == 3000
