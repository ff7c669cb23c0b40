"""Apply every rule to every object; values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from transformer import rules
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding
from transformer.model import Diagnostic
from transformer.rules import Check
from transformer.structure import Defect


class Found(NamedTuple):
    """A finding with its rule and object; ``severity`` is decided.

    ``refused`` is what transform says when it will not edit the object: it knows the place.
    """

    rule: str
    severity: str
    object: Object
    finding: Finding
    refused: Diagnostic | None = None


class Scope(NamedTuple):
    """Which rules run: of those `select` names, or all, without those that `ignore` names.

    ``whole_build`` is false when files are looked at one by one.  ``strict`` makes everything
    that ``transform`` would change an error.
    """

    select: Collection[str] = ()
    ignore: Collection[str] = ()
    whole_build: bool = True
    strict: bool = False

    def has(self, rule: str) -> bool:
        """Whether the findings of `rule` are wanted."""
        return (not self.select or rule in self.select) and rule not in self.ignore


def check(
    objects: Iterable[Object],
    build: Build,
    defects: Callable[[Object], tuple[Defect, ...]],
    scope: Scope,
) -> Iterator[Found]:
    """Everything that is wrong with some `objects` of `build`, object by object."""
    checks = {subject: tuple(_wanted(subject, scope)) for subject in build.by_subject}
    for one in objects:
        found = list(_by_rules(one, build, scope, checks[one.subject]))
        found += _by_schema(one, build, defects(one), scope)
        yield from found
        told = {row.rule for row in found}
        for refused in build.plan(one).refused:
            known = refused.code in rules.names()  # a missing pod template is the schema's matter
            if known and refused.code not in told and scope.has(refused.code):
                yield Found(refused.code, ERROR, one, Finding((), refused.message), refused)


def _wanted(subject: str, scope: Scope) -> Iterator[tuple[str, str, Check]]:
    """Name, severity and check of the rules that are to look at objects of `subject`."""
    for known in rules.applying_to(subject):
        row = known.row
        asleep = row.whole_build and not scope.whole_build
        if known.check is not None and scope.has(known.name) and not asleep:
            yield known.name, row.severity, known.check


def _by_rules(
    one: Object, build: Build, scope: Scope, checks: tuple[tuple[str, str, Check], ...]
) -> Iterator[Found]:
    for name, gravest, check in checks:
        for finding in check(one, build):
            severity = finding.severity or gravest
            if scope.strict and finding.repairs:
                severity = ERROR
            yield Found(name, severity, one, finding)


def _by_schema(
    one: Object, build: Build, defects: tuple[Defect, ...], scope: Scope
) -> Iterator[Found]:
    """What breaks the schema; rules are silent there, which a law holds them to."""
    lacks = build.plan(one).lacks if defects else ()
    for rule, path, message in defects:
        if not scope.has(rule):
            continue
        at_key = rule == "unknown-field"
        # TKE's own kind grows fields that its documents show late.
        mild = at_key and one.subject == "service_config"
        repairs = (path,) if path in lacks else ()
        finding = Finding(path, message, at_key=at_key, repairs=repairs)
        yield Found(rule, WARNING if mild else ERROR, one, finding)
