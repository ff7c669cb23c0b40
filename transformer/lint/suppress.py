"""Findings that somebody wants to be silent: by annotation, comment, configuration or baseline.

A suppression that silences nothing is itself a finding: what it excused is gone, or it never
named a rule.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from schemas.contract import IGNORE
from transformer import rules
from transformer.config import meant
from transformer.draft import Read
from transformer.lint.check import Scope
from transformer.lint.objects import Object
from transformer.lint.report import Reported, fingerprint
from transformer.lint.rule import WARNING
from transformer.lookup import child
from transformer.model import Ignored
from transformer.report import Page
from transformer.tree import Mapping, Node, Scalar, event_of, parse, start
from transformer.tree import Sequence as Items
from transformer.values import Path, text

UNUSED = "unused-suppression"

_COMMENT = re.compile(r"#[ \t]*tke-direct:[ \t]*(?:ignore\[([^\]\n]*)\])?", re.IGNORECASE)
MARK = b"tke-direct:"


class Comment(NamedTuple):
    """``# tke-direct: ignore[rule, rule]``: the line that it is about, and where it stands.

    ``line`` counts from 1, ``offset`` and ``length`` are bytes of the source.
    """

    rules: tuple[str, ...]
    line: int
    offset: int
    length: int


def comments(piece: Read, page: Page) -> Iterator[Comment]:
    """The ignore comments in a chunk; a comment alone on its line is about the next one."""
    matches = list(_COMMENT.finditer(piece.text))
    spans = sorted(span for root in piece.tree.roots for span in _spans(root)) if matches else []
    starts = [first for first, _ in spans]
    for match in matches:
        before = bisect_right(starts, match.start()) - 1
        if before >= 0 and match.start() < spans[before][1]:
            continue  # text of a value that only looks like a comment
        offset, end = piece.to_byte(match.start()), piece.to_byte(match.end())
        line, column = page.position(offset)
        alone = not page.data[offset - column + 1 : offset].strip() or column == 1
        yield Comment(names(match[1] or ""), line + alone, offset, end - offset)


def names(listed: str) -> tuple[str, ...]:
    """The rule names of a comma list."""
    return tuple(part.strip() for part in listed.split(","))


def annotated(one: Object) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Where the object is annotated to ignore rules, and which; its pod template's count too."""
    for place in (("metadata",), one.in_template("metadata")):
        path = (*place, "annotations", IGNORE)
        listed = text(one.get(*path))
        if listed is not None:
            yield path, names(listed)
        if one.template in (None, ()):
            return


def matches(row: Ignored, rule: str, resource: str) -> bool:
    """Whether a row of the configuration silences `rule` for ``Kind namespace/name``."""
    return rule in row.rules and any(fnmatchcase(resource, glob) for glob in row.resources)


def unused_rows(
    page: Page,
    rows: Sequence[Ignored],
    used: Collection[tuple[int, str]],
    scope: Scope,
    walked: bool,
) -> Iterator[Reported]:
    """A finding for each rule in a row of the configuration in `page` that silences nothing.

    `walked` says that everything the configuration governs was looked at; otherwise only names
    that no rule has are told.
    """
    roots = parse(page.data.decode()).roots if rows else []
    for index, row in enumerate(rows):
        holder = child(roots[0], "spec", "lint", "ignore", index) if roots else None
        offset = len(page.data.decode()[: start(holder)].encode()) if holder else 0
        line, column = page.position(offset)
        where = f"in {', '.join(row.resources)}"
        for name in row.rules:
            wrong = complaint(name, (index, name) in used or not walked, scope, where)
            if wrong is not None:
                yield Reported(
                    rule=UNUSED,
                    severity=WARNING,
                    file=page.name,
                    line=line,
                    column=column,
                    end_column=column + 1,
                    offset=offset,
                    length=1,
                    message=wrong,
                    field=f"spec.lint.ignore[{index}]",
                    fingerprint=fingerprint(UNUSED, None, None, ("ignore", name)),
                    source=page.line(line),
                )


def complaint(name: str, used: bool, scope: Scope, where: str = "here any more") -> str | None:
    """What is wrong with a suppression of the rule `name`; None when it does its work.

    `used` also when nobody can tell, for not everything was looked at.  `where` says what it is
    about.
    """
    if not name:
        return "names no rule: write ignore[RULE], with the name that the finding shows"
    if name not in rules.names():
        return f"there is no rule {name!r}{meant(name, sorted(rules.names()))}"
    if used or not scope.has(name):
        return None
    return f"{name} finds nothing {where}: remove the name"


def _spans(node: Node) -> Iterator[tuple[int, int]]:
    """Where the scalars below `node` start and end; what an alias stands for is elsewhere."""
    if type(node) is Scalar:
        yield start(node), event_of(node).end_mark.index
    elif type(node) is Mapping:
        for part in (*node.keys, *node.parts):
            yield from _spans(part)
    elif type(node) is Items:
        for part in node.parts:
            yield from _spans(part)
