"""Workloads for tests, as small as Kubernetes takes them."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
PORT = 8080
PROBE = {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 1, "failureThreshold": 1}


def template(name: str, **spec: Any) -> Object:
    """A Pod's labels and specification: one container, which is probed every second.

    Keywords of a container go to it, all others to the specification.
    """
    container: Object = {
        "name": "web",
        "image": "web",
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": PROBE,
        **{key: spec.pop(key) for key in ("lifecycle", "readinessProbe") if key in spec},
    }
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **spec}}


def pod(namespace: str, name: str, **spec: Any) -> Object:
    base = template(name, **spec)
    meta = {"name": name, "namespace": namespace, **base["metadata"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": base["spec"]}


def deployment(
    namespace: str, name: str, replicas: int, strategy: Object | None = None, **spec: Any
) -> Object:
    rolling = {"maxSurge": 1, "maxUnavailable": 0, **(strategy or {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "template": template(name, **spec),
        },
    }
