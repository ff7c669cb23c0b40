"""What ``tke-direct transform`` does, from paths to exit code.

Reads everything, transforms everything, and only then writes: with one error in any input
nothing is written at all.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import NamedTuple

import click

from transformer import files, report
from transformer.draft import TEMPLATED
from transformer.inputs import (
    NOT_KUBERNETES,
    TEMPLATES,
    Configurations,
    Input,
    by_configuration,
    processors,
    progress,
    read,
)
from transformer.outputs import show_diff, stream
from transformer.parallel import Drafter
from transformer.transform import Outcome, transform

OK, WOULD_CHANGE, WRONG_INPUT = 0, 1, 2


class Options(NamedTuple):
    """The command line of ``transform``."""

    paths: tuple[str, ...]
    in_place: bool
    diff: bool
    check: bool
    config: str | None
    network_mode: str | None
    stdin_filename: str | None
    force_exclude: bool
    quiet: bool
    verbose: bool


def run(options: Options) -> int:
    """Transform what `options` name; the exit code."""
    configurations = Configurations(options.config, options.network_mode)
    inputs, unreadable = read(options, configurations)
    outcomes, skipped = _transform(inputs, configurations, options)
    for one in unreadable:
        click.echo(one.message, err=True)
    failed = bool(unreadable) or any(outcome.failed for outcome in outcomes)
    if not failed:
        _deliver(inputs, outcomes, options)
    if not options.quiet:
        _summarise(outcomes, skipped, options, failed)
    if failed:
        return WRONG_INPUT
    changed = any(outcome.edits for outcome in outcomes)
    return WOULD_CHANGE if options.check and changed else OK


def _transform(
    inputs: list[Input], configurations: Configurations, options: Options
) -> tuple[list[Outcome], Counter[str]]:
    """The outcome of each input that is Kubernetes, in order, and why others were left out."""
    skipped: Counter[str] = Counter()
    groups = by_configuration(inputs, skipped, options.verbose)
    made: dict[int, Outcome] = {}
    with progress(inputs, "transforming", options.quiet) as advance:
        drafter = Drafter(processors(), advance)
        for path, members in groups.items():
            sources = [inputs[index].source for index in members]
            outcomes = transform(sources, configurations.settings(path), drafter)
            made.update(zip(members, outcomes))
    kept = [index for index in sorted(made) if _keep(inputs[index], made[index], skipped, options)]
    return [made[index] for index in kept], skipped


def _keep(one: Input, outcome: Outcome, skipped: Counter[str], options: Options) -> bool:
    """Report the diagnostics of one outcome; whether it counts as an input of the run."""
    codes = {found.code for found in outcome.diagnostics}
    template = codes == {TEMPLATED}
    if template and not one.named:
        skipped[TEMPLATES] += 1
    elif not outcome.is_kubernetes and not one.named:
        skipped[NOT_KUBERNETES] += 1
    else:
        if outcome.diagnostics:
            page = report.Page(one.source.name, one.source.data)
            click.echo("\n".join(map(page.diagnostic, outcome.diagnostics)), err=True)
        return True
    if template and options.verbose:
        found = next(found for found in outcome.diagnostics if found.code == TEMPLATED)
        note = found._replace(severity="info")
        click.echo(report.Page(one.source.name, one.source.data).diagnostic(note), err=True)
    return False


def _deliver(inputs: list[Input], outcomes: list[Outcome], options: Options) -> None:
    """Write the results where the options say."""
    if options.in_place:
        paths = {one.source.name: one.path for one in inputs if one.path is not None}
        replacements = [
            files.Replacement(paths[outcome.source.name], outcome.source.data, outcome.result())
            for outcome in outcomes
            if outcome.edits
        ]
        files.replace_all(replacements)
    elif options.diff:
        show_diff(outcomes)
    elif not options.check:
        sys.stdout.buffer.writelines(stream(outcomes))
        sys.stdout.buffer.flush()


def _summarise(
    outcomes: list[Outcome], skipped: Counter[str], options: Options, failed: bool
) -> None:
    if options.verbose:
        for line in report.changes(outcomes):
            click.echo(line, err=True)
    if failed:
        click.echo("errors: nothing was changed", err=True)
        return
    if options.check:
        for outcome in outcomes:
            if outcome.edits:
                click.echo(f"would change {outcome.source.name}", err=True)
    tried = options.check or options.diff
    verb = "changed" if options.in_place else "would change" if tried else "transformed"
    click.echo(report.summary(outcomes, skipped, verb), err=True)
