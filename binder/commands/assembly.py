"""The binder put together from its options: adapters, controller, threads."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from binder.cloud import budget as budgets
from binder.cloud.budget import Budget, Observer
from binder.cloud.clb import Clb
from binder.cloud.client import Client
from binder.cloud.codes import CloudError
from binder.cloud.credentials import Credentials, choose, sts_of
from binder.cloud.write import Writer
from binder.cluster.access import connect
from binder.cluster.api import Api
from binder.cluster.events import Events
from binder.cluster.informer import Informers
from binder.cluster.kubernetes import Kubernetes
from binder.cluster.lease import Lease
from binder.cluster.project import Resource
from binder.controller.balancers import Clocks
from binder.controller.run import Controller, Watcher
from binder.controller.state import State
from binder.core.objects import Ingress, Pod, Service, ServiceConfig
from binder.core.view import Object
from binder.settings import Settings

log = logging.getLogger(__name__)

LEASE_NAME = "tke-direct-binder"
KINDS: dict[str, type[Object]] = {
    "pods": Pod,
    "services": Service,
    "ingresses": Ingress,
    "tkeserviceconfigs": ServiceConfig,
}


@dataclass(frozen=True)
class Place:
    """Where the cluster and CLB are, and who we are there."""

    region: str
    kubeconfig: str | None = None
    context: str | None = None
    namespace: str = "tke-direct"
    credentials: Path | None = None


def given(options: dict[str, Any]) -> tuple[Place, Settings]:
    """What the shared options say; takes them out of `options`."""
    place = Place(
        options.pop("region"),
        options.pop("kubeconfig"),
        options.pop("context"),
        options.pop("namespace"),
        options.pop("credentials_dir"),
    )
    settings = Settings(
        cluster=options.pop("cluster_id"),
        manage_listeners=options.pop("listeners") == "owned",
        adopt_all=options.pop("adopt_all"),
        allow_mass_removal=options.pop("allow_mass_removal"),
        gate=options.pop("readiness_gate"),
        endpoint=options.pop("endpoint"),
    )._replace(**options.pop("timing"))
    return place, settings


class Always:
    """The lease of a command that only looks: as if held since long ago."""

    since: float | None = 0.0

    def held(self) -> bool:
        return True

    def enter(self) -> bool:
        return True

    def retire(self) -> None:
        """Nothing is written anyway."""

    def inherited(self) -> tuple[str, ...]:
        return ()

    def leave_behind(self, _lbs: Iterable[str]) -> None:
        """There is nobody to tell."""


def reach(
    place: Place, settings: Settings, observer: Observer | None, fence: Callable[[], bool]
) -> tuple[Credentials, Budget, Client]:
    """The way to CLB; `fence` is asked before each write."""
    source = choose(os.environ, place.credentials, sts_of(settings.endpoint))
    credentials = Credentials(source, time.monotonic)
    protocol, _, endpoint = settings.endpoint.rpartition("://")
    budget = Budget(settings.rate, time.monotonic, time.sleep, observer)
    client = Client(
        credentials,
        place.region,
        endpoint,
        budget,
        settings.call_timeout,
        fence,
        protocol=protocol or "https",
        observer=observer or budgets.Nobody(),
    )
    return credentials, budget, client


class Parts:
    """All that talks to the world; `close` ends it."""

    def __init__(
        self, place: Place, settings: Settings, observer: Observer | None, *, leads: bool
    ) -> None:
        self.clocks = Clocks(time.monotonic, time.time)
        self.stopping = threading.Event()
        self._client = connect(place.kubeconfig, place.context)
        self.api = Api(self._client, settings.call_timeout)
        identity = f"{os.environ.get('HOSTNAME') or socket.gethostname()}-{secrets.token_hex(4)}"
        self.lease = Lease(self.api, place.namespace, LEASE_NAME, identity, settings)
        self._leads = leads
        self.credentials, self.budget, self._cloud = reach(
            place, settings, observer, self.lease.may_write if leads else lambda: False
        )
        self.clb = Clb(self._cloud, Writer(self._cloud))
        self.events = Events(self.api)
        self._threads: list[threading.Thread] = []

    def follow(self, state: State) -> Informers:
        """Informers that feed `state`, not started yet."""
        return Informers(
            self.api, lambda resource: _Feed(state, resource), gate=state.settings.gate
        )

    def kubernetes(self, informers: Informers, gate: str) -> Kubernetes:
        fence = self.lease.may_write if self._leads else lambda: False
        return Kubernetes(self.api, informers, self.events, fence, gate)

    def keep_secret(self, hide: Callable[..., object]) -> None:
        """Let `hide` know all that must not stand in any log, now and whenever there is more."""
        self.credentials.told = hide
        try:
            self.credentials.key()
        except CloudError as error:  # it may come later, and each call says so
            log.warning("%s", error.message)

    def spawn(self, name: str, run: Callable[[threading.Event], object]) -> None:
        """A thread that ends when ``close`` is called."""
        thread = threading.Thread(target=run, args=(self.stopping,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        self.stopping.set()
        for thread in self._threads:
            thread.join(5.0)
        self._cloud.close()
        self._client.close()  # type: ignore[no-untyped-call]  # it has no types


class _Feed:
    """What an informer of one kind tells, told to the state."""

    def __init__(self, state: State, resource: Resource[Any]) -> None:
        self._state, self._kind = state, KINDS[resource.plural]

    def replace(self, items: Any) -> None:
        self._state.replace(self._kind, items)

    def put(self, item: Any) -> None:
        self._state.put(item)

    def drop(self, item: Any) -> None:
        self._state.drop(item)


def controller(
    parts: Parts, settings: Settings, watcher: Watcher, *, writes: bool
) -> tuple[Controller, Informers]:
    """A controller and the informers that feed it, neither of them started."""
    state = State(settings, parts.clocks.now)
    informers = parts.follow(state)
    lease = parts.lease if writes else Always()
    cluster = parts.kubernetes(informers, settings.gate)
    made = Controller(state, parts.clb, cluster, lease, parts.clocks, watcher, writes=writes)
    return made, informers
