"""Turn a patch into edits of the text, in the manner of the text around them.

New entries go to the end of their collection, after the last leaf's line.  What an alias or a
merge key would carry to another place is refused.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from transformer import layout
from transformer.errors import Refused
from transformer.layout import Flow, Style
from transformer.lookup import child, merged
from transformer.model import Append, Items, Patch
from transformer.tree import Alias, Mapping, Node, Scalar, Sequence, Tree, is_null, start


class Splice(NamedTuple):
    """Replace characters ``start`` to ``end`` by ``text``; start == end inserts."""

    start: int
    end: int
    text: str


def splices(text: str, line: str, tree: Tree, root: Node, patch: Patch) -> list[Splice]:
    """The changes of `text` that apply `patch` at `root`, by position, not overlapping.

    `line` is the line break to write where the surroundings have none.

    Raises Refused for an edit that would change another place or does not fit the manifest.
    """
    work = _Splicer(text, line, tree.shared, root)
    work.enter(root, patch, "", None)
    # Deeper entries come first in the list; the stable sort keeps them before shallower ones
    # that go to the same line.
    return sorted(work.found, key=lambda splice: splice.start)


def apply(text: str, changes: list[Splice]) -> str:
    """`text` with all `changes` made."""
    pieces, last = [], 0
    for change in changes:
        pieces += [text[last : change.start], change.text]
        last = change.end
    return "".join([*pieces, text[last:]])


class _Splicer:
    def __init__(self, text: str, line: str, shared: set[int], root: Node) -> None:
        self.text, self.line, self.shared = text, line, shared
        self.found: list[Splice] = []
        self.root = root

    @cached_property
    def document_style(self) -> Style:
        """How the document nests, where the nearest siblings do not show it."""
        return layout.document_style(self.text, self.root)

    def enter(self, node: Node, patch: Patch, field: str, holder: Mapping | None) -> None:
        """Apply `patch` to `node`, the value of an entry of `holder`."""
        self._refuse_shared(node, field)
        if is_null(node):
            self._fill(node, patch, field, holder)
        elif isinstance(patch, (str, int)) and type(node) is Scalar:
            self._replace(node, layout.scalar(patch), field)
        elif isinstance(patch, dict) and type(node) is Mapping:
            self._mapping(node, patch, field)
        elif isinstance(patch, Items) and type(node) is Sequence:
            for index, inner in patch.by_index.items():
                self.enter(node.parts[index], inner, f"{field}[{index}]", None)
        elif isinstance(patch, Append) and type(node) is Sequence:
            self._append(node, patch.item, field)
        else:
            expected = "a mapping" if isinstance(patch, dict) else "a sequence"
            raise Refused("wrong-type", start(node), field, f"expected {expected} here")

    def _refuse_shared(self, node: Node, field: str) -> None:
        if type(node) is Alias:
            raise Refused(
                "shared-block",
                start(node),
                field,
                f"stands for anchor &{node.event.anchor}: an edit here would change the anchor "
                "and its other uses; write this block out",
            )
        if id(node) in self.shared:
            anchor = node.anchor if type(node) is Scalar else node.event.anchor
            raise Refused(
                "shared-block",
                start(node),
                field,
                f"carries anchor &{anchor}, which is used elsewhere too: an edit here would "
                "change those places; write the other uses out",
            )

    def _replace(self, node: Scalar, new: str, field: str) -> None:
        if node.anchor is not None:
            raise Refused(
                "shared-block", start(node), field, f"carries anchor &{node.anchor}; remove it"
            )
        self.found.append(Splice(node.start_mark.index, node.end_mark.index, new))

    def _mapping(self, mapping: Mapping, patch: dict[str, Patch], field: str) -> None:
        missing: dict[str, Patch] = {}
        for key, inner in patch.items():
            path = _join(field, key)
            if key in mapping.entries:
                self.enter(mapping.entries[key], inner, path, mapping)
            else:
                self._refuse_merged(mapping, key, path)
                missing[key] = inner
        if not missing:
            return
        if mapping.event.flow_style:
            self._add_flow(mapping, missing, field)
        else:
            self._add_block(mapping, missing, field)

    def _refuse_merged(self, mapping: Mapping, key: str, field: str) -> None:
        for name, source in merged(mapping):
            if child(source, key) is not None:
                raise Refused(
                    "shared-block",
                    start(mapping.entries["<<"]),
                    field,
                    f"comes from anchor &{name} through a merge key (<<): an edit would change "
                    "the anchor, a new entry would hide it; write this entry out",
                )

    # New entries in block style.

    def _add_block(self, mapping: Mapping, missing: dict[str, Patch], field: str) -> None:
        self._refuse_explicit_key(mapping, field)
        style = layout.style_of(self.text, mapping, missing, lambda: self.document_style)
        lines = layout.block_lines(missing, layout.column_of(mapping.keys[0]), style)
        self._insert_lines(lines, mapping, mapping.keys[-1], field)

    def _refuse_explicit_key(self, mapping: Mapping, field: str) -> None:
        for key in (mapping.keys[0], mapping.keys[-1]):
            at = start(key)
            if "?" in self.text[layout.line_start(key) : at]:
                raise Refused(
                    "unusual-layout",
                    at,
                    field,
                    'is written with an explicit key ("? key"); write it as "key: value"',
                )

    def _insert_lines(self, lines: list[str], holder: Node, last: Node, field: str) -> None:
        """Put `lines` after `holder`, whose last entry or item starts at `last`."""
        text = self.text
        end = layout.content_end(text, holder)
        ended_by_break = end > 0 and layout.BREAK.fullmatch(text[end - 1]) is not None
        where, found = (end, self.line) if ended_by_break else layout.next_line(text, end)
        if found:
            self._insert(where, "".join(line + found for line in lines))
        elif self._is_open_block_scalar(holder):
            # A line after it would give the scalar the final line break it does not have, so the
            # new lines go before the last entry.
            begin = layout.line_start(last)
            if type(holder) is not Mapping or text[begin : start(last)].strip(" "):
                raise Refused("unusual-layout", start(last), field, "end the file with a newline")
            self._insert(begin, "".join(line + self.line for line in lines))
        else:
            self._insert(len(text), "".join(self.line + line for line in lines))

    def _is_open_block_scalar(self, node: Node) -> bool:
        while type(node) is Mapping or type(node) is Sequence:
            if node.event.flow_style:
                return False
            node = node.last
        return type(node) is Scalar and node.style in ("|", ">")

    def _insert(self, where: int, new: str) -> None:
        self.found.append(Splice(where, where, new))

    # New entries in flow style.

    def _add_flow(self, mapping: Mapping, missing: dict[str, Patch], field: str) -> None:
        flow = self._flow_of(mapping)
        self._insert_flow(
            mapping, mapping.keys, mapping.parts, layout.flow_entries(missing, flow), flow, field
        )

    def _insert_flow(
        self,
        holder: Mapping | Sequence,
        starts: list[Node],
        ends: list[Node],
        entries: list[str],
        flow: Flow,
        field: str,
    ) -> None:
        text, inside = self.text, holder.event.end_mark.index
        if inside == start(holder):  # the event is empty: no brace opens this mapping
            raise Refused("unusual-layout", start(holder), field, "write this mapping in braces")
        gap = flow.space if flow.indent is None else flow.line + flow.indent
        if not starts:
            blank = not text[inside : holder.end - 1].strip(" ")
            joined = f",{flow.space}".join(entries)
            self.found.append(Splice(inside, holder.end - 1 if blank else inside, joined))
            return
        last = ends[-1]
        if type(last) is Scalar and last.ctag is not None and not last.value:
            raise Refused("unusual-layout", start(last), field, "write this empty value out")
        after = max(layout.content_end(text, last), layout.content_end(text, starts[-1]))
        comma = layout.trailing_comma(text, after)
        new = gap + f",{gap}".join(entries)
        # A comment at the end of the line belongs to the entry before it and stays there.
        comment = layout.comment_end(text, comma or after) if flow.indent is not None else None
        if comma is None and comment is None:
            self._insert(after, "," + new)
            return
        if comma is None:
            self._insert(after, ",")
        self._insert(comment or comma or after, new)

    def _flow_of(self, node: Mapping | Sequence) -> Flow:
        """How the flow collection `node` writes its entries, read off the last one."""
        text = self.text
        firsts = node.keys if type(node) is Mapping else node.parts
        if not firsts:
            quote = '"' if self.document_style.quote == '"' else ""
            return Flow(quote=quote, line=self.line)
        at, begin = start(firsts[-1]), layout.line_start(firsts[-1])
        own_line = begin > start(node) and layout.blanks_before(text, at) == begin
        space = "" if text[at - 1] == "," else " "
        colon, quote = ": ", ""
        if type(node) is Mapping and type(key := firsts[-1]) is Scalar:
            quote = key.style if key.style in ("'", '"') else ""
            between = text[key.end_mark.index : start(node.last)]
            colon = ":" if quote and between == ":" else ": "
            if len(firsts) == 1 and colon == ":":
                space = ""
        indent = text[begin:at] if own_line else None
        step = "\t" if indent and "\t" in indent else " " * self.document_style.step
        return Flow(quote, colon, space, self.line, indent, step)

    # New items, and what is null so far.

    def _append(self, sequence: Sequence, item: Patch, field: str) -> None:
        if sequence.event.flow_style:
            flow = self._flow_of(sequence)
            if (
                sequence.parts
                and type(last := sequence.parts[-1]) is Mapping
                and last.event.flow_style
            ):
                inner = self._flow_of(last)
                flow = flow._replace(quote=inner.quote, colon=inner.colon)
            entries = [layout.flow_text(item, flow)]
            self._insert_flow(sequence, sequence.parts, sequence.parts, entries, flow, field)
            return
        column, gap = layout.dash_of(self.text, sequence)
        lines = layout.item_lines(item, column, self.document_style._replace(gap=gap, quote=""))
        self._insert_lines(lines, sequence, sequence.parts[-1], field)

    def _fill(self, node: Node, patch: Patch, field: str, holder: Mapping | None) -> None:
        """Give the null value of an entry of `holder` a content."""
        assert type(node) is Scalar
        if holder is None or node.anchor is not None:
            raise Refused(
                "unusual-layout", start(node), field, "is empty; write the collection out"
            )
        key = next(k for k, v in zip(holder.keys, holder.parts) if v is node)
        if self.text[start(key) - 2 : start(key)] == "? ":
            raise Refused("unusual-layout", start(key), field, 'write it as "key: value"')
        scalar = isinstance(patch, (str, int))
        flow = self._flow_of(holder) if holder.event.flow_style else Flow(line=self.line)
        if node.end_mark.index > node.start_mark.index:  # ~ or null
            self._replace(node, layout.flow_text(patch, flow), field)
        elif holder.event.flow_style or scalar:
            self._after_colon(key, node, layout.flow_text(patch, flow))
        else:
            style = layout.style_of(self.text, holder, {"": patch}, lambda: self.document_style)
            column = layout.column_of(key)
            if isinstance(patch, dict):
                lines = layout.block_lines(patch, column + style.step, style)
            else:
                items = [
                    layout.item_lines(i, column + style.dash, style) for i in layout.items_of(patch)
                ]
                lines = [line for item in items for line in item]
            self._insert_lines(lines, node, key, field)

    def _after_colon(self, key: Node, node: Scalar, new: str) -> None:
        """Write the value of a key that has none, and the colon too where it is missing."""
        end = layout.content_end(self.text, key)
        colon = self.text.find(":", end, node.start_mark.index + 1)
        if colon < 0:
            self._insert(end, f": {new}")
        else:
            self._insert(colon + 1, f" {new}")


def _join(field: str, key: str) -> str:
    if "/" in key:
        return f"{field}[{key}]"
    return f"{field}.{key}" if field else key
