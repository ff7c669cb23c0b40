"""What ``tke-direct graph`` does, from paths to exit code."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import click

from transformer import formats
from transformer.inputs import Configurations, by_configuration, processors, read, write
from transformer.lint.check import Scope
from transformer.lint.lint import lint
from transformer.lint.patches import without_patches
from transformer.lint.picture import picture, render
from transformer.lint.read import Reading, examine
from transformer.lint.report import Report
from transformer.parallel import Workers

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
    workers: Workers[Reading] = Workers(examine, processors(), lambda count: None)
    for path, members in by_configuration(inputs, Counter(), False).items():
        settings = configurations.settings(path)
        sources = [inputs[index].source for index in members]
        made = lint(sources, workers(sources, settings), settings, Scope())
        write(render(options.format, picture(made.build, made.by_object)))
        for number in sorted(made.unreadable):
            if inputs[members[number]].named or number not in made.templates:
                rows = tuple(row for source, row in made.findings if source == number)
                shown = Report(rows, 1, Counter(), Counter(), Counter())
                broken.append(formats.render("text", shown).rstrip())
    for message in broken:
        click.echo(message, err=True)
    return WRONG_INPUT if broken else OK
