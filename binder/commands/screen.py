"""Text for people: columns that align, and colours where there is a terminal."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import click

GOOD, BAD, WAIT, FAINT = "green", "red", "yellow", "bright_black"


def paint(text: str, colour: str) -> str:
    """`text` in a colour; ``show`` takes it out where nobody sees it."""
    return click.style(text, fg=colour) if text else text


def show(text: str) -> None:
    """Print to stdout; colours on terminals only, and not with NO_COLOR (no-color.org)."""
    click.echo(text, color=False if os.environ.get("NO_COLOR") else None)


def note(text: str) -> None:
    """Progress and remarks, to stderr."""
    click.echo(text, err=True)


def columns(rows: Iterable[Sequence[str]], indent: str = "  ") -> list[str]:
    """Lines in which the cells of a column begin below each other; the last one is as it is."""
    table = [list(row) for row in rows]
    widths = [max(len(click.unstyle(cell)) for cell in cells) for cells in zip(*table, strict=True)]
    return [
        indent
        + "  ".join(
            [
                cell + " " * (width - len(click.unstyle(cell)))
                for cell, width in zip(row[:-1], widths, strict=False)
            ]
            + row[-1:]
        ).rstrip()
        for row in table
    ]
