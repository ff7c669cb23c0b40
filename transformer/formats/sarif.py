"""SARIF 2.1.0, as code scanning services and editors read it.

Sources: the OASIS standard and its schema; GitHub's page "SARIF support for code scanning" for
what it insists on (each rule has shortDescription, fullDescription and help).
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import PurePath

from transformer import __version__, rules
from transformer.formats.common import Json, message, numbered, resource, slashes
from transformer.lint.report import Report, Reported
from transformer.model import Edit

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "%SRCROOT%"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
# What RFC 3986 lets stand in a path; a colon in its first part would look like a scheme.
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


def render(report: Report) -> str:
    """The log with one run; ASCII only, so that no encoding on the way can harm it."""
    occurring = dict.fromkeys(found.rule for found in report.findings)
    index = {name: number for number, name in enumerate(occurring)}
    seen: Counter[str] = Counter()
    run: dict[str, Json] = {
        "tool": {
            "driver": {
                "name": "tke-direct",
                "version": __version__,
                "rules": [_rule(name, report) for name in occurring],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            _ROOT: {"description": {"text": "The directory that tke-direct was called in."}}
        },
        "results": [_result(found, index, seen) for found in report.findings],
    }
    made: Json = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(made, indent=2) + "\n"


def _rule(name: str, report: Report) -> Json:
    """A rule's description; one without a module is described by its name."""
    known = rules.named(name)
    gravest = known.row.severity if known else _gravest(name, report)
    text = known.text if known else name
    return {
        "id": name,
        "shortDescription": {"text": known.summary if known else name},
        "fullDescription": {"text": _paragraph(text)},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": _LEVELS[gravest]},
    }


def _paragraph(text: str) -> str:
    """The first paragraph that is neither the title nor a heading, on one line."""
    title, *others = text.split("\n\n")
    return " ".join(next((part for part in others if not part.startswith("#")), title).split())


def _gravest(name: str, report: Report) -> str:
    found = {row.severity for row in report.findings if row.rule == name}
    return next(severity for severity in _LEVELS if severity in found)


def _result(found: Reported, index: dict[str, int], seen: Counter[str]) -> Json:
    # Braces in a message stay single: there are no arguments to fill in, and those who read
    # such messages show them as they are.
    made: dict[str, Json] = {
        "ruleId": found.rule,
        "ruleIndex": index[found.rule],
        "level": _LEVELS[found.severity],
        "message": {"text": message(found)},
        "locations": [_location(found)],
    }
    if found.fingerprint:
        made["partialFingerprints"] = {"tkeDirect/v1": numbered(found.fingerprint, seen, "{}:{}")}
    if found.fixes:
        made["fixes"] = [_fix(found)]
    return made


def _location(found: Reported) -> Json:
    region: Json = {
        "startLine": found.line,
        "startColumn": found.column,
        "endColumn": max(found.end_column, found.column),
        "byteOffset": found.offset,
        "byteLength": found.length,
    }
    made: dict[str, Json] = {
        "physicalLocation": {"artifactLocation": _artifact(found.file), "region": region}
    }
    if logical := _logical(found):
        made["logicalLocations"] = logical
    return made


def _logical(found: Reported) -> list[Json]:
    """The resource and the field in it, as far as they are known."""
    shown = resource(found)
    made: list[Json] = []
    if found.subject:
        made.append({"name": found.subject.name, "fullyQualifiedName": shown, "kind": "resource"})
    if found.field:
        whole = f"{shown} {found.field}".strip()
        made.append({"name": found.field, "fullyQualifiedName": whole, "kind": "property"})
    return made


def _artifact(file: str) -> dict[str, Json]:
    octets = slashes(file).encode(errors="surrogateescape")
    name = "".join(chr(octet) if octet in _PLAIN else f"%{octet:02X}" for octet in octets)
    if PurePath(file).is_absolute():
        return {"uri": "file://" + (name if name.startswith("/") else f"/{name}")}
    if name.startswith("../"):
        return {"uri": name}  # not below the root
    return {"uri": name, "uriBaseId": _ROOT}


def _fix(found: Reported) -> Json:
    replacements: list[Json] = [_replacement(edit) for edit in found.fixes]
    change: Json = {"artifactLocation": _artifact(found.file), "replacements": replacements}
    return {"description": {"text": f"Mend {found.rule}"}, "artifactChanges": [change]}


def _replacement(edit: Edit) -> Json:
    made: dict[str, Json] = {"deletedRegion": {"byteOffset": edit.start, "byteLength": edit.length}}
    if edit.text:
        made["insertedContent"] = {"text": edit.text.decode(errors="replace")}
    return made
