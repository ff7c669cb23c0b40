"""Join Services, Ingresses and workloads: which pod templates does CLB reach, in which mode?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from schemas.contract import NetworkMode
from transformer.model import Diagnostic, Resource, Settings


class Reached(NamedTuple):
    """What of the input becomes direct.

    ``modes`` gives the network mode by the index of each resource, ``via`` the names of the
    Services and Ingresses that reach it, ``conflicts`` the diagnostics by index of a workload
    that is pulled two ways.
    """

    modes: dict[int, NetworkMode]
    via: dict[int, tuple[str, ...]]
    conflicts: dict[int, Diagnostic]


def reach(resources: list[Resource], settings: Settings) -> Reached:
    """Follow every Service and Ingress that wants direct access to the workloads behind it.

    Linear in the number of resources, so long as labels tell workloads apart.
    """
    workloads = _Selection(resources)
    services: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for resource in resources:
        if resource.role == "service":
            services[resource.namespace, resource.short_name].append(resource)
    modes: dict[int, NetworkMode] = {}
    reached: dict[int, dict[str, NetworkMode]] = defaultdict(dict)
    for index, resource in enumerate(resources):
        if not resource.wants:
            continue
        mode = modes[index] = _mode_of(resource, settings)
        behind = [resource]
        if resource.role == "ingress":
            keys = [(resource.namespace, name) for name in resource.backends]
            behind = [service for key in keys for service in services.get(key, ())]
        for service in behind:
            for workload in workloads.of(service):
                reached[workload][resource.name] = mode
    conflicts: dict[int, Diagnostic] = {}
    for index, sources in reached.items():
        if len(set(sources.values())) > 1:
            conflicts[index] = _conflict(resources[index], sources)
        else:
            modes[index] = next(iter(sources.values()))
    return Reached(modes, {i: tuple(sources) for i, sources in reached.items()}, conflicts)


class _Selection:
    """Finds workloads by namespace and selector through their rarest label."""

    def __init__(self, resources: list[Resource]) -> None:
        self.resources = resources
        self.by_label: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for index, resource in enumerate(resources):
            if resource.role == "workload":
                for key, value in resource.labels.items():
                    self.by_label[resource.namespace, key, value].append(index)

    def of(self, service: Resource) -> Iterable[int]:
        wanted = service.selector.items()
        lists = [self.by_label.get((service.namespace, *pair), []) for pair in wanted]
        candidates = min(lists, key=len, default=[])
        return (index for index in candidates if wanted <= self.resources[index].labels.items())


def _mode_of(resource: Resource, settings: Settings) -> NetworkMode:
    for row in settings.overrides:
        in_namespace = not row.namespaces or resource.namespace in row.namespaces
        if in_namespace and row.selector.matches(resource.labels):
            return row.mode
    return settings.mode


def _conflict(workload: Resource, sources: dict[str, NetworkMode]) -> Diagnostic:
    pulls = ", ".join(f"{name} ({mode.value})" for name, mode in sources.items())
    return Diagnostic(
        "two-modes",
        workload.offset,
        f"is reached in two network modes: {pulls}; a Pod has one: change spec.overrides "
        "or the selectors so that they agree",
        workload.name,
    )
