"""The objects of one build, joined: who selects, scales, covers, routes to and configures whom.

Every index is made when it is asked for first, and costs a look-up afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

from schemas.contract import (
    EXISTING_CLB,
    SERVICE_CONFIG,
)
from transformer.lint.objects import WORKLOAD, Object
from transformer.model import LabelSelector, Requirement
from transformer.values import Value, at, items, mapping, strings, text

Key = tuple[int, int]  # Object.key


class Joins:
    """The objects of one run and their relations."""

    def __init__(self, objects: list[Object]) -> None:
        self.objects = objects
        self.by_subject: dict[str, list[Object]] = defaultdict(list)
        for one in objects:
            self.by_subject[one.subject].append(one)

    def workloads_of(self, service: Object) -> list[Object]:
        """The workloads that a Service selects."""
        return self._workloads.get(service.key, [])

    def services_of(self, workload: Object) -> list[Object]:
        """The Services that select `workload`."""
        return self._services.get(workload.key, [])

    def labelled(self, namespace: str, key: str) -> Mapping[str, list[Object]]:
        """The workloads of a namespace whose Pods carry the label `key`, by its value."""
        return self._by_label.get((namespace, key), {})

    def service_named(self, namespace: str, name: str) -> Object | None:
        """The Service of that name, None when it is not in the build."""
        found = self._services_by_name.get((namespace, name))
        return found[0] if found else None

    def services_named(self, namespace: str, name: str) -> list[Object]:
        """All Services of that name: a base and its overlays say it more than once."""
        return self._services_by_name.get((namespace, name), [])

    def has_services(self, namespace: str) -> bool:
        """Whether any Service of that namespace is in the build."""
        return namespace in self._service_namespaces

    def may_be_service(self, namespace: str, name: str) -> bool:
        """Whether a Service of that name may be there, once those without namespace have one."""
        return any(_meet(namespace, other) for other in self._service_places.get(name, ()))

    def may_be_selected(self, workload: Object) -> bool:
        """Whether a Service may select `workload`, once those without namespace have one."""
        labels = workload.pod_labels.items()
        found = (one for pair in labels for one in self._by_selector.get(pair, ()))
        return any(
            one.selector.items() <= labels and _meet(one.namespace, workload.namespace)
            for one in found
        )

    def ingresses_of(self, service: Object) -> list[Object]:
        """The Ingresses that send traffic to `service`."""
        return self._ingresses_by_backend.get((service.namespace, service.name), [])

    def may_be_backend(self, service: Object) -> bool:
        """Whether an Ingress may use `service`, once those without namespace have one."""
        places = self._backend_places.get(service.name, ())
        return any(_meet(service.namespace, other) for other in places)

    def autoscalers_of(self, workload: Object) -> list[Object]:
        """The HorizontalPodAutoscalers that scale `workload`."""
        return self._autoscalers.get((workload.namespace, workload.kind, workload.name), [])

    def covered_by(self, budget: Object) -> list[Object]:
        """The workloads whose Pods a PodDisruptionBudget covers."""
        wanted = budget.get("spec", "selector")
        # policy/v1beta1 reads an empty selector as nothing, policy/v1 as everything.
        if not isinstance(wanted, dict) or not (wanted or budget.version == "v1"):
            return []
        selector = _selector(wanted)
        lists = [self._labelled(budget.namespace, *pair) for pair in selector.labels]
        candidates = min(lists, key=len) if lists else self.by_subject[WORKLOAD]
        return [
            one
            for one in candidates
            if one.namespace == budget.namespace and selector.matches(one.pod_labels)
        ]

    def target_of(self, autoscaler: Object) -> Object | None:
        """The workload that a HorizontalPodAutoscaler scales, None when it is not here."""
        kind = text(autoscaler.get("spec", "scaleTargetRef", "kind")) or ""
        name = text(autoscaler.get("spec", "scaleTargetRef", "name")) or ""
        return self._workloads_by_name.get((autoscaler.namespace, kind, name))

    def config_of(self, one: Object) -> Object | None:
        """The TkeServiceConfig that a Service or Ingress names, None when it is not here."""
        name = one.annotations.get(SERVICE_CONFIG[one.subject], "")
        return self._configs.get((one.namespace, name))

    def users_of(self, config: Object) -> list[Object]:
        """The Services and Ingresses that name a TkeServiceConfig."""
        return self._config_users.get((config.namespace, config.name), [])

    def sharing(self, clb: str) -> list[Object]:
        """The Services and Ingresses that use the existing CLB `clb`, in order."""
        return self._by_clb.get(clb, [])

    @cached_property
    def _by_clb(self) -> dict[str, list[Object]]:
        found: dict[str, list[Object]] = defaultdict(list)
        for subject, key in EXISTING_CLB.items():
            for one in self.by_subject[subject]:
                if clb := one.annotations.get(key):
                    found[clb].append(one)
        return found

    @cached_property
    def _configs(self) -> dict[tuple[str, str], Object]:
        return {(one.namespace, one.name): one for one in self.by_subject["service_config"]}

    @cached_property
    def _config_users(self) -> dict[tuple[str, str], list[Object]]:
        found: dict[tuple[str, str], list[Object]] = defaultdict(list)
        for subject, key in SERVICE_CONFIG.items():
            for one in self.by_subject[subject]:
                if name := one.annotations.get(key):
                    found[one.namespace, name].append(one)
        return found

    @cached_property
    def _autoscalers(self) -> dict[tuple[str, str, str], list[Object]]:
        found: dict[tuple[str, str, str], list[Object]] = defaultdict(list)
        for one in self.by_subject["autoscaler"]:
            target = mapping(one.get("spec", "scaleTargetRef"))
            kind, name = text(target.get("kind")), text(target.get("name"))
            if kind and name:
                found[one.namespace, kind, name].append(one)
        return found

    @cached_property
    def _services_by_name(self) -> dict[tuple[str, str], list[Object]]:
        found: dict[tuple[str, str], list[Object]] = defaultdict(list)
        for one in self.by_subject["service"]:
            found[one.namespace, one.name].append(one)
        return found

    @cached_property
    def _service_namespaces(self) -> frozenset[str]:
        return frozenset(namespace for namespace, _ in self._services_by_name)

    @cached_property
    def _service_places(self) -> dict[str, set[str]]:
        return _places(self._services_by_name)

    @cached_property
    def _backend_places(self) -> dict[str, set[str]]:
        return _places(self._ingresses_by_backend)

    @cached_property
    def _by_selector(self) -> dict[tuple[str, str], list[Object]]:
        """The Services by one label of those that they ask for."""
        found: dict[tuple[str, str], list[Object]] = defaultdict(list)
        for service in self.by_subject["service"]:
            for pair in list(service.selector.items())[:1]:
                found[pair].append(service)
        return found

    @cached_property
    def _ingresses_by_backend(self) -> dict[tuple[str, str], list[Object]]:
        found: dict[tuple[str, str], list[Object]] = defaultdict(list)
        for one in self.by_subject["ingress"]:
            for name in dict.fromkeys(name for _, name, _ in one.backends()):
                found[one.namespace, name].append(one)
        return found

    def _labelled(self, namespace: str, key: str, value: str) -> list[Object]:
        return self._by_label.get((namespace, key), {}).get(value, [])

    @cached_property
    def _workloads_by_name(self) -> dict[tuple[str, str, str], Object]:
        return {(one.namespace, one.kind, one.name): one for one in self.by_subject[WORKLOAD]}

    @cached_property
    def _workloads(self) -> dict[Key, list[Object]]:
        found = {}
        for service in self.by_subject["service"]:
            wanted = service.selector.items()
            lists = [self._labelled(service.namespace, *pair) for pair in wanted]
            rarest = min(lists, key=len, default=[])
            found[service.key] = [one for one in rarest if wanted <= one.pod_labels.items()]
        return found

    @cached_property
    def _by_label(self) -> dict[tuple[str, str], dict[str, list[Object]]]:
        found: dict[tuple[str, str], dict[str, list[Object]]] = defaultdict(dict)
        for one in self.by_subject[WORKLOAD]:
            for key, value in one.pod_labels.items():
                found[one.namespace, key].setdefault(value, []).append(one)
        return found

    @cached_property
    def _services(self) -> dict[Key, list[Object]]:
        found: dict[Key, list[Object]] = defaultdict(list)
        for service in self.by_subject["service"]:
            for workload in self._workloads[service.key]:
                found[workload.key].append(service)
        return found


def _places(keys: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """The namespaces in which a name stands."""
    found: dict[str, set[str]] = defaultdict(set)
    for namespace, name in keys:
        found[name].add(namespace)
    return found


def _meet(namespace: str, other: str) -> bool:
    """Whether two namespaces are one, or may be: kustomize gives one to those that have none."""
    return namespace == other or not (namespace and other)


def _selector(value: Value) -> LabelSelector:
    rows = [mapping(row) for row in items(at(value, "matchExpressions"))]
    return LabelSelector(
        tuple(strings(at(value, "matchLabels")).items()),
        tuple(
            Requirement(
                text(row.get("key")) or "",
                text(row.get("operator")) or "",
                tuple(item for item in items(row.get("values")) if isinstance(item, str)),
            )
            for row in rows
        ),
    )
