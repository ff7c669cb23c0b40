"""Listeners and rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.binder.simulator.bed import HTTP, LB, RULE, TCP, Bed


def listener(bed: Bed, name: str = TCP) -> Any:
    (row,) = bed.call("DescribeListeners", LoadBalancerId=LB, ListenerIds=[name]).Listeners
    return row


def rules(bed: Bed) -> dict[str, Any]:
    return {row.Domain + row.Url: row for row in listener(bed, HTTP).Rules}


def on(name: str, **more: Any) -> dict[str, Any]:
    return {"LoadBalancerId": LB, "ListenerId": name, **more}


def test_listeners_come_in_the_order_of_their_ports(bed: Bed) -> None:
    reply = bed.done(
        "CreateListener",
        LoadBalancerId=LB,
        Ports=[90, 85],
        Protocol="TCP",
        ListenerNames=["a", "b"],
        Scheduler="LEAST_CONN",
        SessionExpireTime=30,
        DeregisterTargetRst=True,
        HealthCheck={"IntervalTime": 3, "TimeOut": 2, "HealthNum": 2, "CheckPort": 9000},
    )
    first = listener(bed, reply.ListenerIds[0])
    second = listener(bed, reply.ListenerIds[1])
    assert [(row.Port, row.ListenerName) for row in (first, second)] == [(90, "a"), (85, "b")]
    assert (first.Scheduler, first.SessionExpireTime) == ("LEAST_CONN", 30)
    assert first.DeregisterTargetRst is True
    check = first.HealthCheck
    assert (check.IntervalTime, check.HealthNum, check.UnHealthNum, check.CheckPort) == (
        *(3, 2, 3, 9000),
    )


def test_l7_listeners_have_rules_instead_of_checks(bed: Bed) -> None:
    tcp, http = listener(bed), listener(bed, HTTP)
    assert (tcp.Rules, tcp.HealthCheck.CheckType, tcp.Scheduler) == (None, "TCP", "WRR")
    assert (http.HealthCheck, http.Scheduler, http.SessionExpireTime) == (None, None, None)
    assert [row.LocationId for row in http.Rules] == [RULE]
    assert (tcp.TargetType, tcp.SessionType, tcp.EndPort) == ("NODE", "NORMAL", 0)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Ports": [8080], "Protocol": "TCP"}, "InvalidParameter.PortCheckFailed"),
        ({"Ports": [80], "Protocol": "UDP"}, None),
        ({"Ports": [81, 81], "Protocol": "TCP"}, "InvalidParameter.PortCheckFailed"),
        ({"Ports": [443], "Protocol": "HTTPS"}, "InvalidParameter"),
        ({"Ports": [443], "Protocol": "HTTPS", "SniSwitch": 1}, None),
        (
            {"Ports": [443], "Protocol": "HTTPS", "Certificate": {"SSLMode": "UNIDIRECTIONAL"}},
            None,
        ),
        ({"Ports": [81], "Protocol": "HTTP", "HealthCheck": {}}, None),
        (
            {"Ports": [81], "Protocol": "HTTP", "HealthCheck": {"HealthNum": 2}},
            "InvalidParameter",
        ),
        ({"Ports": [81, 82], "Protocol": "TCP", "EndPort": 90}, "InvalidParameter"),
        ({"Ports": [81], "Protocol": "TCP", "EndPort": 90}, None),
        (
            {"Ports": [81], "Protocol": "TCP", "ListenerNames": ["a", "b"]},
            "InvalidParameterValue.Length",
        ),
        ({"Ports": [81], "Protocol": "TCP", "Scheduler": "RANDOM"}, "InvalidParameterValue"),
    ],
)
def test_what_cannot_be_is_refused(bed: Bed, params: dict[str, Any], code: str | None) -> None:
    if params.get("HealthCheck") == {}:
        params = {name: value for name, value in params.items() if name != "HealthCheck"}
    outcome = bed.raw("CreateListener", {"LoadBalancerId": LB, **params})
    assert getattr(outcome, "code", None) == code


def test_the_quota_of_listeners_holds(bed: Bed) -> None:
    ports = {"LoadBalancerId": LB, "Protocol": "TCP"}
    error = bed.error("CreateListener", Ports=list(range(1000, 1049)), **ports)
    assert error.code == "LimitExceeded"  # 2 are there, 49 more are one too many
    assert bed.call("CreateListener", Ports=list(range(1000, 1048)), **ports).RequestId


def test_listeners_are_found(bed: Bed) -> None:
    def found(**more: Any) -> list[str]:
        reply = bed.call("DescribeListeners", LoadBalancerId=LB, **more)
        assert reply.TotalCount == len(reply.Listeners)
        return [row.ListenerId for row in reply.Listeners]

    assert found() == [TCP, HTTP]
    assert found(Protocol="HTTP") == [HTTP]
    assert found(Port=80) == [TCP]
    assert found(ListenerIds=[HTTP, "lbl-unknown"]) == [HTTP]
    assert found(ListenerIds=["lbl-unknown"]) == []


def test_a_listener_changes_what_is_given(bed: Bed) -> None:
    bed.done(
        "ModifyListener",
        **on(TCP, ListenerName="n", SessionExpireTime=60, HealthCheck={"UnHealthNum": 5}),
    )
    row = listener(bed)
    assert (row.ListenerName, row.SessionExpireTime, row.Scheduler) == ("n", 60, "WRR")
    assert (row.HealthCheck.UnHealthNum, row.HealthCheck.HealthNum) == (5, 3)
    bed.done("ModifyListener", **on(TCP, HealthCheck={"CheckPort": 8}))
    assert listener(bed).HealthCheck.CheckPort == 8
    bed.done("ModifyListener", **on(TCP, HealthCheck={"CheckPort": -1}))
    assert listener(bed).HealthCheck.CheckPort is None
    assert bed.error("ModifyListener", **on(HTTP, Scheduler="WRR")).code == "InvalidParameter"


def test_listeners_are_deleted(bed: Bed) -> None:
    bed.done("DeleteListener", **on(TCP))
    assert bed.call("DescribeListeners", LoadBalancerId=LB).TotalCount == 1
    bed.done("DeleteLoadBalancerListeners", LoadBalancerId=LB)  # without ids: all of them
    assert bed.call("DescribeListeners", LoadBalancerId=LB).TotalCount == 0


def test_one_unknown_listener_saves_the_others(bed: Bed) -> None:
    ids = [TCP, "lbl-unknown"]
    error = bed.error("DeleteLoadBalancerListeners", LoadBalancerId=LB, ListenerIds=ids)
    assert error.code == "InvalidParameter"
    assert error.message == "some ListenerId lbl-unknown not found"
    assert bed.call("DescribeListeners", LoadBalancerId=LB).TotalCount == 2


def test_rules_are_made_changed_and_deleted(bed: Bed) -> None:
    rows = [
        {"Domain": "b.example", "Url": "/x", "Scheduler": "IP_HASH"},
        {"Domains": ["c.example"], "Url": "/", "SessionExpireTime": 86400},
    ]
    made = bed.done("CreateRule", **on(HTTP, Rules=rows)).LocationIds
    assert list(rules(bed)) == ["a.example/", "b.example/x", "c.example/"]
    bed.done("ModifyRule", **on(HTTP, LocationId=made[0], Url="/y", Scheduler="WRR"))
    assert rules(bed)["b.example/y"].Scheduler == "WRR"
    bed.done("ModifyDomainAttributes", **on(HTTP, Domain="c.example", NewDomain="d.example"))
    assert list(rules(bed)) == ["a.example/", "b.example/y", "d.example/"]
    bed.done("DeleteRule", **on(HTTP, LocationIds=[made[0]]))
    bed.done("DeleteRule", **on(HTTP, Domain="d.example", Url="/"))
    assert list(rules(bed)) == ["a.example/"]


def test_one_domain_is_the_default(bed: Bed) -> None:
    def default() -> list[str]:
        return [name for name, row in rules(bed).items() if row.DefaultServer]

    rows = [{"Domain": "b.example", "Url": "/", "DefaultServer": True}]
    bed.done("CreateRule", **on(HTTP, Rules=rows))
    assert default() == ["b.example/"]
    bed.done("ModifyDomainAttributes", **on(HTTP, Domain="a.example", DefaultServer=True))
    assert default() == ["a.example/"]
    off = {"Domain": "a.example", "DefaultServer": False, "NewDefaultServerDomain": "b.example"}
    bed.done("ModifyDomainAttributes", **on(HTTP, **off))
    assert default() == ["b.example/"]
    gone = {"Domain": "b.example", "NewDefaultServerDomain": "a.example"}
    bed.done("DeleteRule", **on(HTTP, **gone))
    assert default() == ["a.example/"]


@pytest.mark.parametrize(
    ("action", "params", "message"),
    [
        ("CreateRule", {"Rules": [{"Domain": "a.example", "Url": "/"}]}, "exists already"),
        ("CreateRule", {"Rules": [{"Url": "/"}]}, "Domain"),
        ("ModifyRule", {"LocationId": "loc-unknown"}, "not found"),
        ("ModifyDomainAttributes", {"Domain": "z.example"}, "not found"),
        ("DeleteRule", {"Domain": "z.example"}, "not found"),
        ("DeleteRule", {"LocationIds": ["loc-unknown"]}, "not found"),
        ("DeleteRule", {}, "LocationIds"),
    ],
)
def test_rules_that_cannot_be(bed: Bed, action: str, params: dict[str, Any], message: str) -> None:
    error = bed.error(action, **on(HTTP, **params))
    assert error.code in ("InvalidParameter", "MissingParameter")
    assert message in error.message


def test_rules_need_an_l7_listener(bed: Bed) -> None:
    error = bed.error("CreateRule", **on(TCP, Rules=[{"Domain": "a", "Url": "/"}]))
    assert error.code == "InvalidParameter"
    assert error.message == "This interface only support HTTP/HTTPS listener."


def test_the_quota_of_rules_holds(bed: Bed) -> None:
    many = [{"Domain": f"{at}.example", "Url": "/"} for at in range(50)]
    assert bed.error("CreateRule", **on(HTTP, Rules=many)).code == "LimitExceeded"
    assert bed.call("CreateRule", **on(HTTP, Rules=many[:49])).RequestId
