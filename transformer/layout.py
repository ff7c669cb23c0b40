"""How a text is laid out, and how new entries are written in the same manner.

Offsets are characters, columns 0-based.  Everything here reads the text around a node; nothing
decides what to write.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from transformer.model import Append, Patch
from transformer.tree import Alias, Mapping, Node, Scalar, Sequence, event_of, start

BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_BREAKS = "\n\r\x85\u2028\u2029"
# Blanks and whole comments: a comma inside a comment is none.
_GAP = re.compile(f"(?:[ \t{_BREAKS}]|(?<=[ \t{_BREAKS}])#[^{_BREAKS}]*(?=[{_BREAKS}]))*,")
_COMMENT = re.compile(f"[ \t]+#[^{_BREAKS}]*")
_DEFAULT_STEP = 2


class Style(NamedTuple):
    """How the surroundings write collections.

    ``step`` is the indentation of nested mappings, ``dash`` that of a sequence's dashes below its
    key, ``gap`` what stands between a dash and its item, ``quote`` the quotes around keys.
    """

    step: int = _DEFAULT_STEP
    dash: int = _DEFAULT_STEP
    gap: str = " "
    quote: str = ""


def content_end(text: str, node: Node) -> int:
    """Where the last character that belongs to `node` ends; trailing comments are not part of it.

    For a block scalar that is the start of the line after it, since its last line break is
    content; blank lines after it are left out unless it keeps them (``|+``).
    """
    while True:
        if type(node) is Scalar:
            end = node.end_mark.index
            if node.style in ("|", ">"):
                return _block_scalar_end(text, node.start_mark.index, end)
            return end
        if type(node) is Alias:
            return node.event.end_mark.index
        if node.event.flow_style:
            return node.end
        node = node.last


def _block_scalar_end(text: str, begin: int, end: int) -> int:
    header = BREAK.split(text[begin:end], maxsplit=1)[0]
    if "+" in header.partition("#")[0]:
        return end
    while text.endswith(("\n\n", "\n\r\n"), begin, end):
        end -= 2 if text.endswith("\r\n", begin, end) else 1
    return end


def line_start(node: Node) -> int:
    """Where the line on which `node` starts begins."""
    mark = event_of(node).start_mark
    return mark.index - mark.column


@lru_cache(maxsize=2)  # asked for every resource of a text that may be one long line
def line_break(text: str) -> str:
    """The line break that `text` uses first; a line feed when it has none."""
    found = BREAK.search(text)
    return found[0] if found else "\n"


def next_line(text: str, offset: int) -> tuple[int, str]:
    """Where the next line starts, and the break before it ('' at the end of the text)."""
    found = BREAK.search(text, offset)
    return (found.end(), found[0]) if found else (len(text), "")


def trailing_comma(text: str, offset: int) -> int | None:
    """Where the comma after `offset` ends, comments and blanks passed over; None without one."""
    found = _GAP.match(text, offset)
    return found.end() if found else None


def comment_end(text: str, offset: int) -> int | None:
    """Where the comment that follows `offset` on its line ends; None without one."""
    found = _COMMENT.match(text, offset)
    return found.end() if found else None


def blanks_before(text: str, offset: int) -> int:
    """Where the run of blanks that ends at `offset` starts."""
    while offset and text[offset - 1] in " \t":
        offset -= 1
    return offset


def style_of(text: str, mapping: Mapping, new: Patch, fallback: Callable[[], Style]) -> Style:
    """How `mapping`, a block mapping, writes what is nested in it, as far as `new` needs it.

    `fallback` is asked for what no entry of the mapping shows.
    """
    column = column_of(mapping.keys[0])
    step = dash = gap = None
    for value in mapping.entries.values():
        if type(value) is Scalar or type(value) is Alias or value.event.flow_style:
            continue
        if type(value) is Mapping and step is None:
            step = max(column_of(value.keys[0]) - column, 1)
        elif type(value) is Sequence and dash is None:
            where, gap = dash_of(text, value)
            dash = max(where - column, 0)
    nests, lists = _shape(new)
    if (nests and step is None) or (lists and dash is None):
        other = fallback()
        step = other.step if step is None else step
        dash, gap = (other.dash, other.gap) if dash is None or gap is None else (dash, gap)
    return Style(step or _DEFAULT_STEP, dash or 0, gap or " ", quote_of(mapping))


def _shape(patch: Patch) -> tuple[bool, bool]:
    """Whether writing the entries of `patch` nests mappings, and whether it writes sequences."""
    if not isinstance(patch, dict):
        return False, not isinstance(patch, (str, int))
    inner = [_shape(value) for value in patch.values()]
    nests = any(isinstance(value, dict) for value in patch.values())
    return nests or any(row[0] for row in inner), any(row[1] for row in inner)


def document_style(text: str, root: Node) -> Style:
    """How the document nests, for places where no sibling shows it: read off its first examples."""
    if type(root) is not Mapping or not root.keys:
        return Style()
    if root.event.flow_style:
        key = root.keys[0]
        own_line = line_start(key) > start(root)
        nested = column_of(key) - root.event.start_mark.column if own_line else 0
        return Style(
            step=nested if nested > 0 else 2, quote=key.style if type(key) is Scalar else ""
        )
    step: int | None = None
    dash: int | None = None
    gap = " "
    pending: list[Node] = [root]
    for node in pending:
        if type(node) is not Mapping or node.event.flow_style:
            continue
        column = column_of(node.keys[0])
        for value in node.parts:
            if type(value) is Mapping and not value.event.flow_style and step is None:
                step = max(column_of(value.keys[0]) - column, 1)
            elif type(value) is Sequence and not value.event.flow_style and dash is None:
                where, gap = dash_of(text, value)
                dash = max(where - column, 0)
        if step is not None and dash is not None:
            break
        pending.extend(node.parts)
    known = 2 if step is None else step
    return Style(known, known if dash is None else dash, gap)


def quote_of(mapping: Mapping) -> str:
    """The quotes that the last key of `mapping` has, and so its neighbours most likely."""
    key = mapping.keys[-1]
    return key.style if type(key) is Scalar and key.style in ("'", '"') else ""


def dash_of(text: str, sequence: Sequence) -> tuple[int, str]:
    """The column of a block sequence's dashes, and what follows a dash."""
    mark = sequence.event.start_mark
    offset, column, item = mark.index, mark.column, sequence.parts[0]
    if text[offset : offset + 1] != "-":  # an anchor or tag stands there
        offset = text.rfind("-", 0, start(item))
        column = column_of(item) - (start(item) - offset)
    between = text[offset + 1 : start(item)]
    return column, between if between and not between.strip(" ") else " "


def column_of(node: Node) -> int:
    """The column in which `node` starts."""
    return event_of(node).start_mark.column


def scalar(value: str | int) -> str:
    """A scalar as we write it: strings always double-quoted, since Kubernetes wants strings."""
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def block_lines(patch: dict[str, Patch], column: int, style: Style) -> list[str]:
    """The lines, without breaks, of new block entries at `column`."""
    lines: list[str] = []
    pad = " " * column
    for key, value in patch.items():
        name = f"{pad}{style.quote}{key}{style.quote}:"
        if isinstance(value, (str, int)):
            lines.append(f"{name} {scalar(value)}")
        elif isinstance(value, dict):
            lines += [name, *block_lines(value, column + style.step, style)]
        else:
            lines.append(name)
            for item in items_of(value):
                lines += item_lines(item, column + style.dash, style)
    return lines


def item_lines(item: Patch, column: int, style: Style) -> list[str]:
    """The lines of one new item of a block sequence whose dashes stand at `column`."""
    head = " " * column + "-" + style.gap
    if isinstance(item, (str, int)):
        return [head + scalar(item)]
    assert isinstance(item, dict)
    lines = block_lines(item, len(head), style)
    return [head + lines[0].lstrip(" "), *lines[1:]]


def items_of(patch: Patch) -> list[Patch]:
    """The items of a sequence to write."""
    if isinstance(patch, Append):
        return [patch.item]
    assert isinstance(patch, list)
    return patch


class Flow(NamedTuple):
    """How a flow collection writes its entries.

    ``indent`` is what stands before an entry on its line, None when they share a line; ``step`` is
    one level of it.
    """

    quote: str = ""
    colon: str = ": "
    space: str = " "
    line: str = "\n"
    indent: str | None = None
    step: str = " " * _DEFAULT_STEP


def flow_text(patch: Patch, flow: Flow) -> str:
    """A new flow collection or scalar in the style `flow`, nested as its surroundings nest."""
    if isinstance(patch, (str, int)):
        return scalar(patch)
    inner = flow
    if flow.indent is not None:
        inner = flow._replace(indent=flow.indent + flow.step)
    if isinstance(patch, dict):
        return _bracketed("{}", flow_entries(patch, inner), flow)
    return _bracketed("[]", [flow_text(item, inner) for item in items_of(patch)], flow)


def flow_entries(patch: dict[str, Patch], flow: Flow) -> list[str]:
    """The entries of a flow mapping, each ``key: value``."""
    quote, colon = flow.quote, flow.colon
    return [f"{quote}{key}{quote}{colon}{flow_text(value, flow)}" for key, value in patch.items()]


def _bracketed(brackets: str, entries: list[str], flow: Flow) -> str:
    if flow.indent is None:
        return brackets[0] + f",{flow.space}".join(entries) + brackets[1]
    outer = flow.line + flow.indent
    inner = outer + flow.step
    return brackets[0] + inner + f",{inner}".join(entries) + outer + brackets[1]
