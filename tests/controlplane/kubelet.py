"""Nodes on loopback, in a thread: real servers behind the Pods' addresses, and commands to them.

with Kubelet(control_plane, nodes=2) as kubelet:
    ...                                      # a Pod is created and becomes Ready
    kubelet.pod(namespace, "web-0").hang()
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AsyncExitStack, suppress
from typing import Any, TypeVar

from tests.controlplane.api import PASSING, Api
from tests.controlplane.container import KILLED
from tests.controlplane.node import Node
from tests.controlplane.plane import ControlPlane
from tests.controlplane.pod import PodWorker
from tests.controlplane.scheduler import Scheduler

Value = TypeVar("Value")
Call = Callable[[Callable[[], Value]], Value]
SERIAL = itertools.count()
START_SECONDS = 30.0


class Pod:
    """What a test sees of a Pod on a node, and what it can do to it."""

    def __init__(self, worker: PodWorker, call: Call[Any]) -> None:
        meta = worker.pod["metadata"]
        self.name: str = meta["name"]
        self.uid: str = meta["uid"]
        self.ip = worker.ip
        self._worker = worker
        self._call = call

    @property
    def requests(self) -> int:
        """How many were made of it, without the probes of its kubelet."""
        return sum(self._call(lambda: [each.requests for each in self._worker.containers]))

    def answer_after(self, seconds: float) -> None:
        """Be slow."""
        self._set(answer_after=seconds)

    def hang(self) -> None:
        """Accept connections, and never answer."""
        self._set(hanging=True)

    def fail_readiness(self) -> None:
        """Answer the readiness path with 503; all else goes on."""
        self._set(ready=False)

    def flap(self) -> None:
        """Answer the readiness path with 503 and 200 in turn."""
        self._set(flapping=True)

    def ignore_term(self) -> None:
        """Go on after SIGTERM, until the end of the grace period."""
        self._set(ignores_term=True)

    def recover(self) -> None:
        """Behave again.  What hangs does so for ever, as a program that is stuck."""
        self._set(answer_after=0.0, hanging=False, ready=True, flapping=False)

    def die(self, exit_code: int = KILLED) -> None:
        """All containers crash; the node starts them again if the Pod wants that."""
        self._call(lambda: self._worker.kill(exit_code))

    def _set(self, **behaviour: Any) -> None:
        self._call(lambda: vars(self._worker.behaviour).update(behaviour))


class Kubelet:
    """Some nodes with a scheduler, from `with` on until its end."""

    def __init__(self, control_plane: ControlPlane, nodes: int = 2) -> None:
        self.failures: list[BaseException] = []
        # Several kubelets may come and go on one control plane.
        serial = next(SERIAL)
        self.names = [f"loopback-{serial}-{number}" for number in range(nodes)]
        self.addresses = control_plane.pod_addresses
        self._control_plane = control_plane
        self._nodes: dict[str, Node] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="kubelet")

    def __enter__(self) -> Kubelet:
        self._thread.start()
        self._started.result(START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self.failures:
            raise self.failures[0]

    def pods(self, namespace: str) -> list[Pod]:
        """Those that run here, sorted by name."""

        def find() -> list[PodWorker]:
            return [
                worker
                for node in self._nodes.values()
                for worker in node.workers.values()
                if worker.pod["metadata"]["namespace"] == namespace
            ]

        return sorted((Pod(each, self._call) for each in self._call(find)), key=lambda p: p.name)

    def pod(self, namespace: str, name: str) -> Pod:
        return next(pod for pod in self.pods(namespace) if pod.name == name)

    def silence(self, node: str) -> None:
        """Cut the node off from the API server: no heartbeat, no status; its Pods serve on."""
        self._call(self._nodes[node].online.clear)

    def resume(self, node: str) -> None:
        self._call(self._nodes[node].online.set)

    def reuse(self, address: str) -> None:
        """The first Pod to start once `address` is free gets it."""
        self._call(lambda: self.addresses.reuse(address))

    def _call(self, function: Callable[[], Value]) -> Value:
        """Run it in the kubelet's thread, where alone its state may be touched."""
        if self.failures:
            raise self.failures[0]

        async def run() -> Value:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(START_SECONDS)

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with self._control_plane.aio_client() as client:
            try:
                await self._serve(Api(client))
            except Exception as error:
                if self._started.done():
                    raise
                self._started.set_exception(error)
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                # Watches whose events were being dealt with; they need the client to close.
                await self._loop.shutdown_asyncgens()

    async def _serve(self, api: Api) -> None:
        async with AsyncExitStack() as stack:
            for name in self.names:
                node = Node(name, self._control_plane.address, api, self.addresses, self._spawn)
                self._nodes[name] = node
                await stack.enter_async_context(node.serve())
            scheduler = Scheduler(api)
            self._spawn(scheduler.follow_nodes())
            self._spawn(scheduler.follow_pods())
            self._started.set_result(None)
            await self._stop.wait()
        await self._unregister()

    async def _unregister(self) -> None:
        with suppress(*PASSING):  # the control plane may have been stopped before us
            for node in self._nodes.values():
                await node.unregister()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task of this kubelet; if it fails, the kubelet's end says so."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tidy)
        return task

    def _tidy(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.failures.append(error)
