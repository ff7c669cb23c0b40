"""The answer to an AdmissionReview."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from binder.webhook.mutate import MalformedReviewError, answer
from schemas.contract import READINESS_GATE, SKIP

OWN = "tke-direct"
GATE = {"conditionType": READINESS_GATE}
OTHER = {"conditionType": "example.com/other"}


def review(pod: Any = None, **request: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "namespace": "shop",
            "operation": "CREATE",
            "object": {"metadata": {}, "spec": {"containers": []}} if pod is None else pod,
            **request,
        },
    }


def pod(metadata: Any = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": metadata or {}, "spec": {"containers": [], **spec}}


def gates_after(sent: dict[str, Any]) -> list[Any]:
    """What the API server would make of the Pod's gates."""
    response: Any = answer(sent, OWN, READINESS_GATE).review["response"]
    assert response["uid"] == sent["request"]["uid"]
    assert response["allowed"] is True
    gates = list(sent["request"]["object"]["spec"].get("readinessGates") or [])
    if "patch" not in response:
        return gates
    assert response["patchType"] == "JSONPatch"
    (operation,) = json.loads(base64.b64decode(response["patch"]))
    assert operation["op"] == "add"
    if operation["path"] == "/spec/readinessGates":
        assert not gates
        return list(operation["value"])
    assert operation["path"] == "/spec/readinessGates/-"
    assert gates
    return [*gates, operation["value"]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [GATE]),
        ({"readinessGates": None}, [GATE]),
        ({"readinessGates": []}, [GATE]),
        ({"readinessGates": [OTHER]}, [OTHER, GATE]),
        ({"hostNetwork": False}, [GATE]),
    ],
)
def test_a_pod_gets_the_gate_behind_those_that_it_has(given: Any, expected: Any) -> None:
    sent = review(pod(**given))
    assert gates_after(sent) == expected
    assert answer(sent, OWN, READINESS_GATE).result == "patched"


def test_the_gate_may_be_one_of_your_own() -> None:
    given = answer(review(pod()), OWN, "example.com/served").review["response"]
    assert isinstance(given, dict)
    (patch,) = json.loads(base64.b64decode(given["patch"]))
    assert patch["value"] == [{"conditionType": "example.com/served"}]


def test_a_pod_that_has_been_patched_is_left_alone() -> None:
    first = gates_after(review(pod(readinessGates=[OTHER])))
    assert gates_after(review(pod(readinessGates=first))) == first


@pytest.mark.parametrize(
    "sent",
    [
        review(pod(readinessGates=[GATE])),
        review(pod(readinessGates=[GATE, OTHER])),
        review(pod(hostNetwork=True)),
        review(pod({"labels": {SKIP: "true"}})),
        review(pod({"annotations": {SKIP: "true"}})),
        review(namespace="kube-system"),
        review(namespace=OWN),
        review(operation="UPDATE"),
        review(operation="DELETE"),
        review(subResource="status"),
        review(kind={"group": "apps", "version": "v1", "kind": "Deployment"}),
        review(kind={"group": "", "version": "v1", "kind": "Binding"}),
    ],
)
def test_what_needs_no_gate_is_allowed_as_it_is(sent: dict[str, Any]) -> None:
    given = answer(sent, OWN, READINESS_GATE)
    assert given.result == "unchanged"
    assert given.review["response"] == {"uid": "705ab4f5", "allowed": True}


def test_an_opt_out_must_say_true() -> None:
    assert gates_after(review(pod({"labels": {SKIP: "false"}}))) == [GATE]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (None, "the body must be an object"),
        ([], "the body must be an object"),
        ({}, "expected AdmissionReview of admission.k8s.io/v1"),
        ({**review(), "apiVersion": "admission.k8s.io/v1beta1"}, "expected AdmissionReview"),
        ({**review(), "request": None}, "request must be an object"),
        (review(uid=""), "request.uid must be a string"),
        (review(uid=7), "request.uid must be a string"),
        (review(kind="Pod"), "request.kind must be an object"),
        (review([]), "request.object must be an object"),
        (review({"metadata": {}}), "request.object.spec must be an object"),
        (review(pod(readinessGates={})), "readinessGates must be a list"),
        (review(pod(readinessGates=["x"])), "an entry of readinessGates must be an object"),
        (review(pod({"labels": 1})), "request.object.metadata.labels must be an object"),
    ],
)
def test_what_is_no_review_is_refused_with_the_reason(sent: Any, why: str) -> None:
    with pytest.raises(MalformedReviewError, match=why):
        answer(sent, OWN, READINESS_GATE)
