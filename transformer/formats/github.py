"""Workflow commands of GitHub Actions, which shows them beside the changed lines.

Source of the grammar: GitHub's page "Workflow commands for GitHub Actions"; of the escaping:
``escapeData`` and ``escapeProperty`` of actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

from transformer.formats.common import message, slashes, writable
from transformer.lint.report import Report, Reported

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}
_IN_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = _IN_DATA | str.maketrans({":": "%3A", ",": "%2C"})


def render(report: Report) -> str:
    """One command a line; '' when there is nothing to say."""
    return "".join(f"{_command(found)}\n" for found in report.findings)


def _command(found: Reported) -> str:
    properties = {
        "file": slashes(found.file),
        "line": str(found.line),
        "col": str(found.column),
        "endColumn": str(max(found.end_column, found.column)),
        "title": found.rule,
    }
    shown = ",".join(f"{key}={value.translate(_IN_PROPERTY)}" for key, value in properties.items())
    return f"::{_COMMANDS[found.severity]} {shown}::{writable(message(found)).translate(_IN_DATA)}"
