"""A YAML text as a tree with positions, made of libyaml's own events.

A scalar *is* the event that libyaml reported: thousands of documents are read a second, and one
object for each scalar is the whole cost.  Positions are characters from the start of the text.
Nothing is resolved or converted: tag, style and spelling stay visible, for the splice copies them
and the proof compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, final

try:
    from _ruamel_yaml import CParser
except ImportError:  # the other build of the same parser
    from _ruamel_yaml_clibz import CParser
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from transformer.errors import Malformed

if TYPE_CHECKING:

    class Mark:
        """A position: ``index`` characters from the start, ``line`` and ``column`` 0-based."""

        index: int
        line: int
        column: int

    class Event:
        """What every event has; ``ctag`` is an object whose str is the tag, or None."""

        start_mark: Mark
        end_mark: Mark
        anchor: str | None
        ctag: object | None
        flow_style: bool

    @final
    class Scalar(Event):
        """A scalar; ``style`` is '', "'", '"', '|' or '>'."""

        value: str
        style: str
else:
    Scalar = ScalarEvent


@final
class Alias:
    """``*name``: stands for ``target``, which was written elsewhere."""

    __slots__ = ("event", "target")

    def __init__(self, event: Event, target: Node) -> None:
        self.event, self.target = event, target


@final
class Mapping:
    """A mapping in text order.

    ``entries`` finds the value of a key; a key that is not a scalar is filed under its number
    after a NUL, which no YAML text can spell.  ``keys`` are the keys themselves, and ``end`` is
    where the closing brace ends (for a block mapping it means nothing).
    """

    __slots__ = ("end", "entries", "event", "keys")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.keys: list[Node] = []
        self.entries: dict[str, Node] = {}
        self.end = 0

    @property
    def parts(self) -> list[Node]:
        """The values, in the order of ``keys``."""
        return list(self.entries.values())

    @property
    def last(self) -> Node:
        """The last value; only for a mapping that is not empty."""
        return next(reversed(self.entries.values()))


@final
class Sequence:
    """A sequence in text order; ``end`` as for Mapping."""

    __slots__ = ("end", "event", "parts")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.parts: list[Node] = []
        self.end = 0

    @property
    def last(self) -> Node:
        """The last item; only for a sequence that is not empty."""
        return self.parts[-1]


Node: TypeAlias = "Scalar | Alias | Mapping | Sequence"


class Tree(NamedTuple):
    """The documents of one text, and what stands in more than one place.

    ``shared`` holds the id() of every node that an alias or merge key uses; ``duplicates`` the
    second of two equal keys.
    """

    roots: list[Node]
    shared: set[int]
    duplicates: list[Scalar]


def check_syntax(text: bytes) -> None:
    """Pass over well-formed UTF-8 YAML at libyaml's own speed; raises Malformed otherwise."""
    try:
        CParser(text).raw_parse()
    except YAMLError:
        decoded = decode(text)
        parse(decoded)
        raise


def decode(data: bytes) -> str:
    """The text of UTF-8 `data`; raises Malformed at the first byte that is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        offset = len(data[: error.start].decode())
        raise Malformed(
            "encoding",
            offset,
            f"byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8",
        ) from None


def events(text: str) -> Callable[[], Any]:
    """A function that hands out libyaml's events for `text`, None after the last one.

    It raises ruamel's YAMLError where `text` is not YAML.
    """
    pull: Callable[[], Any] = CParser(text).get_event
    return pull


def parse(text: str) -> Tree:
    """The documents of `text`; raises Malformed where it is not YAML."""
    tree = Tree([], set(), [])
    pull = events(text)
    try:
        while (event := pull()) is not None:
            if type(event) is DocumentStartEvent:
                tree.roots.append(_Composer(pull, tree).node(pull()))
    except MarkedYAMLError as error:
        raise _malformed(text, error) from None
    except YAMLError as error:  # a character that YAML forbids; `position` counts UTF-8 bytes
        position = getattr(error, "position", 0)
        offset = len(text.encode()[:position].decode(errors="ignore"))
        raise Malformed("syntax", offset, "this character is not allowed in YAML") from None
    except RecursionError:
        raise Malformed("syntax", 0, "collections are nested too deeply") from None
    return tree


class _Composer:
    """Makes one document's nodes from the events that `pull` hands out."""

    def __init__(self, pull: Callable[[], Any], tree: Tree) -> None:
        self.pull, self.tree = pull, tree
        self.anchors: dict[str, Node] = {}

    def node(self, event: Any) -> Node:
        kind = type(event)
        if kind is ScalarEvent:
            node: Node = event
            self._anchor(event, node)
        elif kind is MappingStartEvent:
            node = self._mapping(event)
        elif kind is SequenceStartEvent:
            node = self._sequence(event)
        else:
            assert kind is AliasEvent
            node = self._alias(event)
        return node

    def _anchor(self, event: Event, node: Node) -> None:
        if event.anchor is not None:
            self.anchors[event.anchor] = node

    def _mapping(self, event: Any) -> Mapping:
        mapping = Mapping(event)
        self._anchor(event, mapping)
        pull, keys, entries = self.pull, mapping.keys, mapping.entries
        while type(key := pull()) is not MappingEndEvent:
            # Most keys and values are scalars without an anchor: no call for them.
            plain = type(key) is ScalarEvent and key.anchor is None
            node: Any = key if plain else self.node(key)
            value: Any = pull()
            if type(value) is not ScalarEvent or value.anchor is not None:
                value = self.node(value)
            spelled = node.target if type(node) is Alias else node
            name = spelled.value if type(spelled) is ScalarEvent else f"\0{len(keys)}"
            if name in entries:
                self.tree.duplicates.append(node)
            keys.append(node)
            entries[name] = value
        mapping.end = key.end_mark.index
        return mapping

    def _sequence(self, event: Any) -> Sequence:
        sequence = Sequence(event)
        self._anchor(event, sequence)
        while type(event := self.pull()) is not SequenceEndEvent:
            sequence.parts.append(self.node(event))
        sequence.end = event.end_mark.index
        return sequence

    def _alias(self, event: Event) -> Alias:
        name = event.anchor or ""
        target = self.anchors.get(name)
        if target is None:
            raise Malformed(
                "syntax", event.start_mark.index, f"alias *{name} has no anchor before it"
            )
        self.tree.shared.add(id(target))
        return Alias(event, target)


def _malformed(text: str, error: MarkedYAMLError) -> Malformed:
    mark = error.problem_mark or error.context_mark
    offset = min(mark.index, len(text)) if mark else 0
    problem = error.problem or "not readable as YAML"
    if text[offset : offset + 1] == "\t":
        return Malformed("tab", offset, "a tab indents this line: YAML wants spaces")
    if problem == "found unexpected ':'":  # libyaml 0.1; newer readers take it
        problem += ": put quotes around a value with a colon inside { } or [ ]"
    context = f" ({error.context})" if error.context else ""
    return Malformed("syntax", offset, f"{problem}{context}")


def event_of(node: Node) -> Event:
    """The event that starts `node`."""
    return node if type(node) is Scalar else node.event


def is_null(node: Node) -> bool:
    """Whether `node` is a plain null: nothing at all, ``~`` or ``null``."""
    return (
        type(node) is Scalar
        and not node.style
        and node.ctag is None
        and node.value in ("", "~", "null", "Null", "NULL")
    )


def start(node: Node) -> int:
    """Where `node` starts, its anchor and tag included; characters from the text's start."""
    return event_of(node).start_mark.index
