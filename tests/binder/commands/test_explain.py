"""What `explain` says of one Pod: every situation by its name, golden screens, exit codes."""

from __future__ import annotations

from typing import Any

import click
import pytest

from binder.cloud import codes
from binder.commands.advice import Situation
from binder.commands.explain import (
    Facts,
    Holder,
    Line,
    Story,
    as_text,
    facts,
    holder,
    line,
    parse,
)
from binder.commands.trouble import NOTHING, SOMETHING, Trouble
from binder.core.clb import Check, Group, Health, Listener, Target
from binder.core.objects import Condition, Name, Owner, Pod
from schemas.contract import READINESS_GATE
from tests.binder.commands.things import (
    EXISTING,
    GROUP,
    LISTENER,
    SETTINGS,
    key,
    looked,
    ours,
    pod,
    service,
)
from tests.conftest import ROOT

ALIVE = {"targets": {key(): ours("web-1")}, "health": {key(): Health("Alive", 10)}}
DEAD = {**ALIVE, "health": {key(): Health("Dead", 10)}}
OPEN = Condition("True", "LoadBalancerNetworkGroupReady")
CLOSED = Condition(
    "False", "LoadBalancerNetworkGroupNotReady", "1/2 ready; waiting for shop/web TCP 80 lb-1: Dead"
)
FACTS = Facts(1, 1, (), 400.0, 720.0)
LEADER = Holder(True, "binder-1 leads, renewed 2 s ago")


def lines(one: Pod, *others: Any, settings: Any = EXISTING, **cloud: Any) -> list[Line]:
    seen, found, _ = looked(one, *(others or [service()]), settings=settings, **cloud)
    bindings = seen.view.bindings_of(one)
    return [line(one, binding, found.get(binding.lb), settings) for binding in bindings]


def listening(group: Group) -> dict[str, Any]:
    return {"listeners": [Listener(LISTENER, "by hand", "TCP", 80, (group,))]}


UNCHECKED = listening(GROUP._replace(check=Check(enabled=False)))
SITUATIONS: list[tuple[Situation, Pod, dict[str, Any]]] = [
    (Situation.DEAD, pod(), DEAD),
    (Situation.ALIVE, pod(), ALIVE),
    (Situation.SERVING, pod(condition=OPEN), ALIVE),
    (Situation.UNKNOWN, pod(), {**ALIVE, "health": {key(): Health("Unknown", 10)}}),
    (Situation.STOPPED, pod(), {**ALIVE, "health": {key(): Health("Close", 10)}}),
    (Situation.NO_HEALTH, pod(), {**ALIVE, "health": {}}),
    (Situation.NO_CHECK, pod(), {**ALIVE, **UNCHECKED}),
    (Situation.NOT_BOUND, pod(), {}),
    (Situation.NOT_READY, pod(containers_ready=False), {}),
    (Situation.NOT_READY, pod(containers_ready=False), ALIVE),
    (Situation.UPDATING, pod(updating=True), ALIVE),
    (Situation.WEIGHT_0, pod(), {**ALIVE, "targets": {key(): ours("web-1", 0)}}),
    (Situation.FOREIGN, pod(), {**ALIVE, "targets": {key(): Target(0, "terraform")}}),
    (Situation.LISTENER_MISSING, pod(), {"listeners": []}),
    (Situation.NO_SUCH_LB, pod(), {"addresses": {}}),
    (Situation.CLB_UNREADABLE, pod(), {"error": codes.error("AuthFailure", "no", "X")}),
    (Situation.HOST_NETWORK, pod(host_network=True), {}),
    (Situation.NO_PORT, pod(ports=()), {}),
    (Situation.NO_WEIGHT, pod(weight=0), {}),
]


@pytest.mark.parametrize(("expected", "one", "cloud"), SITUATIONS)
def test_each_situation_is_known(expected: Situation, one: Pod, cloud: dict[str, Any]) -> None:
    (found,) = lines(one, **cloud)
    assert found.situation is expected


def test_a_service_without_a_load_balancer_blocks_nothing() -> None:
    (found,) = lines(pod(), service(lb=""))
    assert found.situation is Situation.NOT_PROVISIONED


def test_a_listener_of_ours_that_is_not_there_yet_comes() -> None:
    (found,) = lines(pod(), settings=SETTINGS, listeners=[])
    assert found.situation is Situation.LISTENER_COMES


def test_a_place_that_another_listener_has_is_a_conflict() -> None:
    (found,) = lines(pod(), settings=SETTINGS)
    assert found.situation is Situation.CONFLICT
    assert found.detail


def test_every_situation_is_tried_here() -> None:
    tried = {situation for situation, _, _ in SITUATIONS}
    others = {Situation.NOT_PROVISIONED, Situation.LISTENER_COMES, Situation.CONFLICT}
    assert tried | others == set(Situation)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (ours("web-1"), "weight 10, Dead, ours"),
        (ours("other"), "weight 10, Dead, ours, marked for an earlier Pod"),
        (ours("web-1", 10, "cls-b"), "weight 10, Dead, of a binder in another cluster"),
        (Target(5, "terraform"), "weight 5, Dead, of others, with the tag 'terraform'"),
        (Target(5), "weight 5, Dead, of others, without a tag"),
    ],
)
def test_it_says_whose_a_target_is(target: Target, text: str) -> None:
    (found,) = lines(pod(), **{**DEAD, "targets": {key(): target}})
    assert found.bound == text


def screen(
    one: Pod, found: list[Line], known: Facts = FACTS, leader: Holder = LEADER
) -> tuple[str, int]:
    story = Story(one, known, leader, tuple(found))
    return click.unstyle(as_text(story)), story.code


def test_a_pod_that_waits_is_explained_with_the_blocking_binding_first() -> None:
    one = pod(condition=CLOSED)
    found = [*lines(one, **DEAD), *lines(one, service("api", lb=""))]
    text, code = screen(one, found)
    assert code == SOMETHING
    assert text == WAITING


WAITING = """\
WAITING  Pod shop/web-1

  containers  1/1 ready for 7 min
  address     10.0.0.1 on node-1
  gate        False  LoadBalancerNetworkGroupNotReady, for 12 min
              1/2 ready; waiting for shop/web TCP 80 lb-1: Dead
  binder      binder-1 leads, renewed 2 s ago

waits for
  ! Service shop/web  TCP 80  lb-1/lbl-1  10.0.0.1:8080  weight 10, Dead, ours
    CLB's health check fails
    → Look at port and path of the health check of TCP 80 on lb-1, and whether the Pod's
      security group lets lb-1 in (pass-to-target).

passed
  - Service shop/api  TCP 80  no load balancer
    it names no load balancer, so there is nothing to wait for
    → Name one in the annotation of Service shop/api if it should be served.

The gate waits for 1 binding."""


def test_the_guide_shows_this_screen() -> None:
    assert WAITING in (ROOT / "docs/binder.md").read_text(encoding="utf-8")


def test_a_pod_whose_gate_is_open_needs_nothing() -> None:
    one = pod(condition=OPEN)
    text, code = screen(one, lines(one, **ALIVE))
    assert code == NOTHING
    assert text == OPENED


OPENED = """\
OPEN  Pod shop/web-1

  containers  1/1 ready for 7 min
  address     10.0.0.1 on node-1
  gate        True  LoadBalancerNetworkGroupReady, for 12 min
  binder      binder-1 leads, renewed 2 s ago

passed
  - Service shop/web  TCP 80  lb-1/lbl-1  10.0.0.1:8080  weight 10, Alive, ours

The gate is open; what CLB does will not close it."""


def test_containers_that_are_not_ready_come_before_clb() -> None:
    one = pod(containers_ready=False)
    known = Facts(0, 2, ("web: CrashLoopBackOff", "log: not started"), None, None)
    text, code = screen(one, lines(one), known)
    assert code == SOMETHING
    assert "containers  0/2 ready; web: CrashLoopBackOff, log: not started" in text
    assert text.endswith("The gate opens after the containers are ready.")


def test_a_binder_that_is_dead_is_the_first_thing_to_repair() -> None:
    dead = Holder(False, "nobody leads: binder-1 has not renewed its lease for 5 min")
    text, _ = screen(pod(), lines(pod(), **ALIVE), leader=dead)
    assert "Nobody opens gates now: start the binder first." in text
    assert "binder      nobody leads: binder-1 has not renewed its lease for 5 min" in text


def test_a_pod_without_the_gate_waits_for_nothing() -> None:
    text, code = screen(pod(gated=False), lines(pod(gated=False), **ALIVE))
    assert code == NOTHING
    assert text.startswith("NO GATE  Pod shop/web-1")
    assert "Put the gate into the template" in text


def test_a_gate_that_tkes_controller_opens_is_said_to_be_its() -> None:
    owner = Owner("Service", "shop", "legacy", "l")
    story = Story(pod(), FACTS, LEADER, (), elsewhere=(owner,))
    assert click.unstyle(as_text(story)).endswith(
        "TKE's own controller opens the gate, for Service shop/legacy; the binder leaves it alone. "
        "With --readiness-gate it can have one of its own."
    )


def test_a_pod_that_nothing_selects_is_said_to_be_so() -> None:
    text, _ = screen(pod(labels={}), lines(pod(labels={})))
    assert "No Service or Ingress that the binder serves selects this Pod." in text
    assert text.endswith("the binder opens the gate when it has made sure.")


def test_one_screen_is_enough_for_a_stuck_pod_of_three_services() -> None:
    services = [service(f"web-{port}", port=port) for port in (80, 81, 82)]
    one = pod(condition=CLOSED)
    text, _ = screen(one, lines(one, *services, **DEAD))
    assert len(text.splitlines()) <= 24


RAW = {
    "spec": {"containers": [{"name": "web"}, {"name": "log"}, {"name": "late"}]},
    "status": {
        "containerStatuses": [
            {"name": "web", "ready": True, "state": {"running": {}}},
            {"name": "log", "ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
            {"name": "late", "ready": False, "state": {"running": {"startedAt": "x"}}},
        ],
        "conditions": [
            {"type": "ContainersReady", "lastTransitionTime": "2026-01-01T00:00:00Z"},
            {"type": READINESS_GATE, "lastTransitionTime": "2026-01-01T00:01:00Z"},
        ],
    },
}
NOON = 1767225600.0 + 120  # two minutes into 2026


def test_facts_are_read_from_the_status() -> None:
    assert facts(RAW, NOON) == Facts(
        1, 3, ("log: CrashLoopBackOff", "late: running, its probe fails"), 120.0, 60.0
    )


@pytest.mark.parametrize(
    "raw", [{}, {"status": None}, {"status": {"conditions": [1], "containerStatuses": "x"}}]
)
def test_an_odd_pod_breaks_nothing(raw: dict[str, Any]) -> None:
    assert facts(raw, NOON) == Facts(0, 0, (), None, None)


@pytest.mark.parametrize(
    ("spec", "alive", "text"),
    [
        (
            {"holderIdentity": "b-1", "renewTime": "2026-01-01T00:01:57.000000Z"},
            True,
            "b-1 leads, renewed 3 s ago",
        ),
        (
            {"holderIdentity": "b-1", "renewTime": "2026-01-01T00:01:00.000000Z"},
            False,
            "nobody leads: b-1 has not renewed its lease for 60 s",
        ),
        (
            {"holderIdentity": "", "renewTime": "2026-01-01T00:01:00.000000Z"},
            False,
            "nobody leads: its lease was given back",
        ),
        ({}, False, "nobody leads: its lease was given back"),
    ],
)
def test_the_lease_says_whether_the_binder_lives(
    spec: dict[str, Any], alive: bool, text: str
) -> None:
    found = holder({"spec": {"leaseDurationSeconds": 10, **spec}}, NOON)
    assert found == Holder(alive, text)


@pytest.mark.parametrize(
    ("given", "namespace"), [("shop/web", None), ("web", "shop"), ("shop/web", "shop")]
)
def test_a_pod_is_named_in_two_ways(given: str, namespace: str | None) -> None:
    assert parse(given, namespace) == Name("shop", "web")


@pytest.mark.parametrize(
    ("given", "namespace"),
    [("web", None), ("", None), ("shop/", None), ("/web", None), ("a/b/c", None), ("a/b", "c")],
)
def test_a_bad_name_is_refused(given: str, namespace: str | None) -> None:
    with pytest.raises(Trouble):
        parse(given, namespace)
