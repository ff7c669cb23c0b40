"""Objects as the API gives them, for tests of what is made from them."""

from __future__ import annotations

from typing import Any

from schemas.contract import READINESS_GATE

Object = dict[str, Any]


def pod(name: str = "web-1", uid: str = "", version: str = "1", **meta: Any) -> Object:
    """A Pod that serves and whose gate is closed."""
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": uid or f"uid-{name}",
            "resourceVersion": version,
            "labels": {"app": "web", "pod-template-hash": "5d8f7c9b6d"},
            "annotations": {},
            **meta,
        },
        "spec": {
            "nodeName": "node-1",
            "readinessGates": [{"conditionType": READINESS_GATE}],
            "containers": [
                {
                    "name": "web",
                    "ports": [
                        {"name": "http", "containerPort": 8080, "protocol": "TCP"},
                        {"containerPort": 9090},
                    ],
                }
            ],
        },
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.7",
            "conditions": [
                {"type": "ContainersReady", "status": "True"},
                {"type": "Ready", "status": "False"},
                {"type": READINESS_GATE, "status": "False", "reason": "r", "message": "m"},
            ],
        },
    }


def with_lifecycle(hook: Any) -> Object:
    item = pod()
    item["spec"]["containers"][0]["lifecycle"] = {"preStop": hook}
    return item
