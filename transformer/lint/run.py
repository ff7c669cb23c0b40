"""What ``tke-direct lint`` does, from paths to exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from transformer import config, files, formats, rules
from transformer.errors import ConfigError
from transformer.inputs import (
    NOT_KUBERNETES,
    TEMPLATES,
    Configurations,
    Input,
    by_configuration,
    processors,
    progress,
    read,
    write,
)
from transformer.lint import suppress
from transformer.lint.check import Scope
from transformer.lint.engine import Placed
from transformer.lint.lint import Linted, lint
from transformer.lint.patches import without_patches
from transformer.lint.read import Reading, examine
from transformer.lint.report import Report, Reported
from transformer.model import Edit
from transformer.parallel import Spread, Workers
from transformer.report import Page
from transformer.transform import Outcome, Source

OK, FINDINGS, WRONG_INPUT = 0, 1, 2

PATCHES = "kustomize patches"

# Formats that show how to mend a finding; making those edits takes time.
_WITH_FIXES = ("json", "sarif")


class Options(NamedTuple):
    """The command line of ``lint``."""

    paths: tuple[str, ...]
    fix: bool
    diff: bool
    format: str
    output: str | None
    carets: bool
    fail_on: str
    exit_zero: bool
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    baseline: str | None
    write_baseline: bool
    no_inline_ignores: bool
    require_transformed: bool
    per_file: bool
    config: str | None
    network_mode: str | None
    stdin_filename: str | None
    force_exclude: bool
    quiet: bool
    verbose: bool


class _Result(NamedTuple):
    """All builds of one run together; indices are those of the inputs."""

    findings: list[tuple[int, Reported]]
    broken: bool  # an input cannot be read
    checked: int
    skipped: Counter[str]
    silenced: Counter[str]
    edits: dict[int, tuple[Edit, ...]]
    fixed: Counter[str]


def run(options: Options) -> int:
    """Lint what `options` name; the exit code."""
    scope = Scope(
        _names(options.select),
        _names(options.ignore),
        not options.per_file,
        options.require_transformed,
    )
    configurations = Configurations(options.config, options.network_mode)
    everything, unreadable = read(options, configurations)
    inputs = without_patches(everything)
    patches = len(everything) - len(inputs)
    found = _lint(inputs, configurations, scope, options)
    for message in unreadable:
        click.echo(message, err=True)
    broken = found.broken or bool(unreadable)
    mending = (options.fix or options.diff) and bool(found.edits) and not broken
    if mending:
        _mend(inputs, found, options)
        if options.fix:
            after = _after(inputs, found.edits)
            found = _lint(after, configurations, scope, options)._replace(fixed=found.fixed)
    if patches:
        found.skipped[PATCHES] = patches
    made = _report(found if mending else found._replace(fixed=Counter()), options)
    if not options.diff:
        _deliver(made, options)
    if not options.quiet:
        from transformer.formats.text import summary

        click.echo(summary(made), err=True)
    if broken:
        return WRONG_INPUT
    failed = mending or made.fails(options.fail_on)
    return FINDINGS if failed and not options.exit_zero else OK


def _names(listed: tuple[str, ...]) -> frozenset[str]:
    """Rule names from options; raises ConfigError for one that no rule has."""
    found = frozenset(name.strip() for one in listed for name in one.split(","))
    for name in sorted(found - rules.names()):
        raise ConfigError(f"there is no rule {name!r}{config.meant(name, sorted(rules.names()))}")
    return found


def _lint(
    inputs: list[Input], configurations: Configurations, scope: Scope, options: Options
) -> _Result:
    """Lint every build among `inputs`."""
    skipped: Counter[str] = Counter()
    result = _Result([], False, 0, skipped, Counter(), {}, Counter())
    broken, checked = False, 0
    with progress(inputs, "linting", options.quiet) as advance:
        workers: Workers[Reading] = Workers(examine, processors(), advance)
        spread: Spread[Placed] = Spread(processors())
        for path, members in by_configuration(inputs, skipped).items():
            settings = configurations.settings(path)
            sources = [inputs[index].source for index in members]
            readings = workers(sources, settings)
            used: set[int] = set()
            for part in _builds(members, options):
                first = members.index(part[0])
                made = lint(
                    [inputs[index].source for index in part],
                    readings[first : first + len(part)],
                    settings,
                    scope,
                    inline=not options.no_inline_ignores,
                    with_fixes=options.format in _WITH_FIXES and not options.diff,
                    mend=options.fix or options.diff,
                    spread=spread,
                )
                one_broken, one_checked = _collect(made, part, inputs, result, options)
                broken, checked = broken or one_broken, checked + one_checked
                used |= made.used
            if path is not None and scope.has(suppress.UNUSED):
                page = Page(_short(path), path.read_bytes())
                whole = not options.per_file and _covers(options.paths, path)
                rows = suppress.unused_rows(page, settings.lint.ignored, used, scope, whole)
                result.findings.extend((-1, row) for row in rows)
    result.findings.sort(key=lambda row: row[0])
    return result._replace(broken=broken, checked=checked)


def _short(path: Path) -> str:
    """`path` as a user in the working directory would write it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _covers(paths: Sequence[str], configuration: Path) -> bool:
    """Whether everything that a configuration file governs lies in one of `paths`."""
    folder = configuration.resolve().parent
    return any(folder.is_relative_to(Path(path).resolve()) for path in paths if path != "-")


def _builds(members: list[int], options: Options) -> Iterator[list[int]]:
    """The inputs that are judged together: all of one configuration, or each on its own."""
    if options.per_file:
        yield from ([index] for index in members)
    else:
        yield members


def _collect(
    made: Linted, part: Sequence[int], inputs: list[Input], result: _Result, options: Options
) -> tuple[bool, int]:
    """Add one build to `result`; whether it has unreadable files, and how many were checked."""
    left_out = set()
    for number, index in enumerate(part):
        if inputs[index].named:
            continue
        templated = number in made.templates
        if templated or number in made.foreign:
            reason = TEMPLATES if templated else NOT_KUBERNETES
            result.skipped[reason] += 1
            left_out.add(number)
            if options.verbose:
                click.echo(f"{inputs[index].source.name}: {reason}", err=True)
    result.findings.extend(
        (part[number], row) for number, row in made.findings if number not in left_out
    )
    result.silenced.update(made.silenced)
    result.fixed.update(made.fixed)
    for number, edits in made.edits.items():
        if edits:
            result.edits[part[number]] = tuple(edits)
    return bool(made.unreadable - left_out), len(part) - len(left_out)


def _mend(inputs: list[Input], found: _Result, options: Options) -> None:
    """Write the edits, or show them."""
    if options.diff:
        from transformer.run import show_diff

        show_diff([_outcome(inputs[index].source, edits) for index, edits in _sorted(found.edits)])
        return
    replacements = []
    for index, edits in _sorted(found.edits):
        one = inputs[index]
        assert one.path is not None
        after = _outcome(one.source, edits).result()
        replacements.append(files.Replacement(one.path, one.source.data, after))
    files.replace_all(replacements)


def _sorted(edits: dict[int, tuple[Edit, ...]]) -> list[tuple[int, tuple[Edit, ...]]]:
    return sorted(edits.items(), key=lambda row: row[0])


def _after(inputs: list[Input], edits: dict[int, tuple[Edit, ...]]) -> list[Input]:
    """The inputs as they are now."""
    return [
        one._replace(source=Source(one.source.name, _outcome(one.source, edits[index]).result()))
        if index in edits
        else one
        for index, one in enumerate(inputs)
    ]


def _outcome(source: Source, edits: tuple[Edit, ...]) -> Outcome:
    return Outcome(source, edits, (), (), True)


def _report(found: _Result, options: Options) -> Report:
    """The report, less what the baseline knows."""
    made = Report(
        tuple(row for _, row in found.findings),
        found.checked,
        found.skipped,
        found.silenced,
        found.fixed,
    )
    if options.baseline is None:
        return made
    from transformer.lint import baseline

    path = Path(options.baseline)
    if options.write_baseline:
        path.write_text(baseline.dump(made.findings), encoding="utf-8")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    applied = baseline.apply(made.findings, baseline.parse(data, str(path)))
    if applied.stale and not options.quiet:
        number = sum(row.times for row in applied.stale)
        again = "write it again with --write-baseline"
        click.echo(f"{path}: {number} of its findings no longer occur; {again}", err=True)
    silenced = made.silenced + Counter(baseline=applied.silenced)
    return made._replace(findings=applied.kept, silenced=silenced)


def _deliver(made: Report, options: Options) -> None:
    """Write the report where the options say."""
    carets = options.carets and options.output is None
    shown = formats.render(options.format, made, carets=carets)
    if options.output is not None:
        Path(options.output).write_text(click.unstyle(shown), encoding="utf-8", errors="replace")
    else:
        write(shown)
