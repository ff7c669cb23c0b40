"""Read one chunk once: its resources, and the edits they would need if CLB reached them.

The graph decides later which drafts are used.  Drafting ahead lets every tree be dropped with
its chunk, so that memory stays flat, and lets chunks be read in parallel.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from schemas.contract import NetworkMode
from transformer import splice
from transformer.errors import Malformed, Refused, Unproven
from transformer.layout import line_break
from transformer.model import Diagnostic, Draft, Edit, Patch, Rewrite, Settings
from transformer.plan import combine, leaves, patch, restricted
from transformer.prove import prove
from transformer.resources import Located, Path, locate, objects, relevant, templated
from transformer.stream import Chunk
from transformer.tree import Tree, check_syntax, decode, parse

TEMPLATED = "templated"

# Places that may be written, by the index of their resource in the chunk.
Only: TypeAlias = "dict[int, frozenset[Path]]"

# Twice one of these, and nobody can say what the document is.
_IDENTITY = ("apiVersion", "kind")


class Read(NamedTuple):
    """A chunk that may matter: its text and tree, and what turns characters into bytes."""

    chunk: Chunk
    text: str
    tree: Tree
    to_byte: Callable[[int], int]


def read(data: bytes, chunk: Chunk, matters: bool) -> Read | Draft | None:
    """The tree of `chunk`, a Draft that says why there is none, or None when it cannot matter."""
    piece = data[chunk.start : chunk.end]
    if not matters:
        return _check_only(piece, chunk)
    try:
        text = decode(piece)
        tree = _parse(text)
    except Malformed as error:
        return failed(piece, chunk, error)
    return Read(chunk, text, tree, _bytes_of(text, chunk.start))


def draft(data: bytes, chunk: Chunk, settings: Settings) -> Draft | None:
    """What is worth keeping of `chunk`; None when it is well-formed and cannot matter."""
    found = read(data, chunk, chunk.kind is None or relevant(chunk.kind, settings))
    if not isinstance(found, Read):
        return found
    try:
        return draft_of(found, settings)
    except Malformed as error:  # its Lists nest without end
        return failed(data[chunk.start : chunk.end], chunk, error)


def draft_of(found: Read, settings: Settings, *, proven: bool = True) -> Draft | None:
    """What is worth keeping of a chunk that was read; None when nothing in it can matter.

    Edits that are not `proven` tell what would be; they must not be written.
    """
    chunk, text, tree, to_byte = found
    located = locate(tree, settings)
    is_kubernetes = bool(located) or next(objects(tree), None) is not None
    if not is_kubernetes:
        return Draft(chunk.start, chunk.end, (), (), (), False)
    if tree.duplicates and (located or any(key.value in _IDENTITY for key in tree.duplicates)):
        return Draft(chunk.start, chunk.end, (), (), duplicates(tree, located, to_byte), True)
    if not located:
        return None
    resources = tuple(row.resource._replace(offset=to_byte(row.resource.offset)) for row in located)
    rewrites: tuple[Rewrite, ...] = ()
    if len(located) == 1 and (located[0].workload or located[0].resource.wants):
        rewrites = tuple(
            _rewrite(text, tree, located, {0: mode}, settings, to_byte, proven=proven)
            for mode in settings.modes
        )
    return Draft(chunk.start, chunk.end, resources, rewrites, (), True)


def redraft(
    data: bytes, start: int, end: int, modes: dict[int, NetworkMode], settings: Settings
) -> Rewrite:
    """The edits of a chunk with several resources: ``modes`` gives the wanted ones by index."""
    return Redraft(data, start, end, settings).rewrite(modes)


class Redraft:
    """A chunk that was drafted before and is needed again, perhaps more than once."""

    def __init__(self, data: bytes, start: int, end: int, settings: Settings) -> None:
        self.text, self.settings = decode(data[start:end]), settings
        self.tree = parse(self.text)
        self.located = locate(self.tree, settings)
        self.to_byte = _bytes_of(self.text, start)

    def rewrite(self, modes: dict[int, NetworkMode], only: Only | None = None) -> Rewrite:
        """The edits for the resources that have a mode, by their index in the chunk.

        ``only`` leaves out what it does not hold: places to write, by the resource's index.
        """
        return _rewrite(
            self.text,
            self.tree,
            self.located,
            modes,
            self.settings,
            self.to_byte,
            only,
        )


def _rewrite(
    text: str,
    tree: Tree,
    resources: list[Located],
    modes: dict[int, NetworkMode],
    settings: Settings,
    to_byte: Callable[[int], int],
    only: Only | None = None,
    *,
    proven: bool = True,
) -> Rewrite:
    """Plan, splice and prove: the one way from manifests to edits."""
    patches: dict[int, Patch] = {}
    found: list[splice.Splice] = []
    line = line_break(text)
    lacks: dict[int, tuple[Path, ...]] = {}
    refused: dict[int, Diagnostic] = {}
    for index, mode in modes.items():
        located = resources[index]
        try:
            wish = patch(located, mode, settings)
            if wish is not None and only is not None:
                wish = restricted(wish, only.get(index, frozenset()))
            if wish is None:
                continue
            root = located.root
            found += splice.splices(text, line, tree, tree.roots[root], wish)
            lacks[index] = tuple(leaves(wish))
            patches[root] = combine(patches[root], wish) if root in patches else wish
        except Refused as error:
            offset, name = to_byte(error.offset), located.resource.name
            refused[index] = Diagnostic(error.code, offset, error.message, name, error.field)
    if refused or not found:
        return Rewrite((), lacks, refused)
    found.sort(key=lambda change: change.start)
    try:
        if proven:
            prove(tree, splice.apply(text, found), patches)
    except Unproven as error:  # only a draft that is used may stop the run
        names = ", ".join(resources[index].resource.name for index in lacks)
        return Rewrite((), {}, {}, f"{names}: {error}")
    return Rewrite(tuple(_edit(change, to_byte) for change in found), lacks, {})


def _edit(change: splice.Splice, to_byte: Callable[[int], int]) -> Edit:
    start = to_byte(change.start)
    length = to_byte(change.end) - start if change.end > change.start else 0
    return Edit(start, length, _encoded(change.text))


# The same few lines go into thousands of documents: each is kept once.
_encoded = lru_cache(maxsize=1024)(str.encode)


def _parse(text: str) -> Tree:
    """The tree of `text`; a template is Malformed whether or not YAML can read it."""
    try:
        tree = parse(text)
    except Malformed as error:
        raise _as_template(text, error) from None
    at = templated(text, tree)
    if at is not None:
        raise Malformed(TEMPLATED, at, "a template, not a manifest: take what it renders to")
    return tree


def _as_template(text: str, error: Malformed) -> Malformed:
    """`error`, or that `text` is a template when ``{{`` stands unquoted where it fails.

    Braces elsewhere prove nothing: dashboards and alerts are full of them, in quotes and blocks.
    """
    begin, end = error.offset, text.find("\n", error.offset)
    for _ in range(3):  # a line of template alone makes the next one fail
        begin = max(text.rfind("\n", 0, max(begin - 1, 0)), 0)
    window = text[begin : end if end >= 0 else len(text)]
    window = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), window)
    at = window.find("{{")
    if error.code not in ("syntax", "tab") or at < 0:
        return error
    message = f"a template, not YAML ({error.message}): take what it renders to"
    return Malformed(TEMPLATED, begin + at, message)


_QUOTED = re.compile("\"[^\"\n]*\"|'[^'\n]*'")


def _check_only(piece: bytes, chunk: Chunk) -> Draft | None:
    try:
        check_syntax(piece)
    except Malformed as error:
        text = piece.decode(errors="replace")
        return failed(piece, chunk, _as_template(text, error))
    return None


def failed(piece: bytes, chunk: Chunk, error: Malformed) -> Draft:
    """The draft of a chunk that cannot be used."""
    text = piece.decode(errors="replace")
    offset = chunk.start + len(text[: error.offset].encode())
    found = Diagnostic(error.code, offset, error.message)
    return Draft(chunk.start, chunk.end, (), (), (found,), True)


def duplicates(
    tree: Tree, located: list[Located], to_byte: Callable[[int], int]
) -> tuple[Diagnostic, ...]:
    """A diagnostic for each key that stands twice."""
    name = located[0].resource.name if len(located) == 1 else ""
    return tuple(
        Diagnostic(
            "duplicate-key",
            to_byte(key.start_mark.index),
            f'key "{key.value}" stands twice in this mapping: readers keep one of them; remove one',
            name,
        )
        for key in tree.duplicates
    )


def _bytes_of(text: str, base: int) -> Callable[[int], int]:
    """From characters in `text` to bytes in the source."""
    if text.isascii():
        return base.__add__
    ends = [0]  # where each run of other characters ends, and how many bytes more it took so far
    extra = [0]
    for run in _NOT_ASCII.finditer(text):
        ends.append(run.end())
        extra.append(extra[-1] + len(run[0].encode()) - len(run[0]))

    def to_byte(offset: int) -> int:
        index = bisect_right(ends, offset) - 1
        begin = ends[index]
        return base + begin + extra[index] + len(text[begin:offset].encode())

    return to_byte


_NOT_ASCII = re.compile("[^\x00-\x7f]+")
