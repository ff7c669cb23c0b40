"""A small cluster and a load balancer as values, and a cloud that says what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from binder.cloud.codes import CloudError
from binder.commands.once import Outlook, Seen, outlooks
from binder.controller.balancers import Clocks
from binder.core import tag
from binder.core.actions import Action
from binder.core.clb import Check, Frontend, Group, Health, Key, Listener, Target
from binder.core.objects import ContainerPort, Pod, Service, ServicePort
from binder.core.view import Object, View
from binder.settings import Settings
from schemas import contract

SETTINGS = Settings(cluster="cls-test")
EXISTING = SETTINGS._replace(manage_listeners=False)
LB, LISTENER, PORT = "lb-1", "lbl-1", 8080
WEB = Frontend("TCP", 80)
GROUP = Group(LISTENER, "", WEB, Check())


class Ticking:
    """A clock that moves on by a millisecond whenever somebody looks."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        self.time += 0.001
        return self.time


class Said(NamedTuple):
    value: Any
    started: float


class Cloud:
    """One load balancer with one listener; `error` is raised by whatever is asked."""

    def __init__(
        self,
        now: Callable[[], float],
        targets: Mapping[Key, Target] | None = None,
        health: Mapping[Key, Health] | None = None,
        listeners: Sequence[Listener] | None = None,
        addresses: Mapping[str, tuple[str, ...]] | None = None,
        error: CloudError | None = None,
    ) -> None:
        usual = [Listener(LISTENER, "by hand", "TCP", 80, (GROUP,))]
        self._now, self._error = now, error
        self._targets, self._health = dict(targets or {}), dict(health or {})
        self._listeners = tuple(usual if listeners is None else listeners)
        self._addresses = {LB: ("43.0.0.1",)} if addresses is None else addresses

    def load_balancers(self, ids: Sequence[str]) -> Said:
        return self._said({lb: self._addresses[lb] for lb in ids if lb in self._addresses})

    def listeners(self, lb: str) -> Said:
        return self._said(self._listeners)

    def targets(self, lb: str) -> Said:
        return self._said(self._targets)

    def health(self, lbs: Sequence[str]) -> Said:
        return self._said(dict.fromkeys(lbs, self._health))

    def perform(self, lb: str, actions: Sequence[Action]) -> Sequence[Any]:
        raise AssertionError("a command that looks has written")

    def _said(self, value: Any) -> Said:
        if self._error:
            raise self._error
        return Said(value, self._now())


def uid(name: str) -> str:
    """As long as a real one, for the tag has the beginning of it."""
    return f"{name:0<32}"


def pod(name: str = "web-1", ip: str = "10.0.0.1", **fields: Any) -> Pod:
    """A Pod that is up and waits for its gate."""
    usual = {
        "labels": {"app": "web"},
        "ip": ip,
        "phase": "Running",
        "node": "node-1",
        "ports": (ContainerPort("http", PORT),),
        "containers_ready": True,
        "gated": True,
    }
    return Pod(uid(name), "shop", name, **{**usual, **fields})


def service(name: str = "web", lb: str = LB, port: int = 80, **fields: Any) -> Service:
    """A Service of the binder."""
    usual = {
        "type": "LoadBalancer",
        "load_balancer_class": contract.LOAD_BALANCER_CLASS,
        "annotations": {contract.EXISTING_CLB["service"]: lb} if lb else {},
        "selector": (("app", "web"),),
        "ports": (ServicePort("http", port, "TCP", "http"),),
        "addresses": ("43.0.0.1",),
    }
    return Service(f"uid-{name}", "shop", name, **{**usual, **fields})


def key(ip: str = "10.0.0.1") -> Key:
    return Key(LISTENER, "", ip, PORT)


def ours(name: str, weight: int = 10, cluster: str = "cls-test") -> Target:
    """A target that the binder bound for the Pod of that name."""
    return Target(weight, tag.write(tag.mark(cluster, uid(name))))


def looked(
    *items: Object, settings: Settings = SETTINGS, **cloud: Any
) -> tuple[Seen, dict[str, Outlook], Clocks]:
    """What one look at `items` and at a Cloud shows."""
    now = Ticking()
    clocks = Clocks(now, lambda: 1_000_000.0)
    view = View(settings)
    began = now()
    for item in items:
        view.put(item, began)
    seen = Seen(view, began, now())
    source = Cloud(now, **cloud)
    return seen, outlooks(seen, source, view.load_balancers(), settings, clocks), clocks
