"""The baseline file: findings that were there when lint came, kept apart from new ones.

Pure: bytes and values in, text and values out.  A finding is known again by its file, as it was
named on the command line (so call lint from the same directory), and its fingerprint, which does
not depend on lines; equal ones are counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from transformer.errors import ConfigError
from transformer.formats.common import slashes
from transformer.lint.report import Reported

VERSION = 1
_TOOL = "tke-direct"
_AGAIN = "write it again with --write-baseline"
_STRINGS = ("rule", "file", "resource", "field", "fingerprint")

Key = tuple[str, str]  # file, fingerprint


class Row(NamedTuple):
    """``times`` equal findings; ``rule``, ``resource`` and ``field`` are for people only."""

    file: str
    resource: str
    rule: str
    field: str
    fingerprint: str
    times: int

    @property
    def key(self) -> Key:
        """What its findings are known by."""
        return self.file, self.fingerprint


class Baseline(NamedTuple):
    """The rows of a baseline file; several with one key add up."""

    rows: tuple[Row, ...]


class Applied(NamedTuple):
    """What a baseline leaves: findings, how many it silenced, rows for what no longer occurs.

    The ``times`` of a stale row is how many of its findings are gone.
    """

    kept: tuple[Reported, ...]
    silenced: int
    stale: tuple[Row, ...]


def parse(data: bytes, name: str = "the baseline file") -> Baseline:
    """The baseline in `data`, in any of JSON's encodings; `name` is for messages.

    Raises ConfigError when it is broken, not a baseline, or of a newer version of tke-direct.
    """
    try:
        content: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        reason = str(error) or type(error).__name__
        raise ConfigError(f"{name}: not JSON: {reason}; {_AGAIN}") from None
    if not isinstance(content, dict) or content.get("tool") != _TOOL:
        raise ConfigError(f'{name}: not a baseline of {_TOOL}: expected {{"tool": "{_TOOL}", …}}')
    version, rows = content.get("version"), content.get("findings")
    if type(version) is int and version > VERSION:
        raise ConfigError(
            f"{name}: version {version}, this {_TOOL} knows up to {VERSION}: use a newer {_TOOL}"
        )
    if type(version) is not int or version != VERSION:
        raise ConfigError(f"{name}: unknown version {version!r}; {_AGAIN}")
    if not isinstance(rows, list):
        raise ConfigError(f"{name}: findings: expected a list; {_AGAIN}")
    return Baseline(tuple(_row(row, f"{name}: findings[{i}]") for i, row in enumerate(rows)))


def _row(row: object, where: str) -> Row:
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: expected an object; {_AGAIN}")
    for key in _STRINGS:
        if not isinstance(row.get(key), str):
            raise ConfigError(f"{where}.{key}: expected a string; {_AGAIN}")
    number = row.get("count")
    if type(number) is not int or number < 1:
        raise ConfigError(f"{where}.count: expected a whole number from 1 on; {_AGAIN}")
    texts = {key: str(row[key]) for key in _STRINGS}
    return Row(**texts, times=number)


def dump(findings: Iterable[Reported]) -> str:
    """The text of a baseline file that knows `findings`, in an order that makes small diffs.

    Findings without a fingerprint (input that cannot be read) are left out: nothing would know
    them again.
    """
    counts = Counter(
        Row(
            slashes(found.file),
            found.subject.shown if found.subject else "",
            found.rule,
            found.field,
            found.fingerprint,
            0,
        )
        for found in findings
        if found.fingerprint
    )
    rows = [
        {**{key: getattr(row, key) for key in _STRINGS}, "count": number}
        for row, number in sorted(counts.items())
    ]
    content = {"tool": _TOOL, "version": VERSION, "findings": rows}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    # Bytes of file names that are no UTF-8 are lone surrogates here; JSON has escapes for them.
    return text.encode(errors="backslashreplace").decode()


def apply(findings: Iterable[Reported], baseline: Baseline) -> Applied:
    """Take away what `baseline` knows, of equal findings the first ones."""
    left: Counter[Key] = Counter()
    for row in baseline.rows:
        left[row.key] += row.times
    kept: list[Reported] = []
    silenced = 0
    for found in findings:
        key = (slashes(found.file), found.fingerprint)
        if found.fingerprint and left[key]:
            left[key] -= 1
            silenced += 1
        else:
            kept.append(found)
    return Applied(tuple(kept), silenced, tuple(_stale(baseline.rows, left)))


def _stale(rows: Iterable[Row], left: Counter[Key]) -> Iterable[Row]:
    for row in rows:
        gone = min(left[row.key], row.times)
        if gone:
            left[row.key] -= gone
            yield row._replace(times=gone)
