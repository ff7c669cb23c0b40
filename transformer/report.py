"""Words for people: diagnostics, the summary, colours.  Returns text, prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import click

from transformer.model import Diagnostic
from transformer.transform import Outcome

_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}


def position(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column, 1-based, of the byte at `offset`; columns count characters."""
    begin = data.rfind(b"\n", 0, offset) + 1
    line = data.count(b"\n", 0, offset) + 1
    lead = data[begin:offset].decode(errors="replace").lstrip("\ufeff")
    return line, len(lead) + 1


def diagnostic(name: str, data: bytes, found: Diagnostic) -> str:
    """``file:line:column: severity code: resource: field: what is wrong and what to do``."""
    line, column = position(data, found.offset)
    severity = click.style(found.severity, fg=_COLORS[found.severity], bold=True)
    where = click.style(f"{name}:{line}:{column}", bold=True)
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
