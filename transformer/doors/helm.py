"""``tke-direct helm-post-render``: Helm writes what it rendered, and takes back what we write.

Helm 3 starts any program, and sends the rendered stream without the hooks of the chart; Helm 4
starts a plugin, and sends everything in one stream.  Both go on with whatever is written by a
program that exits 0, so output is written once, at the end.
Sources: Helm v3.22.0, pkg/action/action.go and pkg/postrender/exec.go; v4.3.1, pkg/action/action.go
and internal/plugin/runtime_subprocess.go.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from transformer.doors.say import say
from transformer.doors.task import Task, Told, perform
from transformer.errors import ConfigError
from transformer.inputs import Configurations, processors
from transformer.outputs import stream
from transformer.report import Page
from transformer.transform import Source

OK, FAILED = 0, 1

_OFF = "off"
_NAME = "<stdin>"


class Options(NamedTuple):
    """The command line of ``helm-post-render``.

    ``lint`` is the severity from which on a finding stops Helm, or "off".
    """

    network_mode: str | None
    config: str | None
    lint: str


def run(options: Options) -> int:
    """Complete and lint what Helm rendered; the exit code.  Raises ConfigError and Unproven."""
    configurations = Configurations(options.config, options.network_mode)
    here = configurations.path_for(Path(_NAME).absolute())
    settings = configurations.settings(here)
    given = Source(_NAME, _rendered())
    made = perform(Task(settings), [given], processors())
    result = Source(_NAME, b"".join(stream(made.outcomes)))
    told, failed = _placed(made.told, given), made.unreadable
    if not failed and options.lint != _OFF:
        found = perform(Task(settings, lints=True), [result], processors())
        told, failed = _placed(found.told, result), found.fails(options.lint)
    if not failed:
        sys.stdout.buffer.write(result.data)
        sys.stdout.buffer.flush()
    say(told)
    return FAILED if failed else OK


def _placed(told: list[Told], source: Source) -> list[Told]:
    """`told`, with line and column of the stream where no resource says what is meant."""
    if all(one.resource for one in told):
        return told
    page = Page(source.name, source.data)
    return [one if one.resource else one._replace(resource=_place(page, one)) for one in told]


def _place(page: Page, one: Told) -> str:
    line, column = page.position(one.offset)
    return f"{page.name}:{line}:{column}"


def _rendered() -> bytes:
    """What Helm sends; a chart that renders nothing is refused, as Helm 4 does by itself."""
    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError("what Helm rendered is expected on standard input")
    data = sys.stdin.buffer.read()
    if not data.strip():
        raise ConfigError(
            "standard input is empty: the chart rendered nothing, or the command before us failed"
        )
    return data
