"""Who acts: never two at once, whatever fails, and one again when the other has gone."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import pytest

from binder.cluster.api import CONFLICT, NOT_FOUND, Failed, Refused
from binder.cluster.lease import Lease
from binder.settings import Settings
from schemas.contract import LEASE_NOTE

SETTINGS = Settings(lease=10.0, renew=6.0, retry_lease=2.0)


class Leases:
    """The API server's side: compare and swap.  `fail` is asked before and after each call."""

    def __init__(self) -> None:
        self.found: dict[str, Any] | None = None
        self.version = 0
        self.calls: list[str] = []
        self.timeouts: set[float | None] = set()
        self.fail = lambda moment: False

    def call(
        self, method: str, path: str, body: Any = None, timeout: float | None = None
    ) -> dict[str, Any]:
        self.calls.append(method)
        self.timeouts.add(timeout)
        if self.fail("before"):
            raise Failed("timed out")
        answer = getattr(self, f"_{method.lower()}")(body)
        if self.fail("after"):
            raise Failed("timed out")
        return deepcopy(answer)

    def _get(self, _: None) -> dict[str, Any]:
        if self.found is None:
            raise Refused("GET", NOT_FOUND, "not found")
        return self.found

    def _post(self, body: Any) -> dict[str, Any]:
        if self.found is not None:
            raise Refused("POST", CONFLICT, "already exists")
        return self._store(body)

    def _put(self, body: Any) -> dict[str, Any]:
        if self.found is None:
            raise Refused("PUT", NOT_FOUND, "not found")
        if body["metadata"]["resourceVersion"] != self.found["metadata"]["resourceVersion"]:
            raise Refused("PUT", CONFLICT, "modified")
        return self._store(body)

    def _store(self, body: Any) -> dict[str, Any]:
        self.version += 1
        found = deepcopy(body)
        found["metadata"]["resourceVersion"] = str(self.version)
        self.found = found
        return found


class Clock:
    """A machine's clock: `offset` and the time of day differ between machines."""

    def __init__(self) -> None:
        self.now = 0.0

    def reading(self, offset: float = 0.0) -> Any:
        return lambda: self.now + offset


class Bed:
    def __init__(self) -> None:
        self.leases, self.clock = Leases(), Clock()

    def candidate(self, identity: str, offset: float = 0.0, wall: float = 1.8e9) -> Lease:
        return Lease(
            self.leases,  # type: ignore[arg-type]
            "kube-system",
            "binder",
            identity,
            SETTINGS,
            clock=self.clock.reading(offset),
            wall=self.clock.reading(wall),
            jitter=lambda: 0.0,
        )

    @property
    def spec(self) -> Any:
        return self.leases.found and self.leases.found["spec"]


@pytest.fixture
def bed() -> Bed:
    return Bed()


def test_the_first_gets_it_and_says_since_when(bed: Bed) -> None:
    lease = bed.candidate("a", offset=500.0)
    assert not lease.held()
    assert lease.since is None
    lease.step()
    assert lease.held()
    assert lease.since == 500.0
    assert bed.spec["holderIdentity"] == "a"
    assert bed.spec["leaseDurationSeconds"] == 10
    assert bed.spec["leaseTransitions"] == 0
    assert bed.spec["renewTime"] == "2027-01-15T08:00:00.000000Z"


def test_a_holder_that_renews_keeps_it_with_one_call_each(bed: Bed) -> None:
    lease = bed.candidate("a")
    lease.step()
    bed.leases.calls.clear()
    for _ in range(10):
        bed.clock.now += 2.0
        lease.step()
        assert lease.held()
    assert bed.leases.calls == ["PUT"] * 10
    assert lease.since == 0.0
    assert bed.spec["leaseTransitions"] == 0


def test_a_holder_stops_at_its_deadline_although_nobody_tells_it(bed: Bed) -> None:
    lease = bed.candidate("a")
    lease.step()
    assert lease.valid(5.9)
    assert not lease.valid(6.0)
    bed.leases.fail = lambda moment: moment == "before"
    for bed.clock.now in (2.0, 4.0, 6.0):
        lease.step()
    assert not lease.held()
    assert lease.since is None


def test_another_waits_until_the_holder_has_been_silent_for_the_whole_lease(bed: Bed) -> None:
    first, second = bed.candidate("a"), bed.candidate("b")
    first.step()
    bed.clock.now = 1.0
    second.step()
    for bed.clock.now in (3.0, 10.5, 11.0):
        second.step()
        assert not second.held()
    bed.clock.now = 11.1
    second.step()
    assert second.held()
    assert second.since == 11.1
    assert bed.spec["leaseTransitions"] == 1
    first.step()
    assert not first.held()
    assert first.holder == "b"


def test_the_clocks_of_machines_need_not_agree(bed: Bed) -> None:
    first = bed.candidate("a", offset=1e6, wall=0.0)
    second = bed.candidate("b", offset=-50.0, wall=4e9)
    for _ in range(20):
        bed.clock.now += 2.0
        first.step()
        second.step()
        assert first.held()
        assert not second.held()


def test_who_releases_it_stops_at_once_and_the_next_starts_at_once(bed: Bed) -> None:
    first, second = bed.candidate("a"), bed.candidate("b")
    first.step()
    second.step()
    first.release()
    assert not first.held()
    assert bed.spec["holderIdentity"] == ""
    second.step()
    assert second.held()


def test_who_does_not_hold_it_releases_nothing(bed: Bed) -> None:
    first, second = bed.candidate("a"), bed.candidate("b")
    first.step()
    second.step()
    second.release()
    assert bed.spec["holderIdentity"] == "a"


def test_a_release_never_undoes_what_another_has_done(bed: Bed) -> None:
    first, second = bed.candidate("a"), bed.candidate("b")
    first.step()
    second.step()
    bed.clock.now = 11.0
    second.step()
    first.release()
    assert bed.spec["holderIdentity"] == "b"


def test_a_renewal_that_timed_out_but_was_done_does_not_cost_the_lease(bed: Bed) -> None:
    lease = bed.candidate("a")
    lease.step()
    bed.clock.now = 2.0
    bed.leases.fail = lambda moment: moment == "after"
    lease.step()
    bed.leases.fail = lambda moment: False
    bed.clock.now = 4.0
    lease.step()
    assert lease.valid(9.9)
    assert lease.since == 0.0


def test_a_lapse_is_a_new_take_over(bed: Bed) -> None:
    lease = bed.candidate("a")
    lease.step()
    bed.clock.now = 7.0
    lease.step()
    assert lease.held()
    assert lease.since == 7.0


def test_a_lapse_while_a_renewal_is_under_way_is_a_new_take_over(bed: Bed) -> None:
    lease = bed.candidate("a")
    lease.step()
    bed.clock.now = 5.5

    def slow(moment: str) -> bool:
        bed.clock.now += 0.75
        return False

    bed.leases.fail = slow
    lease.step()
    assert lease.held()
    assert lease.since == 7.0


def test_work_that_began_before_a_lapse_writes_nothing_after_it(bed: Bed) -> None:
    lease = bed.candidate("a")
    assert not lease.enter()
    assert not lease.may_write()
    lease.step()
    assert not lease.may_write(), "decided when we did not lead"
    assert lease.enter()
    assert lease.may_write()
    bed.clock.now = 7.0
    lease.step()
    assert lease.held()
    assert not lease.may_write()
    assert lease.enter()
    assert lease.may_write()


def test_the_next_comes_when_the_lease_ends_and_not_a_pause_later(bed: Bed) -> None:
    first, second = bed.candidate("a"), bed.candidate("b")
    first.step()
    bed.clock.now = 1.0
    second.step()
    assert second._pause() == SETTINGS.retry_lease
    bed.clock.now = 10.5
    assert second._pause() == pytest.approx(0.5, abs=0.02)
    bed.clock.now += second._pause()
    second.step()
    assert second.held()
    assert second._pause() == SETTINGS.retry_lease


def test_who_holds_it_leaves_behind_what_it_works_on(bed: Bed) -> None:
    first, second = bed.candidate("a"), bed.candidate("b")
    first.step()
    assert first.inherited() == []
    first.leave_behind({"lb-2", "lb-1"})
    first.step()
    first.release()
    second.step()
    assert second.inherited() == ["lb-1", "lb-2"]
    second.step()
    assert second.inherited() == ["lb-1", "lb-2"], "kept until it says something else"
    second.leave_behind({"lb-2"})
    second.step()
    assert second.inherited() == ["lb-2"]


def test_who_leads_again_believes_what_others_left_behind_meanwhile(bed: Bed) -> None:
    first, second = bed.candidate("a"), bed.candidate("b")
    first.step()
    first.leave_behind({"lb-1"})
    first.step()
    bed.clock.now = 20.0
    second.step()
    bed.clock.now = 31.0
    second.step()
    assert second.inherited() == ["lb-1"]
    second.leave_behind({"lb-1", "lb-2"})
    second.step()
    second.release()
    first.step()
    assert first.held()
    first.step()
    assert first.inherited() == ["lb-1", "lb-2"]


def test_who_is_about_to_release_it_keeps_it_and_writes_nothing(bed: Bed) -> None:
    lease = bed.candidate("a")
    lease.step()
    assert lease.enter()
    lease.retire()
    lease.step()
    assert lease.held()
    assert not lease.may_write()


@pytest.mark.parametrize("note", ["", ",", "lb-1 lb-2", "../x", 7, None])
def test_an_odd_note_is_nothing(bed: Bed, note: Any) -> None:
    lease = bed.candidate("a")
    lease.step()
    assert bed.leases.found is not None
    bed.leases.found["metadata"]["annotations"] = {LEASE_NOTE: note}
    other = bed.candidate("b")
    other.step()
    assert other.inherited() == []


def test_a_lease_that_was_deleted_is_made_again(bed: Bed) -> None:
    lease = bed.candidate("a")
    lease.step()
    bed.leases.found = None
    bed.clock.now = 2.0
    lease.step()
    assert lease.held()
    assert bed.spec["holderIdentity"] == "a"


@pytest.mark.parametrize("spec", [None, {}, {"holderIdentity": None}, {"leaseTransitions": "x"}])
def test_an_odd_lease_is_nobodys(bed: Bed, spec: Any) -> None:
    bed.leases.found = {"metadata": {"resourceVersion": "0"}, "spec": spec}
    lease = bed.candidate("a")
    lease.step()
    assert lease.held()


def test_calls_time_out_within_the_margin(bed: Bed) -> None:
    bed.candidate("a").step()
    assert bed.leases.timeouts == {(SETTINGS.lease - SETTINGS.renew) / 2}


@pytest.mark.parametrize("seed", range(30))
def test_two_never_hold_it_at_once_whatever_fails(bed: Bed, seed: int) -> None:
    chance = random.Random(seed)
    names = ("a", "b", "c")
    leases = [bed.candidate(name, offset=chance.uniform(-1e4, 1e4)) for name in names]
    bed.leases.fail = lambda moment: chance.random() < 0.25
    held = set()
    for _ in range(1500):
        bed.clock.now += chance.expovariate(2.0)
        who = chance.randrange(3)
        if chance.random() < 0.02:
            leases[who].release()
        elif chance.random() > 0.3 * (int(bed.clock.now / 20) % 3 == who):
            leases[who].step()
        holders = [name for name, lease in zip(names, leases) if lease.held()]
        assert len(holders) <= 1
        held |= set(holders)
    assert len(held) > 1
