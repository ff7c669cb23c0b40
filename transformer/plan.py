"""What a resource lacks for direct access in one network mode, as a patch.

Pure look-ups over the tables in ``schemas.contract``.  A manifest that says the contrary of what
is wanted is refused, never overruled.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from schemas.contract import (
    ENI_RESOURCES,
    INGRESS_DIRECT_ACCESS,
    INGRESS_GRACE_SHUTDOWN,
    MODES,
    NETWORKS,
    SERVICE_DIRECT_ACCESS,
    SERVICE_GRACE_SHUTDOWN,
    SKIP,
    Mode,
    NetworkMode,
)
from transformer.errors import Refused
from transformer.lookup import child, string
from transformer.model import Append, Items, Patch, Settings
from transformer.resources import Located
from transformer.tree import Mapping, Node, Scalar, Sequence, is_null, start

_ENI_NETWORKS = {mode.networks for mode in MODES.values() if mode.networks}
# What YAML 1.1, and so Kubernetes, reads as true.
_TRUE = ("true", "yes", "on", "y")
_SWITCH = {
    "service": (SERVICE_DIRECT_ACCESS, SERVICE_GRACE_SHUTDOWN),
    "ingress": (INGRESS_DIRECT_ACCESS, INGRESS_GRACE_SHUTDOWN),
}


def patch(located: Located, mode: NetworkMode, settings: Settings) -> Patch | None:
    """What to add to this resource so that `mode` is complete; None when nothing is missing.

    Raises Refused when the manifest contradicts direct access.
    """
    if located.workload is None:
        wanted = _entry_point(located, settings)
        path: tuple[str | int, ...] = ()
    else:
        path = located.workload.template
        template = child(located.node, *path)
        if template is None:
            raise Refused(
                "no-pod-template",
                start(located.node),
                ".".join(located.workload.template),
                "the pod template is missing",
            )
        wanted = _pod_template(_Template(template, path), MODES[mode], settings)
    return nest((*located.path, *path), wanted) if wanted else None


def nest(path: tuple[str | int, ...], inner: Patch) -> Patch:
    """`inner`, to be applied at `path`."""
    for step in reversed(path):
        inner = Items({step: inner}) if isinstance(step, int) else {step: inner}
    return inner


def combine(first: Patch, second: Patch) -> Patch:
    """Both patches in one; they must not write the same place."""
    if isinstance(first, Items) and isinstance(second, Items):
        both: dict[int, Patch] = dict(first.by_index)
        for index, inner in second.by_index.items():
            both[index] = combine(both[index], inner) if index in both else inner
        return Items(both)
    assert isinstance(first, dict) and isinstance(second, dict)
    merged = dict(first)
    for key, inner in second.items():
        merged[key] = combine(merged[key], inner) if key in merged else inner
    return merged


def leaves(wanted: Patch, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places that `wanted` writes: paths of its scalars; of a sequence, the sequence's own."""
    if isinstance(wanted, dict):
        for key, inner in wanted.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(wanted, Items):
        for index, inner in wanted.by_index.items():
            yield from leaves(inner, (*path, index))
    else:
        yield path


def restricted(
    wanted: Patch, places: Collection[tuple[str | int, ...]], path: tuple[str | int, ...] = ()
) -> Patch | None:
    """`wanted` without the leaves that are not among `places`; None when nothing is left."""
    if isinstance(wanted, dict):
        inside = {key: restricted(inner, places, (*path, key)) for key, inner in wanted.items()}
        return {key: inner for key, inner in inside.items() if inner is not None} or None
    if isinstance(wanted, Items):
        rows = wanted.by_index.items()
        within = {index: restricted(inner, places, (*path, index)) for index, inner in rows}
        kept = {index: inner for index, inner in within.items() if inner is not None}
        return Items(kept) if kept else None
    return wanted if path in places else None


def _entry_point(located: Located, settings: Settings) -> dict[str, Patch]:
    """The annotations that a Service or Ingress lacks."""
    switch, grace = _SWITCH[located.resource.role]
    annotations = child(located.node, "metadata", "annotations")
    missing: dict[str, Patch] = {}
    expected = f'"true" (or "false", or {SKIP}: "true", to opt out)'
    if _lacks(annotations, switch, "true", expected, "direct-access-value"):
        missing[switch] = "true"
    if settings.graceful and child(annotations, grace) is None:
        missing[grace] = "true"
    return {"metadata": {"annotations": missing}} if missing else {}


def _lacks(annotations: Node | None, key: str, value: str, expected: str, code: str) -> bool:
    """Whether annotation `key` must be written; raises Refused when it says something else."""
    found = child(annotations, key)
    if found is None or is_null(found):
        return True
    if type(found) is Scalar:
        plain = not found.style and found.ctag is None
        if plain and found.value.lower() == value:
            return True  # a boolean or number where Kubernetes wants a string: quote it
        if found.value == value:
            return False
    raise Refused(
        code,
        start(found),
        f"metadata.annotations[{key}]",
        f"is {_shown(found)}, expected {expected}",
    )


def _shown(node: Node) -> str:
    return json.dumps(node.value, ensure_ascii=False) if type(node) is Scalar else "not a string"


class _Template:
    """A pod template with the names for messages about it."""

    def __init__(self, node: Node, path: tuple[str, ...]) -> None:
        self.node, self.prefix = node, ".".join(path)
        self.spec = child(node, "spec")
        found = child(self.spec, "containers")
        self.containers = found.parts if type(found) is Sequence else []

    def refuse(self, code: str, at: Node | None, field: str, message: str) -> Refused:
        field = f"{self.prefix}.{field}" if self.prefix else field
        return Refused(code, start(at if at is not None else self.node), field, message)


def _pod_template(template: _Template, mode: Mode, settings: Settings) -> dict[str, Patch]:
    host_network = child(template.spec, "hostNetwork")
    if type(host_network) is Scalar and host_network.value.lower() in _TRUE:
        raise template.refuse(
            "host-network",
            host_network,
            "spec.hostNetwork",
            "is true: a Pod on the host's network has no address of its own for CLB to bind; "
            f'remove it, or take the workload out with {SKIP}: "true"',
        )
    if type(template.spec) is not Mapping or not template.containers:
        raise template.refuse(
            "no-containers", template.spec, "spec.containers", "a Pod has at least one container"
        )
    _reject_eni(template, mode)
    wanted: dict[str, Patch] = {}
    if mode.networks and _lacks_network(template, mode.networks):
        wanted["metadata"] = {"annotations": {NETWORKS: mode.networks}}
    spec = _pod_spec(template, mode, settings)
    if spec:
        wanted["spec"] = spec
    return wanted


def _pod_spec(template: _Template, mode: Mode, settings: Settings) -> dict[str, Patch]:
    spec: dict[str, Patch] = {}
    containers: dict[int, Patch] = {}
    if mode.resource:
        index = _eni_container(template, mode.resource, settings.container)
        missing = _lacking_resources(template, index, mode.resource)
        if missing:
            containers[index] = {"resources": missing}
    if settings.graceful:
        if child(template.containers[0], "lifecycle", "preStop") is None:
            sleep: list[Patch] = ["sleep", str(settings.pre_stop_s)]
            hook: dict[str, Patch] = {"lifecycle": {"preStop": {"exec": {"command": sleep}}}}
            containers[0] = combine(containers[0], hook) if 0 in containers else hook
        if child(template.spec, "terminationGracePeriodSeconds") is None:
            spec["terminationGracePeriodSeconds"] = settings.grace_period_s
    if containers:
        spec["containers"] = Items(containers)
    if _lacks_gate(template, mode, settings):
        spec["readinessGates"] = Append({"conditionType": settings.gate})
    return spec


def _reject_eni(template: _Template, mode: Mode) -> None:
    """Refuse what would leave Pods unschedulable or on the wrong network in `mode`."""
    networks = child(template.node, "metadata", "annotations", NETWORKS)
    asked = set((string(networks) or "").split(",")) & _ENI_NETWORKS
    if mode.forbids_eni and asked:
        raise template.refuse(
            "eni-in-global-router",
            networks,
            f"metadata.annotations[{NETWORKS}]",
            f"asks for an ENI, which mode {mode.name.value} does not have; remove it, "
            "or choose the mode that the cluster really has",
        )
    wrong = [name for name in ENI_RESOURCES if name != mode.resource]
    if not (mode.forbids_eni or mode.resource):
        return
    for index, container in enumerate(template.containers):
        for side in ("requests", "limits"):
            for name in wrong:
                found = child(container, "resources", side, name)
                if found is not None:
                    raise template.refuse(
                        "wrong-eni-resource",
                        found,
                        f"spec.containers[{index}].resources.{side}[{name}]",
                        f"is not a resource of mode {mode.name.value}: Pods would stay "
                        "unschedulable; remove it",
                    )


def _lacks_network(template: _Template, value: str) -> bool:
    annotations = child(template.node, "metadata", "annotations")
    found = string(annotations, NETWORKS)
    if found is not None and value in found.split(","):
        return False
    try:
        return _lacks(annotations, NETWORKS, value, f'"{value}"', "wrong-network")
    except Refused as refused:
        at = child(annotations, NETWORKS)
        raise template.refuse(refused.code, at, refused.field, refused.message) from None


def _eni_container(template: _Template, resource: str, name: str | None) -> int:
    """The container that asks for the ENI: one that already does, the named one, or the first."""
    for index, container in enumerate(template.containers):
        for side in ("requests", "limits"):
            if child(container, "resources", side, resource) is not None:
                return index
    names = [string(container, "name") for container in template.containers]
    return names.index(name) if name in names else 0


def _lacking_resources(template: _Template, index: int, resource: str) -> dict[str, Patch]:
    missing: dict[str, Patch] = {}
    for side in ("requests", "limits"):
        found = child(template.containers[index], "resources", side, resource)
        if found is None or is_null(found):
            missing[side] = {resource: "1"}
        elif string(found) != "1":
            raise template.refuse(
                "wrong-eni-count",
                found,
                f"spec.containers[{index}].resources.{side}[{resource}]",
                f'is {_shown(found)}, expected "1": a Pod has one address',
            )
    return missing


def _lacks_gate(template: _Template, mode: Mode, settings: Settings) -> bool:
    inject = mode.gate if settings.inject is None else settings.inject
    gates = child(template.spec, "readinessGates")
    present = gates.parts if type(gates) is Sequence else []
    return inject and all(string(gate, "conditionType") != settings.gate for gate in present)
