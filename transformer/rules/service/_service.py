"""What rules about Services share: who serves one, its listeners, where its ports lead."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from schemas.contract import (
    EXISTING_CLB,
    LISTENER_PROTOCOLS,
    LISTENER_QUOTA,
    LOAD_BALANCER_CLASS,
    MODES,
    SPECIFY_PROTOCOL,
    SYNC_MODE,
    SYNC_SKIP,
    Mode,
)
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.values import Path, Value, at, integer, items, mapping, text

CLB_KEY = EXISTING_CLB["service"]

SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")

_DIGITS = 5  # of a port


def annotation(key: str) -> Path:
    """The way to the annotation `key`."""
    return ("metadata", "annotations", key)


def is_true(service: Object, key: str) -> bool:
    """Whether an annotation says ``"true"``."""
    return service.annotations.get(key, "").lower() == "true"


def mode_of(service: Object, build: Build) -> Mode:
    """The network mode that reaches `service`, or else that of the configuration."""
    return MODES[build.plan(service).mode or build.settings.mode]


def is_direct(service: Object, build: Build) -> bool:
    """Whether CLB is to bind Pods for `service`, can do so, and it is ours to judge."""
    wanted = build.is_direct(service) and not service.skipped
    return wanted and mode_of(service, build).supported


def is_load_balancer(service: Object) -> bool:
    """Whether `service` asks for a load balancer."""
    return service.get("spec", "type") == "LoadBalancer"


def is_parked(service: Object) -> bool:
    """Whether TKE's controller is told to leave `service` alone."""
    return service.annotations.get(SYNC_MODE["service"]) == SYNC_SKIP


def by_tke(service: Object) -> bool:
    """Whether TKE's controller serves `service`."""
    named = text(service.get("spec", "loadBalancerClass"))
    return is_load_balancer(service) and not named and not is_parked(service)


def by_binder(service: Object, build: Build) -> bool:
    """Whether our own binder serves `service`: by class, or because TKE leaves it alone."""
    if not is_load_balancer(service):
        return False
    named = text(service.get("spec", "loadBalancerClass"))
    parked = not named and is_parked(service) and build.declares(service)
    return named == LOAD_BALANCER_CLASS or parked


def on_clb(service: Object, build: Build) -> bool:
    """Whether `service` gets listeners on a CLB, whoever makes them."""
    return by_tke(service) or by_binder(service, build)


def is_one_clb(clb: str) -> bool:
    """Whether `clb` is the id of a CLB, not ``lb-xxxxxxxx`` of an example or ``${CLB}``."""
    unique = clb.removeprefix("lb-")
    return unique != clb and unique.isalnum() and bool(unique.strip("x"))


def existing_clb(service: Object) -> str:
    """The existing CLB that `service` names, '' when TKE creates one."""
    return service.annotations.get(CLB_KEY, "")


def is_same(one: Object, other: Object) -> bool:
    """Whether two objects may be versions of one: overlays repeat it, some without namespace."""
    namespaces = {one.namespace, other.namespace}
    return one.name == other.name and (len(namespaces) == 1 or "" in namespaces)


def earlier_on_clb(service: Object, build: Build) -> Iterator[Object]:
    """The other Services with listeners on the existing CLB of `service`, up to `service`.

    No more than a CLB has listeners, so that a thousand Services of one CLB cost no square of it.
    """
    clb, left = existing_clb(service), LISTENER_QUOTA
    for other in build.sharing(clb) if is_one_clb(clb) else ():
        if other.key == service.key or not left:
            return
        if other.subject == "service" and on_clb(other, build) and not is_same(other, service):
            left -= 1
            yield other


# JSON in annotations:


def parsed(service: Object, key: str) -> Value:
    """The JSON in an annotation; None when there is none or it is broken."""
    try:
        found: Value = json.loads(service.annotations.get(key, "null"))
    except (ValueError, RecursionError):
        return None
    return found


def listed(names: list[str], most: int = 3) -> str:
    """Names for a message: the first ones, and how many there are beyond."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


# Ports:


class Listener(NamedTuple):
    """A CLB listener: of which port of its Service (by index), its own port and protocol."""

    number: int
    port: int
    protocol: str

    @property
    def transport(self) -> str:
        """TCP or UDP: two listeners of one CLB share a port only when these differ."""
        known = LISTENER_PROTOCOLS.get(self.protocol)
        return known.transport if known else self.protocol


def protocol_of(port: dict[str, Value]) -> str:
    """The protocol of a port of a Service or container."""
    return text(port.get("protocol")) or "TCP"


def specified(service: Object) -> dict[str, Value]:
    """What the annotation specify-protocol says, by port as it is written there."""
    return mapping(parsed(service, SPECIFY_PROTOCOL))


def specified_protocols(row: Value) -> list[str]:
    """The known protocols that a row of the annotation gives a port."""
    found = [text(item) for item in items(at(row, "protocol"))]
    return [item for item in found if item in LISTENER_PROTOCOLS]


@lru_cache(maxsize=64)
def listeners(service: Object) -> list[Listener]:
    """The listeners that CLB gets for `service`."""
    rows, ports = specified(service), service.ports
    found: dict[tuple[int, str], Listener] = {}
    numbers = [integer(port.get("port")) for port in ports]
    times = Counter(numbers)
    for index, (port, number) in enumerate(zip(ports, numbers)):
        if number is None:
            continue
        own = protocol_of(port)
        made = [
            Listener(index, number, name) for name in specified_protocols(rows.get(str(number)))
        ]
        if times[number] > 1:  # the other transport of this number has a port of its own
            made = [one for one in made if one.transport == own]
        for one in made or [Listener(index, number, own)]:
            found.setdefault((one.port, one.protocol), one)
    return list(found.values())


def target_of(port: dict[str, Value]) -> int | str | None:
    """Where a port leads: a number, the name of a container port, None when it is not readable."""
    target = port.get("targetPort")
    if target is None or target in (0, ""):
        return integer(port.get("port"))
    number = integer(target)
    named = text(target)
    if named is not None and named.isdecimal() and len(named) <= _DIGITS:
        return int(named)
    return named or number


@lru_cache(maxsize=64)
def container_ports(workload: Object) -> dict[tuple[str, str], int]:
    """The named ports of a workload's Pods, by name and protocol, as Kubernetes finds them."""
    sidecars = [mapping(item) for item in items(workload.pod_spec.get("initContainers"))]
    sidecars = [item for item in sidecars if item.get("restartPolicy") == "Always"]
    found: dict[tuple[str, str], int] = {}
    for container in (*workload.containers, *sidecars):
        for port in (mapping(item) for item in items(container.get("ports"))):
            name, number = text(port.get("name")), integer(port.get("containerPort"))
            if name is not None and number is not None:
                found.setdefault((name, protocol_of(port)), number)
    return found
