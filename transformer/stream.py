"""Cut a YAML stream into documents, and tell cheaply which of them cannot matter.

One regular expression finds the document markers, another reads the first lines of a document.
Both are strict: whatever looks unusual goes to the full parser (soundness of skipping).
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

BOM = b"\xef\xbb\xbf"

# YAML forbids a line that starts with a marker inside any scalar, so a marker is always one.
_MARKER = re.compile(rb"\n---(?=[ \t\r\n]|\Z)")

# Directives belong to the document after them, "..." may be followed by a bare document, and a
# lone CR, NEL, LS or PS is a line break to libyaml but not to the expressions here.
_UNUSUAL = re.compile(
    rb"^%|^\.\.\.(?=[ \t\r\n]|\Z)|\r(?!\n)|\xc2\x85|\xe2\x80[\xa8\xa9]", re.MULTILINE
)

_UNUSUAL_MARKS = (b"\n%", b"\n...", b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")

# The plain opening of nearly every manifest: comments, apiVersion, kind; nothing that could hide
# that the `kind` found here is the root's own.
_OPENING = re.compile(
    rb"(?:---[ \t]*(?:#[^\n]*)?\r?\n)?"
    rb"(?:[ \t]*\r?\n|#[^\n]*\n|apiVersion:[ \t]+[\w./-]+[ \t]*(?:#[^\n]*)?\r?\n)*"
    rb"kind:[ \t]+([A-Za-z0-9]+)[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)"
)


# A second kind would be a duplicate key, and whoever reads the last one sees another object.
_AGAIN = (b"\nkind", b'\n"kind', b"\n'kind", b"\n?")

# There are few kinds and many documents: each word is kept once.
_word = lru_cache(maxsize=256)(bytes.decode)


class Chunk(NamedTuple):
    """A piece of a stream: usually one document, the whole stream when it is unusual.

    ``start`` and ``end`` are byte offsets; ``kind`` is the root's kind when the plain opening
    tells it, else None.
    """

    start: int
    end: int
    kind: str | None


def chunks(data: bytes) -> list[Chunk]:
    """The pieces of `data` in order; together they are all of it but a byte order mark."""
    first = len(BOM) if data.startswith(BOM) else 0
    if is_unusual(data, first):
        return [Chunk(first, len(data), None)]
    starts = [first, *(match.start() + 1 for match in _MARKER.finditer(data, first)), len(data)]
    return [
        Chunk(start, end, _kind(data, start, end)) for start, end in pairwise(starts) if start < end
    ]


def is_unusual(data: bytes, first: int) -> bool:
    """Whether `data`, from `first` on, may be cut only by who reads all of it."""
    # Searching for fixed bytes first is many times quicker than one expression over everything.
    return data.startswith((b"%", b"..."), first) or (
        any(mark in data for mark in _UNUSUAL_MARKS) and _UNUSUAL.search(data, first) is not None
    )


def _kind(data: bytes, start: int, end: int) -> str | None:
    match = _OPENING.match(data, start, end)
    if match is None or any(data.find(again, match.end() - 1, end) >= 0 for again in _AGAIN):
        return None
    return _word(match[1])
