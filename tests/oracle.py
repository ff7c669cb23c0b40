"""What the transformer has to do, said a second time on plain data, slowly and simply.

Shares no code with the transformer: another YAML loader, no positions, quadratic joins.  Covers
the default configuration of each network mode.
"""

from __future__ import annotations

import json
from typing import Any

from ruamel.yaml import YAML

GATE = "cloud.tencent.com/load-balancer-backendgroup-ready"
ENI = {
    "mixed": ("tke-route-eni", "tke.cloud.tencent.com/eni-ip"),
    "vpc-cni-exclusive": ("tke-direct-eni", "tke.cloud.tencent.com/direct-eni"),
}
TEMPLATES = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "Job"), ("spec", "template")),
}


def load(data: bytes) -> list[Any]:
    """The documents of a stream as plain, unshared data; merge keys resolved."""
    loader = YAML(typ="safe", pure=True)
    documents = list(loader.load_all(data.decode("utf-8-sig")))
    unshared: list[Any] = json.loads(json.dumps(documents, default=str))
    return unshared


def transformed(documents: list[Any], mode: str) -> list[Any]:
    """What the documents must be afterwards, for input that is not refused."""
    after: list[Any] = json.loads(json.dumps(documents))
    objects = [item for document in after for item in _items(document)]
    for entry in objects:
        kind, spec = entry["kind"], entry.get("spec") or {}
        annotations = (entry["metadata"].get("annotations")) or {}
        if kind == "Service" and spec.get("type") == "LoadBalancer" and spec.get("selector"):
            key, reached = "service.cloud.tencent.com/direct-access", [entry]
        elif kind == "Ingress" and spec.get("ingressClassName") == "qcloud":
            key, reached = "ingress.cloud.tencent.com/direct-access", _backends(entry, objects)
        else:
            continue
        if str(annotations.get(key)).lower() == "false":
            continue
        _at(entry, "metadata", "annotations")[key] = "true"
        for service in reached:
            for workload in objects:
                _complete(workload, service, mode)
    return after


def _items(document: Any) -> list[Any]:
    if not isinstance(document, dict) or "kind" not in document:
        return []
    return document["items"] if document["kind"] == "List" else [document]


def _backends(ingress: Any, objects: list[Any]) -> list[Any]:
    names = [
        path["backend"]["service"]["name"]
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]
    return [
        entry
        for entry in objects
        if entry["kind"] == "Service"
        and entry["metadata"]["name"] in names
        and entry["metadata"].get("namespace") == ingress["metadata"].get("namespace")
    ]


def _complete(workload: Any, service: Any, mode: str) -> None:
    path = TEMPLATES.get(workload["kind"])
    if path is None or workload["metadata"].get("namespace") != service["metadata"].get(
        "namespace"
    ):
        return
    template = _at(workload, *path)
    labels = (template.get("metadata") or {}).get("labels") or {}
    selector = service["spec"].get("selector")
    if not selector or any(labels.get(key) != value for key, value in selector.items()):
        return
    if mode in ENI:
        network, resource = ENI[mode]
        _at(template, "metadata", "annotations")["tke.cloud.tencent.com/networks"] = network
        for side in ("requests", "limits"):
            _at(template["spec"]["containers"][0], "resources", side)[resource] = "1"
    if mode != "serverless":
        gates = template["spec"].get("readinessGates") or []
        if all(gate["conditionType"] != GATE for gate in gates):
            template["spec"]["readinessGates"] = [*gates, {"conditionType": GATE}]


def _at(node: Any, *path: str) -> Any:
    for step in path:
        if node.get(step) is None:
            node[step] = {}
        node = node[step]
    return node
