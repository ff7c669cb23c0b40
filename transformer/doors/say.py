"""What doors say on standard error: kustomize, Argo CD and Helm show that to people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from transformer import report
from transformer.doors.task import Told
from transformer.lint.rule import SEVERITIES

_MOST_LINES = 50  # nobody reads more, and Argo CD shows all of it in one box


def say(told: Sequence[Told], most: int = _MOST_LINES) -> None:
    """Print the findings, gravest first, and how many there are."""
    for one in sorted(told, key=lambda one: SEVERITIES.index(one.severity))[:most]:
        click.echo(one.sentence, err=True)
    if len(told) > most:
        click.echo(f"… and {len(told) - most} more", err=True)
    if told:
        numbers = Counter(one.severity for one in told)
        shown = (report.count(numbers[name], name) for name in SEVERITIES if numbers[name])
        click.echo(f"tke-direct: {', '.join(shown)}", err=True)
