"""Readings, and what is concluded from what is not in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from binder.cloud import codes, read
from binder.cloud.codes import CloudError, Kind
from binder.core.clb import Attributes, Check, Frontend, Health, Key, Target
from tests.binder.cloud.bed import Cloud, at, registers
from tests.binder.simulator.bed import HTTP, LB, RULE, TCP, Bed


def many(bed: Bed, count: int) -> list[str]:
    ids = [f"lb-n{number}" for number in range(count)]
    bed.admin("seed", load_balancers=[{"id": id_} for id_ in ids])
    return ids


@pytest.mark.parametrize("count", [1, 20, 21, 45])
def test_load_balancers_are_read_twenty_at_a_time(cloud: Cloud, bed: Bed, count: int) -> None:
    ids = many(bed, count)
    found = cloud.clb.load_balancers(ids).value
    assert list(found) == ids
    assert all(len(addresses) == 1 for addresses in found.values())
    assert len(cloud.calls("DescribeLoadBalancers")) == -(-count // 20)


def test_a_load_balancer_that_is_not_there_is_not_among_the_keys(cloud: Cloud, bed: Bed) -> None:
    ids = many(bed, 3)
    bed.fault("delete-lb", lb=ids[1], action="DescribeTargets")
    cloud.failure("DescribeTargets", LoadBalancerId=ids[1])
    assert list(cloud.clb.load_balancers([*ids, "lb-never"]).value) == [ids[0], ids[2]]
    assert cloud.clb.load_balancers([]).value == {}


def test_an_error_does_not_say_that_nothing_is_there(cloud: Cloud, bed: Bed) -> None:
    bed.fault("error", action="DescribeLoadBalancers", parameters={"code": "InternalError"})
    with pytest.raises(CloudError):
        cloud.clb.load_balancers([LB])


def test_pages_are_put_together(cloud: Cloud, bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "PAGE", 7)
    ids = many(bed, 20)
    assert set(cloud.clb.load_balancers(ids).value) == set(ids)
    assert len(cloud.calls("DescribeLoadBalancers")) == 3


@pytest.mark.parametrize("count", [30, 31, 65])
def test_health_is_read_of_thirty_at_a_time(cloud: Cloud, bed: Bed, count: int) -> None:
    ids = many(bed, count)
    assert set(cloud.clb.health(ids).value) == set(ids)
    assert len(cloud.calls("DescribeTargetHealth")) == -(-count // 30)


@pytest.mark.parametrize("gone", [[0], [29], [3, 17], [0, 1, 2, 3], list(range(30))])
def test_a_deleted_load_balancer_does_not_hide_the_others(
    cloud: Cloud, bed: Bed, gone: list[int]
) -> None:
    ids = many(bed, 30)
    for number in gone:
        bed.simulator.do(lambda id_=ids[number]: bed.world.load_balancers.pop(id_))  # type: ignore[misc]
    found = cloud.clb.health(ids).value
    assert set(found) == {ids[number] for number in range(30) if number not in gone}
    assert len(cloud.calls("DescribeTargetHealth")) <= 1 + 2 * 5 * len(gone)


def test_any_other_error_of_a_health_reading_is_one(cloud: Cloud, bed: Bed) -> None:
    bed.fault("error", action="DescribeTargetHealth", parameters={"code": "UnauthorizedOperation"})
    with pytest.raises(CloudError) as caught:
        cloud.clb.health([LB])
    assert caught.value.kind is Kind.IDENTITY
    assert len(cloud.calls("DescribeTargetHealth")) == 1


def test_listeners_are_one_group_on_layer_4_and_one_per_rule_on_layer_7(cloud: Cloud) -> None:
    tcp, http = cloud.clb.listeners(LB).value
    assert (tcp.id, tcp.protocol, tcp.port) == (TCP, "TCP", 80)
    (group,) = tcp.groups
    assert (group.location, group.frontend, group.check) == ("", Frontend("TCP", 80), Check())
    assert group.attributes.scheduler == "WRR"
    assert group.attributes.check == Check()
    (rule,) = http.groups
    assert (rule.listener, rule.location) == (HTTP, RULE)
    assert rule.frontend == Frontend("HTTP", 8080, "a.example", "/")
    assert rule.attributes.http_path == "/"


def test_a_rule_for_the_load_balancers_own_address_has_no_domain(cloud: Cloud, bed: Bed) -> None:
    (address,) = cloud.clb.load_balancers([LB]).value[LB]
    rules = [{"Domain": address, "Url": "/own"}]
    bed.done("CreateRule", LoadBalancerId=LB, ListenerId=HTTP, Rules=rules)
    _, http = cloud.clb.listeners(LB).value
    assert http.groups[1].frontend == Frontend("HTTP", 8080, "", "/own")


def test_targets_come_with_their_tags(cloud: Cloud, bed: Bed) -> None:
    assert cloud.codes(*registers(2, tag="b1.a.b")) == ["OK", "OK"]
    bed.bind("10.0.0.9", listener=HTTP, location=RULE, Weight=7)
    assert cloud.clb.targets(LB).value == {
        at(0): Target(10, "b1.a.b"),
        at(1): Target(10, "b1.a.b"),
        Key(HTTP, RULE, "10.0.0.9", 80): Target(7, ""),
    }


def test_health_has_the_keys_that_targets_have(cloud: Cloud, bed: Bed) -> None:
    cloud.do(*registers(2))
    bed.bind("10.0.0.9", listener=HTTP, location=RULE)
    bed.admin("faults", effect="set-health", parameters={"ip": at(0).ip, "health": "Alive"})
    found = cloud.clb.health([LB]).value[LB]
    assert found.keys() == cloud.clb.targets(LB).value.keys()
    assert found[at(0)] == Health("Alive", 10)
    assert found[at(1)] == Health("Unknown", 10)


def test_a_reading_says_when_its_first_call_started(cloud: Cloud, bed: Bed) -> None:
    parameters = {"code": "RequestLimitExceeded"}
    bed.fault("error", action="DescribeTargets", parameters=parameters, budget=1)
    before = bed.world.now()
    assert cloud.clb.targets(LB).started == before
    assert bed.world.now() > before


def test_a_stale_reading_is_what_clb_says(cloud: Cloud, bed: Bed) -> None:
    bed.fault("stale", action="DescribeTargets", parameters={"seconds": 3})
    cloud.do(*registers(1))
    assert cloud.clb.targets(LB).value == {}
    bed.simulator.advance(3)
    assert cloud.clb.targets(LB).value.keys() == {at(0)}


def test_quotas(cloud: Cloud, bed: Bed) -> None:
    bed.fault("quota-shown", parameters={"name": "TOTAL_LISTENER_QUOTA", "limit": 3})
    quota = cloud.clb.quota().value
    assert quota["TOTAL_LISTENER_QUOTA"] == read.Quota(3, None)
    assert quota["TOTAL_OPEN_CLB_QUOTA"].used is not None


HEALTHY = {
    "LoadBalancers": [
        {
            "LoadBalancerId": LB,
            "Listeners": [
                {
                    "ListenerId": TCP,
                    "Protocol": "TCP",
                    "Rules": [
                        {
                            "LocationId": "loc-of-layer-4",
                            "Targets": [
                                {
                                    "IP": "fd00:0:0:0:0:0:0:1",
                                    "Port": 80,
                                    "HealthStatusDetail": "Alive",
                                    "Weight": 10,
                                }
                            ],
                        }
                    ],
                }
            ],
        }
    ]
}


class Says:
    """A client whose calls are answered with what a test says."""

    def __init__(self, reply: Mapping[str, Any]) -> None:
        self.reply = reply

    def call(self, _action: str, _parameters: object, _lane: float = 0) -> Mapping[str, Any]:
        return self.reply


def health_of(reply: Mapping[str, Any]) -> Mapping[Key, Health]:
    client: Any = Says(reply)
    return read.health(client, [LB])[LB]


def with_target(**values: Any) -> dict[str, Any]:
    target = {
        "IP": "10.0.0.1", "Port": 80, "HealthStatusDetail": "Alive", "Weight": 10, **values
    }  # fmt: skip
    rules = [{"LocationId": "loc", "Targets": [target]}]
    listener = {"ListenerId": TCP, "Protocol": "TCP", "Rules": rules}
    return {"LoadBalancers": [{"LoadBalancerId": LB, "Listeners": [listener]}]}


def test_an_address_of_ipv6_is_written_as_kubernetes_does() -> None:
    assert health_of(HEALTHY) == {Key(TCP, "", "fd00::1", 80): Health("Alive", 10)}


@pytest.mark.parametrize(
    "values",
    [
        {"IP": None},
        {"IP": 7},
        {"Port": "80"},
        {"Port": True},
        {"Weight": None},
        {"HealthStatusDetail": None},
    ],
)
def test_a_reply_that_lacks_what_must_be_there_is_malformed(values: dict[str, Any]) -> None:
    with pytest.raises(CloudError) as caught:
        health_of(with_target(**values))
    assert caught.value.code == codes.MALFORMED
    assert caught.value.kind is Kind.AMBIGUOUS
    assert next(iter(values)) in caught.value.message


def test_a_state_that_nobody_knows_is_not_health() -> None:
    assert list(health_of(with_target(HealthStatusDetail="Splendid")).values()) == [
        Health("Unknown", 10)
    ]


@pytest.mark.parametrize("reply", [{}, {"LoadBalancers": None}, {"LoadBalancers": [None]}])
def test_a_reply_without_its_list_is_malformed(reply: dict[str, Any]) -> None:
    with pytest.raises(CloudError, match="MalformedResponse"):
        health_of(reply)


def test_targets_that_others_bind_may_have_no_address() -> None:
    rows = [
        {"PrivateIpAddresses": None, "InstanceId": "ins-1", "Port": 1, "Weight": 10},
        {"PrivateIpAddresses": ["10.0.0.1"], "InstanceId": "ins-2", "Port": 2, "Weight": 0},
        {"PublicIpAddresses": ["1.2.3.4"], "Port": 3, "Weight": 10},
    ]
    listener = {"ListenerId": TCP, "Protocol": "TCP", "Rules": None, "Targets": rows}
    client: Any = Says({"Listeners": [listener]})
    found = read.targets(client, LB)
    assert [key.ip for key in found] == ["ins-1", "10.0.0.1", "1.2.3.4"]


def test_a_listener_of_another_kind_does_not_spoil_the_reading() -> None:
    rows = [
        {"ListenerId": "lbl-q", "Protocol": "QUIC", "Port": 443, "HealthCheck": None},
        {"ListenerId": "lbl-h", "Protocol": "HTTPS", "Port": 444, "Rules": None},
    ]
    client: Any = Says({"Listeners": rows})
    quic, https = read.listeners(client, LB, ())
    assert quic.groups[0].check.enabled is False
    assert quic.groups[0].attributes == Attributes(check=Check(enabled=False))
    assert https.groups == ()
