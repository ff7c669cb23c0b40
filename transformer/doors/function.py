"""The program ``tke-direct-fn``: a KRM function, or a legacy exec plugin of kustomize.

KRM function: a ResourceList on standard input and output, everything else in its functionConfig.
Legacy plugin: the configuration is the file in the first argument, resources come and go as a
plain stream.  kustomize takes whatever is written by a program that exits 0 for all there is, so
output is written once, at the end, and never has fewer items than came in.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from transformer import __version__
from transformer.doors import krm, references
from transformer.doors.say import say
from transformer.doors.task import Made, Task, perform, task_of
from transformer.errors import ConfigError
from transformer.inputs import processors
from transformer.outputs import stream
from transformer.transform import Source
from transformer.values import Value, at, text

OK, FAILED, WRONG_INPUT = 0, 1, 2

# kustomize sets these for legacy plugins only; it drops the first when it is too long.
_LEGACY = ("KUSTOMIZE_PLUGIN_CONFIG_STRING", "KUSTOMIZE_PLUGIN_CONFIG_ROOT")

# What a place in the list starts with, where the place in the item is wanted.
_LIST_ITEM = re.compile(r"^items\[\d+\]\.")

HELP = f"""\
tke-direct-fn {__version__}: the KRM function of tke-direct.

kustomize and kpt run it; it takes no arguments and no options.  It reads a ResourceList on standard
input and writes it to standard output.  What to do stands in functionConfig:

  kind: DirectAccess      complete Services, Ingresses and workloads for direct access
  kind: DirectAccessLint  say what would break direct access; an error stops the build

In kustomization.yaml, for `kustomize build --enable-alpha-plugins --enable-exec`:

  transformers:
    - |-
      apiVersion: tke-direct.dev/v1alpha1
      kind: DirectAccess
      metadata:
        name: direct-access
        annotations:
          config.kubernetes.io/function: "exec: {{path: tke-direct-fn}}"
      spec:
        networkMode: mixed

For plain manifests: kustomize build . | tke-direct transform -
"""


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Be what the caller takes us for; the exit code."""
    if arguments and any(name in environment for name in _LEGACY):
        return _legacy(Path(arguments[0]))
    if arguments in (["--help"], ["-h"]):
        click.echo(HELP, nl=False)
        return OK
    if arguments == ["--version"]:
        click.echo(f"tke-direct-fn, version {__version__}")
        return OK
    if arguments:
        raise ConfigError(f"{arguments[0]}: tke-direct-fn takes no arguments; see --help")
    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError("a ResourceList is expected on standard input; see tke-direct-fn --help")
    return _function(sys.stdin.buffer.read())


def _function(data: bytes) -> int:
    if not data.strip():
        raise ConfigError(
            "standard input is empty: expected a ResourceList; did the program before us fail?"
        )
    for given in krm.readings(data):
        try:
            task = task_of(given.config, _named(given.config))
            made = perform(task, given.sources, processors(), references)
        except ConfigError as error:
            refused = krm.result("error", "configuration", str(error))
            _write(krm.answer(given._replace(items=None), (), [refused]))
            raise
        if given.items is None:
            inside = [one._replace(field=_LIST_ITEM.sub("", one.field)) for one in made.told]
            made = made._replace(told=inside)
        elif made.unreadable:
            continue
        return _finish(given, task, made)
    raise AssertionError("a ResourceList is read as a whole at last")


def _named(config: Value) -> str:
    """How messages call a functionConfig: a build may have several."""
    kind, name = text(at(config, "kind")), text(at(config, "metadata", "name"))
    return f"functionConfig {kind} {name}" if kind and name else "functionConfig"


def _finish(given: krm.Given, task: Task, made: Made) -> int:
    """Write the answer: what was made, or all items as they came when the task failed."""
    results = list(_results(given, made))
    failed = made.fails(task.fail_on)
    if task.emits_nothing and not failed:
        out = krm.nothing(results)
    else:
        out = krm.answer(given, made.outcomes, results)
    _write(out)
    say(made.told)
    return FAILED if failed else OK


def _results(given: krm.Given, made: Made) -> list[krm.Result]:
    """The findings as ``results``."""
    finder = krm.Finder(given)
    return [
        krm.result(
            one.severity,
            one.rule,
            one.message,
            finder.item(one.source, one.offset),
            one.field,
        )
        for one in made.told
    ]


def _legacy(config: Path) -> int:
    try:
        content = config.read_bytes()
    except OSError as error:
        raise ConfigError(f"{config}: cannot be read: {error.strerror}") from None
    task = task_of(content, str(config))
    data = sys.stdin.buffer.read() if sys.stdin else b""
    made = perform(task, [Source(krm.NAME, data)], processors(), references)
    say([one._replace(message=_safe(one.message)) for one in made.told])
    if made.fails(task.fail_on):
        return FAILED
    if not task.emits_nothing:
        _write(b"".join(stream(made.outcomes)))
    return OK


def _safe(message: str) -> str:
    """`message` without percent signs: kustomize before 5.7 takes them for a format."""
    return message.replace("%", "\N{FULLWIDTH PERCENT SIGN}")


def _write(data: bytes) -> None:
    """Everything at once; whoever reads half of it learns that from our exit code."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def main() -> int:
    """What the boundary runs."""
    return run(sys.argv[1:], os.environ)
