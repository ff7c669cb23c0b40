"""What lint says: findings with their places, and counts.  Formats render it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from transformer.lint.objects import Object
from transformer.lint.rule import SEVERITIES
from transformer.model import Edit
from transformer.resources import full_name
from transformer.values import Path, Value, at, text


class Subject(NamedTuple):
    """The object that a finding is about."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def shown(self) -> str:
        """``Kind namespace/name``, for messages."""
        return full_name(self.kind, self.namespace, self.name)


class Reported(NamedTuple):
    """A finding in its place.

    ``file`` is the name as the user gave it, ``offset`` and ``length`` are bytes in it, ``line``
    and ``column`` count from 1, columns in characters.  ``field`` is a dotted path, '' for the
    object itself.  ``fixes`` are edits in bytes of this file that mend this finding alone.
    ``fingerprint`` stays the same when lines move.  ``source`` is the line of text it stands on.
    """

    rule: str
    severity: str
    file: str
    line: int
    column: int
    end_column: int
    offset: int
    length: int
    message: str
    subject: Subject | None = None
    field: str = ""
    fixable: bool = False
    fixes: tuple[Edit, ...] = ()
    fingerprint: str = ""
    source: str = ""


class Report(NamedTuple):
    """The outcome of one run, in a stable order: by file as given, then by place.

    ``files`` counts those that were checked, ``skipped`` the others by reason, ``silenced``
    findings by what silenced them ("annotation", "comment", "configuration", "baseline"),
    ``fixed`` findings that were mended, by rule.
    """

    findings: tuple[Reported, ...]
    files: int
    skipped: Counter[str]
    silenced: Counter[str]
    fixed: Counter[str]

    def count(self, severity: str) -> int:
        """How many findings have this severity."""
        return sum(found.severity == severity for found in self.findings)

    def fails(self, fail_on: str) -> bool:
        """Whether a finding is at least as grave as `fail_on`."""
        grave = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        return any(found.severity in grave for found in self.findings)


def subject_of(one: Object) -> Subject:
    """`one` as reports name it."""
    return Subject(one.api_version, one.kind, one.namespace, one.name)


def fingerprint(rule: str, subject: Subject | None, one: Object | None, path: Path) -> str:
    """A name for a finding that stays when lines move, items are reordered or versions change."""
    kind = f"{subject.kind} {subject.namespace}/{subject.name}" if subject else ""
    steps = "/".join(_named(one.data if one else None, path))
    return hashlib.sha256(f"{rule}\n{kind}\n{steps}".encode()).hexdigest()[:32]


def _named(data: Value, path: Path) -> Iterable[str]:
    """The steps of `path`, items by their names where they have one."""
    for index, step in enumerate(path):
        name = text(at(data, *path[: index + 1], "name")) if isinstance(step, int) else None
        yield name or str(step)
