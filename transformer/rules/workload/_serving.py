"""Which containers answer what CLB sends, and for how long CLB looks at a Pod before it does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from schemas.contract import GRACE_DELETION, MODES
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.values import Path, Value, at, integer, items, mapping, text

# Their Pods end by themselves: nobody rolls them out or drains them.
_FINISHING = ("Job", "CronJob")

# CLB probes every so many seconds, and wants so many good answers
# (CLB docs, "Health check overview": the defaults).
_INTERVAL, _HEALTHY = 5, 3


class Container(NamedTuple):
    """A container with the way to it from the workload."""

    path: Path
    data: dict[str, Value]

    @property
    def name(self) -> str:
        """Its name, for messages."""
        return text(self.data.get("name")) or "(unnamed)"


def finishes(workload: Object) -> bool:
    """Whether its Pods are there to end."""
    return workload.kind in _FINISHING


@lru_cache(maxsize=16)  # several rules ask for each workload
def serves(workload: Object, build: Build) -> bool:
    """Whether CLB is to bind the Pods of `workload` for good, can, and nobody opted out."""
    if not build.is_direct(workload) or workload.skipped or finishes(workload):
        return False
    return all(MODES[mode].supported for mode in build.settings.modes)


def is_deleted_gracefully(workload: Object, build: Build) -> bool:
    """Whether TKE keeps the kubelet waiting until CLB has stopped sending requests."""
    return all(
        entry.annotations.get(GRACE_DELETION[entry.subject]) == "true"
        for entry in build.entry_points(workload)
    )


def direct_services(workload: Object, build: Build) -> list[Object]:
    """The Services through which direct traffic comes, be it for an Ingress."""
    return [
        service
        for service in build.services_of(workload)
        if build.is_direct(service) or any(_direct_ingresses(service, build))
    ]


@lru_cache(maxsize=16)
def servers(workload: Object, build: Build) -> tuple[Container, ...]:
    """The containers that declare a port which CLB binds; empty when none declares one."""
    ports = [port for row in direct_services(workload, build) for port in _targets(row, build)]
    return tuple(row for row in _long_running(workload) if _declares(row.data, ports))


def lacking(workload: Object, build: Build, *field: str) -> list[Container]:
    """The containers that serve and that have nothing at `field`.

    When no container declares the port, the first one stands for all of them, unless any of them
    has the field: it may be the one that serves.
    """
    declared = servers(workload, build)
    if declared:
        return [row for row in declared if not at(row.data, *field)]
    everyone = _long_running(workload)
    return [] if any(at(row.data, *field) for row in everyone) else everyone[:1]


def window(workload: Object, build: Build) -> int:
    """Seconds from the moment CLB binds a Pod until it sends requests there.

    That is interval times good answers, as the TkeServiceConfigs in the build or CLB's defaults
    say; the longest one counts.
    """
    waits = [
        (integer(check.get("intervalTime")) or _INTERVAL)
        * (integer(check.get("healthNum")) or _HEALTHY)
        for entry in build.entry_points(workload)
        for check in _health_checks(entry, build)
        if check.get("enable") is not False
    ]
    return max(waits, default=_INTERVAL * _HEALTHY)


def _long_running(workload: Object) -> list[Container]:
    """The containers, and those init containers that go on beside them."""
    found = []
    for field in ("containers", "initContainers"):
        for index, item in enumerate(items(workload.pod_spec.get(field))):
            data = mapping(item)
            if field == "containers" or data.get("restartPolicy") == "Always":
                found.append(Container(workload.in_template("spec", field, index), data))
    return found


def _declares(container: dict[str, Value], ports: list[Value]) -> bool:
    rows = [mapping(row) for row in items(container.get("ports"))]
    mine = [row.get(field) for row in rows for field in ("containerPort", "name")]
    return any(port in mine for port in ports if port is not None)


def _direct_ingresses(service: Object, build: Build) -> Iterator[Object]:
    return (one for one in build.ingresses_of(service) if build.is_direct(one))


def _targets(service: Object, build: Build) -> Iterator[Value]:
    """The target ports, by number or name, that CLB binds for a Service."""
    everything = build.is_direct(service)
    wanted = {
        str(port)
        for ingress in _direct_ingresses(service, build)
        for _, name, port in ingress.backends()
        if name == service.name and port is not None
    }
    for row in service.ports:
        if everything or wanted & {str(row.get("port")), str(row.get("name"))}:
            target = row.get("targetPort")
            yield row.get("port") if target is None else target


def _health_checks(entry: Object, build: Build) -> Iterator[dict[str, Value]]:
    config = build.config_of(entry)
    if config is None:
        return
    balancer = config.get("spec", "loadBalancer")
    ports = [row.get("port") for row in entry.ports]
    for listener in items(at(balancer, "l4Listeners")):
        if at(listener, "port") in ports:
            yield mapping(at(listener, "healthCheck"))
    for listener in items(at(balancer, "l7Listeners")):
        for domain in items(at(listener, "domains")):
            for rule in items(at(domain, "rules")):
                yield mapping(at(rule, "healthCheck"))
