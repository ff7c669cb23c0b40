"""Prove that a spliced text means "before plus the patch", and nothing else.

Independent of the splice: it holds the old tree and the patch against the events of the new text
and never looks at offsets.  Tag, style, anchor and spelling of every node are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from transformer.errors import Unproven
from transformer.model import Append, Items, Patch
from transformer.tree import Mapping, Node, Scalar, Sequence, Tree, events, is_null

_STARTS = (ScalarEvent, MappingStartEvent, SequenceStartEvent)


def prove(before: Tree, text: str, patches: dict[int, Patch]) -> None:
    """Raise Unproven unless `text` reads as `before` with ``patches[document]`` made.

    The text is parsed again, whole, and compared node by node.
    """
    proof = _Proof(events(text))
    try:
        proof.expect(StreamStartEvent)
        for index, root in enumerate(before.roots):
            proof.expect(DocumentStartEvent)
            proof.node(root, patches.get(index), proof.pull())
            proof.expect(DocumentEndEvent)
        proof.expect(StreamEndEvent)
    except YAMLError as error:
        raise Unproven(f"the result cannot be read: {error}") from None


class _Proof:
    """Walks the old tree while it pulls the events of the new text."""

    def __init__(self, pull: Callable[[], Any]) -> None:
        self.pull = pull

    def expect(self, kind: type) -> None:
        """Consume one event, which must be of `kind`."""
        event = self.pull()
        if type(event) is not kind:
            raise Unproven(f"expected {kind.__name__}, found {event}")

    def node(self, old: Node, patch: Patch | None, event: Any) -> None:
        """Check the node that `event` starts: `old` with `patch` made."""
        if patch is None:
            self.same(old, event)
        elif isinstance(patch, dict) and type(old) is Mapping:
            self.mapping(old, patch, event)
        elif isinstance(patch, Items) and type(old) is Sequence:
            self.header(old, event, SequenceStartEvent)
            for index, part in enumerate(old.parts):
                self.node(part, patch.by_index.get(index), self.pull())
            self.expect(SequenceEndEvent)
        elif isinstance(patch, Append) and type(old) is Sequence:
            self.append(old, patch.item, event)
        elif is_null(old) or (type(old) is Scalar and isinstance(patch, (str, int))):
            self.written(patch, event)
        else:
            raise Unproven(f"{old} cannot take the planned edit")

    def mapping(self, old: Mapping, patch: dict[str, Patch], event: Any) -> None:
        """Check a mapping: the old entries in order, and anywhere among them the new ones."""
        self.header(old, event, MappingStartEvent)
        pull = self.pull
        missing = {key: inner for key, inner in patch.items() if key not in old.entries}
        for key, (name, value) in zip(old.keys, old.entries.items()):
            event = pull()
            if missing:
                event = self._after_new_entries(missing, event)
            if type(key) is Scalar:
                _same_scalar(key, event)
            else:
                self.same(key, event)
            if name in patch:
                self.node(value, patch[name], pull())
            else:
                self.same(value, pull())
        event = self._after_new_entries(missing, pull())
        if missing or type(event) is not MappingEndEvent:
            raise Unproven(f"entries were lost or gained: {[*missing] or event}")

    def _after_new_entries(self, missing: dict[str, Patch], event: Any) -> Any:
        """Consume planned entries that start with `event`; the first event after them."""
        while type(event) is ScalarEvent and event.value in missing:
            _bare(event)
            self.written(missing.pop(event.value), self.pull())
            event = self.pull()
        return event

    def append(self, old: Sequence, item: Patch, event: Any) -> None:
        """Check a sequence: the old items and then the new one."""
        self.header(old, event, SequenceStartEvent)
        for part in old.parts:
            self.same(part, self.pull())
        self.written(item, self.pull())
        self.expect(SequenceEndEvent)

    def written(self, patch: Patch, event: Any) -> None:
        """Check that exactly what `patch` writes starts with `event`."""
        _bare(event)
        if isinstance(patch, (str, int)):
            style = '"' if isinstance(patch, str) else ""
            wanted = (str(patch), style)
            if type(event) is not ScalarEvent or (event.value, event.style) != wanted:
                raise Unproven(f"{event} is not {patch!r}")
        elif isinstance(patch, dict):
            if type(event) is not MappingStartEvent:
                raise Unproven(f"{event} is not a mapping")
            for key, inner in patch.items():
                event = self.pull()
                if type(event) is not ScalarEvent or event.value != key:
                    raise Unproven(f"{event} is not key {key}")
                self.written(inner, self.pull())
            self.expect(MappingEndEvent)
        else:
            if type(event) is not SequenceStartEvent:
                raise Unproven(f"{event} is not a sequence")
            items = [patch.item] if isinstance(patch, Append) else patch
            assert isinstance(items, list)
            for item in items:
                self.written(item, self.pull())
            self.expect(SequenceEndEvent)

    def same(self, old: Node, event: Any) -> None:
        """Check that the node that `event` starts is `old`, all the way down."""
        if type(old) is Scalar:
            _same_scalar(old, event)
        elif type(old) is Mapping:
            self.header(old, event, MappingStartEvent)
            pull = self.pull
            for key, value in zip(old.keys, old.entries.values()):
                for part in (key, value):
                    event = pull()
                    # Nearly every node is a scalar that is what it was: no call for it.
                    if not (
                        type(part) is Scalar
                        and type(event) is ScalarEvent
                        and part.value == event.value
                        and part.style == event.style
                        and part.anchor is event.anchor is None
                        and part.ctag is event.ctag is None
                    ):
                        self.same(part, event)
            self.expect(MappingEndEvent)
        elif type(old) is Sequence:
            self.header(old, event, SequenceStartEvent)
            for part in old.parts:
                self.same(part, self.pull())
            self.expect(SequenceEndEvent)
        elif type(event) is not AliasEvent or event.anchor != old.event.anchor:
            raise Unproven(f"{event} was *{old.event.anchor}")

    def header(self, old: Mapping | Sequence, event: Any, kind: type[Any]) -> None:
        """Check that `event` starts a collection with the properties of `old`."""
        was = old.event
        if not (
            type(event) is kind
            and event.anchor == was.anchor
            and event.flow_style == was.flow_style
            and _same_tag(event, was)
        ):
            raise Unproven(f"{event} was {was}")


def _same_scalar(old: Scalar, event: Any) -> None:
    if not (
        type(event) is ScalarEvent
        and old.value == event.value
        and old.style == event.style
        and old.anchor == event.anchor
        and _same_tag(old, event)
    ):
        raise Unproven(f"{event} was {old}")


def _same_tag(one: Any, other: Any) -> bool:
    return one.ctag is other.ctag or str(one.ctag) == str(other.ctag)


def _bare(event: Any) -> None:
    """Check that `event` starts a node with neither anchor nor tag."""
    if type(event) not in _STARTS or event.anchor is not None or event.ctag is not None:
        raise Unproven(f"{event} is not a node without anchor and tag")
