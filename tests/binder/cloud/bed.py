"""The façade on the real SDK on the simulator; time is the simulator's, moved by waiting."""

from __future__ import annotations

from typing import Any

from binder.cloud.budget import Budget
from binder.cloud.clb import Clb
from binder.cloud.client import Client
from binder.cloud.codes import CloudError
from binder.cloud.credentials import Credentials, Key, Source
from binder.cloud.write import Writer
from binder.core.actions import Action, Deregister, Register, Weigh
from binder.core.clb import Key as Where
from binder.simulator.simulator import KEY
from tests.binder.simulator.bed import LB, TCP, Bed


class Fixed:
    """A source of one key, that counts how often it is asked."""

    renew: float | None = None

    def __init__(self, *keys: Key) -> None:
        self.keys = list(keys or [Key(KEY.secret_id, KEY.secret_key)])
        self.asked = 0

    def get(self) -> Key:
        self.asked += 1
        return self.keys[min(self.asked, len(self.keys)) - 1]


class Seen:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.rates: list[float] = []

    def called(self, action: str, code: str, seconds: float) -> None:
        assert seconds >= 0
        self.calls.append((action, code))

    def throttled(self, action: str, rate: float) -> None:
        self.rates.append(rate)

    def count(self, action: str) -> int:
        return sum(one == action for one, _ in self.calls)


class Cloud:
    """What a test has: `bed` is the simulator's side, `clb` ours."""

    def __init__(self, bed: Bed, source: Source | None = None, timeout: float = 2.0) -> None:
        self.bed, self.seen = bed, Seen()
        self.lead = True
        self.waits: list[float] = []
        clock = bed.world.clock.now
        self.credentials = Credentials(source or Fixed(), clock)
        self.budget = Budget(1000, clock, self.wait, self.seen)
        self.client = Client(
            *(self.credentials, "ap-guangzhou", bed.simulator.endpoint, self.budget, timeout),
            lambda: self.lead,
            protocol="http",
            observer=self.seen,
        )
        writer = Writer(self.client, clock=clock, wait=self.wait, jitter=lambda: 1.0)
        self.clb = Clb(self.client, writer, clock)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.bed.simulator.advance(seconds)

    def do(self, *actions: Action, lb: str = LB) -> list[CloudError | None]:
        """The errors of `actions`."""
        outcomes = self.clb.perform(lb, actions)
        assert [one.action for one in outcomes] == list(actions)
        return [one.error for one in outcomes]

    def codes(self, *actions: Action, lb: str = LB) -> list[str]:
        return [error.code if error else "OK" for error in self.do(*actions, lb=lb)]

    def failure(self, action: str, **parameters: Any) -> CloudError:
        """The error of a call."""
        try:
            self.client.call(action, parameters)
        except CloudError as error:
            return error
        raise AssertionError(f"{action} did not fail")

    def calls(self, action: str) -> list[dict[str, Any]]:
        rows = self.bed.world.journal.since(kind="call")
        return [row for row in rows if row["action"] == action]


def at(number: int, listener: str = TCP, location: str = "") -> Where:
    return Where(listener, location, f"10.1.{number // 250}.{number % 250 + 1}", 80)


def registers(count: int, start: int = 0, tag: str = "b1.x.y", **place: str) -> list[Register]:
    return [Register(at(number, **place), 10, tag) for number in range(start, start + count)]


def weighs(count: int, weight: int = 0, **place: str) -> list[Weigh]:
    return [Weigh(at(number, **place), weight) for number in range(count)]


def deregisters(count: int, **place: str) -> list[Deregister]:
    return [Deregister(at(number, **place)) for number in range(count)]
