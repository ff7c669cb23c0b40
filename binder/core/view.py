"""The cluster as decisions need it: objects by what is asked about them.

Not safe for several threads; who shares it holds a lock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

from binder.core.actions import Tell
from binder.core.bindings import Binding, Resolved, bindings, selects
from binder.core.objects import Ingress, Owner, Pod, Service, ServiceConfig
from binder.settings import Settings
from schemas.contract import READINESS_GATE

Object = Pod | Service | Ingress | ServiceConfig
NOTHING = Resolved((), ())


class View:
    """All Pods, Services, Ingresses and TkeServiceConfigs.

    A Pod is known by its uid; `put` and `drop` say which load balancers a change is about.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.pods: dict[str, Pod] = {}
        self._labelled: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        self._within: dict[str, set[str]] = defaultdict(set)  # namespace: uids of Pods
        self._at: dict[str, set[str]] = defaultdict(set)  # address: uids of Pods
        self._services: dict[str, dict[str, Service]] = defaultdict(dict)
        self._ingresses: dict[str, dict[str, Ingress]] = defaultdict(dict)
        self._configs: dict[str, dict[str, ServiceConfig]] = defaultdict(dict)
        self._resolved: dict[str, Resolved] = {}
        self._on: dict[str, set[str]] = defaultdict(set)  # load balancer: namespaces
        # When an owner lost the load balancer that it had.
        self.lost: dict[Owner, float] = {}

    def put(self, item: Object, now: float) -> set[str]:
        """Add or replace `item`; the load balancers whose plan may change."""
        if isinstance(item, Pod):
            before = self.pods.get(item.uid)
            if before is not None and before.labels == item.labels and before.ip == item.ip:
                self.pods[item.uid] = item
                return self._of_pod(item)
            old = self._forget_pod(before) if before is not None else set()
            self.pods[item.uid] = item
            self._within[item.namespace].add(item.uid)
            if item.ip and not item.host_network:
                self._at[item.ip].add(item.uid)
            for key, value in item.labels.items():
                self._labelled[item.namespace, key, value].add(item.uid)
            return old | self._of_pod(item)
        self._table(type(item))[item.namespace][item.name] = item
        return self._resolve(item.namespace, now)

    def drop(self, item: Object, now: float) -> set[str]:
        """Take `item` out, unless another of its name has come meanwhile."""
        if isinstance(item, Pod):
            known = self.pods.get(item.uid)
            return self._forget_pod(known) if known is not None else set()
        table = self._table(type(item))[item.namespace]
        known_one = table.get(item.name)
        if known_one is None or getattr(known_one, "uid", "") != getattr(item, "uid", ""):
            return set()
        del table[item.name]
        return self._resolve(item.namespace, now)

    def of(self, kind: type[Object]) -> Iterator[Object]:
        """All of a kind."""
        if kind is Pod:
            yield from list(self.pods.values())
        else:
            for table in list(self._table(kind).values()):
                yield from list(table.values())

    # What is asked.

    def wanted_in(self, namespace: str) -> Resolved:
        return self._resolved.get(namespace, NOTHING)

    def bindings_in(self, namespace: str) -> tuple[Binding, ...]:
        return self.wanted_in(namespace).bindings

    def resolved(self) -> Iterable[Resolved]:
        """What each namespace's Services and Ingresses want."""
        return self._resolved.values()

    def tells_in(self, namespace: str) -> tuple[Tell, ...]:
        """What is wrong in Services and Ingresses there."""
        return self.wanted_in(namespace).tells

    def bindings_on(self, lb: str) -> list[Binding]:
        """Those that want Pods on this load balancer, in a stable order."""
        found = [
            one
            for namespace in self._on.get(lb, ())
            for one in self.bindings_in(namespace)
            if one.lb == lb
        ]
        return sorted(found, key=lambda one: (one.owner, one.frontend))

    def bindings_of(self, pod: Pod) -> list[Binding]:
        return [one for one in self.bindings_in(pod.namespace) if selects(one, pod)]

    def elsewhere(self, pod: Pod) -> list[Owner]:
        """For whom TKE's own controller opens the gate of `pod`; nobody where ours is another."""
        if self._settings.gate != READINESS_GATE:
            return []
        found = self.wanted_in(pod.namespace).elsewhere
        return list(dict.fromkeys(one.owner for one in found if selects(one, pod)))

    def load_balancers(self) -> set[str]:
        return {lb for lb, namespaces in self._on.items() if namespaces}

    def selected(self, binding: Binding) -> list[Pod]:
        """The Pods that `binding` selects, in a stable order."""
        namespace = binding.owner.namespace
        sets = [
            self._labelled.get((namespace, key, value), set()) for key, value in binding.selector
        ]
        if not sets:
            return []
        uids = set.intersection(*sorted(sets, key=len))
        return [self.pods[uid] for uid in sorted(uids)]

    def at(self, ip: str) -> list[Pod]:
        """The Pods that have this address, or had it when they ended."""
        return [self.pods[uid] for uid in sorted(self._at.get(ip, ()))]

    def pods_in(self, namespace: str) -> list[Pod]:
        return [self.pods[uid] for uid in self._within.get(namespace, ())]

    def owner_addresses(self, owner: Owner) -> tuple[str, ...] | None:
        """What its status says; None when there is no such owner any more."""
        kind = Service if owner.kind == "Service" else Ingress
        found = self._table(kind)[owner.namespace].get(owner.name)
        same = isinstance(found, (Service, Ingress)) and found.uid == owner.uid
        return found.addresses if same and isinstance(found, (Service, Ingress)) else None

    # How it is kept.

    def _table(self, kind: type[Object]) -> dict[str, dict[str, Object]]:
        tables: dict[type[Object], object] = {
            Service: self._services,
            Ingress: self._ingresses,
            ServiceConfig: self._configs,
        }
        return tables[kind]  # type: ignore[return-value]  # each holds its own kind

    def _of_pod(self, pod: Pod) -> set[str]:
        return {one.lb for one in self.bindings_of(pod) if one.lb}

    def _forget_pod(self, pod: Pod) -> set[str]:
        del self.pods[pod.uid]
        _discard(self._within, pod.namespace, pod.uid)
        _discard(self._at, pod.ip, pod.uid)
        for key, value in pod.labels.items():
            _discard(self._labelled, (pod.namespace, key, value), pod.uid)
        return self._of_pod(pod)

    def _resolve(self, namespace: str, now: float) -> set[str]:
        before = self.bindings_in(namespace)
        found = bindings(
            self._services[namespace].values(),
            self._ingresses[namespace].values(),
            self._configs[namespace].values(),
            self._settings,
        )
        self._resolved[namespace] = found
        had = {one.owner: one.lb for one in before if one.lb}
        for one in found.bindings:
            if one.lb:
                self.lost.pop(one.owner, None)
            elif one.owner in had:
                self.lost[one.owner] = now
        there = {one.owner for one in found.bindings}
        for owner in [owner for owner in self.lost if owner.namespace == namespace]:
            if owner not in there:
                del self.lost[owner]
        on = {one.lb for one in found.bindings if one.lb}
        touched = on | set(had.values())
        for lb in touched:
            (self._on[lb].add if lb in on else self._on[lb].discard)(namespace)
        return touched


_K = TypeVar("_K")


def _discard(index: dict[_K, set[str]], key: _K, uid: str) -> None:
    """Take `uid` out, and an entry that is empty: labels of Pods come and go for ever."""
    found = index.get(key, set())
    found.discard(uid)
    if not found:
        index.pop(key, None)
