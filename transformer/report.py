"""Words for people: diagnostics, the summary, colours.  Returns text, prints nothing."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

import click

from transformer.model import Diagnostic
from transformer.transform import Outcome

# What libyaml takes for a line break, in UTF-8.
_BREAK = re.compile(rb"\r\n|[\n\r]|\xc2\x85|\xe2\x80[\xa8\xa9]")
_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}


class Page:
    """A source as people see it: where each line starts, so that offsets become line:column."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.data = name, data
        self.starts = [0, *(found.end() for found in _BREAK.finditer(data))]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, 1-based, of the byte at `offset`; columns count characters."""
        line = bisect_right(self.starts, offset)
        lead = self.data[self.starts[line - 1] : offset].decode(errors="replace")
        return line, len(lead.lstrip("\ufeff")) + 1

    def diagnostic(self, found: Diagnostic) -> str:
        """``file:line:column: severity code: resource: field: what is wrong and what to do``."""
        line, column = self.position(found.offset)
        severity = click.style(found.severity, fg=_COLORS[found.severity], bold=True)
        where = click.style(f"{self.name}:{line}:{column}", bold=True)
        subject = "".join(f"{part}: " for part in (found.resource, found.field) if part)
        return f"{where}: {severity} {found.code}: {subject}{found.message}"


def error(message: str) -> str:
    """A message about the call as a whole."""
    return f"{click.style('error', fg='red', bold=True)}: {message}"


def diff_line(line: str) -> str:
    """A line of a unified diff in the usual colours."""
    if line.startswith(("--- ", "+++ ")):
        return click.style(line, bold=True)
    colors = {"+": "green", "-": "red", "@": "cyan"}
    color = colors.get(line[:1])
    return click.style(line, fg=color) if color else line


def changes(outcomes: Iterable[Outcome]) -> list[str]:
    """One line for each resource that is edited, with what reaches it."""
    return [
        f"{outcome.source.name}: {change.resource}"
        + (f" (behind {', '.join(change.via)})" if change.via else "")
        for outcome in outcomes
        for change in outcome.changes
    ]


def summary(outcomes: list[Outcome], skipped: Counter[str], verb: str) -> str:
    """One line that counts every input: ``2 files changed (5 resources), 7 unchanged, …``."""
    changed = [outcome for outcome in outcomes if outcome.edits]
    resources = sum(len(outcome.changes) for outcome in changed)
    parts = [f"{_count(len(changed), 'file')} {verb} ({_count(resources, 'resource')})"]
    parts.append(f"{len(outcomes) - len(changed)} unchanged")
    parts += [f"{count} {reason}" for reason, count in sorted(skipped.items())]
    return ", ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
