"""What a write of a status says, and what becomes of its answers."""

from __future__ import annotations

from typing import Any

import pytest

from binder.cluster.api import MERGE, STRATEGIC, Failed, Refused
from binder.cluster.status import Outcome, Statuses
from binder.core.actions import SetAddresses, SetGate
from binder.core.objects import Condition, Name, Owner
from schemas.contract import READINESS_GATE

POD = Name("shop", "web-1")
WEB = Owner("Service", "shop", "web", "u")
NOW = 1_798_761_600.0


class Wire:
    """Stands for the API: writes down the calls, and fails if told so."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.calls: list[tuple[str, str, Any, str]] = []

    def call(self, method: str, path: str, body: Any = None, media: str = "") -> dict[str, Any]:
        self.calls.append((method, path, body, media))
        if self.failure:
            raise self.failure
        return {}


def statuses(wire: Wire) -> Statuses:
    return Statuses(wire, wall=lambda: NOW)  # type: ignore[arg-type]


def gate(status: str = "True", version: str = "") -> SetGate:
    return SetGate(POD, "u", status, "Reason", "why", version)


def test_the_gate_is_one_condition_of_the_pod_with_that_uid() -> None:
    wire = Wire()
    assert statuses(wire).set_gate(gate(), None) is Outcome.DONE
    condition = {
        "type": READINESS_GATE,
        "status": "True",
        "reason": "Reason",
        "message": "why",
        "lastProbeTime": None,
        "lastTransitionTime": "2027-01-01T00:00:00Z",
    }
    body = {"metadata": {"uid": "u"}, "status": {"conditions": [condition]}}
    path = "/api/v1/namespaces/shop/pods/web-1/status"
    assert wire.calls == [("PATCH", path, body, STRATEGIC)]


def test_a_version_is_a_condition_of_the_write() -> None:
    wire = Wire()
    statuses(wire).set_gate(gate(version="7"), None)
    assert wire.calls[0][2]["metadata"] == {"uid": "u", "resourceVersion": "7"}


@pytest.mark.parametrize(
    ("before", "changes"),
    [(None, True), (Condition("False"), True), (Condition("True", "Other"), False)],
)
def test_the_transition_time_changes_with_the_status_only(
    before: Condition | None, changes: bool
) -> None:
    wire = Wire()
    statuses(wire).set_gate(gate("True"), before)
    assert ("lastTransitionTime" in wire.calls[0][2]["status"]["conditions"][0]) == changes


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Service", "/api/v1/namespaces/shop/services/web/status"),
        ("Ingress", "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web/status"),
    ],
)
def test_addresses_are_written_as_what_they_are(kind: str, path: str) -> None:
    wire = Wire()
    addresses = ("1.2.3.4", "2402::1", "lb.example")
    owner = WEB._replace(kind=kind)
    assert statuses(wire).set_addresses(SetAddresses(owner, addresses)) is Outcome.DONE
    listed = [{"ip": "1.2.3.4"}, {"ip": "2402::1"}, {"hostname": "lb.example"}]
    body = {"metadata": {"uid": "u"}, "status": {"loadBalancer": {"ingress": listed}}}
    assert wire.calls == [("PATCH", path, body, MERGE)]


def test_no_addresses_take_out_those_that_are_there() -> None:
    wire = Wire()
    statuses(wire).set_addresses(SetAddresses(WEB, ()))
    assert wire.calls[0][2]["status"] == {"loadBalancer": {"ingress": None}}


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (Refused("PATCH", 404, 'pods "web-1" not found'), Outcome.GONE),
        (Refused("PATCH", 409, "the object has been modified"), Outcome.CONFLICT),
        (Refused("PATCH", 422, "metadata.uid: field is immutable"), Outcome.CONFLICT),
    ],
)
def test_what_may_happen_to_a_write_is_an_outcome(failure: Refused, outcome: Outcome) -> None:
    assert statuses(Wire(failure)).set_gate(gate(), None) is outcome
    assert statuses(Wire(failure)).set_addresses(SetAddresses(WEB, ())) is outcome


@pytest.mark.parametrize(
    "failure",
    [
        Failed("no answer"),
        Refused("PATCH", 403, "forbidden"),
        Refused("PATCH", 422, "status.conditions: invalid"),
    ],
)
def test_what_should_not_happen_is_an_error(failure: Failed) -> None:
    with pytest.raises(Failed):
        statuses(Wire(failure)).set_gate(gate(), None)
