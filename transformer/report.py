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
# What would break a line in two, drive a terminal, reorder what it shows or fail to be encoded.
# The surrogates left out stand for bytes of a file name that is not UTF-8: they are written back.
_UNSHOWABLE = re.compile(
    "[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udc7f\udd00-\udfff]"
)

COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}


_LONG_LINE = 4_000  # bytes; nobody reads more, and a thousand findings would each keep it


class Page:
    """A source as people see it: where each line starts, so that offsets become line:column."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.data = name, data
        self.starts = [0, *(found.end() for found in _BREAK.finditer(data))]
        self._is_ascii = data.isascii()

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, 1-based, of the byte at `offset`; columns count characters."""
        line = bisect_right(self.starts, offset)
        if self._is_ascii:  # a line may be a whole file, and hold thousands of findings
            return line, offset - self.starts[line - 1] + 1
        lead = self.data[self.starts[line - 1] : offset].decode(errors="replace")
        return line, len(lead.lstrip("\ufeff")) + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its break; '' for one too long to show."""
        end = self.starts[number] if number < len(self.starts) else len(self.data)
        if end - self.starts[number - 1] > _LONG_LINE:
            return ""
        return self.data[self.starts[number - 1] : end].decode(errors="replace").strip("\r\n\ufeff")

    def diagnostic(self, found: Diagnostic) -> str:
        """``file:line:column: severity code: resource: field: what is wrong and what to do``."""
        line, column = self.position(found.offset)
        subject = (found.resource, found.field)
        where = f"{self.name}:{line}:{column}"
        return sentence(where, found.severity, found.code, subject, found.message)


def sentence(where: str, severity: str, code: str, subject: tuple[str, str], message: str) -> str:
    """``where: severity code: resource: field: message`` in colours; `subject` is the middle."""
    place = click.style(showable(where), bold=True)
    grade = click.style(severity, fg=COLORS[severity], bold=True)
    rest = ": ".join(part for part in (*subject, message) if part)
    return f"{place}: {grade} {code}: {showable(rest)}"


def showable(text: str) -> str:
    """`text` on one line, with escapes like ``\\x1b`` for what must not reach a terminal."""
    return _UNSHOWABLE.sub(lambda found: ascii(found[0])[1:-1], text)


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
    parts = [f"{count(len(changed), 'file')} {verb} ({count(resources, 'resource')})"]
    parts.append(f"{len(outcomes) - len(changed)} unchanged")
    parts += [f"{number} {reason}" for reason, number in sorted(skipped.items())]
    return ", ".join(parts)


def count(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
