"""Events: few, never in the way, and lost only in a way that is counted."""

from __future__ import annotations

from typing import Any

import pytest

from binder.cluster.api import Failed, Refused
from binder.cluster.events import COMPONENT, Events
from binder.core.actions import Tell
from binder.core.objects import Owner

POD = Owner("Pod", "shop", "web-1", "u")
BOUND = Tell(POD, "Normal", "Bound", "bound to lb-1")
EVENTS = "/api/v1/namespaces/shop/events"
NOW = 1_798_761_600.0


class Wire:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.failures: list[Exception] = []

    def call(self, method: str, path: str, body: Any = None, media: str = "") -> dict[str, Any]:
        self.calls.append((method, path, body))
        if self.failures:
            raise self.failures.pop(0)
        return {}

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.calls]


class Bed:
    """Events with a clock that is moved by hand."""

    def __init__(self, **limits: Any) -> None:
        self.wire, self.now = Wire(), 100.0
        self.events = Events(
            self.wire,  # type: ignore[arg-type]
            clock=lambda: self.now,
            wall=lambda: NOW + self.now - 100.0,
            **limits,
        )

    def tell(self, *actions: Tell) -> None:
        for action in actions:
            self.events.tell(action)

    def write(self) -> None:
        """All that can be written now."""
        while not self.events.step():
            pass


def numbered(number: int) -> Tell:
    return BOUND._replace(message=f"message {number}")


def test_an_event_says_what_it_is_about_and_who_says_it() -> None:
    bed = Bed()
    bed.tell(BOUND)
    bed.write()
    ((method, path, body),) = bed.wire.calls
    assert (method, path) == ("POST", EVENTS)
    assert body["metadata"]["namespace"] == "shop"
    assert body["metadata"]["name"].startswith("web-1.")
    assert body["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": "shop",
        "name": "web-1",
        "uid": "u",
    }
    assert (body["type"], body["reason"]) == ("Normal", "Bound")
    assert (body["message"], body["count"]) == ("bound to lb-1", 1)
    assert body["source"] == {"component": COMPONENT}
    assert body["firstTimestamp"] == body["lastTimestamp"] == "2027-01-01T00:00:00Z"


def test_an_ingress_is_of_another_group() -> None:
    bed = Bed()
    bed.tell(BOUND._replace(about=POD._replace(kind="Ingress")))
    bed.write()
    assert bed.wire.calls[0][2]["involvedObject"]["apiVersion"] == "networking.k8s.io/v1"


def test_nothing_is_written_by_telling() -> None:
    bed = Bed()
    bed.tell(BOUND)
    assert bed.wire.calls == []


def test_what_is_told_again_is_one_event_whose_count_grows() -> None:
    bed = Bed()
    bed.tell(BOUND)
    bed.write()
    for _ in range(3):
        bed.now += 99.0
        bed.tell(BOUND)
        bed.write()
    assert bed.wire.methods == ["POST"]
    bed.now += 3.0
    bed.tell(BOUND)
    bed.write()
    name = bed.wire.calls[0][2]["metadata"]["name"]
    assert bed.wire.calls[1] == (
        "PATCH",
        f"{EVENTS}/{name}",
        {"count": 5, "lastTimestamp": "2027-01-01T00:05:00Z"},
    )


def test_what_differs_is_another_event() -> None:
    bed = Bed()
    other = BOUND._replace(about=POD._replace(name="web-2", uid="v"))
    bed.tell(BOUND, other, BOUND._replace(reason="Other"), BOUND._replace(message="other"))
    bed.write()
    assert bed.wire.methods == ["POST"] * 4
    assert len({body["metadata"]["name"] for _, _, body in bed.wire.calls}) == 4


def test_an_event_that_has_run_out_is_made_anew() -> None:
    bed = Bed()
    bed.tell(BOUND)
    bed.write()
    bed.now += 4000.0
    bed.wire.failures = [Refused("PATCH", 404, "not found")]
    bed.tell(BOUND)
    bed.write()
    assert bed.wire.methods == ["POST", "PATCH", "POST"]
    assert bed.wire.calls[2][2]["count"] == 2


def test_an_event_that_failed_is_counted_and_written_when_it_is_told_again() -> None:
    bed = Bed()
    bed.wire.failures = [Failed("no answer")]
    bed.tell(BOUND)
    bed.write()
    assert bed.events.failed == 1
    bed.tell(BOUND)
    bed.write()
    assert bed.wire.methods == ["POST", "POST"]


def test_a_burst_is_spread_over_time() -> None:
    bed = Bed(burst=3, rate=2.0)
    bed.tell(*map(numbered, range(6)))
    bed.write()
    assert len(bed.wire.calls) == 3
    assert bed.events.step() == pytest.approx(0.5)
    bed.now += 1.0
    bed.write()
    assert len(bed.wire.calls) == 5


def test_when_there_is_too_much_the_oldest_are_dropped_and_counted() -> None:
    bed = Bed(queue=2)
    bed.tell(*map(numbered, range(5)))
    bed.write()
    assert [body["message"] for _, _, body in bed.wire.calls] == ["message 3", "message 4"]
    assert bed.events.dropped == 3
    bed.tell(numbered(0))
    bed.write()
    assert bed.wire.calls[-1][2]["message"] == "message 0"


def test_memory_is_bounded() -> None:
    bed = Bed(series=10, queue=5)
    bed.tell(*map(numbered, range(100)))
    assert len(bed.events._series) == 10


def test_names_and_messages_are_cut_to_what_kubernetes_takes() -> None:
    bed = Bed()
    about = POD._replace(name="w" * 199 + "-x" * 27)
    bed.tell(BOUND._replace(about=about, message="界" * 1000))
    bed.write()
    body = bed.wire.calls[0][2]
    assert len(body["metadata"]["name"]) <= 253
    assert "-." not in body["metadata"]["name"]
    assert len(body["message"].encode()) <= 1024
