"""``tke-direct cmp …``: what Argo CD calls in the sidecar of a config management plugin.

Argo CD copies the repository, runs us in the application's folder, and takes what is printed for
the whole application when we exit 0: what is missing may be pruned from the cluster.  So output
is written once, at the end, and none at all is an error.  When we fail Argo CD shows all that is
on standard error: the first line says why.
Source: Argo CD, cmpserver/plugin/plugin.go.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from schemas.contract import NetworkMode
from transformer import config
from transformer.doors import child, parameters
from transformer.doors.application import (
    MOST_LINES,
    Place,
    Rendered,
    few,
    not_kubernetes,
    refuse_outside,
    rendered,
)
from transformer.doors.namespace import Namespace
from transformer.doors.say import say
from transformer.doors.task import Made, Task, Told, perform
from transformer.errors import ConfigError
from transformer.inputs import processors
from transformer.model import Settings
from transformer.outputs import stream
from transformer.report import Page
from transformer.stream import BOM
from transformer.transform import Outcome, Source

OK, FAILED = 0, 1

Environment = Mapping[str, str]


class Options(NamedTuple):
    """The command line of ``cmp generate``, which an administrator writes into plugin.yaml."""

    kustomize_options: tuple[str, ...]
    allow_empty: bool


class _Job(NamedTuple):
    """How to do it: ``namespace`` is for objects that have none, ``lint`` is a parameter."""

    settings: Settings
    namespace: Namespace
    lint: str


def generate(options: Options, environment: Environment) -> int:
    """Print what is to be deployed from the working directory; the exit code.

    Raises ConfigError and Unproven, and Stopped when SIGTERM comes.
    """
    try:
        with child.stoppable():
            return _generate(options, environment)
    except child.Stopped:
        _say(["error: ended by SIGTERM"])
        raise


def _generate(options: Options, environment: Environment) -> int:
    here = Path.cwd()
    root = _root(here, environment.get("ARGOCD_APP_SOURCE_PATH"))
    wanted = parameters.parse(environment.get("ARGOCD_APP_PARAMETERS", ""))
    settings = _settings(configuration(here, environment), wanted.mode)
    job = _Job(
        settings._replace(kubernetes=settings.kubernetes or _minor(environment)),
        Namespace(environment.get("ARGOCD_APP_NAMESPACE", "")),
        wanted.lint,
    )
    found = rendered(Place(here, root), options.kustomize_options, recurse=wanted.recurse)
    return _complete(found, job, options.allow_empty)


def _minor(environment: Environment) -> str:
    """The version of the cluster that Argo CD deploys to, without what comes after the minor."""
    said = re.match(r"v?(1\.[0-9]+)(?![0-9])", environment.get("KUBE_VERSION", ""))
    return said[1] if said else ""


def _complete(found: Rendered, job: _Job, allow_empty: bool) -> int:
    """Complete, lint and print what was `found`; the exit code."""
    made = perform(Task(job.settings), found.sources, processors(), job.namespace)
    notes = [*found.notes, *_left_out(made.outcomes, found)]
    if made.unreadable:
        return _refuse(list(_located(made, found)), notes)
    kept = [one for one in made.outcomes if one.is_kubernetes]
    if not (kept or allow_empty):
        raise ConfigError("\n".join(few([_nothing(found), *notes])))
    told, failed = _linted(kept, found, job)
    if failed:
        return _refuse(told, notes)
    _write(kept)
    _say(few(notes))
    say(told)
    return OK


def discover(environment: Environment) -> Path | None:
    """The configuration that governs the working directory, None when there is none."""
    return configuration(Path.cwd(), environment)


def announced(environment: Environment) -> str:
    """The parameters as Argo CD wants them: a JSON list, with the mode that is configured here."""
    try:
        mode = _settings(discover(environment), None).mode
    except ConfigError:  # `generate` says what is wrong; a form can be shown all the same
        mode = None
    return parameters.announcements(mode)


def configuration(here: Path, environment: Environment) -> Path | None:
    """The nearest configuration at or above `here`, not beyond what Argo CD copied for us.

    Raises ConfigError when it is a link that leads out of there.
    """
    found = config.find(here)
    root = _root(here, environment.get("ARGOCD_APP_SOURCE_PATH"))
    if not (found and found.is_relative_to(root)):
        return None
    refuse_outside(found, str(found.relative_to(root)), root)
    return found


def _root(here: Path, source_path: str | None) -> Path:
    """The root of the copy: `here` less the application's path, as far as the two agree.

    Where Argo CD copies a part of the repository only, leading folders of the path are missing
    (reposerver.plugin.use.manifest.generate.paths).
    """
    if source_path is None:  # nobody said: a user's own call
        return Path(here.anchor)
    root = here
    for step in reversed(Path(os.path.normpath(source_path)).parts):
        if root.name != step:
            break
        root = root.parent
    return root


def _settings(path: Path | None, mode: NetworkMode | None) -> Settings:
    """What the configuration at `path` says; `mode` overrules its network mode."""
    content = config.read(path) if path else config.EMPTY
    if mode is None and not (content.get("spec") or {}).get("networkMode"):
        raise ConfigError(
            f"no network mode: set spec.networkMode in {config.FILE_NAME}, in the application's "
            "folder or above it, or the parameter network-mode; `tke-direct transform .` says how "
            "to find out which one the cluster has"
        )
    return config.settings(content, mode)


def _linted(outcomes: Sequence[Outcome], found: Rendered, job: _Job) -> tuple[list[Told], bool]:
    """What lint says about the results, and whether that stops the build."""
    if job.lint == parameters.OFF:
        return [], False
    sources = [Source(one.source.name, one.result()) for one in outcomes]
    made = perform(Task(job.settings, lints=True), sources, processors(), job.namespace)
    return list(_located(made, found)), made.fails(job.lint)


def _located(made: Made, found: Rendered) -> Iterator[Told]:
    """What there is to say, with its place where the resource does not tell that."""
    for one in made.told:
        source = made.outcomes[one.source].source
        place = "" if found.by_kustomize else source.name
        if not one.resource:
            line, column = Page(source.name, source.data).position(one.offset)
            place = f"{source.name}:{line}:{column}"
        yield one._replace(resource=": ".join(filter(None, (place, one.resource))))


def _left_out(outcomes: Iterable[Outcome], found: Rendered) -> Iterator[str]:
    """Notes about files that turned out not to be Kubernetes."""
    if not found.by_kustomize:
        for one in outcomes:
            if not one.is_kubernetes:
                yield not_kubernetes(one.source.name)


def _nothing(found: Rendered) -> str:
    """That there is nothing to deploy, and what would become of it."""
    what = (
        "kustomize build printed no Kubernetes object"
        if found.by_kustomize
        else "this folder has neither a kustomization nor a Kubernetes object"
    )
    return (
        f"{what}: Argo CD would take that for an application without resources, and may prune "
        "what it has; where that is meant, plugin.yaml says `cmp generate --allow-empty`"
    )


def _refuse(told: Sequence[Told], notes: Sequence[str]) -> int:
    """Say why nothing is printed, gravest first; the exit code."""
    if all(one.severity != "error" for one in told):
        _say(["error: a warning stops the build, as the parameter lint has it"])
    say(told, MOST_LINES - 5)
    _say(few(notes, 3))
    return FAILED


def _write(outcomes: Sequence[Outcome]) -> None:
    """Everything at once."""
    data = b"".join(stream(outcomes)).removeprefix(BOM)
    # Argo CD up to 3.0 takes a stream that opens like this for JSON, to its end.
    if data.lstrip().startswith(b"{"):
        data = b"---\n" + data
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line, err=True)
