"""A unified diff made from the edits themselves: its cost grows with the changes, not the file."""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from collections.abc import Iterator

from transformer.model import Edit

CONTEXT = 3
_HUNK = re.compile(r"@@ -(\d+)((?:,\d+)?) \+(\d+)((?:,\d+)?) @@")


def unified(name: str, data: bytes, edits: tuple[Edit, ...]) -> Iterator[str]:
    """The lines of the diff, each with its line break, in a form that ``git apply`` takes."""
    tail = "\t" if " " in name else ""  # so that patch finds where the name ends
    yield f"--- a/{name}{tail}\n"
    yield f"+++ b/{name}{tail}\n"
    starts = [0, *(match.end() for match in re.finditer(b"\n", data))]
    shift = 0
    for first, last, group in _windows(edits, starts):
        begin, end = starts[first], starts[last] if last < len(starts) else len(data)
        before = _lines(data[begin:end])
        after = _lines(_applied(data, begin, end, group))
        lines = difflib.unified_diff(before, after, n=CONTEXT)
        for line in list(lines)[2:]:
            yield from _with_offset(line, first, shift)
        shift += len(after) - len(before)


def _windows(edits: tuple[Edit, ...], starts: list[int]) -> Iterator[tuple[int, int, list[Edit]]]:
    """Groups of edits so near each other that their hunks touch, with their range of lines."""
    first = last = -1
    group: list[Edit] = []
    for edit in edits:
        low = max(bisect_right(starts, edit.start) - 1 - CONTEXT - 1, 0)
        high = min(bisect_right(starts, edit.end) + CONTEXT + 1, len(starts))
        if group and low > last:
            yield first, last, group
            group = []
        if not group:
            first = low
        group.append(edit)
        last = high
    if group:
        yield first, last, group


def _applied(data: bytes, begin: int, end: int, edits: list[Edit]) -> bytes:
    pieces, last = [], begin
    for edit in edits:
        pieces += [data[last : edit.start], edit.text]
        last = edit.end
    return b"".join([*pieces, data[last:end]])


def _lines(data: bytes) -> list[str]:
    text = data.decode(errors="surrogateescape")
    return [line + "\n" for line in text[:-1].split("\n")] if text.endswith("\n") else _open(text)


def _open(text: str) -> list[str]:
    """Lines of a text without a final line break, marked as diff marks it."""
    if not text:
        return []
    *lines, last = text.split("\n")
    return [*(line + "\n" for line in lines), last + "\n\\ No newline at end of file\n"]


def _with_offset(line: str, first: int, shift: int) -> Iterator[str]:
    match = _HUNK.match(line)
    if match:
        old, new = int(match[1]) + first, int(match[3]) + first + shift
        yield f"@@ -{old}{match[2]} +{new}{match[4]} @@\n"
    else:
        yield line
