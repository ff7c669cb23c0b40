"""When the readiness gate opens, what it says until then, and that it does not close."""

from __future__ import annotations

import pytest

from binder.core.bindings import Binding
from binder.core.clb import Frontend
from binder.core.gate import (
    DETACHED,
    NO_CHECK,
    NO_LOAD_BALANCER,
    NOT_PROVISIONED,
    REARMED,
    SERVING,
    UNSUPPORTED,
    WAITING,
    Look,
    Standing,
    verdict,
)
from binder.core.objects import Condition, Owner, Pod
from binder.settings import Settings

SETTINGS = Settings()
NOW = 1000.0
READY_SINCE = 900.0
POD = Pod(
    "u1", "a", "web-1", "7", ip="10.0.0.1", phase="Running", gated=True, containers_ready=True
)
OPEN = POD._replace(condition=Condition("True", SERVING), ready=True)
SAYS = "0/1 ready; waiting for a/web TCP 80 lb-1: Dead"


def bound(
    reason: str, text: str = "", seen_at: float | None = None, name: str = "web"
) -> tuple[Binding, Standing]:
    owner = Owner("Service", "a", name, name)
    binding = Binding(owner, "lb-1", Frontend("TCP", 80), (("app", "web"),), 8080, "TCP")
    return binding, Standing(reason, text or reason, seen_at)


SERVED = bound(SERVING, seen_at=NOW)
DEAD = bound(WAITING, "Dead")
LOST = bound(NOT_PROVISIONED)
LEGACY = Owner("Service", "a", "legacy", "legacy")


def look(*standings: tuple[Binding, Standing], **fields: object) -> Look:
    plain = Look(standings, READY_SINCE, NOW - 1, True)
    return plain._replace(**fields)  # type: ignore[arg-type]  # a table of fields


@pytest.mark.parametrize(
    ("case", "seen", "reason"),
    [
        ("A: all serve", look(SERVED, bound(SERVING, seen_at=NOW - 15)), SERVING),
        ("B: nobody selects it", look(), NO_LOAD_BALANCER),
        ("C: no load balancer yet", look(LOST), NOT_PROVISIONED),
        ("C: no load balancer for one of two", look(SERVED, LOST), NOT_PROVISIONED),
        ("C': lost it long ago", look(LOST, lost=(NOW - 61,)), NOT_PROVISIONED),
        ("D: the load balancer has gone", look(bound(DETACHED)), DETACHED),
        ("D: cannot be served", look(bound(UNSUPPORTED), SERVED), UNSUPPORTED),
        ("E: no health check", look(bound(NO_CHECK, seen_at=NOW), SERVED), NO_CHECK),
    ],
)
def test_it_opens(case: str, seen: Look, reason: str) -> None:
    write = verdict(POD, seen, NOW, SETTINGS).write
    assert write is not None, case
    assert (write.status, write.reason, write.uid) == ("True", reason, "u1"), case
    assert write.resource_version == "", "the uid says enough; nothing newer is lost"


@pytest.mark.parametrize(
    ("why", "pod", "seen"),
    [
        ("one of two waits", POD, look(SERVED, DEAD)),
        (
            "the proof is older than its containers, or its address",
            POD,
            look(bound(SERVING, seen_at=NOW - 6), ready_since=NOW - 5),
        ),
        ("the proof is too old", POD, look(bound(SERVING, seen_at=NOW - 15.1))),
        ("the view is stale or another one leads", POD, look(SERVED, trusted=False)),
        ("the Pod has no gate", POD._replace(gated=False), look(SERVED)),
        ("it terminates", POD._replace(dies_at=1.0), look(SERVED)),
        ("it has ended", POD._replace(phase="Failed"), look(SERVED)),
        ("its containers are not ready", POD._replace(containers_ready=False), look(SERVED)),
        ("it is updated in place", POD._replace(updating=True), look(SERVED)),
        ("it was not seen ready yet", POD, look(SERVED, ready_since=None)),
        ("TKE's controller opens it", POD, look(elsewhere=(LEGACY,))),
        ("TKE's controller opens it, for one of two", POD, look(SERVED, elsewhere=(LEGACY,))),
        ("nothing confirmed", POD, look(confirmed_at=None)),
        ("confirmed before it came up", POD, look(confirmed_at=READY_SINCE)),
        ("C': lost just now", POD, look(LOST, lost=(NOW - 59,))),
        (
            "C': lost just now, and another cannot be served",
            POD,
            look(LOST, bound(UNSUPPORTED), lost=(NOW - 59,)),
        ),
        ("C': not confirmed since", POD, look(LOST, lost=(NOW - 61,), confirmed_at=NOW - 62)),
        (
            "not confirmed, and another has gone",
            POD,
            look(LOST, bound(DETACHED), confirmed_at=None),
        ),
    ],
)
def test_it_does_not_open(why: str, pod: Pod, seen: Look) -> None:
    write = verdict(pod, seen, NOW, SETTINGS).write
    assert write is None or write.status == "False", why


@pytest.mark.parametrize(
    ("seen", "asks"),
    [
        (look(confirmed_at=None), True),
        (look(LOST, confirmed_at=None), True),
        (look(LOST, bound(UNSUPPORTED), confirmed_at=None), True),
        (look(), False),
        (look(SERVED, confirmed_at=None), False),
        (look(DEAD, confirmed_at=None), False),
    ],
)
def test_the_api_server_is_asked_when_there_is_nothing_to_wait_for(seen: Look, asks: bool) -> None:
    found = verdict(POD, seen, NOW, SETTINGS)
    assert found.confirm is asks
    assert not asks or found.again is not None


@pytest.mark.parametrize(
    "seen",
    [
        look(DEAD),
        look(LOST, confirmed_at=None),
        look(),
        look(SERVED),
        look(bound(DETACHED)),
        look(trusted=False),
    ],
)
@pytest.mark.parametrize(
    "pod",
    [
        OPEN,
        OPEN._replace(containers_ready=False, ready=False),  # a container crashed
        OPEN._replace(updating=True),
        OPEN._replace(dies_at=1.0, ready=False),
    ],
)
def test_an_open_gate_stays_open(pod: Pod, seen: Look) -> None:
    assert verdict(pod, seen, NOW, SETTINGS).write is None


@pytest.mark.parametrize(("updating", "moved"), [(True, False), (False, True)])
def test_a_pod_that_is_not_ready_anyway_is_armed_again(updating: bool, moved: bool) -> None:
    pod = OPEN._replace(ready=False, updating=updating)
    write = verdict(pod, look(SERVED, moved=moved), NOW, SETTINGS).write
    assert write is not None
    assert (write.status, write.reason, write.resource_version) == ("False", REARMED, "7")
    ready = verdict(pod._replace(ready=True), look(SERVED, moved=moved), NOW, SETTINGS)
    assert ready.write is None


@pytest.mark.parametrize(
    ("before", "said_at", "writes"),
    [
        (None, None, True),
        (Condition("False", WAITING, SAYS), None, False),
        (Condition("False", WAITING, "other"), None, True),
        (Condition("False", WAITING, "other"), NOW - 29, False),
        (Condition("False", WAITING, "other"), NOW - 31, True),
        (Condition("False", REARMED, "other"), NOW - 1, True),
        (Condition("Unknown", WAITING, SAYS), NOW - 1, True),
    ],
)
def test_a_closed_gate_is_not_written_more_often_than_people_read(
    before: Condition | None, said_at: float | None, writes: bool
) -> None:
    found = verdict(POD._replace(condition=before), look(DEAD, said_at=said_at), NOW, SETTINGS)
    assert (found.write is not None) is writes
    assert found.again is not None
    if found.write is not None:
        assert (found.write.message, found.write.resource_version) == (SAYS, "7")


def test_the_message_names_three_and_counts_the_others() -> None:
    waiting = [bound(WAITING, "Dead", name=f"s{number}") for number in range(5)]
    write = verdict(POD, look(SERVED, *waiting), NOW, SETTINGS).write
    assert write is not None
    assert write.message.startswith("1/6 ready; waiting for a/s0 TCP 80 lb-1: Dead; a/s1")
    assert write.message.endswith("a/s2 TCP 80 lb-1: Dead and 2 more")


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (look(SERVED), None),
        (look(), None),
        (look(bound(NO_CHECK, seen_at=NOW)), None),
        (look(LOST), NOT_PROVISIONED),
        (look(bound(DETACHED)), DETACHED),
        (look(bound(UNSUPPORTED)), UNSUPPORTED),
    ],
)
def test_people_are_warned_when_it_opens_without_a_load_balancer(
    seen: Look, reason: str | None
) -> None:
    tells = verdict(POD, seen, NOW, SETTINGS).tells
    assert [tell.reason for tell in tells] == ([] if reason is None else [reason])


@pytest.mark.parametrize(
    ("pod", "standings", "tells"),
    [(POD, (DEAD,), True), (POD, (), False), (OPEN, (DEAD,), False)],
)
def test_a_gate_that_tkes_controller_opens_is_not_written_at_all(
    pod: Pod, standings: tuple[tuple[Binding, Standing], ...], tells: bool
) -> None:
    found = verdict(pod, look(*standings, elsewhere=(LEGACY,)), NOW, SETTINGS)
    assert (found.write, found.confirm) == (None, False)
    assert [one.reason for one in found.tells] == ["ReadinessGateShared"] * tells
    assert not tells or "Service a/web does not hold" in found.tells[0].message
