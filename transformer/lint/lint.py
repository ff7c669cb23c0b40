"""Lint one build: everything that is wrong with it, less what somebody silenced."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from transformer.draft import TEMPLATED
from transformer.lint import suppress
from transformer.lint.build import Build, Key
from transformer.lint.check import Found, Scope
from transformer.lint.engine import Joined, Placed, Spread, in_one_go
from transformer.lint.objects import Object
from transformer.lint.read import Reading
from transformer.lint.report import Reported, fingerprint
from transformer.lint.rule import WARNING, Finding
from transformer.model import Diagnostic, Edit, Settings
from transformer.transform import Source
from transformer.values import Path


class Linted(NamedTuple):
    """What is wrong with one build.

    ``build`` is what was judged; ``findings`` has the index of the source beside each, and
    ``by_object`` those that are about an object, by its key.  ``unreadable`` are the sources that
    cannot be read, ``templates`` those among them that are templates, ``foreign`` those without
    a Kubernetes object; ``silenced`` counts findings by what silenced them.
    """

    build: Build
    findings: list[tuple[int, Reported]]
    by_object: dict[Key, list[Reported]]
    unreadable: frozenset[int]
    templates: frozenset[int]
    foreign: frozenset[int]
    silenced: Counter[str]
    used: frozenset[int]  # rows of the configuration's ignore list that silenced something
    edits: dict[int, list[Edit]]  # what mends everything fixable that was not silenced, by source
    fixed: Counter[str]  # how many findings those edits mend, by rule


def lint(
    sources: Sequence[Source],
    readings: Sequence[tuple[Sequence[Reading], int]],
    settings: Settings,
    scope: Scope,
    *,
    inline: bool = True,
    with_fixes: bool = False,
    mend: bool = False,
    spread: Spread = in_one_go,
) -> Linted:
    """Check what was read of `sources`: for each its readings and its number of chunks.

    `inline` honours annotations and comments, `with_fixes` gives each finding its own edits,
    `mend` makes those for all of them; `spread` says where the work is done.
    """
    joined = Joined(sources, [found for found, _ in readings], settings)
    silence = _Silence(joined, scope, inline)
    findings: list[tuple[int, Reported]] = []
    kept: list[Placed] = []
    by_object: dict[Key, list[Reported]] = defaultdict(list)
    for placed in chain(joined.findings(scope, spread), silence.unused_annotations()):
        if not silence.covers(placed):
            kept.append(placed)
            fixes = joined.fixes(placed) if with_fixes else ()
            report = placed.report._replace(fixes=fixes) if fixes else placed.report
            findings.append((placed.key[0], report))
            by_object[placed.key].append(report)
    findings += silence.unused_comments()
    unreadable = _unreadable(readings)
    for source, rows in unreadable.items():
        findings += [(source, joined.diagnosed(source, row)) for row in rows]
    return Linted(
        joined.build,
        sorted(findings, key=lambda row: (row[0], row[1].offset, row[1].rule)),
        by_object,
        frozenset(unreadable),
        frozenset(i for i, rows in unreadable.items() if {row.code for row in rows} == {TEMPLATED}),
        frozenset(i for i, row in enumerate(readings) if _is_foreign(*row)),
        silence.count,
        frozenset(silence.used_rows),
        joined.edits(_wanted(kept)) if mend else {},
        Counter(placed.report.rule for placed in kept if placed.repairs),
    )


def _wanted(kept: list[Placed]) -> dict[Key, frozenset[Path]]:
    """The places to write so that everything fixable among `kept` is mended, by object."""
    wanted: dict[Key, frozenset[Path]] = defaultdict(frozenset)
    for placed in kept:
        if placed.repairs:
            wanted[placed.key] |= placed.repairs
    return wanted


def _unreadable(
    readings: Sequence[tuple[Sequence[Reading], int]],
) -> dict[int, tuple[Diagnostic, ...]]:
    rows = {
        source: tuple(row for one in found if one.draft for row in one.draft.diagnostics)
        for source, (found, _) in enumerate(readings)
    }
    return {source: found for source, found in rows.items() if found}


def _is_foreign(found: Sequence[Reading], chunks: int) -> bool:
    """Whether no document of a source is a Kubernetes object."""
    return sum(one.draft is not None and not one.draft.is_kubernetes for one in found) == chunks


class _Silence:
    """What annotations, comments and the configuration silence, and which of it was needed."""

    def __init__(self, joined: Joined, scope: Scope, inline: bool) -> None:
        self.joined, self.scope, self.inline = joined, scope, inline
        self.count: Counter[str] = Counter()
        self.used_rows: set[int] = set()
        self._annotated = {
            one.key: {name for _, listed in suppress.annotated(one) for name in listed}
            for one in joined.build.objects
        }
        self._used: set[tuple[Key, str]] = set()
        self._used_comments: set[tuple[int, int, str]] = set()
        self._comments: dict[int, list[tuple[int, suppress.Comment, int, int]]] = {}

    def covers(self, placed: Placed) -> bool:
        """Whether somebody silenced a finding; remembers who."""
        by = next(self._who(placed), None)
        if by is not None:
            self.count[by] += 1
        return by is not None

    def _who(self, placed: Placed) -> Iterator[str]:
        rule, source = placed.report.rule, placed.key[0]
        if self.inline:
            if rule in self._annotated.get(placed.key, ()):
                self._used.add((placed.key, rule))
                yield "annotation"
            for line, comment, offset, _ in self._comments_of(source):
                if line == placed.report.line and rule in comment.rules:
                    self._used_comments.add((source, offset, rule))
                    yield "comment"
        subject = placed.report.subject
        for index, row in enumerate(self.joined.settings.lint.ignored):
            if subject is not None and suppress.matches(row, rule, subject.shown):
                self.used_rows.add(index)
                yield "configuration"

    def unused_annotations(self) -> Iterator[Placed]:
        """A finding for each annotated rule name that silenced nothing; ask when all is covered."""
        if not (self.inline and self.scope.has(suppress.UNUSED)):
            return
        for one in self.joined.build.objects:
            for path, listed in suppress.annotated(one):
                for name in listed:
                    wrong = self._complaint(one, name)
                    if wrong is not None:
                        found = Found(suppress.UNUSED, WARNING, one, Finding(path, wrong))
                        yield self.joined.placed(found)

    def _complaint(self, one: Object, name: str) -> str | None:
        return suppress.complaint(name, lambda rule: (one.key, rule) in self._used, self.scope)

    def unused_comments(self) -> Iterator[tuple[int, Reported]]:
        """A finding for each rule name in a comment that silenced nothing."""
        if not (self.inline and self.scope.has(suppress.UNUSED)):
            return
        for source in range(len(self.joined.sources)):
            for _, comment, offset, length in self._comments_of(source):
                for name in comment.rules:
                    used = (source, offset, name) in self._used_comments
                    wrong = suppress.complaint(name, lambda _, used=used: used, self.scope)  # type: ignore[misc]
                    if wrong is not None:
                        made = self.joined.at(source, offset, length, suppress.UNUSED, WARNING)
                        mark = fingerprint(suppress.UNUSED, None, None, (name,))
                        yield source, made._replace(message=wrong, fingerprint=mark)

    def _comments_of(self, source: int) -> list[tuple[int, suppress.Comment, int, int]]:
        """The comments of a source: line from 1, the comment, its offset and length in bytes."""
        if source not in self._comments:
            found = []
            if suppress.MARK in self.joined.sources[source].data:
                for chunk in self._chunks(source):
                    page = self.joined.places(source).page(chunk)
                    for comment in suppress.comments(page):
                        offset = page.to_byte(comment.start)
                        length = page.to_byte(comment.end) - offset
                        shift = self.joined.page(source).position(chunk[0])[0]
                        found.append((shift + comment.line, comment, offset, length))
            self._comments[source] = found
        return self._comments[source]

    def _chunks(self, source: int) -> list[tuple[int, int]]:
        inside = (one.chunk for one in self.joined.build.objects if one.source == source)
        return list(dict.fromkeys(inside))
