"""The report as one JSON object, version 1; ``schemas/lint-report.schema.json`` describes it.

Names follow the Result of kustomize's KRM functions where it has one: ``severity``, ``message``,
``resourceRef``, ``field.path``, ``file.path`` (source: kyaml/fn/framework/result.go).
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from transformer.formats.common import Json, slashes
from transformer.lint.report import Report, Reported, Subject
from transformer.model import Edit

VERSION = 1


def render(report: Report) -> str:
    """The object, indented; ASCII only, so that no encoding on the way can harm it."""
    made: Json = {
        "version": VERSION,
        "findings": [_finding(found) for found in report.findings],
        "summary": _summary(report),
    }
    return json.dumps(made, indent=2) + "\n"


def _finding(found: Reported) -> dict[str, Json]:
    made: dict[str, Json] = {
        "rule": found.rule,
        "severity": found.severity,
        "message": found.message,
        "file": {"path": slashes(found.file)},
        "line": found.line,
        "column": found.column,
        "endColumn": max(found.end_column, found.column),
        "offset": found.offset,
        "length": found.length,
        "fixable": found.fixable,
        "fixes": _fixes(found.fixes),
    }
    if found.subject:
        made["resourceRef"] = _reference(found.subject)
    if found.field:
        made["field"] = {"path": found.field}
    if found.fingerprint:
        made["fingerprint"] = found.fingerprint
    return made


def _fixes(edits: Iterable[Edit]) -> list[Json]:
    return [
        {"offset": edit.start, "length": edit.length, "text": edit.text.decode(errors="replace")}
        for edit in edits
    ]


def _reference(subject: Subject) -> dict[str, Json]:
    return {
        "apiVersion": subject.api_version,
        "kind": subject.kind,
        "namespace": subject.namespace,
        "name": subject.name,
    }


def _summary(report: Report) -> dict[str, Json]:
    return {
        "files": report.files,
        "errors": report.count("error"),
        "warnings": report.count("warning"),
        "infos": report.count("info"),
        "fixable": sum(found.fixable for found in report.findings),
        "skipped": dict(sorted(report.skipped.items())),
        "silenced": dict(sorted(report.silenced.items())),
        "fixed": dict(sorted(report.fixed.items())),
    }
