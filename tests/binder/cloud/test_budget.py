"""Token buckets under a clock that waiting moves."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from binder.cloud.budget import LEAST, READ, Bucket, Budget
from binder.core.actions import Lane


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.rates: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def called(self, action: str, code: str, seconds: float) -> None: ...

    def throttled(self, action: str, rate: float) -> None:
        self.rates.append(rate)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_goes_at_once_and_then_the_rate_holds(clock: Clock) -> None:
    budget = Budget(8, clock, clock.wait)
    times = []
    for _ in range(24):
        budget.take("DescribeTargets")
        times.append(clock.now - 100)
    assert times[7] == 0
    assert times[-1] == pytest.approx(16 / 8, abs=0.05)


def test_actions_have_budgets_of_their_own(clock: Clock) -> None:
    budget = Budget(8, clock, clock.wait)
    for action in ("DescribeTargets", "DescribeListeners"):
        for _ in range(8):
            budget.take(action)
    assert clock.now == 100


def test_a_throttled_action_is_halved_once_a_second_and_grows_back(clock: Clock) -> None:
    budget = Budget(8, clock, clock.wait, clock)
    budget.throttled("A")
    budget.throttled("A")  # calls that were under way together
    assert clock.rates == [4, 4]
    budget.take("A")
    assert clock.now >= 101  # CLB counts by the second
    clock.now += 1
    budget.throttled("A")
    assert budget.rate("A") == pytest.approx(2, abs=0.1)
    clock.now += 61
    budget.take("A")
    assert budget.rate("A") == pytest.approx(3, abs=0.1)
    clock.now += 3600
    budget.take("A")
    assert budget.rate("A") == 8
    assert budget.rate("B") == 8


def test_it_never_stops_for_good(clock: Clock) -> None:
    budget = Budget(8, clock, clock.wait)
    for _ in range(20):
        clock.now += 1.5
        budget.throttled("A")
    assert budget.rate("A") == pytest.approx(LEAST, abs=0.2)
    budget.take("A")


def test_a_drain_goes_before_a_read_and_that_before_a_registration() -> None:
    bucket = Bucket(1, 0)
    tickets = [(float(lane), at) for at, lane in enumerate([Lane.DEREGISTER, READ, Lane.DRAIN])]
    for ticket in tickets:
        bucket.join(ticket)
    order, now = [], 0.0
    while len(order) < 3:
        admitted = [one for one in tickets if one not in order and not bucket.admit(one, now)]
        order += admitted
        now += 0.5
    assert order == sorted(tickets)
    assert Lane.LISTENERS < READ < Lane.REGISTER


def test_whoever_gives_up_does_not_hold_the_others(clock: Clock) -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    budget = Budget(1, clock, interrupted)
    budget.take("A")
    with pytest.raises(KeyboardInterrupt):
        budget.take("A", Lane.DRAIN)
    clock.now += 1
    budget.take("A", Lane.DEREGISTER)


def test_threads_share_a_bucket() -> None:
    budget = Budget(1e6, Clock(), lambda _seconds: None)
    done: Counter[str] = Counter()

    def run() -> None:
        for _ in range(200):
            budget.take("A")
            done["A"] += 1

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert done["A"] == 1600


class AnyUse(RuleBasedStateMachine):
    """However it is used: never more in a second than twice the rate, and never less than some."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.budget = Budget(8, self.clock, self.clock.wait, self.clock)
        self.taken: list[float] = []
        self.closed_until = 0.0

    @rule(times=st.integers(1, 30), lane=st.sampled_from([READ, *Lane]))
    def take(self, times: int, lane: float) -> None:
        before = self.clock.now
        for _ in range(times):
            self.budget.take("A", lane)
            self.taken.append(self.clock.now)
        assert self.clock.now - before <= 1.1 + times / LEAST
        assert self.taken[-times] >= self.closed_until - 1e-6

    @rule(seconds=st.floats(0, 400))
    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def throttle(self) -> None:
        before = self.budget.rate("A")
        self.budget.throttled("A")
        assert self.clock.rates[-1] <= max(before + 8, LEAST)
        if self.clock.now >= self.closed_until:
            self.closed_until = self.clock.now + 1

    @invariant()
    def the_rate_is_in_its_bounds(self) -> None:
        assert LEAST <= self.budget.rate("A") <= 8

    @invariant()
    def no_second_has_more_than_clb_allows(self) -> None:
        last = self.taken[-40:]
        assert all(sum(at <= one < at + 1 for one in last) <= 17 for at in last)


AnyUse.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestAnyUse = AnyUse.TestCase
