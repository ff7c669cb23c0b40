"""Where in the text a finding points: its document is parsed again, for findings are few."""

from __future__ import annotations

from typing import NamedTuple

from transformer.draft import Read, read
from transformer.lint.rule import Finding
from transformer.lookup import child, resolve
from transformer.stream import Chunk
from transformer.tree import Mapping, Node, Scalar, Sequence, event_of, start
from transformer.values import Path


class Place(NamedTuple):
    """Where a finding is shown, in bytes of the source, and how many of them it underlines."""

    offset: int
    length: int


class Places:
    """The places in one source."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._read: dict[tuple[int, int], Read] = {}

    def of(self, chunk: tuple[int, int], root: int, path: Path, found: Finding) -> Place:
        """The place of `found`, in the object at `path` of document `root` of `chunk`."""
        page = self.page(chunk)
        first, end = _place(page.text, page.tree.roots[root], path, found)
        offset = page.to_byte(first)
        return Place(offset, max(page.to_byte(end) - offset, 1))

    def page(self, chunk: tuple[int, int]) -> Read:
        """The text and tree of a chunk that was read before without an error."""
        if chunk not in self._read:
            page = read(self.data, Chunk(*chunk, None), True)
            assert isinstance(page, Read)
            self._read[chunk] = page
        return self._read[chunk]


def _place(text: str, root: Node, path: Path, found: Finding) -> tuple[int, int]:
    """What to underline for `found`, in characters: the place, or the nearest one above it."""
    node = child(root, *path) or root
    place = _span(node, None, text, False)
    for index, step in enumerate(found.path):
        key, inner = _key(node, step), child(node, step)
        if inner is None and key is None:
            break
        is_last = index + 1 == len(found.path)
        target = inner if inner is not None else node
        place = _span(target, key, text, inner is None or (found.at_key and is_last))
        if inner is None:
            break
        node = inner
    return place


def _key(node: Node | None, step: str | int) -> Node | None:
    """The key of an entry as it is written in this very mapping."""
    node = resolve(node)
    if type(node) is Mapping and isinstance(step, str) and step in node.entries:
        return node.keys[list(node.entries).index(step)]
    return None


def _span(node: Node, key: Node | None, text: str, at_key: bool) -> tuple[int, int]:
    """What to underline, in characters: a scalar itself, else the key or the first line."""
    shown = key if key is not None and (at_key or type(node) is not Scalar) else node
    first = start(shown)
    end = event_of(shown).end_mark.index if type(shown) is Scalar else first
    if type(shown) in (Mapping, Sequence) or end <= first:
        end = first
    line_end = text.find("\n", first)
    line_end = len(text) if line_end < 0 else line_end - (text[line_end - 1] == "\r")
    if end <= first:
        end = line_end
    return first, max(min(end, line_end), first)
