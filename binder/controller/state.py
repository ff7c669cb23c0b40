"""What the loops share: the view of the cluster, and what is known of each load balancer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from binder.core.actions import Action, Tell
from binder.core.clb import LoadBalancer
from binder.core.objects import Ingress, Owner, Pod, Service, ServiceConfig
from binder.core.plan import Memory, Plan
from binder.core.view import Object, View
from binder.settings import Settings


class Held(NamedTuple):
    """An action that is not tried again yet; times in seconds of our monotonic clock."""

    tries: int
    until: float


@dataclass
class Balancer:
    """One load balancer: what was read of it, the last plan, and what has to be read again."""

    reading: LoadBalancer
    memory: Memory = field(default_factory=Memory)
    plan: Plan = field(default_factory=Plan)
    targets_dirty: bool = True
    listeners_dirty: bool = True
    pending_since: float = 0.0  # something new waits for its health since then
    polled_at: float = 0.0
    held: dict[Action, Held] = field(default_factory=dict)
    failures: int = 0  # of readings, in a row
    read_after: float = 0.0  # not before, as it failed just now


class State:
    """Guarded by `lock`, which is never held while anybody waits for the world.

    `changed` is called with the load balancers and the Pods that a change is about, `warned` with
    what is wrong in Services and Ingresses.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self.changed: Callable[[Iterable[str], Iterable[str]], None] = lambda _lbs, _pods: None
        self.warned: Callable[[Tell], None] = lambda _tell: None
        self.lock = threading.RLock()
        self.settings = settings
        self.view = View(settings)
        self.balancers: dict[str, Balancer] = {}
        self.confirmed_services: dict[str, float] = {}
        self.confirmed_all: dict[str, float] = {}
        # Pods, by uid: since when their containers have been ready at their address, and the
        # address at which their gate was open.
        self.ready_since: dict[str, float] = {}
        self.open_at: dict[str, str] = {}
        self._ungated: set[str] = set()  # uids of Pods without the gate that were told of
        self._clock = clock

    # What informers say.

    def put(self, item: Object) -> None:
        with self.lock:
            touched = self._put(item)
        self._tell(touched, [item])

    def drop(self, item: Object) -> None:
        with self.lock:
            touched = self.view.drop(item, self._clock())
            if isinstance(item, Pod):
                self._forget(item)
        self._tell(touched, [item])

    def replace(self, kind: type[Object], items: Iterable[Object]) -> None:
        """All of a kind, after a list: what is not among them has gone."""
        items = list(items)
        there = {_identity(item) for item in items}
        with self.lock:
            gone = [item for item in self.view.of(kind) if _identity(item) not in there]
            touched: set[str] = set()
            for item in gone:
                touched |= self.view.drop(item, self._clock())
                if isinstance(item, Pod):
                    self._forget(item)
            for item in items:
                touched |= self._put(item)
        self._tell(touched, items)

    def _put(self, item: Object) -> set[str]:
        if isinstance(item, Pod):
            self._follow(item)
        return self.view.put(item, self._clock())

    def _follow(self, pod: Pod) -> None:
        before = self.view.pods.get(pod.uid)
        if not pod.containers_ready or not pod.ip:
            self.ready_since.pop(pod.uid, None)
        elif pod.uid not in self.ready_since or (before is not None and before.ip != pod.ip):
            self.ready_since[pod.uid] = self._clock()
        if pod.open and pod.ip:
            self.open_at.setdefault(pod.uid, pod.ip)
        elif not pod.open:
            self.open_at.pop(pod.uid, None)

    def _tell(self, touched: set[str], items: Iterable[Object]) -> None:
        pods: set[str] = set()
        namespaces: set[str] = set()
        for item in items:
            if not isinstance(item, Pod):
                namespaces.add(item.namespace)
            elif item.gated and not item.open:
                pods.add(item.uid)
            elif item.ip and not item.gated:
                self._miss_gate(item)
        for namespace in namespaces:
            for tell in self.view.tells_in(namespace):
                self.warned(tell)
            # Who waits for nothing may have to wait now, and the reverse.
            pods |= self._closed_in(namespace)
        self.changed(touched, pods)

    def miss_gates(self) -> None:
        """Say of all Pods that are bound and have no gate that they have none."""
        with self.lock:
            self._ungated.clear()
            pods = [pod for pod in self.view.pods.values() if pod.ip and not pod.gated]
        for pod in pods:
            self._miss_gate(pod)

    def _miss_gate(self, pod: Pod) -> None:
        """Say once that a Pod which is bound has no gate, so that it is Ready before CLB serves."""
        with self.lock:
            if pod.uid in self._ungated or pod.host_network:
                return
            owners = [one.owner for one in self.view.bindings_of(pod) if one.gating]
            if not owners:
                return
            self._ungated.add(pod.uid)
        about = Owner("Pod", pod.namespace, pod.name, pod.uid)
        message = (
            f"{owners[0]} selects it, and it has no readiness gate {self.settings.gate}: it counts "
            "as Ready before the load balancer serves it; add the gate to the Pod template"
        )
        self.warned(Tell(about, "Warning", "ReadinessGateMissing", message))

    def _forget(self, pod: Pod) -> None:
        self.ready_since.pop(pod.uid, None)
        self.open_at.pop(pod.uid, None)
        self._ungated.discard(pod.uid)

    def _closed_in(self, namespace: str) -> set[str]:
        with self.lock:
            return {
                pod.uid
                for pod in self.view.pods_in(namespace)
                if pod.gated and not pod.open and not pod.terminating
            }

    # What the loops keep.

    def balancer(self, lb: str) -> Balancer:
        """Call with the lock held."""
        found = self.balancers.get(lb)
        if found is None:
            found = self.balancers[lb] = Balancer(LoadBalancer(lb))
        return found

    def forget_cloud(self) -> None:
        """Others led, or may have: what we have read is old. Which load balancers we had is not."""
        with self.lock:
            self.balancers = {lb: Balancer(LoadBalancer(lb)) for lb in self.balancers}

    def inherit(self, lbs: Iterable[str]) -> None:
        """Work on `lbs` too, until nothing of ours is there: who led before us did."""
        with self.lock:
            for lb in lbs:
                self.balancer(lb)

    def load_balancers(self) -> set[str]:
        """All that something of ours is on, or will be."""
        with self.lock:
            return self.view.load_balancers() | set(self.balancers)


def _identity(item: Object) -> tuple[str, ...]:
    if isinstance(item, (Pod, Service, Ingress)):
        return (item.uid,)
    assert isinstance(item, ServiceConfig)
    return (item.namespace, item.name)
