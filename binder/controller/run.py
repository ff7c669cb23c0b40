"""The controller: informers feed the state, queues wake workers, workers read, plan and write."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from binder.cloud.codes import CloudError
from binder.cluster.api import Failed
from binder.controller.balancers import Balancers, Clocks
from binder.controller.confirm import Confirmer
from binder.controller.gates import Gates
from binder.controller.poller import Poller
from binder.controller.ports import Cloud, Cluster, Lease
from binder.controller.queue import Item, Queue
from binder.controller.state import State
from binder.core.actions import Tell

LOG = logging.getLogger("binder")
# A worker may wait long for the tasks of one load balancer, and others are not to wait for it.
BALANCER_WORKERS, GATE_WORKERS = 16, 4


class Watcher(Protocol):
    """Who is told what happens, for metrics; every method is quick."""

    def beat(self, loop: str) -> None: ...
    def reconciled(self, lb: str, seconds: float, result: str) -> None: ...
    def planned(self, state: State) -> None: ...
    def drained(self, seconds: float) -> None: ...
    def opened(self, seconds: float, reason: str) -> None: ...


class Controller:
    """Everything between the adapters; informers feed `state`."""

    def __init__(
        self,
        state: State,
        cloud: Cloud,
        cluster: Cluster,
        lease: Lease,
        clocks: Clocks,
        watcher: Watcher,
        *,
        writes: bool = True,
    ) -> None:
        self.state, self.settings = state, state.settings
        state.changed, state.warned = self._changed, self._warned
        self._cloud, self._cluster, self._lease, self._clocks = cloud, cluster, lease, clocks
        self._watcher, self._writes = watcher, writes
        self._balancers = Balancers(self.state, cloud, cluster, lease, clocks, writes=writes)
        self._gates = Gates(self.state, cluster, lease, clocks, writes=writes)
        self._confirmer = Confirmer(self.state, cluster, clocks.now)
        self._poller = Poller(self.state, cloud, clocks.now)
        self._lbs: Queue[str] = Queue(clocks.now)
        self._pods: Queue[str] = Queue(clocks.now)
        self._asked: Queue[str] = Queue(clocks.now)
        self._leading = False
        self._led_since: float | None = None  # the lease, as the loops know it
        self._audits: list[float] = []
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    # --- life

    def start(self) -> None:
        """Start the loops; they do nothing while somebody else leads."""
        for number in range(BALANCER_WORKERS):
            self._thread(f"balancer-{number}", lambda: self._work(self._lbs, self._balancer))
        for number in range(GATE_WORKERS):
            self._thread(f"gate-{number}", lambda: self._work(self._pods, self._gate))
        self._thread("confirm", lambda: self._work(self._asked, self._confirm))
        self._thread("tick", self._ticks)

    def stop(self) -> None:
        """End the loops; what is under way is waited for, for a while."""
        self._stop.set()
        for queue in (self._lbs, self._pods, self._asked):
            queue.close()
        # The lease is kept until then, and the next one starts at once: what is sent by now may
        # end, and nothing more is sent.
        self._join(1.0)
        self._lease.retire()
        self._join(self.settings.call_timeout)

    def _join(self, seconds: float) -> None:
        """Wait so long for all of them together."""
        until = self._clocks.now() + seconds
        for thread in self._threads:
            thread.join(max(until - self._clocks.now(), 0.0))

    def _thread(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    # --- what wakes workers

    def _changed(self, lbs: Iterable[str], pods: Iterable[str]) -> None:
        for lb in lbs:
            self._lbs.add(lb, self.settings.coalesce)
        for uid in pods:
            self._pods.add(uid, self.settings.coalesce)

    def _warned(self, tell: Tell) -> None:
        if self._leading and self._writes:
            self._cluster.tell(tell)
        elif self._leading:
            told = {"about": str(tell.about), "reason": tell.reason, "text": tell.message}
            LOG.info("would tell", extra=told)

    def _ticks(self) -> None:
        """Follow the lease, poll health, come back to every load balancer for its audit."""
        while not self._stop.wait(self.settings.coalesce):
            self._watcher.beat("tick")
            try:
                if self._follow_lease():
                    self._lease.leave_behind(self.state.load_balancers())
                    self._audit()
                    read, errors = self._poller.poll()
                    for lb in read:
                        self._lbs.add(lb)
                    for error in errors:
                        LOG.warning("health unknown", extra={"code": error.code})
                self._watcher.planned(self.state)
            except CloudError as error:
                LOG.warning("CLB", extra={"code": error.code, "reason": error.message})
            except Exception:  # a loop that ends is worse than one that failed once
                LOG.exception("tick failed")

    def _audit(self) -> None:
        """Soon after we took over, as a frozen former leader may have got a last write through."""
        now = self._clocks.now()
        if self._audits and now >= self._audits[0]:
            self._audits = self._audits[1:] or [now + self.settings.audit]
            with self.state.lock:
                for one in self.state.balancers.values():
                    one.targets_dirty = True
            self._all()

    def _follow_lease(self) -> bool:
        since = self._lease.since if self._cluster.changes().synced else None
        leading = since is not None
        # What workers took while the lease had lapsed is dropped, however short the lapse was.
        if since != self._led_since:
            self._leading, self._led_since = leading, since
            if self._writes:
                LOG.info("leading" if leading else "standing by")
            self.state.forget_cloud()
            if leading:
                self.state.inherit(self._lease.inherited())
                now = self._clocks.now()
                self._audits = [now + seconds for seconds in self.settings.early_audits]
                self._all()
                self.state.miss_gates()
        return leading

    def _all(self) -> None:
        lbs = self.state.load_balancers()
        with self.state.lock:
            pods = [pod.uid for pod in self.state.view.pods.values() if pod.gated and not pod.open]
            tells = [tell for found in self.state.view.resolved() for tell in found.tells]
        for lb in lbs:
            self._lbs.add(lb)
        for uid in pods:
            self._pods.add(uid)
        for tell in tells:
            self._warned(tell)

    # --- workers

    def _work(self, queue: Queue[Item], work: Callable[[Item], None]) -> None:
        while (item := queue.get()) is not None:
            try:
                if self._leading and self._lease.enter():
                    work(item)
            except Exception:
                LOG.exception("work failed", extra={"item": str(item)})
                queue.add(item, self.settings.retry_most)
            finally:
                queue.done(item)

    def _balancer(self, lb: str) -> None:
        started = self._clocks.now()
        found = self._balancers.round(lb)
        error, seconds = found.error, self._clocks.now() - started
        if error is not None:
            LOG.warning("CLB", extra={"lb": lb, "code": error.code, "reason": error.message})
        self._watcher.reconciled(lb, seconds, error.code if error else found.refused or "ok")
        for seconds in found.plan.drains:
            self._watcher.drained(seconds)
        for uid in found.gates:
            self._pods.add(uid)
        for namespace in found.confirm:
            self._asked.add(namespace)
        if found.after is not None:
            self._lbs.add(lb, found.after)

    def _gate(self, uid: str) -> None:
        found = self._gates.look(uid)
        if found.opened is not None:
            self._watcher.opened(found.opened, found.reason)
        if found.confirm is not None:
            self._asked.add(found.confirm)
        if found.after is not None:
            self._pods.add(uid, found.after)

    def _confirm(self, namespace: str) -> None:
        try:
            agreed = self._confirmer.look(namespace)
        except Failed as error:
            LOG.warning("not confirmed", extra={"namespace": namespace, "reason": str(error)})
            agreed = False
        if not agreed:
            self._asked.add(namespace, self.settings.retry_first)
        with self.state.lock:
            lbs = {one.lb for one in self.state.view.bindings_in(namespace) if one.lb}
            lbs |= {lb for lb, one in self.state.balancers.items() if one.plan.confirm}
            pods = [
                pod.uid
                for pod in self.state.view.pods_in(namespace)
                if pod.gated and not pod.open and not pod.terminating
            ]
        for lb in lbs:
            self._lbs.add(lb)
        for uid in pods:
            self._pods.add(uid)
