"""Objects of the Kubernetes API, as JSON, to the values that decisions are made of.

Nothing here raises: a field that is missing or of another type counts as not set, for one odd
object must not stop the view of all others.  Strings that many objects share are kept once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Generic, TypeVar

from binder.core.objects import (
    Backend,
    Condition,
    ContainerPort,
    Ingress,
    IngressPath,
    Pod,
    Service,
    ServiceConfig,
    ServicePort,
)
from schemas.annotations import ANNOTATIONS, On
from schemas.contract import (
    API_GROUP,
    INGRESS_CLASS_ANNOTATION,
    POD_WEIGHT,
    READINESS_GATE,
    SERVICE_CONFIG_GROUP,
)

Json = dict[str, Any]
Item = TypeVar("Item")
Shared = TypeVar("Shared")
Setting = tuple[str, int, str, str]

# Gates of updates in place: of OpenKruise (its API, apps/pub) and of TKE's StatefulSetPlus, as
# Pods of clusters carry it.
UPDATE_GATES = ("InPlaceUpdateReady", "platform.tkex/InPlace-Update-Ready")

HEAVIEST = 100
_LARGEST = 1 << 63  # numbers of the API are of 64 bits; JSON has larger ones
_SLEEP = re.compile(r"(?<![\w.-])sleep\s+(\d+(?:\.\d+)?)([smhd]?)(?![\w.])")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_KEPT = {
    on: frozenset(row.key for row in ANNOTATIONS if row.on is on) for on in (On.SERVICE, On.INGRESS)
}


@dataclass(frozen=True)
class Resource(Generic[Item]):
    """A kind as the API serves it; where `optional`, a cluster may not have it at all."""

    root: str
    plural: str
    project: Callable[[Json], Item]
    optional: bool = False

    def path(self, namespace: str = "", *below: str) -> str:
        """Of the collection, or of what is `below` it: a name, a name and "status"."""
        within = ("namespaces", namespace) if namespace else ()
        return "/".join((self.root, *within, self.plural, *below))


def pod(item: Json, gate: str = READINESS_GATE) -> Pod:
    """A Pod; `gate` is the conditionType of our gate."""
    meta, spec, status = _map(item, "metadata"), _map(item, "spec"), _map(item, "status")
    # Native sidecars are init containers that go on; their ports can be named, too (Kubernetes,
    # pkg/api/v1/pod, FindPort).
    sidecars = [
        one for one in _maps(spec, "initContainers") if one.get("restartPolicy") == "Always"
    ]
    containers = [*_maps(spec, "containers"), *sidecars]
    conditions = {_text(one, "type"): one for one in _maps(status, "conditions")}
    gates = {_text(one, "conditionType") for one in _maps(spec, "readinessGates")}
    dies_at = _time(meta, "deletionTimestamp")
    return Pod(
        uid=_text(meta, "uid"),
        namespace=_shared_text(meta, "namespace"),
        name=_text(meta, "name"),
        resource_version=_text(meta, "resourceVersion"),
        labels=_labels(tuple(_strings(meta, "labels"))),
        ip=_text(status, "podIP"),
        phase=_shared_text(status, "phase") or "Pending",
        node=_shared_text(spec, "nodeName"),
        host_network=spec.get("hostNetwork") is True,
        ports=_share(tuple(_container_ports(containers))),
        weight=_weight(dict(_strings(meta, "annotations")).get(POD_WEIGHT, "")),
        containers_ready=_is(conditions, "ContainersReady", "True"),
        ready=_is(conditions, "Ready", "True"),
        updating=any(one in gates and _is(conditions, one, "False") for one in UPDATE_GATES),
        gated=gate in gates,
        condition=_condition(conditions.get(gate)),
        deleted_at=_asked_at(dies_at, meta),
        dies_at=dies_at,
        pre_stop=max(filter(None, map(_pre_stop, containers)), default=None),
    )


def service(item: Json) -> Service:
    """A Service."""
    meta, spec = _map(item, "metadata"), _map(item, "spec")
    return Service(
        uid=_text(meta, "uid"),
        namespace=_shared_text(meta, "namespace"),
        name=_text(meta, "name"),
        type=_text(spec, "type") or "ClusterIP",
        load_balancer_class=_text(spec, "loadBalancerClass"),
        annotations=_annotations(meta, On.SERVICE),
        selector=tuple(sorted(_strings(spec, "selector"))),
        ports=tuple(_service_ports(spec)),
        addresses=_addresses(item),
        terminating="deletionTimestamp" in meta,
    )


def ingress(item: Json) -> Ingress:
    """An Ingress of networking.k8s.io/v1."""
    meta, spec = _map(item, "metadata"), _map(item, "spec")
    annotations = _annotations(meta, On.INGRESS)
    return Ingress(
        uid=_text(meta, "uid"),
        namespace=_shared_text(meta, "namespace"),
        name=_text(meta, "name"),
        ingress_class=_text(spec, "ingressClassName") or annotations.get(INGRESS_CLASS_ANNOTATION),
        annotations=annotations,
        paths=tuple(_paths(spec)),
        tls_hosts=_tls_hosts(spec),
        addresses=_addresses(item),
        terminating="deletionTimestamp" in meta,
    )


def service_config(item: Json) -> ServiceConfig:
    """A TkeServiceConfig, in the spelling of TKE's "Service CLB configuration"."""
    meta = _map(item, "metadata")
    balancer = _map(_map(item, "spec"), "loadBalancer")
    settings = dict(_layer_4(balancer))
    settings.update(_layer_7(balancer))
    return ServiceConfig(_shared_text(meta, "namespace"), _text(meta, "name"), settings)


def pods(gate: str) -> Resource[Pod]:
    """Pods, of which `gate` is the conditionType that we open."""
    return Resource("/api/v1", "pods", partial(pod, gate=gate))


PODS = pods(READINESS_GATE)
SERVICES = Resource("/api/v1", "services", service)
INGRESSES = Resource("/apis/networking.k8s.io/v1", "ingresses", ingress)
SERVICE_CONFIGS = Resource(
    f"/apis/{SERVICE_CONFIG_GROUP}/v1alpha1", "tkeserviceconfigs", service_config, optional=True
)


def moment(text: str) -> float | None:
    """Seconds since the epoch of a time of the API (RFC 3339); None when it is none."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def _container_ports(containers: list[Json]) -> Iterator[ContainerPort]:
    for container in containers:
        for port in _maps(container, "ports"):
            name, number = _shared_text(port, "name"), _number(port, "containerPort")
            if name and number:
                yield ContainerPort(name, number, _shared_text(port, "protocol") or "TCP")


def _weight(text: str) -> int | None:
    """As TKE reads it: a whole number from 0 to 100, all else is as if it were not there."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(HEAVIEST))):
        return None
    return int(text) if int(text) <= HEAVIEST else None


def _is(conditions: Mapping[str, Json], kind: str, status: str) -> bool:
    return kind in conditions and conditions[kind].get("status") == status


def _condition(found: Json | None) -> Condition | None:
    if found is None:
        return None
    status = _shared_text(found, "status") or "Unknown"
    condition: Condition = _share(
        Condition(status, _text(found, "reason"), _text(found, "message"))
    )
    return condition


def _asked_at(dies_at: float | None, meta: Json) -> float | None:
    """The API server sets deletionTimestamp to the moment of the request plus the grace period."""
    if dies_at is None:
        return None
    return dies_at - max(_number(meta, "deletionGracePeriodSeconds"), 0)


def _pre_stop(container: Json) -> float | None:
    """How long its preStop hook sleeps at least; None when it does not, as far as one can see."""
    hook = _map(_map(container, "lifecycle"), "preStop")
    slept = _number(_map(hook, "sleep"), "seconds")
    if slept > 0:
        return float(slept)
    command = _map(hook, "exec").get("command")
    words = " ".join(map(str, command)) if isinstance(command, list) else ""
    found = [float(number) * _UNITS[unit] for number, unit in _SLEEP.findall(words)]
    return sum(found) or None


def _annotations(meta: Json, on: On) -> dict[str, str]:
    """Those of the contract and our own."""
    kept, own = _KEPT[on], f"{API_GROUP}/"
    pairs = _strings(meta, "annotations")
    return {key: value for key, value in pairs if key in kept or key.startswith(own)}


def _service_ports(spec: Json) -> Iterator[ServicePort]:
    for port in _maps(spec, "ports"):
        number, target = _number(port, "port"), port.get("targetPort")
        if not number:
            continue
        if isinstance(target, bool) or not isinstance(target, (int, str)) or not target:
            target = number  # what Kubernetes fills in, too
        yield ServicePort(_text(port, "name"), number, _text(port, "protocol") or "TCP", target)


def _addresses(item: Json) -> tuple[str, ...]:
    balancer = _map(_map(item, "status"), "loadBalancer")
    each = (_text(one, "ip") or _text(one, "hostname") for one in _maps(balancer, "ingress"))
    return tuple(filter(None, each))


def _paths(spec: Json) -> Iterator[IngressPath]:
    for rule in _maps(spec, "rules"):
        for path in _maps(_map(rule, "http"), "paths"):
            backend = _backend(_map(path, "backend"))
            if backend:
                yield IngressPath(_text(rule, "host"), _text(path, "path") or "/", backend)
    default = _backend(_map(spec, "defaultBackend"))
    if default:
        yield IngressPath("", "/", default)


def _backend(backend: Json) -> Backend | None:
    """None when it is no Service's port, but for instance a resource."""
    found = _map(backend, "service")
    name, port = _text(found, "name"), _map(found, "port")
    number = _text(port, "name") or _number(port, "number")
    return Backend(name, number) if name and number else None


def _tls_hosts(spec: Json) -> frozenset[str] | None:
    entries = [
        [one for one in _items(entry, "hosts") if isinstance(one, str)]
        for entry in _maps(spec, "tls")
    ]
    if not entries:
        return None
    return frozenset(host for hosts in entries for host in hosts) if all(entries) else frozenset()


def _layer_4(balancer: Json) -> Iterator[tuple[Setting, Json]]:
    for listener in _maps(balancer, "l4Listeners"):
        place = _text(listener, "protocol").upper(), _number(listener, "port")
        yield (*place, "", ""), _without(listener, "protocol", "port")


def _layer_7(balancer: Json) -> Iterator[tuple[Setting, Json]]:
    for listener in _maps(balancer, "l7Listeners"):
        place = _text(listener, "protocol").upper(), _number(listener, "port")
        for domain in _maps(listener, "domains"):
            for rule in _maps(domain, "rules"):
                where = _text(domain, "domain"), _text(rule, "url")
                yield (*place, *where), _without(rule, "url")


def _without(item: Json, *keys: str) -> Json:
    return {key: value for key, value in item.items() if key not in keys}


# Reading JSON of which nothing is certain.


def _map(item: Json, key: str) -> Json:
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def _items(item: Json, key: str) -> list[Any]:
    value = item.get(key)
    return value if isinstance(value, list) else []


def _maps(item: Json, key: str) -> Iterator[Json]:
    return (each for each in _items(item, key) if isinstance(each, dict))


def _strings(item: Json, key: str) -> Iterator[tuple[str, str]]:
    return ((k, v) for k, v in _map(item, key).items() if isinstance(v, str))


def _text(item: Json, key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _shared_text(item: Json, key: str) -> str:
    return sys.intern(_text(item, key))


def _number(item: Json, key: str) -> int:
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if abs(value) < _LARGEST else 0


def _time(item: Json, key: str) -> float | None:
    return moment(_text(item, key))


@lru_cache(maxsize=8192)
def _labels(pairs: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """All Pods of a ReplicaSet have the same labels: one dictionary does for them."""
    return {sys.intern(key): sys.intern(value) for key, value in pairs}


@lru_cache(maxsize=8192, typed=True)
def _share(value: Shared) -> Shared:
    """One object for all that are equal."""
    return value
