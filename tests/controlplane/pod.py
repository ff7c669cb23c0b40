"""One Pod on a node: started, reported, restarted, and ended, each as a kubelet does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from kubernetes.aio import client

from tests.controlplane import pod_status
from tests.controlplane.addresses import Pool
from tests.controlplane.api import CONFLICT, GONE, PASSING, RETRY_SECONDS, Api, Object, pod_path
from tests.controlplane.app import Behaviour, Identity
from tests.controlplane.container import KILLED, Container, now

RESTART_SECONDS = 1.0
# What a preStop hook that takes all of the grace leaves to the program.
LEAST_GRACE = 2.0

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class PodWorker:
    """Carries out what the Pod's object says; `run` returns when the Pod is gone."""

    def __init__(
        self,
        pod: Object,
        api: Api,
        addresses: Pool,
        node_address: str,
        online: asyncio.Event,
        spawn: Spawn,
    ) -> None:
        meta = pod["metadata"]
        self.pod = pod
        self.behaviour = Behaviour()
        self.ip = addresses.take()
        self._said_ip = self.ip  # a status keeps it when the network has taken it back
        self._api = api
        self._addresses = addresses
        self._node_address = node_address
        self._online = online
        self._spawn = spawn
        self._changed = asyncio.Event()
        self._gone = False
        self._ended = False
        self._ending: asyncio.Task[None] | None = None
        self._restarts: dict[str, asyncio.Task[None]] = {}
        identity = Identity(meta["namespace"], meta["name"], meta["uid"], self.ip)
        identity.readiness_paths = readiness_paths(pod)
        self.containers = [
            Container(spec, identity, self.behaviour, self._changed.set)
            for spec in pod["spec"]["containers"]
        ]

    async def run(self) -> None:
        try:
            for container in self.containers:
                await container.start()
            while not self._gone:
                await self._changed.wait()
                self._changed.clear()
                self._restart_what_ended()
                await self._report()
                if self._ended:
                    await self._delete()
        finally:
            self._stop()

    def update(self, pod: Object) -> None:
        """The API server has another version of the Pod."""
        self.pod = pod
        if "deletionTimestamp" in pod["metadata"]:
            grace = pod["metadata"].get("deletionGracePeriodSeconds", 0)
            if not self._ending:
                self._ending = self._spawn(self._end(grace))
            elif not grace:
                self.kill()
        self._changed.set()

    def vanished(self) -> None:
        """The Pod is no longer in the API, so it must not be here."""
        self._gone = True
        self.kill()
        self._changed.set()

    def kill(self, exit_code: int = KILLED) -> None:
        for container in self.containers:
            container.kill(exit_code)

    async def _end(self, grace: float) -> None:
        """preStop, SIGTERM, SIGKILL: the grace period is for all of it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        await asyncio.gather(*(self._end_container(each, deadline) for each in self.containers))
        # A network takes the address back before the object is gone.
        self._release()
        self._ended = True
        self._changed.set()

    async def _end_container(self, container: Container, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(min(pre_stop(container.spec), max(0.0, deadline - loop.time())))
        left = max(deadline - loop.time(), LEAST_GRACE)
        try:
            await asyncio.wait_for(container.terminate(), left)
        except asyncio.TimeoutError:
            container.kill()

    def _restart_what_ended(self) -> None:
        for container in self.containers:
            if self._must_restart(container):
                container.wait_for_restart()
                self._restarts[container.name] = self._spawn(self._restart(container))

    def _must_restart(self, container: Container) -> bool:
        if container.exit_code is None or self._ending or self._gone:
            return False
        policy = self.pod["spec"].get("restartPolicy", "Always")
        return policy == "Always" or (policy == "OnFailure" and container.exit_code != 0)

    async def _restart(self, container: Container) -> None:
        await asyncio.sleep(RESTART_SECONDS)
        if not self._ending and not self._gone:
            await container.start()

    async def _report(self) -> None:
        """Write the status unless the API server has it already."""
        await self._online.wait()
        containers = [container.status() for container in self.containers]
        wanted = pod_status.status(self.pod, containers, self._said_ip, self._node_address, now())
        if self._gone or not pod_status.differs(wanted, self.pod.get("status", {})):
            return
        body = {"metadata": {"uid": self.pod["metadata"]["uid"]}, "status": wanted}
        await self._try("PATCH", pod_path(self.pod, "status"), body)

    async def _delete(self) -> None:
        """Nothing of the Pod is left here, so the object may go."""
        uid = self.pod["metadata"]["uid"]
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        await self._try("DELETE", pod_path(self.pod), body)

    async def _try(self, method: str, path: str, body: Object) -> None:
        try:
            await self._api.call(method, path, body)
        except client.ApiException as error:
            if error.status not in (GONE, CONFLICT):
                raise
        except PASSING:
            await asyncio.sleep(RETRY_SECONDS)
            self._changed.set()

    def _release(self) -> None:
        if self.ip:
            self._addresses.give_back(self.ip)
            self.ip = ""

    def _stop(self) -> None:
        self._gone = True
        self.kill()
        for task in (self._ending, *self._restarts.values()):
            if task:
                task.cancel()
        self._release()


def readiness_paths(pod: Object) -> set[str]:
    probes = [spec.get("readinessProbe", {}) for spec in pod["spec"]["containers"]]
    return {probe["httpGet"].get("path", "/") for probe in probes if "httpGet" in probe}


def pre_stop(spec: Object) -> float:
    """How long a container's preStop hook takes: it sleeps, by its own means or by a command."""
    hook = spec.get("lifecycle", {}).get("preStop", {})
    if "sleep" in hook:
        return float(hook["sleep"]["seconds"])
    words = " ".join(hook.get("exec", {}).get("command", ())).split()
    if "sleep" in words[:-1]:
        return float(words[words.index("sleep") + 1].rstrip(";&"))
    return 0.0
