"""The baseline file: findings that were there when lint came, kept apart from new ones.

Pure: bytes and values in, text and values out.  A finding is known again by its file, named as
seen from the baseline's folder, and its fingerprint, which does not depend on lines; equal ones
are counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from transformer.errors import ConfigError
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


class Known:
    """Tells the findings that a baseline knows from new ones, of equal ones the first.

    `named` gives the name that a file has in the baseline.
    """

    def __init__(self, baseline: Baseline, named: Callable[[str], str]) -> None:
        self.named = named
        self._left: Counter[Key] = Counter()
        for row in baseline.rows:
            self._left[row.key] += row.times

    def __call__(self, found: Reported) -> bool:
        """Whether `found` is known; every finding is to be asked about once."""
        key = (self.named(found.file), found.fingerprint)
        if not found.fingerprint or not self._left[key]:
            return False
        self._left[key] -= 1
        return True

    def gone(self, files: Iterable[str]) -> int:
        """How many findings that the baseline knows of `files` did not come up."""
        names = {self.named(file) for file in files}
        return sum(count for (file, _), count in self._left.items() if file in names)


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


def dump(findings: Iterable[Reported], named: Callable[[str], str]) -> str:
    """The text of a baseline file that knows `findings`, in an order that makes small diffs.

    Findings without a fingerprint (input that cannot be read) are left out: nothing would know
    them again.
    """
    counts = Counter(
        Row(
            named(found.file),
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
