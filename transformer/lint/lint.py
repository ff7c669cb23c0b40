"""Lint one build: everything that is wrong with it, less what somebody silenced."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

from transformer.draft import TEMPLATED
from transformer.lint.build import Build, Key
from transformer.lint.check import Scope
from transformer.lint.engine import Joined, Placed, Spread, in_one_go
from transformer.lint.mend import Mender, safe
from transformer.lint.read import Reading
from transformer.lint.report import Reported
from transformer.lint.silence import Silence
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
    known: Callable[[Reported], bool] | None = None,
    with_fixes: bool = False,
    mend: bool = False,
    spread: Spread = in_one_go,
) -> Linted:
    """Check what was read of `sources`: for each its readings and its number of chunks.

    `inline` honours annotations and comments, `known` tells findings of a baseline from new ones,
    `with_fixes` gives each finding its own edits, `mend` makes those for all of them; `spread` says
    where the work is done.
    """
    joined = Joined(sources, [found for found, _ in readings], settings)
    silence = Silence(joined, scope, inline=inline, known=known)
    kept = [
        placed
        for placed in chain(joined.findings(scope, spread), silence.unused_annotations())
        if not silence.covers(placed)
    ]
    wanted = safe(_wanted(kept), joined.build, whole_build=scope.whole_build)
    mender = Mender(sources, joined.targets, settings)
    findings: list[tuple[int, Reported]] = []
    by_object: dict[Key, list[Reported]] = defaultdict(list)
    fixed: Counter[str] = Counter()
    for placed in kept:
        key, repairs, report = placed
        fixable = bool(repairs) and repairs <= wanted.get(key, frozenset())
        fixes = mender.shown(key, repairs) if fixable and with_fixes else ()
        report = report._replace(fixable=fixable, fixes=fixes)
        fixed[report.rule] += fixable
        findings.append((key[0], report))
        by_object[key].append(report)
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
        mender.edits(wanted) if mend else {},
        +fixed,
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
