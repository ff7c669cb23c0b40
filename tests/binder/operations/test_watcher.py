"""What the loops tell ends in metrics and in the heart."""

from __future__ import annotations

import inspect

import pytest

from binder.cloud.budget import Observer
from binder.controller.run import Watcher
from binder.controller.state import State
from binder.core.gate import SERVING
from binder.core.objects import Pod
from binder.operations.counts import Counts
from binder.operations.health import USUAL, Heart
from binder.operations.metrics import Metrics
from binder.operations.watcher import Operator
from binder.settings import Settings


class Bed:
    def __init__(self) -> None:
        self.now = 0.0
        self.metrics, self.heart = Metrics(), Heart(lambda: self.now)
        self.operator = Operator(self.metrics, self.heart, lambda: self.now)

    @property
    def lines(self) -> list[str]:
        return self.metrics.text().decode().splitlines()


@pytest.mark.parametrize(("protocol", "made"), [(Watcher, Operator), (Observer, Metrics)])
def test_whoever_is_told_can_be_told_all(protocol: type, made: type) -> None:
    for name, method in inspect.getmembers(protocol, inspect.isfunction):
        if not name.startswith("_"):
            wanted = list(inspect.signature(method).parameters)
            assert list(inspect.signature(getattr(made, name)).parameters) == wanted, name


def test_what_happened_is_in_the_metrics() -> None:
    bed = Bed()
    bed.operator.opened(3.0, SERVING)
    bed.operator.drained(0.5)
    bed.operator.reconciled("lb-1", 0.1, "InternalError")
    for line in (
        "gate_latency_seconds_sum 3.0",
        "drain_ack_seconds_sum 0.5",
        'reconciles_total{result="InternalError"} 1.0',
    ):
        assert f"tke_direct_binder_{line}" in bed.lines


def test_a_beat_arrives() -> None:
    bed = Bed()
    bed.operator.beat("tick")
    bed.now = USUAL + 1
    assert bed.heart.silent()
    bed.operator.beat("tick")
    assert not bed.heart.silent()


def test_nothing_is_there_before_the_first_plan() -> None:
    assert Bed().operator.counts() == Counts()


def test_the_state_is_counted_as_it_is_when_asked() -> None:
    bed = Bed()
    state = State(Settings(), lambda: bed.now)
    bed.operator.planned(state)
    state.put(Pod("p", "shop", "web-1", ip="10.0.0.1", containers_ready=True, gated=True))
    bed.now = 7.0
    assert (bed.operator.counts().gates, bed.operator.counts().pending) == (1, {"NotWritten": 7.0})
