"""What `observe` logs: what comes into a plan, what leaves it, and what gates would say."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from binder.commands.observe import Changes
from binder.controller.balancers import Clocks
from binder.controller.gates import Gates
from binder.controller.state import State
from binder.core.actions import Action, Register, SetAddresses, SetGate, Tell, Weigh
from binder.core.clb import LoadBalancer
from binder.core.objects import Changes as Seen
from binder.core.objects import Condition, Ingress, Pod, Service
from binder.core.plan import Memory, Plan
from binder.core.targets import Ledger, Retry
from binder.operations.health import Heart
from binder.operations.metrics import Metrics
from tests.binder.commands.things import LB, SETTINGS, key, pod

NOW = 1000.0
BIND, DRAIN = Register(key(), 10, "tag"), Weigh(key("10.0.0.2"), 0)


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    found = [(row.message, getattr(row, "target", "")) for row in caplog.records]
    caplog.clear()
    return found


def test_changes_of_a_plan_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "binder")
    state = State(SETTINGS, lambda: NOW)
    with state.lock:
        one = state.balancer(LB)
    one.reading = LoadBalancer(LB)
    watcher = Changes(Metrics(), Heart(lambda: NOW), lambda: NOW)

    def follow(made: Plan) -> list[tuple[str, str]]:
        one.plan = made
        watcher.planned(state)
        return said(caplog)

    assert follow(Plan()) == []
    assert follow(Plan((DRAIN, BIND))) == [
        ("would", "10.0.0.2:8080"),
        ("would", "10.0.0.1:8080"),
    ]
    # It waits until the effect might show, and is wanted all the same.
    pauses: dict[Action, Retry] = {BIND: Retry(1, NOW)}
    waiting = Plan((), memory=Memory(ledger=Ledger(retries=pauses)))
    assert follow(waiting) == [("no longer would", "10.0.0.2:8080")]
    assert follow(waiting) == []
    assert follow(Plan()) == [("no longer would", "10.0.0.1:8080")]


class Cluster:
    """One that must not be written to."""

    def changes(self) -> Seen:
        return Seen(True, NOW)

    def set_gate(self, write: SetGate, before: Condition | None) -> bool:
        raise AssertionError(write)

    def set_addresses(self, write: SetAddresses) -> bool:
        raise AssertionError(write)

    def tell(self, tell: Tell) -> None:
        raise AssertionError(tell)

    def live(self, namespace: str) -> tuple[Sequence[Pod], Sequence[Service], Sequence[Ingress]]:
        raise AssertionError(namespace)


class Leader:
    since: float | None = 0.0

    def held(self) -> bool:
        return True


def test_a_gate_that_would_be_written_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "binder")
    time = [NOW - 10]
    clocks = Clocks(lambda: time[0], lambda: 0.0)
    state = State(SETTINGS, clocks.now)
    state.put(one := pod(labels={}))
    time[0] = NOW
    state.confirmed_services["shop"] = NOW
    gates = Gates(state, Cluster(), Leader(), clocks, writes=False)
    for _ in range(3):
        gates.look(one.uid)
    (row,) = caplog.records
    assert row.message == "gate would say"
    assert vars(row)["pod"] == "shop/web-1"
    assert (vars(row)["status"], vars(row)["reason"]) == ("True", "NoLoadBalancer")
