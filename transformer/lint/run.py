"""What ``tke-direct lint`` does, from paths to exit code.

Everything that can fail comes before the first file is written: the baseline is read, the mended
files are linted in memory, the report's file is opened.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import click

from transformer import config, files, formats, rules
from transformer.errors import ConfigError, WriteError
from transformer.inputs import Configurations, Input, read
from transformer.lint.baseline import Known, dump, parse
from transformer.lint.builds import Result, Wish, lint_all
from transformer.lint.check import Scope
from transformer.lint.patches import without_patches
from transformer.lint.report import Report
from transformer.outputs import show_diff, write
from transformer.transform import Outcome, Source

OK, FINDINGS, WRONG_INPUT = 0, 1, 2

PATCHES = "kustomize patches"
STDOUT = "-"

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
    inputs = without_patches(everything, options)
    wish = Wish(
        with_fixes=options.format in _WITH_FIXES and not options.diff,
        mend=options.fix or options.diff,
    )
    first_known = _known(options)
    found = lint_all(inputs, unreadable, configurations, scope, options, wish, first_known)
    if first_known is not None and (gone := first_known.gone(found.checked)):
        _say(f"{options.baseline}: {gone} of its findings no longer occur; write it again", options)
    outcomes = {
        index: Outcome(inputs[index].source, edits, (), (), True)
        for index, edits in sorted(found.edits.items())
    }
    mending = bool(outcomes) and not found.broken
    if options.fix and mending:
        after = [_after(one, outcomes.get(index)) for index, one in enumerate(inputs)]
        fixed, wish = found.fixed, wish._replace(mend=False)
        again = options._replace(quiet=True, verbose=False)  # its notes were said
        found = lint_all(after, unreadable, configurations, scope, again, wish, _known(options))
        found.fixed = fixed
    elif not (options.diff and mending):
        found.fixed = Counter()
    found.skipped[PATCHES] += len(everything) - len(inputs)
    made = _report(found)
    if options.write_baseline:
        made = _write_baseline(made, found, options)
    _check_output(options)
    if mending:
        _mend([(inputs[index], outcome) for index, outcome in outcomes.items()], options)
    _deliver(made, options)
    if not options.quiet:
        from transformer.formats.text import summary

        click.echo(summary(made, tried=options.diff), err=True)
    if outcomes and found.broken:
        _say(f"nothing was mended: {found.broken[0]} cannot be read", options)
    if found.broken:
        return WRONG_INPUT
    failed = mending or made.fails(options.fail_on)
    return FINDINGS if failed and not options.exit_zero else OK


def _names(listed: tuple[str, ...]) -> frozenset[str]:
    """Rule names from options; raises ConfigError for one that no rule has."""
    found = frozenset(name.strip() for one in listed for name in one.split(","))
    for name in sorted(found - rules.names()):
        raise ConfigError(f"there is no rule {name!r}{config.meant(name, sorted(rules.names()))}")
    return found


def _known(options: Options) -> Known | None:
    """What tells old findings, None when there is no baseline or it is to be written."""
    if options.baseline is None or options.write_baseline:
        return None
    path = Path(options.baseline)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    return Known(parse(data, str(path)), _Names(path))


class _Names:
    """The names of files as seen from the folder of a baseline, with forward slashes."""

    def __init__(self, baseline: Path) -> None:
        self.folder = os.path.realpath(baseline.parent)

    def __call__(self, file: str) -> str:
        if file.startswith("<"):  # standard input
            return file
        return os.path.relpath(os.path.realpath(file), self.folder).replace(os.sep, "/")


def _write_baseline(made: Report, found: Result, options: Options) -> Report:
    """Write what was found to the baseline; the report without it."""
    if found.broken:
        raise ConfigError(
            f"{options.baseline}: not written: {found.broken[0]} cannot be read, and what is "
            "wrong in it would be missing"
        )
    path = Path(options.baseline or "")
    path.write_text(dump(made.findings, _Names(path)), encoding="utf-8")
    silenced = made.silenced + Counter(baseline=len(made.findings))
    return made._replace(findings=(), silenced=silenced)


def _after(one: Input, outcome: Outcome | None) -> Input:
    """The input as it will be."""
    if outcome is None:
        return one
    return one._replace(source=Source(one.source.name, outcome.result()))


def _report(found: Result) -> Report:
    return Report(
        tuple(row for _, row in found.findings),
        len(found.checked),
        found.skipped,
        found.silenced,
        found.fixed,
    )


def _check_output(options: Options) -> None:
    """Raise WriteError when the report will not be writable: before any file is mended."""
    if options.output not in (None, STDOUT):
        path = Path(options.output or "")
        try:
            path.open("ab").close()
        except OSError as error:
            raise WriteError(f"{path}: cannot be written: {error.strerror}") from None


def _deliver(made: Report, options: Options) -> None:
    """Write the report where the options say; beside a diff only what stopped it."""
    if options.diff:
        stopped = tuple(found for found in made.findings if found.subject is None)
        click.echo(formats.render("text", made._replace(findings=stopped)), nl=False, err=True)
        return
    to_file = options.output not in (None, STDOUT)
    shown = formats.render(options.format, made, carets=options.carets and not to_file)
    if to_file:
        path = Path(options.output or "")
        path.write_text(click.unstyle(shown), encoding="utf-8", errors="replace")
    else:
        write(shown)


def _mend(outcomes: list[tuple[Input, Outcome]], options: Options) -> None:
    """Write the edits, or show them."""
    if options.diff:
        show_diff([outcome for _, outcome in outcomes])
        return
    files.replace_all(
        [
            files.Replacement(one.path, one.source.data, outcome.result())
            for one, outcome in outcomes
            if one.path is not None
        ]
    )


def _say(note: str, options: Options) -> None:
    if not options.quiet:
        click.echo(note, err=True)
