"""Each invariant holds of a good journal, and names the entries of a bad one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from binder.simulator.invariants import INVARIANTS, Facts, check
from tests.binder.simulator.bed import LB, TCP, Bed

Entry = dict[str, Any]
PLACE = {"lb": LB, "listener": TCP, "location": "", "ip": "10.0.0.1", "port": 80}


def journal(*rows: Entry) -> list[Entry]:
    return [{"seq": at, "kind": "change", "by": "binder", **row} for at, row in enumerate(rows, 1)]


def bound(t: float, **more: Any) -> Entry:
    return {"t": t, "what": "bound", "tag": "pod", "weight": 10, "health": "Alive", **PLACE, **more}


def weight(t: float, to: int, **more: Any) -> Entry:
    return bound(t, what="weight", weight=to, **more)


def unbound(t: float, **more: Any) -> Entry:
    return bound(t, what="unbound", **more)


def call(t: float, **more: Any) -> Entry:
    who = {"action": "BatchRegisterTargets", "region": "r", "account": "binder", "lbs": [LB]}
    rest = {"kind": "call", "t": t, "arrived": t, "writes": True, "outcome": "OK"}
    return {**who, **rest, "request_id": f"r{t}", **more}


TASK = {"kind": "task", "t": 5, "started": 1, "lbs": [LB], "request_id": "r1", "action": "A"}
OTHER = {**PLACE, "ip": "10.0.0.2"}
THING = {"what": "listener-created", "lb": LB, "listener": TCP, "t": 0}

BROKEN: dict[str, tuple[list[Entry], Facts, tuple[int, ...]]] = {
    "gone-pods-are-unbound": (
        journal(bound(0), unbound(100)),
        Facts(gone={"pod": 10}, gone_within_s=60),
        (1,),
    ),
    "foreign-targets-are-left-alone": (
        journal(bound(0, by="seed"), weight(1, 0)),
        Facts(),
        (1, 2),
    ),
    "no-write-under-a-lock": (journal(call(2), TASK), Facts(), (1, 2)),
    "rates-are-kept": (
        journal(*(call(0.04 * at) for at in range(21))),
        Facts(),
        tuple(range(1, 22)),
    ),
    "drained-before-removal": (
        journal(bound(0), weight(1, 0), unbound(5)),
        Facts(grace_s=10),
        (3,),
    ),
    "enough-stay-available": (
        journal(bound(0), bound(1, **OTHER), weight(2, 0)),
        Facts(min_available={TCP: 2}),
        (3,),
    ),
    "foreign-instances-are-left-alone": (
        journal({**THING, "by": "seed"}, {**THING, "what": "listener-deleted", "t": 1}),
        Facts(),
        (1, 2),
    ),
}
KEPT: dict[str, tuple[list[Entry], Facts]] = {
    "gone-pods-are-unbound": (
        journal(bound(0), unbound(70), bound(80, tag="pod-2")),
        Facts(gone={"pod": 10}, gone_within_s=60),
    ),
    "foreign-targets-are-left-alone": (
        journal(bound(0), weight(1, 0), unbound(2), bound(3, by="seed"), unbound(4, by="seed")),
        Facts(),
    ),
    "no-write-under-a-lock": (
        journal(call(2, outcome="FailedOperation.ResourceInOperating"), call(6), TASK),
        Facts(),
    ),
    "rates-are-kept": (
        journal(*(call(0.04 * at) for at in range(20)), call(1)),
        Facts(),
    ),
    "drained-before-removal": (
        journal(
            *(bound(0), weight(1, 0), unbound(11), bound(12, health="Dead")),
            unbound(13, health="Dead"),
        ),
        Facts(grace_s=10),
    ),
    "enough-stay-available": (
        journal(bound(0), bound(1, **OTHER), weight(2, 0), bound(2, ip="10.0.0.3")),
        Facts(min_available={TCP: 2}),
    ),
    "foreign-instances-are-left-alone": (
        journal(THING, {**THING, "what": "listener-deleted", "t": 1}),
        Facts(),
    ),
}


@pytest.mark.parametrize("name", INVARIANTS)
def test_it_can_fail_and_names_the_entries(name: str) -> None:
    rows, facts, entries = BROKEN[name]
    assert [(row.invariant, row.entries) for row in check(rows, facts)] == [(name, entries)]


@pytest.mark.parametrize("name", INVARIANTS)
def test_it_can_hold(name: str) -> None:
    rows, facts = KEPT[name]
    assert [row for row in check(rows, facts) if row.invariant == name] == []


def test_health_counts_for_availability() -> None:
    health = {"kind": "health", "t": 2, "health": "Dead", **PLACE}
    rows = journal(bound(0), bound(1, **OTHER), health)
    (found,) = check(rows, Facts(min_available={TCP: 2}))
    assert found.entries == (3,)


def test_a_pod_that_is_still_bound_at_the_end_is_found() -> None:
    rows = journal(bound(0))
    (found,) = check(rows, Facts(gone={"pod": 10}, until=100))
    assert "90 s after its Pod went" in found.message


Deed = Callable[[Bed], None]


def deeds() -> Iterator[tuple[str, Deed, dict[str, Any]]]:
    """Bad deeds of a real client, with the facts that make them bad."""
    rows = [{"ListenerId": TCP, "EniIp": "10.0.0.1", "Port": 80}]

    def hasty(bed: Bed) -> None:
        bed.bind("10.0.0.1")
        bed.fault("set-health", parameters={"health": "Alive"})
        bed.call("BatchDeregisterTargets", LoadBalancerId=LB, Targets=rows)

    def thief(bed: Bed) -> None:
        bed.fault("add-target", parameters={"id": TCP, "ip": "10.0.0.1", "port": 80})
        bed.call("BatchDeregisterTargets", LoadBalancerId=LB, Targets=rows)

    def vandal(bed: Bed) -> None:
        bed.done("DeleteListener", LoadBalancerId=LB, ListenerId=TCP)

    def hurried(bed: Bed) -> None:
        for _ in range(21):
            bed.call("DescribeQuota")

    def forgetful(bed: Bed) -> None:
        bed.bind("10.0.0.1", Tag="pod")
        bed.simulator.advance(61)
        bed.bind("10.0.0.2")

    yield "drained-before-removal", hasty, {"account": "sub-1", "grace_s": 1}
    yield "foreign-targets-are-left-alone", thief, {"account": "sub-1"}
    yield "foreign-instances-are-left-alone", vandal, {"account": "sub-1"}
    yield "rates-are-kept", hurried, {}
    yield "gone-pods-are-unbound", forgetful, {"gone": {"pod": 0}}


@pytest.mark.parametrize(("name", "deed", "facts"), list(deeds()), ids=[row[0] for row in deeds()])
def test_a_bad_deed_is_found_in_the_real_journal(
    bed: Bed, name: str, deed: Deed, facts: dict[str, Any]
) -> None:
    deed(bed)
    found = bed.admin("invariants", **facts)
    assert [row["invariant"] for row in found] == [name]
    assert found[0]["entries"]


def test_a_good_client_breaks_nothing(bed: Bed) -> None:
    bed.bind("10.0.0.1")
    bed.fault("set-health", parameters={"health": "Alive"})
    target = {"EniIp": "10.0.0.1", "Port": 80}
    rule = {"ListenerId": TCP, "Targets": [target], "Weight": 0}
    bed.done("BatchModifyTargetWeight", LoadBalancerId=LB, ModifyList=[rule])
    bed.simulator.advance(30)
    row = {"ListenerId": TCP, **target}
    bed.call("BatchDeregisterTargets", LoadBalancerId=LB, Targets=[row])
    assert bed.admin("invariants", grace_s=30) == []
