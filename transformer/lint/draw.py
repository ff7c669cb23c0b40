"""What ``tke-direct graph`` does, from paths to exit code."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import click

from transformer import formats
from transformer.inputs import Configurations, read
from transformer.lint.builds import groups
from transformer.lint.check import Scope
from transformer.lint.lint import lint
from transformer.lint.patches import without_patches
from transformer.lint.picture import picture, render
from transformer.lint.report import Report
from transformer.lint.suppress import UNUSED
from transformer.outputs import write

OK, WRONG_INPUT = 0, 2


class Options(NamedTuple):
    """The command line of ``graph``."""

    paths: tuple[str, ...]
    format: str
    config: str | None
    network_mode: str | None
    stdin_filename: str | None
    force_exclude: bool
    quiet: bool
    verbose: bool = False


def draw(options: Options) -> int:
    """Print the picture of every build that `options` name; the exit code."""
    configurations = Configurations(options.config, options.network_mode)
    everything, unreadable = read(options, configurations)
    inputs = without_patches(everything, options)
    broken = [one.message for one in unreadable]
    for group in groups(inputs, configurations, Counter(), options):
        made = lint(group.sources, group.readings, group.settings, Scope())
        write(render(options.format, picture(made.build, made.by_object)))
        rows = tuple(row for _, row in made.findings if row.subject is None)
        stopped = tuple(row for row in rows if row.rule != UNUSED)
        if stopped:
            shown = Report(stopped, 1, Counter(), Counter(), Counter())
            broken.append(formats.render("text", shown).rstrip())
    for message in broken:
        click.echo(message, err=True)
    return WRONG_INPUT if broken else OK
