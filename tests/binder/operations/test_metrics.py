"""Metrics: what is counted when it happens, and what is looked up when somebody asks."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from binder.core.bindings import Binding
from binder.core.clb import ALIVE, DEAD, Frontend, Health, Key, LoadBalancer, Target
from binder.core.gate import SERVING, WAITING, Standing
from binder.core.objects import Changes, Condition, Pod, Service, ServicePort
from binder.core.plan import Memory, Plan
from binder.core.targets import Ledger
from binder.core.view import View
from binder.operations import counts, metrics
from binder.operations.counts import Counts, count
from binder.operations.metrics import Metrics, Now
from binder.settings import Settings
from schemas.contract import BINDER_GATE, EXISTING_CLB, LOAD_BALANCER_CLASS

WEB = {"app": "web"}
SERVICE = Service(
    "s",
    "shop",
    "web",
    type="LoadBalancer",
    load_balancer_class=LOAD_BALANCER_CLASS,
    annotations={EXISTING_CLB["service"]: "lb-1"},
    selector=(("app", "web"),),
    ports=(ServicePort("http", 80, "TCP", 8080),),
)
POD = Pod("p", "shop", "web-1", labels=WEB, ip="10.0.0.1", containers_ready=True, gated=True)
KEY = Key("lbl-1", "", "10.0.0.1", 8080)


class Balancer(NamedTuple):
    reading: LoadBalancer = LoadBalancer("lb-1")
    memory: Memory = Memory()
    plan: Plan = Plan()


def seen(*items: Pod | Service) -> View:
    view = View(Settings())
    for item in items:
        view.put(item, 0.0)
    return view


def test_a_gate_waits_since_its_containers_were_ready() -> None:
    said = POD._replace(uid="q", condition=Condition("False", WAITING))
    older = said._replace(uid="r")
    ready = {"p": 90.0, "q": 80.0, "r": 50.0}
    found = count(seen(POD, said, older), {}, ready, 100.0)
    assert found.gates == 3
    assert found.pending == {counts.NOT_WRITTEN: 10.0, WAITING: 50.0}


@pytest.mark.parametrize(
    "change",
    [
        {"gated": False},
        {"condition": Condition("True", SERVING)},
        {"dies_at": 1.0},
        {"phase": "Failed"},
    ],
    ids=str,
)
def test_a_pod_that_does_not_wait_is_not_pending(change: dict[str, object]) -> None:
    pod = POD._replace(**change)  # type: ignore[arg-type]  # fields of a table
    assert count(seen(pod), {}, {"p": 0.0}, 9.0).gates == 0


def test_a_pod_whose_containers_are_not_ready_is_not_pending() -> None:
    assert count(seen(POD), {}, {}, 9.0).gates == 0


@pytest.mark.parametrize(
    ("pod", "service", "number"),
    [
        (POD, SERVICE, 0),
        (POD._replace(gated=False), SERVICE, 1),
        (POD._replace(gated=False, host_network=True), SERVICE, 0),
        (POD._replace(gated=False, dies_at=3.0), SERVICE, 0),
        (POD._replace(gated=False, labels={}), SERVICE, 0),
        (POD._replace(gated=False), SERVICE._replace(load_balancer_class=""), 0),
        (
            POD._replace(gated=False),
            SERVICE._replace(annotations={**SERVICE.annotations, BINDER_GATE: "false"}),
            0,
        ),
    ],
)
def test_a_pod_that_should_have_the_gate_and_has_not_is_counted_once(
    pod: Pod, service: Service, number: int
) -> None:
    ports = (*service.ports, ServicePort("more", 81, "TCP", 8081))
    assert count(seen(pod, service._replace(ports=ports)), {}, {}, 9.0).ungated == number


def test_targets_are_counted_by_what_clb_says_of_them() -> None:
    keys = [KEY._replace(port=port) for port in range(4)]
    reading = LoadBalancer(
        "lb-1",
        targets={key: Target(0 if key is keys[3] else 10) for key in keys},
        health={keys[0]: Health(ALIVE, 10), keys[1]: Health(DEAD, 10), keys[3]: Health(ALIVE, 0)},
    )
    found = count(seen(), {"lb-1": Balancer(reading)}, {}, 9.0).targets
    assert found == {("lb-1", state): 1 for state in ("alive", "dead", "unread", "draining")}


def test_many_load_balancers_share_a_series() -> None:
    many = {
        f"lb-{number:04}": Balancer(LoadBalancer("", targets={KEY: Target(10)}))
        for number in range(counts.MOST_LBS + 7)
    }
    found = count(seen(), many, {}, 9.0).targets
    assert len(found) == counts.MOST_LBS + 1
    assert found[counts.OTHERS, "unread"] == 7


def test_a_tag_that_does_not_come_back_is_told() -> None:
    memory = Memory(ledger=Ledger(registered={KEY: 0.0}))

    def degraded(target: Target) -> bool:
        reading = LoadBalancer("lb-1", targets={KEY: target})
        return count(seen(), {"lb-1": Balancer(reading, memory)}, {}, 9.0).untagged

    assert degraded(Target(10))
    assert not degraded(Target(10, "b1.x.y"))
    assert not count(seen(), {"lb-1": Balancer(memory=memory)}, {}, 9.0).untagged


def test_what_plans_say_is_added_up() -> None:
    binding = Binding(SERVICE.owner, "lb-1", Frontend("TCP", 80), (), 1, "TCP")
    standings = {
        (uid, binding.owner, binding.frontend): Standing(reason, "")
        for uid, reason in {"p": WAITING, "q": WAITING, "r": SERVING}.items()
    }
    one = Balancer(plan=Plan(standings=standings, foreign=2))
    found = count(seen(), {"a": one, "b": Balancer(plan=Plan(foreign=3))}, {}, 9.0)
    assert found.bindings == {WAITING: 2, SERVING: 1}
    assert found.foreign == 5


def measured(asked: list[str]) -> Metrics:
    def counted() -> Counts:
        asked.append("counts")
        return Counts({"Late": 12.5}, 3, {("lb-1", "dead"): 2}, {"w": 4}, 5, 6, True)

    found = Metrics()
    found.look(
        Now(counted, lambda: Changes(True, 90.0), lambda: 97.5, lambda: True, len, lambda: 8)
    )
    return found


def test_every_gauge_has_its_number() -> None:
    found = measured([])
    found.called("DescribeTargets", "OK", 0.1)
    lines = found.text().decode().splitlines()
    wanted = """
        gate_pending_seconds{reason="Late"} 12.5
        gates_pending 3.0
        targets{lb="lb-1",state="dead"} 2.0
        binding_state{state="w"} 4.0
        foreign_targets 5.0
        ungated_pods 6.0
        ownership_degraded 1.0
        api_budget{api="DescribeTargets"} 15.0
        view_age_seconds 7.5
        synced 1.0
        leader 1.0
        events_dropped_total 8.0
    """
    for line in wanted.split("\n"):
        assert not line.strip() or metrics.PREFIX + line.strip() in lines


def test_what_happens_is_counted() -> None:
    found = Metrics()
    found.opened(16.0, SERVING)
    found.drained(0.7)
    found.reconciled(0.2, "ok")
    found.called("DescribeTargets", "OK", 0.1)
    found.called("DescribeTargets", "InternalError", 0.1)
    found.throttled("DescribeTargets", 4.0)
    lines = found.text().decode().splitlines()
    wanted = f"""
        gate_latency_seconds_bucket{{le="20.0"}} 1.0
        gate_latency_seconds_bucket{{le="15.0"}} 0.0
        gates_opened_total{{reason="{SERVING}"}} 1.0
        drain_ack_seconds_sum 0.7
        reconciles_total{{result="ok"}} 1.0
        reconcile_seconds_count 1.0
        api_calls_total{{api="DescribeTargets",code="InternalError"}} 1.0
        api_seconds_count{{api="DescribeTargets"}} 2.0
        api_throttled_total{{api="DescribeTargets"}} 1.0
    """
    for line in wanted.split("\n"):
        assert not line.strip() or metrics.PREFIX + line.strip() in lines


def test_nothing_is_counted_while_nobody_asks() -> None:
    asked: list[str] = []
    found = measured(asked)
    found.opened(1.0, SERVING)
    assert not asked
    found.text()
    assert asked == ["counts"]


def test_two_processes_in_one_do_not_share_metrics() -> None:
    one, other = Metrics(), Metrics()
    one.drained(1.0)
    assert b"drain_ack_seconds_count 0.0" in other.text()


def test_its_names_are_those_that_appear() -> None:
    found = measured([])
    found.opened(1.0, SERVING)
    found.reconciled(0.2, "ok")
    found.called("DescribeTargets", "OK", 0.1)
    found.throttled("DescribeTargets", 4.0)
    shown = {
        re.split(r"[ {]", line)[0]
        for line in found.text().decode().splitlines()
        if not line.startswith("#")
    }
    created = {name for name in shown if name.endswith("_created")}
    assert shown - created == found.names()
