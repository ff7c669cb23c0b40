"""The answer to an AdmissionReview: a Pod that should have the readiness gate gets it once.

Pure, and without a look-up: what is needed stands in the review.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from schemas import contract

Json: TypeAlias = Mapping[str, object]
API_VERSION, KIND = "admission.k8s.io/v1", "AdmissionReview"
ALWAYS_EXCLUDED = ("kube-system",)


class MalformedReviewError(ValueError):
    """What was sent is no AdmissionReview of a version that we know; the text says why."""


class Answer(NamedTuple):
    """The review that goes back, and in one word what it says: patched, unchanged."""

    review: Json
    result: str


def answer(sent: object, own_namespace: str, condition_type: str) -> Answer:
    """The answer to a decoded AdmissionReview. MalformedReviewError where it is none."""
    review = _object(sent, "the body")
    if (review.get("apiVersion"), review.get("kind")) != (API_VERSION, KIND):
        raise MalformedReviewError(f"expected {KIND} of {API_VERSION}")
    request = _object(review.get("request"), "request")
    uid = request.get("uid")
    if not isinstance(uid, str) or not uid:
        raise MalformedReviewError("request.uid must be a string that is not empty")
    response: dict[str, object] = {"uid": uid, "allowed": True}
    patch = _patch(request, own_namespace, condition_type)
    if patch:
        text = base64.b64encode(json.dumps(patch).encode()).decode()
        response |= {"patchType": "JSONPatch", "patch": text}
    reply = {"apiVersion": API_VERSION, "kind": KIND, "response": response}
    return Answer(reply, "patched" if patch else "unchanged")


def _patch(request: Json, own_namespace: str, condition_type: str) -> list[Json]:
    """A JSON patch (RFC 6902) that appends the gate; empty where none is due."""
    if not _is_new_pod(request) or request.get("namespace") in (own_namespace, *ALWAYS_EXCLUDED):
        return []
    pod = _object(request.get("object"), "request.object")
    spec = _object(pod.get("spec"), "request.object.spec")
    gates = spec.get("readinessGates")
    if not isinstance(gates, list | None):
        raise MalformedReviewError("request.object.spec.readinessGates must be a list")
    gate = {"conditionType": condition_type}
    if spec.get("hostNetwork") is True or _opted_out(pod) or _holds(gates or [], gate):
        return []
    if gates:
        return [{"op": "add", "path": "/spec/readinessGates/-", "value": gate}]
    return [{"op": "add", "path": "/spec/readinessGates", "value": [gate]}]


def _is_new_pod(request: Json) -> bool:
    kind = _object(request.get("kind"), "request.kind")
    is_pod = (kind.get("group", ""), kind.get("version"), kind.get("kind")) == ("", "v1", "Pod")
    return is_pod and request.get("operation") == "CREATE" and not request.get("subResource")


def _opted_out(pod: Json) -> bool:
    """Whether a label or an annotation says so; a label saves the API server the call too."""
    metadata = _object(pod.get("metadata") or {}, "request.object.metadata")
    return any(
        _object(metadata.get(field) or {}, f"request.object.metadata.{field}").get(contract.SKIP)
        == "true"
        for field in ("labels", "annotations")
    )


def _holds(gates: list[object], gate: Json) -> bool:
    return any(
        _object(each, "an entry of readinessGates").get("conditionType") == gate["conditionType"]
        for each in gates
    )


def _object(value: object, what: str) -> Json:
    if not isinstance(value, dict):
        raise MalformedReviewError(f"{what} must be an object")
    return value
