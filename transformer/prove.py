"""Prove that a spliced text means "before plus the patch", and nothing else.

Independent of the splice: it looks at two parse trees and the patch, never at offsets.
Tag, style, anchor and spelling of every node are compared.
"""

from __future__ import annotations

from transformer.errors import Malformed, Unproven
from transformer.model import Append, Items, Patch
from transformer.tree import Alias, Mapping, Node, Scalar, Sequence, Tree, is_null, parse


def prove(before: Tree, text: str, patches: dict[int, Patch]) -> None:
    """Raise Unproven unless `text` reads as `before` with ``patches[document]`` made.

    The text is parsed again, whole, and compared node by node.
    """
    try:
        after = parse(text)
    except Malformed as error:
        raise Unproven(f"the result cannot be read: {error.message}") from None
    if len(before.roots) != len(after.roots):
        raise Unproven("the number of documents changed")
    if after.duplicates:
        raise Unproven(f"key {after.duplicates[0].value!r} would stand twice")
    for index, (old, new) in enumerate(zip(before.roots, after.roots)):
        _check(old, new, patches.get(index), f"document {index + 1}")


def _check(old: Node, new: Node, patch: Patch | None, path: str) -> None:
    if patch is None:
        if not same(old, new):
            raise Unproven(f"{path} changed")
    elif isinstance(patch, dict) and type(old) is Mapping:
        _check_mapping(old, new, patch, path)
    elif isinstance(patch, Items) and type(old) is Sequence:
        items = new.items if type(new) is Sequence else []
        if len(items) != len(old.items) or not _same_header(old, new):
            raise Unproven(f"{path} changed its length")
        for index, (a, b) in enumerate(zip(old.items, items)):
            _check(a, b, patch.by_index.get(index), f"{path}[{index}]")
    elif isinstance(patch, Append) and type(old) is Sequence:
        _check_append(old, new, patch.item, path)
    elif is_null(old) or (type(old) is Scalar and isinstance(patch, (str, int))):
        if not _is(new, patch):
            raise Unproven(f"{path} is not what was planned")
    else:
        raise Unproven(f"{path} cannot take the planned edit")


def _check_mapping(old: Mapping, new: Node, patch: dict[str, Patch], path: str) -> None:
    if type(new) is not Mapping or not _same_header(old, new):
        raise Unproven(f"{path} changed")
    added = {key: inner for key, inner in patch.items() if key not in old.entries}
    kept = [
        (key, value)
        for key, value in zip(new.keys, new.values)
        if not (type(key) is Scalar and key.value in added)
    ]
    if len(kept) != len(old.keys) or len(new.keys) != len(kept) + len(added):
        raise Unproven(f"{path} gained or lost entries")
    for (new_key, new_value), old_key, old_value in zip(kept, old.keys, old.values):
        if not same(old_key, new_key):
            raise Unproven(f"a key of {path} changed")
        name = old_key.value if type(old_key) is Scalar else ""
        _check(old_value, new_value, patch.get(name), f"{path}.{name}")
    for key, inner in added.items():
        if not _is(new.entries[key], inner):
            raise Unproven(f"{path}.{key} is not what was planned")


def _check_append(old: Sequence, new: Node, item: Patch, path: str) -> None:
    if type(new) is not Sequence or not _same_header(old, new):
        raise Unproven(f"{path} changed")
    count = len(old.items)
    # The new item stands last, or last but one before a block scalar without a line break.
    for at in (count, count - 1):
        rest = [*new.items[:at], *new.items[at + 1 :]]
        if len(rest) == count and _is(new.items[at], item) and all(map(same, old.items, rest)):
            return
    raise Unproven(f"{path} is not what it was plus one item")


def _is(node: Node, patch: Patch) -> bool:
    """Whether `node` is exactly what `patch` writes, without anchors and tags."""
    if isinstance(patch, (str, int)):
        style = '"' if isinstance(patch, str) else ""
        return type(node) is Scalar and (node.value, node.style) == (str(patch), style) and _bare(node)
    if isinstance(patch, dict):
        return (
            type(node) is Mapping
            and _bare(node.event)  # type: ignore[arg-type]
            and list(node.entries) == list(patch)
            and len(node.keys) == len(patch)
            and all(_is(node.entries[key], inner) for key, inner in patch.items())
        )
    items = [patch.item] if isinstance(patch, Append) else patch
    return (
        isinstance(items, list)
        and type(node) is Sequence
        and _bare(node.event)  # type: ignore[arg-type]
        and len(node.items) == len(items)
        and all(map(_is, node.items, items))
    )


def _bare(event: Scalar) -> bool:
    return event.anchor is None and event.ctag is None


def _same_header(old: Mapping | Sequence, new: Mapping | Sequence) -> bool:
    a, b = old.event, new.event
    return (
        a.anchor == b.anchor
        and a.flow_style == b.flow_style
        and (a.ctag is b.ctag or str(a.ctag) == str(b.ctag))
    )


def same(old: Node, new: Node) -> bool:
    """Whether two nodes are equal in tag, style, anchor and text, all the way down."""
    kind = type(old)
    if kind is not type(new):
        return False
    if type(old) is Scalar and type(new) is Scalar:
        return (
            old.value == new.value
            and old.style == new.style
            and old.anchor == new.anchor
            and (old.ctag is new.ctag or str(old.ctag) == str(new.ctag))
        )
    if type(old) is Alias and type(new) is Alias:
        return old.event.anchor == new.event.anchor
    if not _same_header(old, new):  # type: ignore[arg-type]
        return False
    if type(old) is Mapping and type(new) is Mapping:
        return (
            len(old.keys) == len(new.keys)
            and all(map(same, old.keys, new.keys))
            and all(map(same, old.values, new.values))
        )
    assert type(old) is Sequence and type(new) is Sequence
    return len(old.items) == len(new.items) and all(map(same, old.items, new.items))
