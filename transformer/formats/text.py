"""Findings for people, in the manner of ``transform``'s diagnostics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import accumulate, takewhile
from unicodedata import category, east_asian_width

import click

from transformer.formats.common import resource
from transformer.lint.report import Report, Reported
from transformer.lint.rule import SEVERITIES
from transformer.report import COLORS, count, sentence, showable

# Cells of a terminal: how much of a long line is shown, and how much of that before the place.
_WIDTH, _BEFORE = 100, 40
_TAB = " " * 4


def render(report: Report, *, carets: bool = False) -> str:
    """One line for each finding, with `carets` its source and what is meant in it below."""
    return "".join(_lines(found, carets) for found in report.findings)


def _lines(found: Reported, carets: bool) -> str:
    where = f"{found.file}:{found.line}:{found.column}"
    subject = (resource(found), found.field)
    line = sentence(where, found.severity, found.rule, subject, found.message)
    line += " [fixable]\n" if found.fixable else "\n"
    return line + _excerpt(found) if carets and found.source.strip() else line


def _excerpt(found: Reported) -> str:
    """The source line, cut around the place when it is long, and carets below the place.

    Both lines are put together from the same cells, so they stay aligned whatever a tab or a
    wide character takes.
    """
    first = min(found.column - 1, len(found.source))
    begin, end = _window(found.source, first)
    last = min(max(found.end_column - 1, first), end)
    cells = [_cell(character) for character in found.source[begin:end]]
    dots = "…" if begin else "", "…" if end < len(found.source) else ""
    space = " " * (len(dots[0]) + sum(map(_width, cells[: first - begin])))
    marks = "^" * max(sum(map(_width, cells[first - begin : last - begin])), 1)
    marks = click.style(marks, fg=COLORS[found.severity], bold=True)
    return f"  {dots[0]}{''.join(cells)}{dots[1]}\n  {space}{marks}\n"


def _window(source: str, first: int) -> tuple[int, int]:
    """Which characters to show, from and up to: all, or those around the place at `first`."""
    if _fitting(source, _WIDTH) == len(source):
        return 0, len(source)
    begin = first - _fitting(reversed(source[:first]), _BEFORE)
    return begin, begin + _fitting(source[begin:], _WIDTH)


def _fitting(characters: Iterable[str], room: int) -> int:
    """How many of the first `characters` fit into `room` columns; looks at no more than that."""
    ends = accumulate(_width(_cell(character)) for character in characters)
    return sum(1 for _ in takewhile(lambda end: end <= room, ends))


def _cell(character: str) -> str:
    return _TAB if character == "\t" else showable(character)


def _width(cell: str) -> int:
    """How many columns of a terminal `cell` takes."""
    if len(cell) > 1:
        return len(cell)  # a tab, or an escape
    if category(cell) in ("Mn", "Me", "Cf"):
        return 0  # joins the character before it
    return 2 if east_asian_width(cell) in "WF" else 1


def summary(report: Report, *, tried: bool = False) -> str:
    """One line that counts everything: ``2 errors, 1 warning in 14 files (3 fixable …); …``.

    `tried` says that what is fixed was only shown.
    """
    verb = "would fix" if tried else "fixed"
    number = report.fixed.total()
    parts = [f"{verb} {count(number, 'finding')}"] if number else []
    parts.append(f"{_counts(report)} in {count(report.files, 'file')}{_fixable(report)}")
    for counted, shown in ((report.skipped, "{} {}"), (report.silenced, "{} silenced by {}")):
        if counted.total():
            parts.append(_listed(counted, shown))
    return "; ".join(parts)


def _counts(report: Report) -> str:
    numbers = ((report.count(severity), severity) for severity in SEVERITIES)
    return ", ".join(count(*row) for row in numbers if row[0]) or "no findings"


def _fixable(report: Report) -> str:
    number = sum(found.fixable for found in report.findings)
    return f" ({number} fixable with --fix)" if number else ""


def _listed(counted: Counter[str], shown: str) -> str:
    return ", ".join(shown.format(n, what) for what, n in sorted(counted.items()) if n)
