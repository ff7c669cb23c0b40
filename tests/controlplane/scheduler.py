"""Binds Pods to nodes in turn; there is no kube-scheduler, and every node has room."""

from __future__ import annotations

from collections.abc import Mapping

from kubernetes.aio import client

from tests.controlplane.api import CONFLICT, FORBIDDEN, GONE, PASSING, Api, Object, pod_path

Labels = Mapping[str, str]


class Scheduler:
    """Nodes that are silent or not asked for by the Pod get none."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._nodes: dict[str, Object] = {}
        self._waiting: dict[str, Object] = {}
        self._turn = 0

    async def follow_nodes(self) -> None:
        async for kind, node in self._api.follow("/api/v1/nodes"):
            self._nodes[node["metadata"]["name"]] = node
            if kind == "DELETED":
                del self._nodes[node["metadata"]["name"]]
            for pod in list(self._waiting.values()):
                await self._bind(pod)

    async def follow_pods(self) -> None:
        async for kind, pod in self._api.follow("/api/v1/pods", fieldSelector="spec.nodeName="):
            uid = pod["metadata"]["uid"]
            self._waiting.pop(uid, None)
            if kind != "DELETED" and not pod["spec"].get("schedulingGates"):
                self._waiting[uid] = pod
                await self._bind(pod)

    async def _bind(self, pod: Object) -> None:
        fitting = sorted(name for name, node in self._nodes.items() if fits(pod, node))
        # Taken out before the call: meanwhile a node may change, and it would be bound twice.
        if not fitting or not self._waiting.pop(pod["metadata"]["uid"], None):
            return
        self._turn += 1
        target = {"apiVersion": "v1", "kind": "Node", "name": fitting[self._turn % len(fitting)]}
        meta = {"name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
        try:
            await self._api.call(
                "POST", pod_path(pod, "binding"), {"metadata": meta, "target": target}
            )
        except client.ApiException as error:
            # Forbidden is what has to do with a namespace that is on its way out.
            if error.status not in (FORBIDDEN, GONE, CONFLICT):
                raise
        except PASSING:
            self._waiting[meta["uid"]] = pod


def fits(pod: Object, node: Object) -> bool:
    name, labels = node["metadata"]["name"], node["metadata"].get("labels", {})
    selector: Labels = pod["spec"].get("nodeSelector", {})
    return (
        not node["spec"].get("unschedulable")
        and is_ready(node)
        and selector.items() <= labels.items()
        and name in (asked_for(pod) or [name])
    )


def is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def asked_for(pod: Object) -> list[str]:
    """The node's name that a DaemonSet writes into the affinity of its Pod."""
    required = (
        pod["spec"]
        .get("affinity", {})
        .get("nodeAffinity", {})
        .get("requiredDuringSchedulingIgnoredDuringExecution", {})
    )
    fields = [
        field
        for term in required.get("nodeSelectorTerms", ())
        for field in term.get("matchFields", ())
    ]
    return [name for field in fields for name in field.get("values", ())]
