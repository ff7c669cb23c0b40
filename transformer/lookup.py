"""Look into a tree as a Kubernetes reader does: aliases and merge keys followed."""

from __future__ import annotations

from collections.abc import Iterator

from transformer.tree import Alias, Mapping, Node, Scalar, Sequence, is_null

# An anchor may hold itself through a merge key; nobody nests them this deep on purpose.
_DEEPEST_MERGE = 20


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
            node = _entry(node, step, 0)
        if node is None:
            return None
    return node


def _entry(node: Node | None, key: str, depth: int) -> Node | None:
    if type(node) is not Mapping or depth > _DEEPEST_MERGE:
        return None
    found = node.entries.get(key)
    if found is None and "<<" in node.entries:
        inherited = (_entry(source, key, depth + 1) for _, source in merged(node))
        found = next((value for value in inherited if value is not None), None)
    return resolve(found)


def string(node: Node | None, *path: str | int) -> str | None:
    """The scalar's value at `path` below `node`, None when it is absent, null or no scalar."""
    found = child(node, *path) if path else resolve(node)
    if type(found) is not Scalar or is_null(found):
        return None
    return found.value


def strings(node: Node | None, depth: int = 0) -> dict[str, str]:
    """The scalar entries of a mapping, merge keys included; empty for anything else."""
    node = resolve(node)
    found: dict[str, str] = {}
    if type(node) is not Mapping or depth > _DEEPEST_MERGE:
        return found
    if "<<" in node.entries:
        for _, source in reversed(list(merged(node))):
            found.update(strings(source, depth + 1))
    for key, value in node.entries.items():
        target = resolve(value)
        if type(target) is Scalar and key != "<<":
            found[key] = target.value
    return found
