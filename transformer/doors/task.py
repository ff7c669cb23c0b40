"""What a functionConfig asks for, and doing it: sources in, outcomes and findings out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from schemas.contract import API_VERSION, CONFIG_KIND, LINT_KIND
from transformer import config, report
from transformer.errors import ConfigError
from transformer.lint.rule import SEVERITIES
from transformer.model import Settings
from transformer.parallel import Drafter, Spread, Workers
from transformer.transform import Outcome, Source, transform
from transformer.values import Value

if TYPE_CHECKING:
    from transformer.lint.engine import Follow

_KINDS = (CONFIG_KIND, LINT_KIND)


class Task(NamedTuple):
    """What is to be done: transform, or lint when ``lints``.

    ``fail_on`` is the severity from which on it fails, ``strict`` makes what transform would
    change an error.  With ``emits_nothing`` no resource is returned, as kustomize wants it of
    validators.
    """

    settings: Settings
    lints: bool = False
    fail_on: str = "error"
    strict: bool = False
    emits_nothing: bool = False


class Told(NamedTuple):
    """A finding: ``source`` and ``offset`` (in bytes) say where, ``resource`` whose."""

    severity: str
    rule: str
    message: str
    source: int = 0
    offset: int = 0
    resource: str = ""
    field: str = ""

    @property
    def sentence(self) -> str:
        """``error rule: Kind namespace/name: field: message``, in colours."""
        grade = click.style(self.severity, fg=report.COLORS[self.severity], bold=True)
        rest = ": ".join(filter(None, (self.resource, self.field, self.message)))
        return f"{grade} {self.rule}: {report.showable(rest)}"


class Made(NamedTuple):
    """What came of a task: an outcome for each source, and everything there is to say.

    ``unreadable`` says that a source could not be used as it is.
    """

    outcomes: list[Outcome]
    told: list[Told]
    unreadable: bool

    def fails(self, fail_on: str) -> bool:
        """Whether a finding is at least as grave as `fail_on`."""
        grave = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        return any(one.severity in grave for one in self.told)


def task_of(content: Value | bytes, name: str) -> Task:
    """The task that a functionConfig describes; raises ConfigError that names it as `name`."""
    if content is None:
        raise ConfigError(
            f"{name}: is missing: expected an object of {API_VERSION}, kind {' or '.join(_KINDS)}"
        )
    if isinstance(content, bytes):
        checked = config.parse(content, name, _KINDS)
    else:
        checked = config.checked(content, None, lambda _: name, _KINDS)
    spec = checked.get("spec") or {}
    return Task(
        config.settings(checked),
        checked["kind"] == LINT_KIND,
        spec.get("failOn", "error"),
        spec.get("requireTransformed", False),
        spec.get("emit") == "none",
    )


def perform(
    task: Task,
    sources: Sequence[Source],
    processors: int = 1,
    follow: Follow | None = None,
) -> Made:
    """Do `task` for `sources`, which are one build; raises ConfigError and Unproven.

    `follow` says whom names mean; without it every name means what it says.
    """
    work = _lint if task.lints else _transform
    return work(task, sources, processors, follow)


def _transform(
    task: Task, sources: Sequence[Source], processors: int, follow: Follow | None
) -> Made:
    drafter = Drafter(processors, lambda _: None)
    outcomes = transform(sources, task.settings, drafter, follow.resources if follow else None)
    told = [
        Told(row.severity, row.code, row.message, index, row.offset, row.resource, row.field)
        for index, outcome in enumerate(outcomes)
        for row in outcome.diagnostics
    ]
    failed = any(outcome.failed for outcome in outcomes)
    if failed:  # all or nothing
        outcomes = [outcome._replace(edits=(), changes=()) for outcome in outcomes]
    return Made(outcomes, told, failed)


def _lint(task: Task, sources: Sequence[Source], processors: int, follow: Follow | None) -> Made:
    from transformer.lint.check import Scope
    from transformer.lint.engine import Placed
    from transformer.lint.lint import lint
    from transformer.lint.read import Reading, SourceReading, examine

    workers: Workers[Reading] = Workers(examine, processors, lambda _: None)
    readings = [SourceReading(*made) for made in workers(sources, task.settings)]
    spread: Spread[Placed] = Spread(processors)
    scope = Scope(strict=task.strict)
    found = lint(sources, readings, task.settings, scope, spread=spread, follow=follow)
    told = [
        Told(
            row.severity,
            row.rule,
            row.message,
            index,
            row.offset,
            row.subject.shown if row.subject else "",
            row.field,
        )
        for index, row in found.findings
    ]
    outcomes = [Outcome(source, (), (), (), True) for source in sources]
    return Made(outcomes, told, any(made.diagnostics for made in readings))
