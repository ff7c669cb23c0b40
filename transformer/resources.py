"""Find the Services, Ingresses and workloads in a tree and reduce them to what joins them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas.contract import (
    INGRESS_CLASS,
    INGRESS_CLASS_ANNOTATION,
    INGRESS_DIRECT_ACCESS,
    INGRESS_GROUPS,
    LOAD_BALANCER_CLASS,
    PREFIXES,
    PREVIOUS_NAMES,
    SERVICE_DIRECT_ACCESS,
    SKIP,
    SUFFIXES,
    Workload,
)
from transformer.errors import Malformed
from transformer.lookup import child, resolve, string, strings
from transformer.model import AS_WRITTEN, LabelSelector, Renaming, Resource, Settings
from transformer.tree import Mapping, Node, Sequence, Tree, start

Path = tuple[str | int, ...]


class Located(NamedTuple):
    """A resource of a tree: which document, the path inside it, its node and its row."""

    root: int
    path: Path
    node: Node
    resource: Resource
    workload: Workload | None  # its row in the table of workload kinds, for role "workload"


def full_name(kind: str, namespace: str, name: str) -> str:
    """``Kind namespace/name``, or ``Kind name`` outside of any namespace, for messages."""
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def renaming(annotations: dict[str, str]) -> Renaming:
    """What kustomize's own annotations say of an object's name while plugins run."""
    if PREVIOUS_NAMES not in annotations:
        return AS_WRITTEN
    former = tuple(annotations[PREVIOUS_NAMES].split(","))
    return Renaming(former, (annotations.get(PREFIXES, ""), annotations.get(SUFFIXES, "")))


def relevant(kind: str, settings: Settings) -> bool:
    """Whether a document of `kind` can hold something that we join or edit."""
    return kind in ("Service", "Ingress") or kind in settings.workloads or kind.endswith("List")


# Lists in Lists: kubectl takes none, and aliases could nest them without end.
_DEEPEST_LIST = 4
_MOST_OBJECTS = 200_000


def objects(tree: Tree) -> Iterator[tuple[int, Path, Node, str, str]]:
    """Every Kubernetes object: document, path, node, API group, kind; the items of lists too.

    Raises Malformed for Lists that nest too deeply or hold more than anybody can apply.
    """
    left = _MOST_OBJECTS
    for index, root in enumerate(tree.roots):
        for found in _objects(index, (), root):
            left -= 1
            if left < 0:
                raise Malformed("syntax", start(root), "holds more objects than anybody can apply")
            yield found


def _objects(root: int, path: Path, node: Node) -> Iterator[tuple[int, Path, Node, str, str]]:
    version, kind = string(node, "apiVersion"), string(node, "kind")
    if version is None or kind is None:
        return
    items = child(node, "items")
    if kind.endswith("List") and type(items) is Sequence:
        if len(path) >= 2 * _DEEPEST_LIST:
            raise Malformed("syntax", start(node), "Lists are nested too deeply")
        for index, item in enumerate(items.parts):
            yield from _objects(root, (*path, "items", index), item)
    else:
        yield root, path, node, version.rpartition("/")[0], kind


def locate(tree: Tree, settings: Settings) -> list[Located]:
    """The Services, Ingresses and workloads of `tree`, in text order."""
    found = []
    for root, path, node, group, kind in objects(tree):
        located = _read(root, path, node, group, kind, settings)
        if located is not None:
            found.append(located)
    return found


def _read(
    root: int, path: Path, node: Node, group: str, kind: str, settings: Settings
) -> Located | None:
    metadata = child(node, "metadata")
    own = strings(child(metadata, "annotations"))
    labels = strings(child(metadata, "labels"))
    skipped = own.get(SKIP, "").lower() == "true"
    row = None
    backends: tuple[str, ...] = ()
    selector: dict[str, str] = {}
    if (group, kind) == ("", "Service"):
        role = "service"
        selector = strings(child(node, "spec", "selector"))
        wants = not skipped and _service_wants(node, own, labels, selector, settings)
    elif kind == "Ingress" and group in INGRESS_GROUPS:
        role = "ingress"
        backends = tuple(dict.fromkeys(_backends(node)))
        wants = not skipped and _ingress_wants(node, own, labels, settings)
    else:
        row = settings.workloads.get(kind, {}).get(group)
        if row is None or skipped:
            return None
        role, wants = "workload", False
        labels = strings(child(node, *row.template, "metadata", "labels"))
    namespace = string(metadata, "namespace") or ""
    short = string(metadata, "name") or string(metadata, "generateName") or "(unnamed)"
    name = full_name(kind, namespace, short)
    resource = Resource(
        role, name, namespace, short, start(node), labels, selector, backends, wants, renaming(own)
    )
    return Located(root, path, node, resource, row)


def _selected(
    value: str | None, select: str, wanted: LabelSelector, labels: dict[str, str]
) -> bool:
    if value is not None and value.lower() == "false":
        return False  # an explicit opt-out is respected, however it is spelled
    if select == "annotated" and value is None:
        return False
    return wanted.matches(labels)


def _service_wants(
    node: Node,
    annotations: dict[str, str],
    labels: dict[str, str],
    selector: dict[str, str],
    settings: Settings,
) -> bool:
    spec = child(node, "spec")
    if string(spec, "type") != "LoadBalancer" or not selector:
        return False
    if string(spec, "loadBalancerClass") not in (None, LOAD_BALANCER_CLASS):
        return False  # another controller's load balancer
    return _selected(
        annotations.get(SERVICE_DIRECT_ACCESS),
        settings.services_select,
        settings.services_selector,
        labels,
    )


def _ingress_wants(
    node: Node, annotations: dict[str, str], labels: dict[str, str], settings: Settings
) -> bool:
    ingress_class = annotations.get(INGRESS_CLASS_ANNOTATION) or string(
        node, "spec", "ingressClassName"
    )
    if ingress_class != INGRESS_CLASS and (ingress_class or not settings.ingress_default_class):
        return False
    return _selected(
        annotations.get(INGRESS_DIRECT_ACCESS),
        settings.ingresses_select,
        settings.ingresses_selector,
        labels,
    )


def _backends(node: Node) -> Iterator[str]:
    """Names of the Services that an Ingress of any API version sends traffic to."""
    spec = child(node, "spec")
    backends = [child(spec, "defaultBackend"), child(spec, "backend")]
    for rule in _items(child(spec, "rules")):
        paths = _items(child(rule, "http", "paths"))
        backends.extend(child(path, "backend") for path in paths)
    for backend in backends:
        name = string(backend, "service", "name") or string(backend, "serviceName")
        if name is not None:
            yield name


def _items(node: Node | None) -> list[Node]:
    node = resolve(node)
    return node.parts if type(node) is Sequence else []


def templated(text: str, tree: Tree) -> int | None:
    """Where a ``{{ … }}`` stands as a YAML node, so that the file is a template; or None."""
    if "{{" not in text:
        return None
    pending: list[Node] = list(tree.roots)
    while pending:
        node = pending.pop()
        if type(node) is Mapping:
            if node.event.flow_style and text.startswith("{{", start(node)):
                return start(node)
            pending.extend(node.keys)
            pending.extend(node.parts)
        elif type(node) is Sequence:
            pending.extend(node.parts)
    return None
