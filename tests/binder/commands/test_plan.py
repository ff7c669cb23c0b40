"""What `plan` says: golden text, exit codes, and JSON with the same in it."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest

from binder.cloud import codes
from binder.cloud.read import Quota
from binder.commands.once import gates
from binder.commands.plan import TARGET_QUOTA, Report, as_json, as_text, compose
from binder.commands.trouble import ERROR, NOTHING, SOMETHING
from binder.core.clb import Check, Group, Health, Listener, Target
from binder.core.objects import Condition
from binder.core.view import Object
from binder.settings import Settings
from tests.binder.commands.things import (
    EXISTING,
    GROUP,
    SETTINGS,
    key,
    looked,
    ours,
    pod,
    service,
)

OPEN = {"condition": Condition("True", "LoadBalancerNetworkGroupReady"), "ready": True}


def report(
    *items: Object,
    settings: Settings = EXISTING,
    quota: dict[str, Quota] | None = None,
    **cloud: Any,
) -> Report:
    seen, found, clocks = looked(*items, settings=settings, **cloud)
    pending = gates(seen, found, settings, clocks)
    return compose(seen.view, found, pending, quota or {}, settings)


def text(made: Report) -> str:
    return click.unstyle(as_text(made, EXISTING))


def test_a_cluster_that_is_as_it_should_be_has_nothing_to_do() -> None:
    made = report(
        service(),
        pod(**OPEN),
        targets={key(): ours("web-1")},
        health={key(): Health("Alive", 10)},
    )
    assert made.code == NOTHING
    assert (
        text(made)
        == """\
lb-1  43.0.0.1  nothing to do

0 actions on 1 load balancer, 0 targets waiting to go, 0 gates to open, 0 waiting.
Nothing was written."""
    )


def test_what_is_to_be_done_stands_in_lanes_with_its_reasons() -> None:
    made = report(
        service(addresses=()),
        pod("new", "10.0.0.1"),
        pod("dying", "10.0.0.2", dies_at=1_000_030.0, deleted_at=999_999.0, **OPEN),
        pod("old", "10.0.0.3", **OPEN),
        targets={
            key("10.0.0.2"): ours("dying"),
            key("10.0.0.3"): Target(10, ""),
            key("10.0.0.9"): ours("gone", 0),
        },
        health={key("10.0.0.2"): Health("Alive", 10), key("10.0.0.3"): Health("Alive", 10)},
    )
    assert made.code == SOMETHING
    assert text(made) == GOLDEN


GOLDEN = """\
lb-1  43.0.0.1  1 target of others, left alone
  drain       weight 0, to drain it  TCP 80  10.0.0.2:8080  Pod shop/dying is being deleted
  register    bind, weight 10        TCP 80  10.0.0.1:8080  Pod shop/new
  deregister  unbind                 TCP 80  10.0.0.9:8080  no Pod has this address

status.loadBalancer
  Service shop/web: 43.0.0.1

readiness gates
  wait  shop/new  LoadBalancerNetworkGroupNotReady  Service shop/web TCP 80 lb-1: not bound

3 actions on 1 load balancer, 0 targets waiting to go, 0 gates to open, 1 waiting.
Nothing was written.
A binder that takes over unbinds nothing in its first 14 s."""


def test_a_listener_that_is_missing_is_made_and_then_bound() -> None:
    made = report(service(), pod(), listeners=[], settings=SETTINGS)
    (doing,) = made.balancers[0].doing
    assert (doing.lane, doing.call, doing.where) == ("listeners", "CreateListener", "TCP 80")
    assert doing.why == "then 1 Pod will be bound"
    assert made.code == SOMETHING


def test_the_last_target_that_serves_is_said_to_wait() -> None:
    made = report(
        service(),
        pod("dying", dies_at=1_000_030.0, deleted_at=999_999.0, **OPEN),
        targets={key(): ours("dying")},
        health={key(): Health("Alive", 10)},
    )
    (waiting,) = made.balancers[0].waiting
    assert waiting.target == "10.0.0.1:8080"
    assert "the last one that serves" in waiting.why
    assert made.balancers[0].doing == ()


def test_a_mass_removal_is_said_to_be_held() -> None:
    targets = {key(f"10.0.0.{number}"): ours(f"web-{number}") for number in range(1, 5)}
    others = [pod(f"web-{number}", f"10.0.0.{number}", labels={}) for number in range(1, 5)]
    made = report(service(), *others, targets=targets)
    assert [one.why.rpartition("; ")[0] for one in made.balancers[0].waiting] == [
        f"nothing selects Pod shop/web-{number} for it; held by the brake: many would go at once"
        for number in range(1, 5)
    ]
    assert any("MassRemovalHeld" in one for one in made.warnings)
    assert made.code == SOMETHING


def test_targets_of_others_are_counted_and_left_alone() -> None:
    stranger = {key("10.9.9.9"): Target(10, "terraform"), key("10.9.9.8"): ours("x", 10, "cls-b")}
    made = report(service(), targets=stranger)
    assert (made.balancers[0].foreign, made.balancers[0].doing) == (2, ())
    assert "2 targets of others, left alone" in text(made)
    assert made.code == NOTHING


def test_a_load_balancer_that_cannot_be_read_is_an_error() -> None:
    made = report(service(), pod(), error=codes.error("AuthFailure", "no such key", "X"))
    assert made.code == ERROR
    assert "lb-1  not read: X: AuthFailure: no such key" in text(made)


def test_a_load_balancer_that_is_not_there_is_said_so() -> None:
    made = report(service(), pod(), addresses={})
    assert "note: CLB knows no lb-1" in text(made)


def test_a_gate_opens_where_there_is_no_health_check() -> None:
    unchecked = GROUP._replace(check=Check(enabled=False))
    made = report(
        service(),
        pod(),
        listeners=[_listener(unchecked)],
        targets={key(): ours("web-1")},
        health={key(): Health("Close", 10)},
    )
    assert [(one.gate, one.reason) for one in made.gates] == [
        ("open", "LoadBalancerHealthCheckDisabled")
    ]


def test_a_pod_that_nothing_selects_has_its_gate_opened() -> None:
    made = report(pod(labels={}))
    assert [(one.pod, one.gate, one.reason) for one in made.gates] == [
        ("shop/web-1", "open", "NoLoadBalancer")
    ]


def test_one_reading_of_alive_does_not_open_a_gate() -> None:
    made = report(
        service(), pod(), targets={key(): ours("web-1")}, health={key(): Health("Alive", 10)}
    )
    assert [(one.gate, one.message.rpartition(": ")[2]) for one in made.gates] == [
        ("wait", "Alive")
    ]


def test_more_targets_than_the_quota_are_noted() -> None:
    pods = [pod(f"web-{number}", f"10.0.0.{number}") for number in (1, 2, 3)]
    made = report(service(), *pods, quota={TARGET_QUOTA: Quota(2, None)})
    assert made.balancers[0].notes == (
        f"TCP 80 would have 3 targets, the region's quota is 2 ({TARGET_QUOTA})",
    )


@pytest.mark.parametrize("busy", [True, False])
def test_json_says_the_same(busy: bool) -> None:
    made = report(service(), *([pod()] if busy else []))
    said = json.loads(as_json(made))
    assert said["changes"] is busy
    assert [row["call"] for row in said["load_balancers"][0]["doing"]] == (
        ["BatchRegisterTargets"] if busy else []
    )
    assert [row["gate"] for row in said["gates"]] == (["wait"] if busy else [])


def _listener(group: Group) -> Listener:
    return Listener(group.listener, "by hand", "TCP", 80, (group,))
