"""Standard output, as all commands have it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from transformer import report
from transformer.stream import BOM
from transformer.transform import Outcome

# Comments may stand before it; some of them end where only YAML sees a line break.
_STARTS_WITH_MARKER = re.compile(rb"(?:[ \t]*(?:#[^\n\r\xc2\xe2]*)?\r?\n)*---(?=[ \t\r\n]|\Z)")


def write(text: str) -> None:
    """Print `text`, with its colours where the user wants them."""
    context = click.get_current_context(silent=True)
    if context is None or not _colored(context, sys.stdout):
        text = click.unstyle(text)
    sys.stdout.buffer.write(text.encode(errors="surrogateescape"))


def _colored(context: click.Context, stream: Any) -> bool:
    return bool(context.color) if context.color is not None else bool(stream.isatty())


def stream(outcomes: Sequence[Outcome]) -> Iterator[bytes | memoryview]:
    """One result as it is; several as one YAML stream, with a marker where one is missing."""
    for index, outcome in enumerate(outcomes):
        data = outcome.source.data
        if index:
            # Between streams: no second byte order mark, and "..." before a directive.
            data = outcome.result().removeprefix(BOM)
            if data.startswith(b"%"):
                yield b"...\n"
            elif not _STARTS_WITH_MARKER.match(data):
                yield b"---\n"
            yield data
        else:
            yield from outcome.pieces()
        if index + 1 < len(outcomes) and not data.endswith(b"\n"):
            yield b"\n"


def show_diff(outcomes: list[Outcome]) -> None:
    """Print what the edits of `outcomes` change, as one unified diff."""
    from transformer import diff

    for outcome in outcomes:
        if outcome.edits:
            name = _inside(outcome.source.name)
            lines = diff.unified(name, outcome.source.data, outcome.edits)
            write("".join(map(report.diff_line, lines)))


def _inside(name: str) -> str:
    """`name` relative to the working directory when it lies inside, else without its root."""
    here = str(Path.cwd()) + os.sep
    return name.removeprefix(here).lstrip(os.sep)
