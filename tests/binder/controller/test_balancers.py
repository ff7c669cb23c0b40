"""A round of work on one load balancer: what is read, what is written, when it comes again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from binder.cloud.codes import CloudError, Kind
from binder.commands.observe import wanted
from binder.controller.balancers import Balancers, Clocks
from binder.controller.gates import Gates
from binder.controller.poller import Poller
from binder.controller.state import State
from binder.core.actions import Action, Deregister, Register, SetAddresses, SetGate, Tell, Weigh
from binder.core.clb import Check, Frontend, Group, Health, Key, Listener, Target
from binder.core.objects import (
    Changes,
    Condition,
    ContainerPort,
    Ingress,
    Name,
    Pod,
    Service,
    ServicePort,
)
from binder.operations.counts import count
from binder.settings import Settings
from schemas import contract

LB, LISTENER = "lb-1", "lbl-1"
CHECK = Check(interval=2, timeout=1, healthy=2, unhealthy=2)


class Read(NamedTuple):
    value: object
    started: float


class Outcome(NamedTuple):
    action: Action
    error: CloudError | None


class World:
    """CLB, Kubernetes, the lease and the clock, all of them obedient."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.there = True
        self.bound: dict[Key, Target] = {}
        self.healthy: dict[Key, str] = {}
        self.refuse: Callable[[Action], CloudError | None] = lambda _action: None
        self.calls: list[str] = []
        self.did: list[Action] = []
        self.gates: list[SetGate] = []
        self.told: list[Tell] = []
        self.addresses: list[SetAddresses] = []
        self.since: float | None = 0.0

    # CLB

    def load_balancers(self, ids: Sequence[str]) -> Read:
        self.calls.append("load_balancers")
        return Read({lb: ("10.0.0.100",) for lb in ids if self.there}, self.now)

    def listeners(self, lb: str) -> Read:
        self.calls.append("listeners")
        group = Group(LISTENER, "", Frontend("TCP", 80), CHECK)
        return Read((Listener(LISTENER, "mine", "TCP", 80, (group,)),), self.now)

    def targets(self, lb: str) -> Read:
        self.calls.append("targets")
        return Read(dict(self.bound), self.now)

    def health(self, lbs: Sequence[str]) -> Read:
        self.calls.append("health")
        found = {
            key: Health(self.healthy.get(key, "Unknown"), target.weight)
            for key, target in self.bound.items()
        }
        return Read({lb: found for lb in lbs if self.there}, self.now)

    def perform(self, lb: str, actions: Sequence[Action]) -> list[Outcome]:
        self.calls.append("perform")
        return [self._do(action) for action in actions]

    def _do(self, action: Action) -> Outcome:
        error = self.refuse(action)
        if error is None:
            self.did.append(action)
            if isinstance(action, Register):
                self.bound[action.key] = Target(action.weight, action.tag)
            elif isinstance(action, Weigh):
                self.bound[action.key] = self.bound[action.key]._replace(weight=action.weight)
            elif isinstance(action, Deregister):
                del self.bound[action.key]
        return Outcome(action, error)

    # Kubernetes

    def changes(self) -> Changes:
        return Changes(True, self.now)

    def set_gate(self, write: SetGate, before: Condition | None) -> bool:
        self.gates.append(write)
        return True

    def set_addresses(self, write: SetAddresses) -> bool:
        self.addresses.append(write)
        return True

    def tell(self, tell: Tell) -> None:
        self.told.append(tell)

    def live(self, namespace: str) -> tuple[list[Pod], list[Service], list[Ingress]]:
        raise AssertionError("nothing has to be confirmed here")

    # The lease

    def held(self) -> bool:
        return self.since is not None


class Bench:
    """One Service, one load balancer."""

    def __init__(self, **settings: Any) -> None:
        self.world = World()
        clocks = Clocks(lambda: self.world.now, lambda: self.world.now)
        self.state = State(Settings(**{"manage_listeners": False} | settings), clocks.now)
        parts = self.world, self.world, clocks
        self.balancers = Balancers(self.state, self.world, *parts)  # type: ignore[arg-type]
        self.gates = Gates(self.state, *parts)
        self.poller = Poller(self.state, self.world, clocks.now)  # type: ignore[arg-type]
        self.state.put(
            Service(
                "s",
                "shop",
                "web",
                "LoadBalancer",
                contract.LOAD_BALANCER_CLASS,
                {contract.EXISTING_CLB["service"]: LB},
                (("app", "web"),),
                (ServicePort("", 80, "TCP", "http"),),
            )
        )

    def pod(self, name: str = "web-1", ip: str = "10.0.0.1", **fields: object) -> Pod:
        pod = Pod(
            f"{name:0<20}",
            "shop",
            name,
            labels={"app": "web"},
            ip=ip,
            phase="Running",
            ports=(ContainerPort("http", 8080),),
            containers_ready=True,
            gated=True,
        )._replace(**fields)  # type: ignore[arg-type]
        self.state.put(pod)
        return pod

    def seconds(self, number: float, step: float = 1.0) -> None:
        """Let time pass, with a poll, a round and a look at every gate each `step`."""
        for _ in range(int(number / step)):
            self.world.now += step
            self.poller.poll()
            self.balancers.round(LB)
            for uid in list(self.state.view.pods):
                self.gates.look(uid)


def key(ip: str = "10.0.0.1") -> Key:
    return Key(LISTENER, "", ip, 8080)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def opened(bench: Bench) -> list[Name]:
    return [write.pod for write in bench.world.gates if write.status == "True"]


def test_a_pod_is_bound_watched_and_its_gate_opened(bench: Bench) -> None:
    bench.pod()
    bench.seconds(6)
    assert list(bench.world.bound) == [key()]
    assert opened(bench) == []
    bench.world.healthy[key()] = "Alive"
    bench.seconds(1)
    assert opened(bench) == [Name("shop", "web-1")]
    assert bench.world.addresses[0].addresses == ("10.0.0.100",)


def test_a_pod_found_alive_is_watched_for_the_whole_window(bench: Bench) -> None:
    bench.pod()
    bench.balancers.round(LB)
    bench.world.healthy[key()] = "Alive"
    bench.seconds(2 + CHECK.window(3))
    assert opened(bench) == []
    bench.seconds(2)
    assert opened(bench) == [Name("shop", "web-1")]


def test_what_clb_refuses_is_tried_later_and_later(bench: Bench) -> None:
    tries: list[float] = []

    def refuse(action: Action) -> CloudError:
        tries.append(bench.world.now)
        return CloudError("InvalidParameter", "no such address", Kind.WRONG, "BatchRegisterTargets")

    bench.world.refuse = refuse
    bench.pod()
    bench.seconds(120)
    pauses = [after - before for before, after in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert len(tries) < 12
    assert max(pauses) <= 2 * bench.state.settings.retry_most
    (told,) = {tell.message for tell in bench.world.told}
    assert told == "lb-1: InvalidParameter: no such address"
    results = set()
    for _ in range(60):
        bench.world.now += 1
        results.add(bench.balancers.round(LB).refused)
    assert results == {"", "InvalidParameter"}


def test_a_quiet_load_balancer_is_not_read_until_its_audit(bench: Bench) -> None:
    bench.pod(condition=Condition("True"), ready=True)
    bench.seconds(5)
    bench.world.calls.clear()
    bench.seconds(300, step=10)
    assert bench.world.calls == []
    bench.seconds(400, step=10)
    assert bench.world.calls == ["load_balancers", "listeners", "targets"]


def test_a_load_balancer_that_is_gone_lets_pods_go_after_two_looks(bench: Bench) -> None:
    bench.world.there = False
    bench.pod()
    bench.seconds(20)
    assert opened(bench) == []
    bench.seconds(20)
    assert opened(bench) == [Name("shop", "web-1")]
    assert {write.reason for write in bench.world.gates if write.status == "True"} == {
        "LoadBalancerDetached"
    }


def test_a_pod_that_terminates_is_drained_then_unbound(bench: Bench) -> None:
    for number in (1, 2):
        bench.pod(f"web-{number}", f"10.0.0.{number}")
    bench.seconds(6)
    bench.world.healthy = {key("10.0.0.1"): "Alive", key("10.0.0.2"): "Alive"}
    bench.seconds(2)
    bench.pod("web-2", "10.0.0.2", condition=Condition("True"), ready=True)
    bench.pod("web-1", "10.0.0.1", dies_at=bench.world.now + 60)
    bench.seconds(1)
    assert bench.world.bound[key("10.0.0.1")].weight == 0
    bench.seconds(29)
    assert key("10.0.0.1") in bench.world.bound
    bench.seconds(3)
    assert list(bench.world.bound) == [key("10.0.0.2")]


def test_a_load_balancer_that_nobody_wants_is_forgotten_when_it_is_clean(bench: Bench) -> None:
    bench.pod()
    bench.seconds(3)
    (service,) = bench.state.view.of(Service)
    bench.state.drop(service)
    bench.seconds(3)
    assert LB in bench.state.balancers
    bench.state.confirmed_all["shop"] = bench.world.now + 1
    bench.seconds(60)
    assert bench.world.bound == {}
    assert LB not in bench.state.balancers or bench.state.balancers[LB].plan.settled


def test_targets_of_strangers_are_left_alone(bench: Bench) -> None:
    stranger = Key(LISTENER, "", "10.9.9.9", 8080)
    bench.world.bound = {stranger: Target(10, "")}
    bench.pod()
    bench.seconds(100)
    assert bench.world.bound[stranger] == Target(10, "")
    assert not any(getattr(action, "key", None) == stranger for action in bench.world.did)


def test_a_listener_that_somebody_else_has_is_told_of() -> None:
    bench = Bench(manage_listeners=True)
    bench.pod()
    bench.seconds(1)
    (told,) = [tell for tell in bench.world.told if tell.reason == "ListenerConflict"]
    assert (str(told.about), told.type) == ("Service shop/web", "Warning")
    assert told.message.startswith("TCP 80: TCP 80 of lb-1 is listener lbl-1 ('mine')")
    assert bench.world.did == []


def test_a_pod_without_the_gate_is_told_of_once() -> None:
    bench = Bench()
    told: list[Tell] = []
    bench.state.warned = told.append
    bench.pod("fine")
    bench.pod("elsewhere", gated=False, labels={"app": "other"})
    assert told == []
    pod = bench.pod("web-1", gated=False)
    bench.pod("web-1", gated=False, ready=True)
    (one,) = told
    assert (one.about.name, one.reason) == ("web-1", "ReadinessGateMissing")
    assert contract.READINESS_GATE in one.message
    bench.state.drop(pod)
    bench.pod("web-1", gated=False)
    assert len(told) == 2


LEGACY = Service(
    "l",
    "shop",
    "legacy",
    "LoadBalancer",
    "",
    {contract.SERVICE_DIRECT_ACCESS: "true"},
    (("app", "legacy"),),
    (ServicePort("", 80, "TCP", "http"),),
)


@pytest.mark.parametrize("gate", [contract.READINESS_GATE, "example.com/served"])
def test_the_gate_of_tkes_controller_is_left_to_it_and_one_of_our_own_is_not(gate: str) -> None:
    bench = Bench(manage_listeners=False, gate=gate)
    bench.state.put(LEGACY)
    bench.pod("legacy-1", labels={"app": "legacy"})
    bench.seconds(2)
    bench.state.confirmed_services["shop"] = bench.world.now
    bench.seconds(2)
    ours = gate != contract.READINESS_GATE
    assert [one.reason for one in bench.world.gates] == ["NoLoadBalancer"] * ours
    gates = count(bench.state.view, {}, bench.state.ready_since, bench.world.now).gates
    assert gates == ours, "nobody is alarmed about a gate that is not ours"


def served(bench: Bench, count: int) -> None:
    """So many Pods that CLB serves."""
    for number in range(1, count + 1):
        ready = {"condition": Condition("True"), "ready": True}
        bench.pod(f"web-{number}", f"10.0.0.{number}", **ready)
    bench.seconds(5)
    bench.world.healthy = dict.fromkeys(bench.world.bound, "Alive")
    bench.seconds(20)


def ends(bench: Bench, number: int) -> None:
    fields = {"condition": Condition("True"), "ready": True, "dies_at": bench.world.now + 60}
    bench.pod(f"web-{number}", f"10.0.0.{number}", **fields)


@pytest.mark.parametrize("call", ["targets", "listeners", "load_balancers"])
def test_a_drain_does_not_wait_for_readings_that_fail(
    bench: Bench, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(bench, 3)
    one = bench.state.balancers[LB]
    one.targets_dirty = one.listeners_dirty = True

    def refuse(_: object) -> Read:
        bench.world.calls.append(call)
        raise CloudError("RequestLimitExceeded", "", Kind.THROTTLED, call)

    monkeypatch.setattr(bench.world, call, refuse)
    bench.world.did.clear()
    bench.world.calls.clear()
    ends(bench, 1)
    bench.seconds(bench.state.settings.call_timeout + 2)
    assert Weigh(key("10.0.0.1"), 0) in bench.world.did
    bench.seconds(60)
    assert {type(action) for action in bench.world.did} == {Weigh}, "nothing else is done blindly"
    assert bench.world.calls.count(call) < 10, "it is asked for later and later"


def test_a_load_balancer_that_was_never_read_is_left_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = CloudError("InternalError", "", Kind.AMBIGUOUS, "DescribeLoadBalancers")

    def refuse(_: object) -> Read:
        raise error

    monkeypatch.setattr(bench.world, "load_balancers", refuse)
    bench.pod()
    found = bench.balancers.round(LB)
    assert (found.error, found.after) == (error, bench.state.settings.retry_first)
    bench.seconds(60)
    assert bench.world.did == []


def test_new_pods_are_bound_although_others_end_all_the_time(bench: Bench) -> None:
    served(bench, 20)
    bench.pod("new", "10.0.1.1")
    for number in range(1, 6):
        ends(bench, number)
        bench.seconds(1)
        bench.balancers.round(LB)  # at once after a write, as the queue does it
    assert key("10.0.1.1") in bench.world.bound


def test_who_takes_over_goes_on_with_load_balancers_that_nobody_names_any_more() -> None:
    before, after = Bench(), Bench()
    before.pod()
    before.seconds(5)
    (service,) = before.state.view.of(Service)
    before.state.drop(service)
    before.seconds(5)
    assert before.world.bound
    assert before.state.load_balancers() == {LB}
    after.world.bound = before.world.bound
    (service,) = after.state.view.of(Service)
    after.state.drop(service)
    after.state.inherit(before.state.load_balancers())
    after.state.confirmed_all[""] = after.world.now + 30
    after.seconds(90)
    assert after.world.bound == {}
    assert after.state.load_balancers() == set()


def test_a_lapse_of_the_lease_forgets_readings_and_no_load_balancer(bench: Bench) -> None:
    bench.pod()
    bench.seconds(3)
    bench.state.forget_cloud()
    assert bench.state.load_balancers() == {LB}
    assert bench.state.balancers[LB].reading.targets_at is None


def test_a_gate_that_somebody_else_closes_again_is_looked_at_again(bench: Bench) -> None:
    pod = bench.pod()
    bench.seconds(6)
    bench.world.healthy[key()] = "Alive"
    bench.seconds(1)
    assert opened(bench) == [Name("shop", "web-1")]
    bench.pod(condition=Condition("False"))
    found = bench.gates.look(pod.uid)
    assert found.after is not None
    assert found.after <= bench.state.settings.retry_most


def test_what_was_just_written_keeps_a_load_balancer_that_nobody_wants_any_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.pod()
    bench.seconds(1)
    bench.world.bound.clear()
    bench.state.forget_cloud()
    perform = bench.world.perform

    def lose(lb: str, actions: Sequence[Action]) -> list[Outcome]:
        """Its Service is deleted while the call is under way."""
        for service in list(bench.state.view.of(Service)):
            bench.state.drop(service)
        return perform(lb, actions)

    monkeypatch.setattr(bench.world, "perform", lose)
    bench.balancers.round(LB)
    assert bench.world.bound
    assert bench.state.load_balancers() == {LB}
    monkeypatch.undo()
    late = dict(bench.world.bound)
    bench.world.bound.clear()  # CLB's reading lags
    bench.balancers.round(LB)
    bench.world.bound = late
    bench.state.confirmed_all[""] = bench.world.now + 30
    bench.seconds(90)
    assert bench.world.bound == {}
    assert bench.state.load_balancers() == set()


@pytest.mark.parametrize("kind", [Kind.WRONG, Kind.AMBIGUOUS])
def test_an_id_that_is_none_is_forgotten_when_nobody_names_it(
    bench: Bench, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> Read:
        raise CloudError("InvalidParameter.FormatError", "", kind, "DescribeLoadBalancers")

    monkeypatch.setattr(bench.world, "load_balancers", refuse)
    bench.pod()
    bench.seconds(5)
    (service,) = bench.state.view.of(Service)
    bench.state.drop(service)
    for _ in range(60):
        bench.world.now += 1
        if bench.state.load_balancers():
            bench.balancers.round(LB)
    assert bench.state.load_balancers() == ({LB} if kind is Kind.AMBIGUOUS else set())


def test_who_only_looks_wants_the_same_all_the_time(bench: Bench) -> None:
    looks = Balancers(
        bench.state,
        bench.world,
        bench.world,
        bench.world,
        Clocks(*[lambda: bench.world.now] * 2),  # type: ignore[arg-type]
        writes=False,
    )
    bench.pod()
    seen = []
    for _ in range(70):
        bench.world.now += 1
        looks.round(LB)
        seen.append(wanted(bench.state.balancers[LB].plan))
    assert len(set(seen)) == 1
    assert seen[0]
    assert bench.world.did == []
