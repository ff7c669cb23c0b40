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
from transformer.lint.read import Reading, SourceReading, examine
from transformer.lint.report import Reported
from transformer.model import Edit, Settings
from transformer.parallel import Spread, Workers
from transformer.report import Page, showable
from transformer.transform import Source

UNREADABLE = "unreadable"

_ONE_BUILD = (
    "one call judges all files as one build; lint each cluster by itself or give it a "
    ".tke-direct.yaml of its own, or lint what kustomize renders"
)


class Reader(Choice, Protocol):
    """The part of the command line that says how to read."""

    @property
    def verbose(self) -> bool: ...


class How(Reader, Protocol):
    """The part of the command line that says how to judge."""

    @property
    def per_file(self) -> bool: ...
    @property
    def no_inline_ignores(self) -> bool: ...


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


class Group(NamedTuple):
    """The inputs that one configuration governs; ``members`` are their indices."""

    config: Path | None
    settings: Settings
    members: list[int]
    sources: list[Source]
    readings: list[SourceReading]


def groups(
    inputs: list[Input], configurations: Configurations, skipped: Counter[str], how: Reader
) -> Iterator[Group]:
    """Read the inputs, configuration by configuration, without those that are no manifests."""
    with progress(inputs, "linting", how.quiet) as advance:
        workers: Workers[Reading] = Workers(examine, processors(), advance)
        for path, members in by_configuration(inputs, skipped, how.verbose).items():
            settings = configurations.settings(path)
            sources = [inputs[index].source for index in members]
            readings = [SourceReading(*made) for made in workers(sources, settings)]
            kept = []
            for number, index in enumerate(members):
                reason = _left_out(inputs[index], readings[number])
                if not reason:
                    kept.append(number)
                    continue
                skipped[reason] += 1
                if how.verbose:
                    click.echo(f"{inputs[index].source.name}: {reason}", err=True)
            yield Group(
                path,
                settings,
                [members[number] for number in kept],
                [sources[number] for number in kept],
                [readings[number] for number in kept],
            )


def _left_out(one: Input, made: SourceReading) -> str:
    """Why an input is none of this build, '' when it is; templates that are meant stay."""
    if made.is_template and not one.named:
        return TEMPLATES
    return "" if made.is_kubernetes else NOT_KUBERNETES


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
    spread: Spread[Placed] = Spread(processors())
    for group in groups(inputs, configurations, result.skipped, how):
        used: set[tuple[int, str]] = set()
        twice: list[str] = []
        walked = _is_walked(group.config, how)
        whole = walked or (not how.per_file and _is_piped(group, inputs))
        for first, last in _parts(len(group.members), how.per_file):
            sources, readings = group.sources[first:last], group.readings[first:last]
            made = lint(
                sources,
                readings,
                group.settings,
                scope,
                inline=not how.no_inline_ignores,
                whole=whole,
                known=known,
                with_fixes=wish.with_fixes,
                mend=wish.mend,
                spread=spread,
            )
            _collect(made, group.members[first:last], sources, readings, result)
            used |= made.used
            twice += _twice(made, sources)
        if twice and not how.quiet:
            click.echo(showable(f"{twice[0]}: {_ONE_BUILD}"), err=True)
        ignored = group.settings.lint.ignored
        if group.config is not None and ignored and scope.has(suppress.UNUSED):
            page = Page(_short(group.config), group.config.read_bytes())
            rows = suppress.unused_rows(page, ignored, used, scope, walked)
            result.findings += ((-1, row) for row in rows)
    for one in unreadable:
        result.broken.append(one.name)
        result.findings.append((len(inputs), _cannot_be_read(one)))
    result.findings.sort(key=lambda row: row[0])
    return result


def _is_piped(group: Group, inputs: Sequence[Input]) -> bool:
    """Whether the build is rendered: then what its own annotations are about is in it.

    Not so the rows of its configuration: that may govern more overlays than the one in the pipe.
    """
    return any(inputs[index].path is None for index in group.members)


def _is_walked(config: Path | None, how: How) -> bool:
    """Whether everything that `config` governs was walked."""
    if how.per_file:
        return False
    folder = config.resolve().parent if config else None
    roots = (Path(path) for path in how.paths if path != "-")
    walked = (root.resolve() for root in roots if root.is_dir())
    return any(not folder or folder.is_relative_to(root) for root in walked)


def _short(path: Path) -> str:
    """`path` as a user in the working directory would write it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _parts(count: int, per_file: bool) -> Iterator[tuple[int, int]]:
    """The runs of inputs that are judged together."""
    if per_file:
        yield from ((index, index + 1) for index in range(count))
    else:
        yield 0, count


def _collect(
    made: Linted,
    members: Sequence[int],
    sources: Sequence[Source],
    readings: Sequence[SourceReading],
    result: Result,
) -> None:
    """Add one build to `result`."""
    names = [source.name for source in sources]
    result.checked += names
    result.broken += [name for name, row in zip(names, readings) if row.diagnostics]
    result.findings += ((members[number], row) for number, row in made.findings)
    result.silenced += made.silenced
    result.fixed += made.fixed
    result.edits.update({members[n]: tuple(rows) for n, rows in made.edits.items() if rows})


def _twice(made: Linted, sources: Sequence[Source]) -> Iterator[str]:
    """Resources that stand in several files of one build."""
    seen: dict[tuple[str, str], int] = {}
    for one in made.build.objects:
        first = seen.setdefault((one.group, one.shown), one.source)
        if first != one.source:
            yield f"{one.shown} stands in {sources[first].name} and {sources[one.source].name}"


def _cannot_be_read(one: Unreadable) -> Reported:
    return Reported(UNREADABLE, "error", one.name, 1, 1, 1, 0, 0, one.reason)
