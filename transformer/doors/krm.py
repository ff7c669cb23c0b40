"""The ResourceList of a KRM function: taken apart into sources, and put together again.

Nothing is built anew: items keep their bytes, with the annotations by which kustomize tracks them.
Source: the functions specification of kyaml (cmd/config/docs/api-conventions/functions-spec.md).

kustomize writes every list alike: block style, one dash at the start of a line for each item.
Such a list is cut at its dashes, so that items are read one by one and on all processors: a dash
becomes a blank, and an item a document.  Whatever does not read well that way is read as a whole.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from transformer import layout, splice
from transformer.errors import ConfigError, Malformed, Refused, Unproven
from transformer.lookup import child, string
from transformer.model import Append, Patch
from transformer.prove import prove
from transformer.report import Page, showable
from transformer.stream import BOM, chunks, is_unusual
from transformer.transform import Outcome, Source
from transformer.tree import Mapping, Node, decode, is_null, parse, start
from transformer.tree import Sequence as Items
from transformer.values import TooLarge, Value, plain

NAME = "<stdin>"

_GROUP, _KIND = "config.kubernetes.io", "ResourceList"

_ITEMS = re.compile(rb"^items:[ \t]*\r?\n(?=-)", re.MULTILINE)
_DASH = re.compile(rb"^-(?=[ \r\n])", re.MULTILINE)
_END = re.compile(rb"^(?![ \t\r\n#]|-[ \r\n])(?!\Z)", re.MULTILINE)  # of the items: the next key

# YAML forbids these even in quotes.
_FORBIDDEN = re.compile("[\ufeff\ufffe\uffff]")

_LONG_NUMBER = 10  # digits; no file has so many objects

Result: TypeAlias = "dict[str, Patch]"  # as the functions specification has it


class Given(NamedTuple):
    """A ResourceList that was read: its ``functionConfig`` and ``sources``.

    With ``items``, the source at an index is the item at that span of ``data``; without, the only
    source is all of it.
    """

    data: bytes
    config: Value
    items: tuple[tuple[int, int], ...] | None

    @property
    def sources(self) -> list[Source]:
        """What the engine reads."""
        if self.items is None:
            return [Source(NAME, self.data)]
        return [Source(NAME, self.item(index)) for index in range(len(self.items))]

    def item(self, index: int) -> bytes:
        """The item at `index` of a list that was cut, as a document."""
        assert self.items is not None
        first, end = self.items[index]
        return b" " + self.data[first + 1 : end]


def readings(data: bytes) -> Iterator[Given]:
    """`data` cut at its items, where that can be, and then as a whole: the first that reads well
    is to be used.

    Raises ConfigError when it is no ResourceList.
    """
    data = data.removeprefix(BOM)
    cut = _cut(data)
    if cut is not None:
        yield cut
    yield _whole(data)


def _cut(data: bytes) -> Given | None:
    """`data` cut at its items; None when it is not written as kustomize writes it."""
    opening = _ITEMS.search(data)
    # A last line that is not ended belongs to an item, and results go behind it.
    odd = is_unusual(data, 0) or BOM in data or not data.endswith(b"\n")
    if opening is None or odd or len(chunks(data)) != 1:
        return None
    first = opening.end()
    closing = _END.search(data, first)
    end = closing.start() if closing else len(data)
    keys: dict[str, Node] = {}
    try:
        # Each part by itself: so nothing that one of them opens is closed by another.
        for part in (data[:first], data[end:]):
            tree = parse(decode(part))
            if tree.duplicates or len(tree.roots) > 1:
                return None
            for root in tree.roots:
                if type(root) is Mapping and keys.keys().isdisjoint(root.entries):
                    keys |= root.entries
                else:
                    return None
    except Malformed:
        return None
    dashes = [found.start() for found in _DASH.finditer(data, first, end)]
    if not dashes or "results" in keys or not _is_list(keys):
        return None
    return Given(data, _plain(keys.get("functionConfig")), tuple(pairwise([*dashes, end])))


def _whole(data: bytes) -> Given:
    root = _root(_decoded(data))
    if root is None or not _is_list(root.entries):
        kind, version = string(root, "kind"), string(root, "apiVersion") or "no apiVersion"
        raise ConfigError(
            f"standard input: expected a ResourceList of {_GROUP}/v1, found "
            f"{f'kind {kind} of {version}' if kind else 'something else'}: kustomize sends one; "
            "for plain manifests there is `tke-direct transform -`"
        )
    results = root.entries.get("results")
    if results is not None and not is_null(results) and type(results) is not Items:
        raise ConfigError("standard input: results: expected a list")
    return Given(data, _plain(child(root, "functionConfig")), None)


def _is_list(keys: dict[str, Node]) -> bool:
    """Whether something with these `keys` is a ResourceList; its version may be any."""
    group = (string(keys.get("apiVersion")) or "").partition("/")[0]
    return (group, string(keys.get("kind"))) == (_GROUP, _KIND)


def _decoded(data: bytes) -> str:
    try:
        return decode(data)
    except Malformed as error:
        raise ConfigError(f"standard input: {error.message}") from None


def _root(text: str) -> Mapping | None:
    """The only document of `text` when it is a mapping; raises ConfigError when it is not YAML."""
    try:
        tree = parse(text)
    except Malformed as error:
        page = Page(NAME, text.encode())
        line, column = page.position(len(text[: error.offset].encode()))
        raise ConfigError(f"{NAME}:{line}:{column}: {error.message}") from None
    for key in tree.duplicates:
        if len(tree.roots) == 1 and any(key is one for one in getattr(tree.roots[0], "keys", [])):
            raise ConfigError(f"{NAME}: key {key.value!r} stands twice in the ResourceList")
    root = tree.roots[0] if len(tree.roots) == 1 else None
    return root if type(root) is Mapping else None


def _plain(node: Node | None) -> Value:
    try:
        return plain(node) if node is not None else None
    except TooLarge:
        raise ConfigError("functionConfig: its aliases expand to millions of nodes") from None


class Item(NamedTuple):
    """Which object an item is, as ``results`` refer to it."""

    api_version: str
    kind: str
    namespace: str
    name: str
    path: str  # of the file it came from, '' when nobody said
    place: int  # in that file


def item_of(node: Node | None) -> Item:
    """What identifies the object at `node`, and the file that it is from."""
    notes = child(node, "metadata", "annotations")
    prefixes = ("internal.config.kubernetes.io", "config.kubernetes.io")
    path = next(filter(None, (string(notes, f"{prefix}/path") for prefix in prefixes)), "")
    index = next(filter(None, (string(notes, f"{prefix}/index") for prefix in prefixes)), "0")
    return Item(
        string(node, "apiVersion") or "",
        string(node, "kind") or "",
        string(node, "metadata", "namespace") or "",
        string(node, "metadata", "name") or "",
        path,
        int(index) if index.isdecimal() and len(index) < _LONG_NUMBER else 0,
    )


class Finder:
    """Finds the item that something is about; only what is asked for is read again."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self._known: dict[int, Item] = {}

    def item(self, source: int, offset: int) -> Item | None:
        """The item at the byte `offset` of the source with the index `source`."""
        if self.given.items is None:
            index = bisect_right(self._starts, offset) - 1
            return item_of(self._nodes[index]) if index >= 0 else None
        if source not in self._known:
            tree = parse(decode(self.given.item(source)))
            self._known[source] = item_of(tree.roots[0] if tree.roots else None)
        return self._known[source]

    @cached_property
    def _nodes(self) -> list[Node]:
        items = child(_root(decode(self.given.data)), "items")
        return items.parts if type(items) is Items else []

    @cached_property
    def _starts(self) -> list[int]:
        """Where each item of a list that is read as a whole starts, in bytes."""
        text, found, last, size = decode(self.given.data), [], 0, 0
        for node in self._nodes:
            size += len(text[last : start(node)].encode())
            last = start(node)
            found.append(size)
        return found


def result(
    severity: str, rule: str, message: str, item: Item | None = None, field: str = ""
) -> Result:
    """One entry of ``results``."""
    made: Result = {"message": _written(message), "severity": severity}
    if item is not None and item.kind:
        ref: dict[str, Patch] = {"apiVersion": item.api_version, "kind": item.kind}
        ref |= {"name": item.name} | ({"namespace": item.namespace} if item.namespace else {})
        made["resourceRef"] = {key: _written(str(value)) for key, value in ref.items()}
        if field:
            made["field"] = {"path": _written(field)}
        if item.path:
            made["file"] = {"path": _written(item.path), "index": item.place}
    made["tags"] = {"rule": rule}
    return made


def _written(text: str) -> str:
    """`text` as any YAML reader takes it between double quotes."""
    return _FORBIDDEN.sub(lambda found: ascii(found[0])[1:-1], showable(text))


def answer(given: Given, outcomes: Sequence[Outcome], results: list[Result]) -> bytes:
    """The ResourceList to return: every item, as its outcome has it, and the results."""
    if given.items is None:
        return _with_results(outcomes[0].result() if outcomes else given.data, results)
    data, last = given.data, given.items[0][0]
    pieces = [data[:last]]
    for (first, end), outcome in zip(given.items, outcomes, strict=True):
        if outcome.edits:
            if outcome.edits[0].start < 1:
                raise Unproven("an edit before the dash of an item")
            pieces += [b"-", outcome.result()[1:]]
        else:
            pieces.append(data[first:end])
        last = end
    pieces.append(data[last:])
    return b"".join([*pieces, *_at_the_end(data, results)])


def _at_the_end(data: bytes, results: list[Result]) -> Iterator[bytes]:
    """The key ``results`` behind a list whose keys stand at the start of their lines."""
    if results:
        if not data.endswith(b"\n"):
            yield b"\n"
        lines = layout.block_lines({"results": list(results)}, 0, layout.Style(dash=0))
        yield ("\n".join(lines) + "\n").encode()


def _with_results(data: bytes, results: list[Result]) -> bytes:
    """The same for a list of any form, which may have results of a function before.

    What cannot be read or written without doubt is returned as it is: standard error says all that
    `results` say.
    """
    if not results:
        return data
    try:
        root = _root(decode(data))
        if parse(decode(data)).duplicates:
            return data
        if child(root, "results") is None:
            return _patched(data, {"results": list(results)})
        for one in results:
            data = _patched(data, {"results": Append(one)})
    except (ConfigError, Malformed, Refused):
        pass
    return data


def _patched(data: bytes, patch: dict[str, Patch]) -> bytes:
    text = decode(data)
    tree = parse(text)
    changes = splice.splices(text, layout.line_break(text), tree, tree.roots[0], patch)
    changed = splice.apply(text, changes)
    prove(tree, changed, {0: patch})
    return changed.encode()


def nothing(results: list[Result]) -> bytes:
    """The ResourceList of a validator that returns no item."""
    head = f'apiVersion: "{_GROUP}/v1"\nkind: {_KIND}\nitems: []\n'.encode()
    return b"".join([head, *_at_the_end(head, results)])
