"""A node: its object, its heartbeat, and the Pods that are bound to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone

from kubernetes.aio import client

from tests.controlplane.addresses import Pool
from tests.controlplane.api import CONFLICT, PASSING, Api, Object
from tests.controlplane.container import now
from tests.controlplane.pod import PodWorker, Spawn

HEARTBEAT_SECONDS = 1.0
NODES = "/api/v1/nodes"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
ROOM = {"cpu": "1k", "memory": "4Ti", "ephemeral-storage": "4Ti", "pods": "5k"}


class Node:
    """Registered from `serve` on.  `silent` cuts it off from the API server; its Pods serve on."""

    def __init__(self, name: str, address: str, api: Api, addresses: Pool, spawn: Spawn) -> None:
        self.name = name
        self.workers: dict[str, PodWorker] = {}
        self.online = asyncio.Event()
        self.online.set()
        self._address = address
        self._api = api
        self._addresses = addresses
        self._spawn = spawn

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        await self._register()
        for task in (self._heartbeat(), self._follow_pods()):
            self._spawn(task)
        yield
        self.online.set()

    async def unregister(self) -> None:
        await self._api.call("DELETE", f"{NODES}/{self.name}")
        await self._api.call("DELETE", f"{LEASES}/{self.name}")

    async def _register(self) -> None:
        node = {
            "metadata": {
                "name": self.name,
                "labels": {"kubernetes.io/hostname": self.name, "kubernetes.io/os": "linux"},
            }
        }
        await self._api.call("POST", NODES, node)
        # A lease may be left from a node of the same name; a heartbeat is what it needs anyway.
        lease = {"metadata": {"name": self.name}, "spec": self._lease()}
        try:
            await self._api.call("POST", LEASES, lease)
        except client.ApiException as error:
            if error.status != CONFLICT:
                raise
        await self._api.call("PATCH", f"{NODES}/{self.name}/status", {"status": self._status()})

    async def _heartbeat(self) -> None:
        """A lease says that the node lives; its conditions are written again after a silence."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            silent = not self.online.is_set()
            await self.online.wait()
            try:
                await self._api.call("PATCH", f"{LEASES}/{self.name}", {"spec": self._lease()})
                if silent:
                    await self._recover()
            except PASSING:
                continue

    async def _recover(self) -> None:
        path = f"{NODES}/{self.name}/status"
        await self._api.call("PATCH", path, {"status": self._status()})

    async def _follow_pods(self) -> None:
        pods = self._api.follow("/api/v1/pods", fieldSelector=f"spec.nodeName={self.name}")
        async for kind, pod in pods:
            await self.online.wait()
            uid = pod["metadata"]["uid"]
            worker = self.workers.get(uid)
            if kind == "DELETED":
                if worker:
                    worker.vanished()
            elif worker:
                worker.update(pod)
            elif pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
                self._begin(pod)

    def _begin(self, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        worker = PodWorker(pod, self._api, self._addresses, self._address, self.online, self._spawn)
        self.workers[uid] = worker
        self._spawn(worker.run()).add_done_callback(lambda _: self.workers.pop(uid))
        worker.update(pod)

    def _lease(self) -> Object:
        renewed = datetime.now(timezone.utc).isoformat(timespec="microseconds")
        return {
            "holderIdentity": self.name,
            "leaseDurationSeconds": 40,
            "renewTime": renewed.replace("+00:00", "Z"),
        }

    def _status(self) -> Object:
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "the loopback kubelet is ready",
            "lastHeartbeatTime": now(),
            "lastTransitionTime": now(),
        }
        return {
            "capacity": ROOM,
            "allocatable": ROOM,
            "conditions": [ready],
            "addresses": [{"type": "InternalIP", "address": self._address}],
        }
