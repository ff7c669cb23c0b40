"""Writes: batches, limits, order, and what is told of each action when a part of them fails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from binder.cloud import codes, steps, write
from binder.cloud.codes import Kind
from binder.core.actions import (
    Action,
    CreateListener,
    CreateRule,
    DeleteListener,
    DeleteRule,
    Modify,
    Register,
    Retag,
    Weigh,
)
from binder.core.clb import Attributes, Check, Frontend
from tests.binder.cloud.bed import Cloud, at, deregisters, registers, weighs
from tests.binder.simulator.bed import HTTP, LB, RULE, TCP, Bed

BATCHES = ("BatchRegisterTargets", "BatchModifyTargetWeight", "BatchDeregisterTargets")


def bind(cloud: Cloud, count: int) -> None:
    assert set(cloud.codes(*registers(count))) == {"OK"}


def test_targets_are_bound_weighed_tagged_and_unbound(cloud: Cloud, bed: Bed) -> None:
    bind(cloud, 3)
    assert cloud.codes(Weigh(at(0), 0), Retag(at(1), "b1.new"), Weigh(at(1), 30)) == ["OK"] * 3
    found = cloud.clb.targets(LB).value
    assert [(found[at(n)].weight, found[at(n)].tag) for n in range(3)] == [
        *((0, "b1.x.y"), (30, "b1.new"), (10, "b1.x.y")),
    ]
    assert cloud.codes(*deregisters(3)) == ["OK"] * 3
    assert bed.bound() == {}


def test_nothing_to_do_is_no_call(cloud: Cloud) -> None:
    assert cloud.do() == []
    assert not cloud.seen.calls


def test_the_same_action_twice_is_one(cloud: Cloud) -> None:
    assert cloud.codes(*registers(2), *registers(2)) == ["OK"] * 4
    assert len(cloud.calls("BatchRegisterTargets")) == 1


def test_lanes_go_in_their_order(cloud: Cloud, bed: Bed) -> None:
    bind(cloud, 2)
    seen = len(cloud.seen.calls)
    new = CreateListener(Frontend("UDP", 53), "dns", Attributes())
    actions: list[Action] = [
        deregisters(2)[1], Weigh(at(0), 5), Register(at(7), 10, ""), new, *weighs(2)
    ]  # fmt: skip
    assert cloud.codes(*actions) == ["OK"] * len(actions)
    order = [action for action, _ in cloud.seen.calls[seen:] if action != "DescribeTaskStatus"]
    assert order == [
        "BatchModifyTargetWeight",
        "CreateListener",
        "BatchRegisterTargets",
        "BatchModifyTargetWeight",
        "BatchDeregisterTargets",
    ]


@pytest.mark.parametrize(
    ("count", "sizes"), [(200, [200]), (201, [200, 1]), (1000, [200, 300, 400, 100])]
)
def test_batches_grow_as_they_go_well(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, count: int, sizes: list[int]
) -> None:
    sent: list[int] = []
    call = cloud.client.call

    def spy(action: str, parameters: Any, lane: float = 0) -> Any:
        sent.append(len(parameters["Targets"]))
        return call(action, parameters, lane)

    monkeypatch.setattr(cloud.client, "call", spy)
    bind(cloud, count)
    assert sent == sizes
    assert max(sent) <= 500


def test_a_batch_is_never_above_five_hundred(cloud: Cloud, bed: Bed) -> None:
    bind(cloud, 2500)
    assert len(bed.bound()) == 2500  # CLB refuses more than 500
    assert len(cloud.calls("BatchRegisterTargets")) == 7  # 200 300 400 500 500 500 100


def test_a_slow_call_does_not_make_the_next_one_larger() -> None:
    pace = write.Pace(timeout=4)
    register = next(one for one in steps.STEPS if one.api == "BatchRegisterTargets")
    pace.grow(register, 200, 2.2)  # 300 would take more than three quarters of four seconds
    assert pace.size("BatchRegisterTargets") == 200
    pace.grow(register, 200, 1.0)
    assert pace.size("BatchRegisterTargets") == 300


@pytest.mark.parametrize(
    ("rules", "each", "first"),
    [
        (1, 500, 500),
        (100, 5, 500),
        (101, 1, 100),
        (100, 50, 500),
        (10, 51, 460 + 40),
        (99, 51, 500),
    ],
)
def test_a_list_of_weights_is_within_all_its_limits(rules: int, each: int, first: int) -> None:
    actions: list[Action] = [
        Weigh(at(number, TCP, f"loc-{rule:03}"), 0)
        for rule in range(rules)
        for number in range(each)
    ]
    step = steps.STEPS[0]
    length = steps.cut(step, actions, 500)
    items = step.body(actions[:length], "")["ModifyList"]
    assert len(items) <= 100
    assert all(len(item["Targets"]) <= 50 for item in items)
    assert sum(len(item["Targets"]) for item in items) == length == first


def test_more_rules_than_one_list_of_weights_has(cloud: Cloud, bed: Bed) -> None:
    rules = [{"id": f"loc-{n:03}", "domain": f"d{n}.example", "url": "/"} for n in range(101)]
    listener = {"id": "lbl-w", "protocol": "HTTP", "port": 81, "rules": rules}
    bed.admin("seed", load_balancers=[{"id": "lb-w", "listeners": [listener]}])
    where = [at(0, "lbl-w", rule["id"]) for rule in rules]
    assert set(cloud.codes(*[Register(key, 10, "") for key in where], lb="lb-w")) == {"OK"}
    assert set(cloud.codes(*[Weigh(key, 0) for key in where], lb="lb-w")) == {"OK"}
    assert len(cloud.calls("BatchModifyTargetWeight")) == 2


def test_a_weight_is_done_when_its_task_is(cloud: Cloud, bed: Bed) -> None:
    bind(cloud, 60)
    assert set(cloud.codes(*weighs(60))) == {"OK"}
    assert set(bed.bound().values()) == {0}
    assert set(cloud.codes(*deregisters(60))) == {"OK"}  # the load balancer is free again


@pytest.mark.parametrize("effect", ["task-fails", "task-half"])
def test_a_task_that_fails_is_ambiguous_and_the_other_lanes_go_on(
    cloud: Cloud, bed: Bed, effect: str
) -> None:
    bind(cloud, 4)
    bed.fault(effect, action="BatchModifyTargetWeight")
    errors = cloud.do(*weighs(4), *registers(1, start=9))
    assert [error.code if error else "OK" for error in errors] == ["TaskFailed"] * 4 + ["OK"]
    assert errors[0] and errors[0].kind is Kind.AMBIGUOUS
    assert "made to fail" in errors[0].message
    assert len(cloud.calls("BatchModifyTargetWeight")) == 1


def test_a_task_that_does_not_end_is_given_up_and_nothing_more_is_sent(
    cloud: Cloud, bed: Bed
) -> None:
    bind(cloud, 2)
    bed.fault("task-stuck", action="BatchModifyTargetWeight")
    before = bed.world.now()
    assert cloud.codes(*weighs(2), *registers(1, start=9)) == [*["TaskUnresolved"] * 2, "NotTried"]
    assert 30 <= bed.world.now() - before < 32
    assert len(cloud.calls("BatchRegisterTargets")) == 1


def test_a_task_that_cannot_be_asked_for_at_first_is_asked_for_again(
    cloud: Cloud, bed: Bed
) -> None:
    bind(cloud, 1)
    for code in ("InvalidParameter", "InternalError"):
        bed.fault("error", action="DescribeTaskStatus", parameters={"code": code}, budget=1)
    assert cloud.codes(*weighs(1)) == ["OK"]


def test_a_task_that_may_not_be_asked_for_is_given_up_at_once(cloud: Cloud, bed: Bed) -> None:
    bind(cloud, 1)
    parameters = {"code": "UnauthorizedOperation"}
    bed.fault("error", action="DescribeTaskStatus", parameters=parameters)
    (error,) = cloud.do(*weighs(1))
    assert error and error.code == "TaskUnresolved"
    assert "UnauthorizedOperation" in error.message


def test_a_busy_load_balancer_is_waited_for(cloud: Cloud, bed: Bed) -> None:
    bed.admin("faults", effect="hold", parameters={"seconds": 3})
    assert cloud.codes(*registers(2)) == ["OK", "OK"]
    assert cloud.waits == [0.5, 1.0, 2.0]


BUSY = [("InternalError", "desState"), ("InvalidParameter", "Loadbalancer is not in normal status")]


@pytest.mark.parametrize(("code", "message"), BUSY)
def test_busy_in_disguise_is_waited_for_too(
    cloud: Cloud, bed: Bed, code: str, message: str
) -> None:
    parameters = {"code": code, "message": message}
    bed.fault("error", action="BatchRegisterTargets", parameters=parameters, budget=2)
    assert cloud.codes(*registers(1)) == ["OK"]


def test_a_long_go_is_cut_short_as_a_drain_may_be_due(cloud: Cloud, bed: Bed) -> None:
    bed.admin("faults", effect="hold", parameters={"seconds": 5})
    codes_of = cloud.codes(
        *(Modify(TCP, "", Attributes(session=30 + number)) for number in range(3)), *registers(1)
    )
    assert codes_of == ["OK", codes.NOT_TRIED, codes.NOT_TRIED, codes.NOT_TRIED]
    bind(cloud, 1)
    bed.admin("faults", effect="hold", parameters={"seconds": 5})
    assert cloud.codes(*weighs(1)) == ["OK"], "drains are always tried"


def test_what_stays_busy_is_given_up_after_ten_seconds_all_of_it(cloud: Cloud, bed: Bed) -> None:
    bed.admin("faults", effect="hold", parameters={"seconds": 100})
    errors = cloud.do(*registers(300), *deregisters(1))
    assert {error.kind for error in errors if error} == {Kind.BUSY}
    assert len(errors) == 301
    assert sum(cloud.waits) == pytest.approx(10)
    assert cloud.seen.count("BatchDeregisterTargets") == 0


AMBIGUOUS = ["drop-before", "drop-after", "http", "not-json"]


@pytest.mark.parametrize("effect", AMBIGUOUS)
def test_what_may_have_been_done_is_not_sent_again(cloud: Cloud, bed: Bed, effect: str) -> None:
    bed.fault(effect, action="BatchRegisterTargets")
    errors = cloud.do(*registers(250), Weigh(at(0), 5))
    first = [error for error in errors[:250] if error and error.kind is Kind.AMBIGUOUS]
    rest = [error for error in errors[:250] if error and error.code == "NotTried"]
    assert (len(first), len(rest)) == (200, 50)
    assert len(cloud.calls("BatchRegisterTargets")) == 1
    assert rest[0].kind is Kind.BUSY


def test_after_a_call_that_nobody_knows_of_the_next_is_half_as_large(
    cloud: Cloud, bed: Bed
) -> None:
    bed.fault("drop-after", action="BatchRegisterTargets", budget=1)
    cloud.do(*registers(200))
    bind(cloud, 200)
    assert len(cloud.calls("BatchRegisterTargets")) == 1 + 2
    assert len(bed.bound()) == 200


@pytest.mark.parametrize("poisoned", [[0], [57], [199], [3, 150]])
def test_a_poisonous_target_does_not_hold_the_others(
    cloud: Cloud, bed: Bed, poisoned: list[int]
) -> None:
    for number in poisoned:
        parameters = {"ip": at(number).ip}
        bed.fault("poison", action="BatchRegisterTargets", parameters=parameters)
    errors = cloud.do(*registers(200))
    failed = [number for number, error in enumerate(errors) if error]
    assert failed == poisoned
    assert all(error.kind is Kind.WRONG for error in errors if error)
    assert len(bed.bound()) == 200 - len(poisoned)
    assert len(cloud.calls("BatchRegisterTargets")) <= 1 + 16 * len(poisoned)


def test_so_many_poisonous_targets_end_the_search(cloud: Cloud, bed: Bed) -> None:
    parameters = {"code": "InvalidParameter.FormatError"}
    bed.fault("error", action="BatchRegisterTargets", parameters=parameters)
    errors = cloud.do(*registers(200))
    assert {error.code for error in errors if error} == {"InvalidParameter.FormatError", "NotTried"}
    assert len(cloud.calls("BatchRegisterTargets")) <= 1 + 2 * write.SPLITS


def test_a_weight_of_a_target_that_has_gone_does_not_hold_the_others(
    cloud: Cloud, bed: Bed
) -> None:
    bind(cloud, 9)
    bed.admin("faults", effect="remove-target", parameters={"ip": at(4).ip})
    errors = cloud.do(*weighs(9))
    assert [number for number, error in enumerate(errors) if error] == [4]
    assert errors[4] and errors[4].kind is Kind.CHANGED
    assert set(bed.bound().values()) == {0}


def test_a_listener_that_has_gone_does_not_hold_the_others(cloud: Cloud, bed: Bed) -> None:
    errors = cloud.do(*registers(3, listener="lbl-gone"), *registers(3))
    assert [error.kind if error else None for error in errors] == [Kind.CHANGED] * 3 + [None] * 3
    assert len(bed.bound()) == 3


def test_of_a_load_balancer_that_has_gone_one_call_is_enough(cloud: Cloud) -> None:
    errors = cloud.do(*registers(9), *weighs(9), lb="lb-gone")
    assert len(errors) == 18
    assert all(error and codes.is_no_load_balancer(error) for error in errors)
    assert len(cloud.seen.calls) == 1


@pytest.mark.parametrize("count", [3, 40])
def test_a_full_listener_takes_what_fits_and_other_listeners_go_on(
    cloud: Cloud, bed: Bed, count: int
) -> None:
    bed.admin(
        "faults", effect="set-quota", parameters={"name": "TOTAL_TARGET_BIND_QUOTA", "limit": 25}
    )
    more = [Register(at(number, HTTP, RULE), 10, "") for number in range(3)]
    errors = cloud.do(*registers(count), *more)
    assert sum(error is None for error in errors[:count]) == min(count, 25)
    assert errors[count:] == [None] * 3
    assert {error.kind for error in errors if error} <= {Kind.FULL}
    assert len(cloud.calls("BatchRegisterTargets")) < 20
    assert set(cloud.codes(*weighs(min(count, 25)))) == {"OK"}


def test_the_targets_of_a_failed_listener_are_told_and_the_others_are_done(
    cloud: Cloud, bed: Bed
) -> None:
    bed.fault("fail-listeners", action="BatchRegisterTargets", parameters={"ids": [HTTP]})
    more = [Register(at(number, HTTP, RULE), 10, "") for number in range(3)]
    errors = cloud.do(*more, *registers(3))
    assert [error.code if error else "OK" for error in errors] == [
        *["FailListenerIdSet"] * 3,
        *["OK"] * 3,
    ]
    assert errors[0] and errors[0].kind is Kind.CHANGED
    assert len(bed.bound()) == 3


def test_a_listener_that_keeps_failing_is_split_until_the_one_is_found(
    cloud: Cloud, bed: Bed
) -> None:
    bind(cloud, 8)
    bed.admin("faults", effect="remove-target", parameters={"ip": at(5).ip})
    for _ in range(3):
        assert set(cloud.codes(*deregisters(8))) == {"FailListenerIdSet"}
    told = cloud.codes(*deregisters(8))
    assert [number for number, code in enumerate(told) if code != "OK"] == [5]
    assert bed.bound() == {}


def test_targets_that_were_lost_without_a_word_are_seen_by_reading(cloud: Cloud, bed: Bed) -> None:
    bed.fault("lose-targets", action="BatchRegisterTargets", parameters={"count": 2})
    assert set(cloud.codes(*registers(5))) == {"OK"}
    assert len(cloud.clb.targets(LB).value) == 3


def test_batches_may_be_tasks_too(cloud: Cloud, bed: Bed) -> None:
    """A switch of the simulator, as only a real account could tell."""
    bed.switch(batch_is_synchronous=False)
    assert set(cloud.codes(*registers(450))) == {"OK"}  # the second call finds it busy
    bed.simulator.advance(10)
    assert len(bed.bound()) == 450


@pytest.mark.parametrize("code", ["AuthFailure.SignatureFailure", "AuthFailure.TokenFailure"])
def test_without_an_identity_nothing_more_is_sent(cloud: Cloud, bed: Bed, code: str) -> None:
    bed.fault("error", parameters={"code": code})
    errors = cloud.do(*weighs(1), *registers(300), *deregisters(1))
    assert {error.kind for error in errors if error} == {Kind.IDENTITY}
    assert len(errors) == 302 and all(errors)
    assert len(cloud.seen.calls) <= 2


def test_what_is_not_allowed_does_not_stop_what_is(cloud: Cloud, bed: Bed) -> None:
    parameters = {"code": "UnauthorizedOperation"}
    bed.fault("error", action="CreateListener", parameters=parameters)
    new = [CreateListener(Frontend("TCP", port), f"n{port}", Attributes()) for port in (81, 82)]
    assert cloud.codes(*new, *registers(1)) == [*["UnauthorizedOperation"] * 2, "OK"]


def test_without_the_lease_nothing_is_sent(cloud: Cloud) -> None:
    cloud.lead = False
    assert set(cloud.codes(*registers(3), *weighs(3))) == {"Fenced"}
    assert not cloud.seen.calls


CHECK = Check(interval=7, timeout=3, healthy=2, unhealthy=4)
L4 = Attributes(check=CHECK, scheduler="LEAST_CONN", session=0, check_type="TCP", source_ip=1)
L7 = Attributes(check=CHECK, http_path="/healthz", http_method="GET", http_code=2, session=60)


def test_listeners_are_made_as_they_are_wanted(cloud: Cloud) -> None:
    made = [
        CreateListener(Frontend("TCP", 81), "one", L4),
        CreateListener(Frontend("TCP", 82), "two", L4),
        CreateListener(Frontend("UDP", 53), "dns", Attributes(session=60)),
        CreateListener(Frontend("HTTP", 83), "web", L7),
        CreateListener(Frontend("HTTPS", 443), "tls", L7, "cert-1"),
    ]
    assert cloud.codes(*made) == ["OK"] * 5
    assert len(cloud.calls("CreateListener")) == 4
    found = {one.name: one for one in cloud.clb.listeners(LB).value}
    assert [(found[one.name].protocol, found[one.name].port) for one in made] == [
        *(("TCP", 81), ("TCP", 82), ("UDP", 53), ("HTTP", 83), ("HTTPS", 443)),
    ]
    (group,) = found["two"].groups
    assert group.check == CHECK
    assert (group.attributes.scheduler, group.attributes.source_ip) == ("LEAST_CONN", 1)
    assert found["dns"].groups[0].attributes.session == 60


@pytest.mark.parametrize(("count", "calls"), [(49, 1), (50, 2)])
def test_a_call_makes_forty_nine_listeners(
    new_cloud: Callable[..., Cloud], bed: Bed, count: int, calls: int
) -> None:
    cloud = new_cloud()
    bed.admin(
        "faults", effect="set-quota", parameters={"name": "TOTAL_LISTENER_QUOTA", "limit": 99}
    )
    made = [CreateListener(Frontend("TCP", 1000 + n), f"n{n}", L4) for n in range(count)]
    assert set(cloud.codes(*made)) == {"OK"}
    assert len(cloud.calls("CreateListener")) == calls


def test_a_port_that_is_taken_does_not_hold_the_others(cloud: Cloud) -> None:
    made = [CreateListener(Frontend("TCP", port), f"n{port}", L4) for port in (79, 80, 81)]
    assert cloud.codes(*made) == ["OK", "InvalidParameter.PortCheckFailed", "OK"]


def test_rules_are_made_changed_and_deleted(cloud: Cloud) -> None:
    frontends = [
        Frontend("HTTP", 8080, "b.example", "/"),
        Frontend("HTTP", 8080, "", "/own"),
    ]
    assert cloud.codes(*(CreateRule(HTTP, one, L7) for one in frontends)) == ["OK", "OK"]
    assert len(cloud.calls("CreateRule")) == 1
    _, http = cloud.clb.listeners(LB).value
    groups = {group.frontend: group for group in http.groups}
    assert groups.keys() >= set(frontends)
    assert groups[frontends[0]].check == CHECK
    assert groups[frontends[0]].attributes.http_path == "/healthz"
    changed = Attributes(check=Check(enabled=False), http_path="/new")
    locations = [groups[one].location for one in frontends]
    assert cloud.codes(Modify(HTTP, locations[0], changed)) == ["OK"]
    _, http = cloud.clb.listeners(LB).value
    group = next(one for one in http.groups if one.location == locations[0])
    assert group.check == Check(enabled=False)
    assert group.attributes.http_path == "/new"
    assert group.attributes.session == 60  # left as it was
    assert cloud.codes(*(DeleteRule(HTTP, one) for one in locations)) == ["OK", "OK"]
    assert len(cloud.calls("DeleteRule")) == 1


def test_a_listener_is_changed_and_deleted_by_its_id_only(cloud: Cloud) -> None:
    assert cloud.codes(Modify(TCP, "", L4)) == ["OK"]
    tcp, _ = cloud.clb.listeners(LB).value
    assert tcp.groups[0].check == CHECK
    assert cloud.codes(DeleteListener(TCP)) == ["OK"]
    assert [one.id for one in cloud.clb.listeners(LB).value] == [HTTP]
    assert not cloud.calls("DeleteLoadBalancerListeners")


def test_rules_for_an_address_that_cannot_be_read_fail_alone(cloud: Cloud, bed: Bed) -> None:
    bed.fault("error", action="DescribeLoadBalancers", parameters={"code": "InternalError"})
    own = CreateRule(HTTP, Frontend("HTTP", 8080, "", "/own"), L7)
    assert cloud.codes(own, *registers(1)) == ["InternalError", "OK"]


def test_every_action_belongs_to_one_step() -> None:
    frontend = Frontend("TCP", 1)
    every: list[Action] = [
        CreateListener(frontend, "n", L4),
        CreateRule(HTTP, frontend, L7),
        *(Modify(TCP, "", L4), Modify(HTTP, RULE, L7)),
        *(DeleteListener(TCP), DeleteRule(HTTP, RULE), Retag(at(0), "t")),
        *(*registers(1), *weighs(1), *weighs(1, 5), *deregisters(1)),
    ]
    assert [sum(step.wants(one) for step in steps.STEPS) for one in every] == [1] * len(every)
    assert [step.lane for step in steps.STEPS] == sorted(step.lane for step in steps.STEPS)


def test_writes_to_one_load_balancer_do_not_overlap(cloud: Cloud) -> None:
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(cloud.codes, *registers(5, start=5 * n)) for n in range(4)]
        assert [job.result(30) for job in jobs] == [["OK"] * 5] * 4
