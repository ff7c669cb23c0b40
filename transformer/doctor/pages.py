"""YAML files as trees whose nodes know line and column, texts inside texts included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from transformer import tree
from transformer.doctor.model import Finding
from transformer.errors import Malformed
from transformer.lookup import child, resolve, string
from transformer.resources import objects
from transformer.tree import Mapping, Node, Scalar, Sequence, event_of

SUFFIXES = (".yaml", ".yml", ".json")


class Page(NamedTuple):
    """A parsed text; ``line`` and ``column`` are what lies before it in its file."""

    path: str
    parsed: tree.Tree
    lines: tuple[str, ...]
    line: int = 0
    column: int = 0
    fixed: bool = False  # every place in it is shown as the place where it starts

    @property
    def roots(self) -> list[Node]:
        """The documents."""
        return self.parsed.roots

    def place(self, node: Node | None) -> tuple[int, int]:
        """Line and column of `node` in the file, counted from 1."""
        if node is None or self.fixed:
            return self.line + 1, self.column + 1
        mark = event_of(node).start_mark
        return self.line + mark.line + 1, self.column + mark.column + 1

    def finding(self, node: Node | None, severity: str, code: str, message: str) -> Finding:
        """What is to be said about `node`."""
        return Finding(self.path, *self.place(node), severity, code, message)

    def objects(self) -> Iterator[tuple[Node, str, str]]:
        """The Kubernetes objects with API group and kind, items of lists too."""
        for _, _, node, group, kind in objects(self.parsed):
            yield node, group, kind

    def inside(self, node: Node | None) -> Page | None:
        """The YAML text that the scalar `node` holds, None when it holds none."""
        node = resolve(node)
        if type(node) is not Scalar:
            return None
        try:
            parsed = tree.parse(node.value)
        except Malformed:
            return None
        line, column = self.place(node)
        page = Page(self.path, parsed, tuple(node.value.splitlines()), line - 1, column - 1, True)
        if node.style != "|" or self.fixed:
            return page
        return page._replace(line=line, column=self.column + _indent(self, node), fixed=False)


def _indent(page: Page, node: Scalar) -> int:
    """How far the lines of a literal block scalar are indented."""
    first = next((line for line in node.value.splitlines() if line.strip()), "")
    for line in page.lines[event_of(node).start_mark.line + 1 :]:
        if line.strip():
            return len(line) - len(first)
    return 0


def read(path: str, data: bytes) -> Page:
    """The page of a file; raises Malformed where it is not YAML."""
    text = tree.decode(data)
    return Page(path, tree.parse(text), tuple(text.splitlines()))


def read_or_none(path: str, data: bytes) -> Page | None:
    """The page of a file, None where it is not YAML: lint speaks about that."""
    try:
        return read(path, data)
    except Malformed:
        return None


def key_of(node: Node | None, name: str) -> Node | None:
    """The key `name` as it is written in `node`."""
    node = resolve(node)
    if type(node) is Mapping and name in node.entries:
        return node.keys[list(node.entries).index(name)]
    return None


def items(node: Node | None, *path: str) -> list[Node]:
    """The items of the sequence at `path` below `node`; empty when there is none."""
    found = child(node, *path)
    return found.parts if type(found) is Sequence else []


def strings(node: Node | None, *path: str) -> list[str]:
    """The items that are scalars of the sequence at `path` below `node`."""
    return [text for item in items(node, *path) if (text := string(item)) is not None]
