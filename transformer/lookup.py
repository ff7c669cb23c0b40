"""Look into a tree as a Kubernetes reader does: aliases and merge keys followed."""

from __future__ import annotations

from collections.abc import Iterator

from transformer.tree import Alias, Mapping, Node, Scalar, Sequence, is_null


def resolve(node: Node | None) -> Node | None:
    """What `node` stands for: an alias gives its target."""
    while type(node) is Alias:
        node = node.target
    return node


def merged(mapping: Mapping) -> Iterator[tuple[str, Mapping]]:
    """The mappings that ``<<`` brings in, with the name of each anchor, first one first."""
    source = mapping.entries.get("<<")
    sources = source.parts if type(source) is Sequence else [source] if source else []
    for item in sources:
        target = resolve(item)
        if type(target) is Mapping:
            yield (item.event.anchor or "" if type(item) is Alias else "<<"), target


def child(node: Node | None, *path: str | int) -> Node | None:
    """The node at `path` below `node` as a reader sees it: aliases and merge keys followed."""
    node = resolve(node)
    for step in path:
        if isinstance(step, int):
            items = node.parts if type(node) is Sequence else []
            node = resolve(items[step]) if step < len(items) else None
        else:
            node = _entry(node, step, set())
        if node is None:
            return None
    return node


def _entry(node: Node | None, key: str, seen: set[int]) -> Node | None:
    """The value of `key`; `seen` keeps mappings that merge each other from being asked twice."""
    if type(node) is not Mapping:
        return None
    found = node.entries.get(key)
    if found is None and "<<" in node.entries:
        seen.add(id(node))
        for _, source in merged(node):
            if id(source) not in seen:
                found = found if found is not None else _entry(source, key, seen)
    return resolve(found)


def string(node: Node | None, *path: str | int) -> str | None:
    """The scalar's value at `path` below `node`, None when it is absent, null or no scalar."""
    found = child(node, *path) if path else resolve(node)
    if type(found) is not Scalar or is_null(found):
        return None
    return found.value


def strings(node: Node | None) -> dict[str, str]:
    """The scalar entries of a mapping, merge keys included; empty for anything else."""
    found: dict[str, str] = {}
    _collect(resolve(node), found, set())
    return found


def _collect(node: Node | None, found: dict[str, str], seen: set[int]) -> None:
    if type(node) is not Mapping or id(node) in seen:
        return
    for key, value in node.entries.items():
        target = resolve(value)
        if type(target) is Scalar and key != "<<":
            found.setdefault(key, target.value)  # what is written beats what is merged
    if "<<" in node.entries:
        seen.add(id(node))
        for _, source in merged(node):
            _collect(source, found, seen)
