"""Lint one build: everything that is wrong with it, less what somebody silenced."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

from transformer.lint.build import Build
from transformer.lint.check import Scope
from transformer.lint.engine import Follow, Joined, Placed, Spread, in_one_go
from transformer.lint.joins import Key
from transformer.lint.mend import Mender, safe
from transformer.lint.read import SourceReading
from transformer.lint.report import Reported
from transformer.lint.silence import Silence
from transformer.model import Edit, Settings
from transformer.transform import Source
from transformer.values import Path


class Linted(NamedTuple):
    """What is wrong with one build.

    ``build`` is what was judged; ``findings`` has the index of the source beside each, and
    ``by_object`` those that are about an object, by its key; ``silenced`` counts findings by what
    silenced them.
    """

    build: Build
    findings: list[tuple[int, Reported]]
    by_object: dict[Key, list[Reported]]
    silenced: Counter[str]
    used: frozenset[tuple[int, str]]  # row and rule of the ignore list that silenced something
    edits: dict[int, list[Edit]]  # what mends everything fixable that was not silenced, by source
    fixed: Counter[str]  # how many findings those edits mend, by rule


def lint(
    sources: Sequence[Source],
    readings: Sequence[SourceReading],
    settings: Settings,
    scope: Scope,
    *,
    inline: bool = True,
    whole: bool = True,
    known: Callable[[Reported], bool] | None = None,
    with_fixes: bool = False,
    mend: bool = False,
    spread: Spread = in_one_go,
    follow: Follow | None = None,
) -> Linted:
    """Check what was read of `sources`: one row for each.

    `inline` honours annotations and comments; `whole` says that nothing of the build is missing,
    so that a suppression which silences nothing can be told; `known` tells findings of a baseline
    from new ones; `with_fixes` gives each finding its own edits, `mend` makes those for all of
    them; `spread` says where the work is done, `follow` how names are referred to.
    """
    joined = Joined(sources, [made.readings for made in readings], settings, follow)
    silence = Silence(joined, scope, inline=inline, whole=whole, known=known)
    kept = [
        placed
        for placed in chain(joined.findings(scope, spread), silence.unused_annotations())
        if not silence.covers(placed)
    ]
    wanted = safe(_wanted(kept), joined.build, whole_build=scope.whole_build)
    mender = Mender(sources, joined.targets, settings)
    by_object: dict[Key, list[Reported]] = defaultdict(list)
    for placed in kept:
        fixable = bool(placed.repairs) and placed.repairs <= wanted.get(placed.key, frozenset())
        fixes = mender.shown(placed.key, placed.repairs) if fixable and with_fixes else ()
        by_object[placed.key].append(placed.report._replace(fixable=fixable, fixes=fixes))
    findings = [(key[0], row) for key, rows in by_object.items() for row in rows]
    fixed = Counter(row.rule for _, row in findings if row.fixable)
    findings += silence.unused_comments()
    for source, made in enumerate(readings):
        findings += [(source, joined.diagnosed(source, row)) for row in made.diagnostics]
    return Linted(
        joined.build,
        sorted(findings, key=lambda row: (row[0], row[1].offset, row[1].rule)),
        by_object,
        silence.count,
        frozenset(silence.used_rows),
        mender.edits(wanted) if mend else {},
        fixed,
    )


def _wanted(kept: list[Placed]) -> dict[Key, frozenset[Path]]:
    """The places to write so that everything fixable among `kept` is mended, by object."""
    wanted: dict[Key, frozenset[Path]] = defaultdict(frozenset)
    for placed in kept:
        if placed.repairs:
            wanted[placed.key] |= placed.repairs
    return wanted
