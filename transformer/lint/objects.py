"""Kubernetes objects as rules see them: plain data, with names for what is asked for often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from schemas.contract import (
    CONTROLLER_CONFIG,
    INGRESS_GROUPS,
    READINESS_GATE,
    SERVICE_CONFIG_GROUP,
    SERVICE_CONFIG_KIND,
    SKIP,
    Workload,
)
from transformer.model import Settings
from transformer.resources import full_name
from transformer.values import Path, Value, at, integer, items, mapping, strings, text


@dataclass(eq=False)
class Object:
    """One object of the input.

    A hundred rules ask it the same questions, so every answer is kept.

    ``source`` is the index of its file, ``chunk`` the piece of it in bytes, ``root`` the document
    in that piece and ``path`` the way from that document to the object (for items of a List).
    ``selector`` (of a Service) and ``pod_labels`` are as written, for transform joins by them too.
    ``offset`` is where it starts in the file, in bytes.  ``template`` leads from the object to
    its pod template, None for what makes no Pods.
    """

    subject: str
    group: str
    version: str
    kind: str
    namespace: str
    name: str
    data: dict[str, Value]
    selector: dict[str, str]
    pod_labels: dict[str, str]
    template: tuple[str, ...] | None
    source: int
    chunk: tuple[int, int]
    root: int
    path: Path
    offset: int

    @cached_property
    def shown(self) -> str:
        """``Kind namespace/name``, for messages."""
        return full_name(self.kind, self.namespace, self.name)

    @cached_property
    def api_version(self) -> str:
        """``group/version``, or the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def key(self) -> tuple[int, int]:
        """What tells it from every other object of the input."""
        return self.source, self.offset

    def get(self, *path: str | int) -> Value:
        """What is at `path`; None when there is nothing."""
        return at(self.data, *path)

    @cached_property
    def raw_annotations(self) -> dict[str, Value]:
        """The object's own annotations as they are read, strings or not."""
        return mapping(at(self.data, "metadata", "annotations"))

    @cached_property
    def annotations(self) -> dict[str, str]:
        """The object's own annotations that are strings."""
        return strings(at(self.data, "metadata", "annotations"))

    @cached_property
    def labels(self) -> dict[str, str]:
        """The object's own labels that are strings."""
        return strings(at(self.data, "metadata", "labels"))

    @cached_property
    def skipped(self) -> bool:
        """Whether its author wants it left alone."""
        return self.annotations.get(SKIP, "").lower() == "true"

    # Of objects that make Pods:

    def in_template(self, *path: str | int) -> Path:
        """The way from the object to `path` inside its pod template."""
        return (*(self.template or ()), *path)

    @cached_property
    def pod(self) -> dict[str, Value]:
        """The pod template."""
        return mapping(at(self.data, *(self.template or ())))

    @cached_property
    def pod_spec(self) -> dict[str, Value]:
        """The spec of the pod template."""
        return mapping(at(self.data, *(self.template or ()), "spec"))

    @cached_property
    def pod_annotations(self) -> dict[str, str]:
        """The annotations of the pod template that are strings."""
        return strings(at(self.pod, "metadata", "annotations"))

    @cached_property
    def containers(self) -> list[dict[str, Value]]:
        """The containers of the pod template, init containers not among them."""
        return [mapping(item) for item in items(self.pod_spec.get("containers"))]

    @cached_property
    def gates(self) -> list[str]:
        """The condition types of the readiness gates of the pod template."""
        gates = items(self.pod_spec.get("readinessGates"))
        found = (text(at(gate, "conditionType")) for gate in gates)
        return [gate for gate in found if gate is not None]

    def has_gate(self, own: str) -> bool:
        """Whether a gate waits for CLB: TKE's, or `own` of the configuration."""
        return any(gate in (own, READINESS_GATE) for gate in self.gates)

    @cached_property
    def replicas(self) -> int | None:
        """``spec.replicas``, 1 when it is not said, None for kinds that do not have it."""
        if self.kind in ("DaemonSet", "Job", "CronJob", "Pod"):
            return None
        said = self.get("spec", "replicas")
        return 1 if said is None else integer(said)

    # Of Services:

    @cached_property
    def ports(self) -> list[dict[str, Value]]:
        """The ports of a Service."""
        return [mapping(port) for port in items(self.get("spec", "ports"))]

    # Of Ingresses:

    def backends(self) -> Iterator[tuple[Path, str, Value]]:
        """Every backend Service of an Ingress of any API version: where, its name, its port.

        The port is a number, a name, or None when it is missing.
        """
        places: list[Path] = [("spec", "defaultBackend"), ("spec", "backend")]
        for index, rule in enumerate(items(self.get("spec", "rules"))):
            for number, _ in enumerate(items(at(rule, "http", "paths"))):
                places.append(("spec", "rules", index, "http", "paths", number, "backend"))
        for place in places:
            backend = mapping(self.get(*place))
            if (name := text(at(backend, "service", "name"))) is not None:
                port = mapping(at(backend, "service", "port"))
                yield place, name, port.get("number", port.get("name"))
            elif (name := text(backend.get("serviceName"))) is not None:
                yield place, name, backend.get("servicePort")


class Subject(NamedTuple):
    """A sort of object that rules are about; its rules are in the folder of that name."""

    name: str
    matches: Callable[[str, str], bool]  # of API group and kind


SUBJECTS: tuple[Subject, ...] = (
    Subject("service", lambda group, kind: (group, kind) == ("", "Service")),
    Subject("ingress", lambda group, kind: kind == "Ingress" and group in INGRESS_GROUPS),
    Subject(
        "service_config",
        lambda group, kind: group == SERVICE_CONFIG_GROUP and kind.lower() == SERVICE_CONFIG_KIND,
    ),
    Subject(
        "autoscaler",
        lambda group, kind: (group, kind) == ("autoscaling", "HorizontalPodAutoscaler"),
    ),
    Subject(
        "disruption_budget", lambda group, kind: (group, kind) == ("policy", "PodDisruptionBudget")
    ),
    Subject("config_map", lambda group, kind: (group, kind) == ("", "ConfigMap")),
)

# Objects that make Pods; which kinds those are is configuration.
WORKLOAD = "workload"

# The kinds that are read at all; a ConfigMap only when it is the one that switches TKE.
_KINDS = {
    "service",
    "ingress",
    "horizontalpodautoscaler",
    "poddisruptionbudget",
    SERVICE_CONFIG_KIND,
}


def matters(kind: str | None, piece: bytes, settings: Settings) -> bool:
    """Whether a piece of a stream can hold an object that rules are about."""
    if kind is None or kind in settings.workloads or kind.endswith("List"):
        return True
    if kind == "ConfigMap":
        return CONTROLLER_CONFIG.encode() in piece
    return kind.lower() in _KINDS


def subject_of(group: str, kind: str, settings: Settings) -> tuple[str, Workload | None] | None:
    """The subject that an object belongs to, and its row when it makes Pods."""
    row = settings.workloads.get(kind, {}).get(group)
    if row is not None:
        return WORKLOAD, row
    for subject in SUBJECTS:
        if subject.matches(group, kind):
            return subject.name, None
    return None
