"""Every build among the inputs of one run, linted, and what came of all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import click

from transformer.inputs import (
    NOT_KUBERNETES,
    TEMPLATES,
    Choice,
    Configurations,
    Input,
    Unreadable,
    by_configuration,
    processors,
    progress,
)
from transformer.lint import suppress
from transformer.lint.check import Scope
from transformer.lint.engine import Placed
from transformer.lint.lint import Linted, lint
from transformer.lint.read import Reading, examine
from transformer.lint.report import Reported
from transformer.model import Edit, LintSettings
from transformer.parallel import Spread, Workers
from transformer.report import Page
from transformer.transform import Source

UNREADABLE = "unreadable"

_ONE_BUILD = (
    "one call judges all files as one build; lint each cluster by itself or give it a "
    ".tke-direct.yaml of its own, or lint what kustomize renders"
)


class How(Choice, Protocol):
    """The part of the command line that says how to judge."""

    @property
    def per_file(self) -> bool: ...
    @property
    def no_inline_ignores(self) -> bool: ...
    @property
    def verbose(self) -> bool: ...


class Wish(NamedTuple):
    """What is to be made of findings: edits for each to look at, edits for all to write."""

    with_fixes: bool = False
    mend: bool = False


class Result:
    """What came of all builds; indices are those of the inputs."""

    def __init__(self) -> None:
        self.findings: list[tuple[int, Reported]] = []
        self.broken: list[str] = []  # names of what cannot be read
        self.checked: list[str] = []
        self.skipped: Counter[str] = Counter()
        self.silenced: Counter[str] = Counter()
        self.fixed: Counter[str] = Counter()
        self.edits: dict[int, tuple[Edit, ...]] = {}


def lint_all(
    inputs: list[Input],
    unreadable: list[Unreadable],
    configurations: Configurations,
    scope: Scope,
    how: How,
    wish: Wish = Wish(),  # noqa: B008 - a value
    known: Callable[[Reported], bool] | None = None,
) -> Result:
    """Lint every build among `inputs`: a configuration's files, or each file on its own."""
    result = Result()
    with progress(inputs, "linting", how.quiet) as advance:
        workers: Workers[Reading] = Workers(examine, processors(), advance)
        spread: Spread[Placed] = Spread(processors())
        for path, members in by_configuration(inputs, result.skipped, how.verbose).items():
            settings = configurations.settings(path)
            sources = [inputs[index].source for index in members]
            readings = workers(sources, settings)
            used: set[int] = set()
            twice: list[str] = []
            for first, last in _parts(len(members), how.per_file):
                made = lint(
                    sources[first:last],
                    readings[first:last],
                    settings,
                    scope,
                    inline=not how.no_inline_ignores,
                    known=known,
                    with_fixes=wish.with_fixes,
                    mend=wish.mend,
                    spread=spread,
                )
                _collect(made, members[first:last], inputs, result, how)
                used |= made.used
                twice += _twice(made, sources[first:last])
            if twice and not how.quiet:
                click.echo(f"{twice[0]}: {_ONE_BUILD}", err=True)
            if path is not None:
                rows = _unused_rows(path, settings.lint, used, scope, how)
                result.findings += ((-1, row) for row in rows)
    for one in unreadable:
        result.broken.append(one.name)
        result.findings.append((len(inputs), _cannot_be_read(one)))
    result.findings.sort(key=lambda row: row[0])
    return result


def _twice(made: Linted, sources: Sequence[Source]) -> Iterator[str]:
    """Resources that stand in several files of one build."""
    seen: dict[tuple[str, str], int] = {}
    for one in made.build.objects:
        first = seen.setdefault((one.group, one.shown), one.source)
        if first != one.source:
            yield f"{one.shown} stands in {sources[first].name} and {sources[one.source].name}"


def _parts(count: int, per_file: bool) -> Iterator[tuple[int, int]]:
    """The runs of inputs that are judged together."""
    if per_file:
        yield from ((index, index + 1) for index in range(count))
    else:
        yield 0, count


def _collect(
    made: Linted, part: Sequence[int], inputs: list[Input], result: Result, how: How
) -> None:
    """Add one build to `result`."""
    left_out = set()
    for number, index in enumerate(part):
        one = inputs[index]
        templated = number in made.templates and not one.named
        if templated or number in made.foreign:
            result.skipped[TEMPLATES if templated else NOT_KUBERNETES] += 1
            left_out.add(number)
            if how.verbose:
                reason = TEMPLATES if templated else NOT_KUBERNETES
                click.echo(f"{one.source.name}: {reason}", err=True)
        else:
            result.checked.append(one.source.name)
            if number in made.unreadable:
                result.broken.append(one.source.name)
    kept = ((part[number], row) for number, row in made.findings if number not in left_out)
    result.findings += kept
    result.silenced += made.silenced
    result.fixed += made.fixed
    result.edits.update({part[number]: tuple(rows) for number, rows in made.edits.items() if rows})


def _unused_rows(
    path: Path, settings: LintSettings, used: set[int], scope: Scope, how: How
) -> Iterator[Reported]:
    """Rows of a configuration's ignore list that silence nothing."""
    if settings.ignored and scope.has(suppress.UNUSED):
        here = Path.cwd()
        name = path.relative_to(here) if path.is_relative_to(here) else path
        folder = path.resolve().parent
        walked = (Path(root).resolve() for root in how.paths if root != "-")
        # Only who looked at everything that it governs can say that a row is of no use.
        whole = not how.per_file and any(folder.is_relative_to(root) for root in walked)
        page = Page(str(name), path.read_bytes())
        yield from suppress.unused_rows(page, settings.ignored, used, scope, whole)


def _cannot_be_read(one: Unreadable) -> Reported:
    return Reported(UNREADABLE, "error", one.name, 1, 1, 1, 0, 0, one.reason)
