"""The Kubernetes view: of each object only the fields that decisions need, as values.

A Pod of the API is some ten kilobytes, one of these below one: memory is bounded by them.
Field names are those of the Kubernetes API where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Name(NamedTuple):
    """How people call a namespaced object."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Owner(NamedTuple):
    """A Service or Ingress that wants Pods bound."""

    kind: str  # Service, Ingress
    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Condition(NamedTuple):
    """A condition of a Pod's status, here the one that our readiness gate waits for."""

    status: str  # "True", "False", "Unknown"
    reason: str = ""
    message: str = ""


class ContainerPort(NamedTuple):
    """A named port of a container."""

    name: str
    number: int
    protocol: str = "TCP"


class Pod(NamedTuple):
    """A Pod."""

    uid: str
    namespace: str
    name: str
    resource_version: str = ""
    labels: Mapping[str, str] = {}
    ip: str = ""  # status.podIP
    phase: str = "Pending"  # Running, Succeeded, Failed, ...
    node: str = ""
    host_network: bool = False
    ports: tuple[ContainerPort, ...] = ()  # those with a name, of all containers
    weight: int | None = None  # the annotation for a weight of its own, 0 to 100
    containers_ready: bool = False  # status.conditions ContainersReady
    ready: bool = False  # status.conditions Ready
    updating: bool = False  # a gate for updates in place is False: the Pod is NotReady on purpose
    gated: bool = False  # our gate stands in spec.readinessGates
    condition: Condition | None = None  # of our gate, in status.conditions
    # Both in seconds of the API server's clock; deleted_at is when deletion was asked for,
    # dies_at when the kubelet kills at the latest (deletionTimestamp).
    deleted_at: float | None = None
    dies_at: float | None = None
    pre_stop: float | None = None  # the longest preStop sleep of its containers, in seconds

    @property
    def key(self) -> Name:
        return Name(self.namespace, self.name)

    @property
    def terminating(self) -> bool:
        return self.dies_at is not None

    @property
    def over(self) -> bool:
        """Its containers have ended for good; its address may belong to another Pod."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def open(self) -> bool:
        """Our gate is open; it is never closed again by what happens to the load balancer."""
        return self.condition is not None and self.condition.status == "True"


class ServicePort(NamedTuple):
    """A port of a Service."""

    name: str
    port: int
    protocol: str
    target_port: int | str


class Service(NamedTuple):
    """A Service."""

    uid: str
    namespace: str
    name: str
    type: str = "ClusterIP"
    load_balancer_class: str = ""
    annotations: Mapping[str, str] = {}  # those of the contract, no others
    selector: tuple[tuple[str, str], ...] = ()  # empty: selects nothing
    ports: tuple[ServicePort, ...] = ()
    addresses: tuple[str, ...] = ()  # status.loadBalancer.ingress: IPs and host names
    terminating: bool = False

    @property
    def owner(self) -> Owner:
        return Owner("Service", self.namespace, self.name, self.uid)


class Backend(NamedTuple):
    """Whom a path of an Ingress reaches: a Service's port, by number or name."""

    service: str
    port: int | str


class IngressPath(NamedTuple):
    """A path of a rule; an empty host is the load balancer's own address."""

    host: str
    path: str
    backend: Backend


class Ingress(NamedTuple):
    """An Ingress."""

    uid: str
    namespace: str
    name: str
    ingress_class: str | None = None  # spec.ingressClassName, else the annotation
    annotations: Mapping[str, str] = {}
    paths: tuple[IngressPath, ...] = ()  # the default backend is a path "/" of host ""
    tls_hosts: frozenset[str] | None = None  # of spec.tls; None: no TLS; empty: all hosts
    addresses: tuple[str, ...] = ()
    terminating: bool = False

    @property
    def owner(self) -> Owner:
        return Owner("Ingress", self.namespace, self.name, self.uid)


class ServiceConfig(NamedTuple):
    """A TkeServiceConfig: settings of listeners, by protocol and port (and domain and path)."""

    namespace: str
    name: str
    settings: Mapping[tuple[str, int, str, str], Mapping[str, object]] = {}


class Changes(NamedTuple):
    """What the last look at the cluster is worth.

    Times are seconds of our own monotonic clock.
    """

    synced: bool = True  # every kind has been listed
    seen_at: float = 0.0  # when the API server was last heard of, by the kind heard of longest ago
