"""Health is asked for where something waits, and for many load balancers in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest

from binder.cloud.codes import CloudError, Kind
from binder.controller.poller import PER_CALL, Poller, pause
from binder.controller.state import State
from binder.core.clb import Health, Key
from binder.core.plan import Plan
from binder.settings import Settings

SETTINGS = Settings()


class Read(NamedTuple):
    value: Mapping[str, Mapping[Key, Health]]
    started: float


class Bench:
    """Load balancers that wait, and a CLB that counts."""

    def __init__(self, *waiting: str) -> None:
        self.now = 1000.0
        self.calls: list[list[str]] = []
        self.error: CloudError | None = None
        self.state = State(SETTINGS, lambda: self.now)
        self.poller = Poller(self.state, self, lambda: self.now)  # type: ignore[arg-type]
        for lb in waiting:
            self.wait(lb)

    def wait(self, lb: str) -> None:
        one = self.state.balancer(lb)
        one.plan, one.pending_since, one.polled_at = Plan(poll=True), self.now, 0.0

    def health(self, lbs: Sequence[str]) -> Read:
        self.calls.append(list(lbs))
        if self.error is not None:
            raise self.error
        return Read({lb: {} for lb in lbs}, self.now)

    def seconds(self, number: float) -> None:
        for _ in range(round(number / SETTINGS.coalesce)):
            self.now += SETTINGS.coalesce
            self.poller.poll()


def test_nothing_is_asked_where_nothing_waits() -> None:
    bench = Bench()
    bench.state.balancer("lb-1")
    bench.seconds(60)
    assert bench.calls == []


def test_load_balancers_that_began_to_wait_one_after_the_other_fall_into_step() -> None:
    bench = Bench()
    for number in range(PER_CALL):
        bench.wait(f"lb-{number:02}")
        bench.seconds(0.2)
    bench.calls.clear()
    bench.seconds(10)
    assert {len(lbs) for lbs in bench.calls[2:]} == {PER_CALL}
    assert len(bench.calls) <= 12, "a call a second for all of them"


def test_more_than_one_call_takes_are_asked_for_in_several() -> None:
    bench = Bench(*(f"lb-{number:02}" for number in range(PER_CALL + 1)))
    bench.seconds(0.2)
    assert [len(lbs) for lbs in bench.calls] == [PER_CALL, 1]


def test_what_takes_long_is_asked_for_less_often() -> None:
    bench = Bench("lb-1")
    one = bench.state.balancers["lb-1"]
    pauses = [pause(one, bench.now + waited, SETTINGS) for waited in (0, 30, 60, 150, 3600)]
    assert pauses == [1, 1, 4, 10, 10]


@pytest.mark.parametrize("kind", [Kind.CHANGED, Kind.THROTTLED])
def test_what_fails_is_asked_for_again_at_its_pace(kind: Kind) -> None:
    bench = Bench("lb-1")
    bench.state.balancers["lb-1"].listeners_dirty = False
    bench.error = CloudError("InvalidParameter.LBIdNotFound", "", kind, "DescribeTargetHealth")
    bench.seconds(5)
    assert len(bench.calls) == pytest.approx(5, abs=1)
    assert bench.state.balancers["lb-1"].listeners_dirty is (kind is Kind.CHANGED)
