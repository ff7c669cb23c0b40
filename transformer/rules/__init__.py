"""The rules, one module each: a docstring, a ``RULE`` row and ``check(object, build)``.

A folder is named after the subject whose objects its rules are about (``lint/objects.py``);
``entry_point`` is for Services and Ingresses alike, ``any`` for every object.  A rule's name is
that of its file, with dashes.  Rules in ``input``, ``schema`` and ``edit`` have no ``check``: what
reads, validates or edits the input reports them itself.

To add a rule, add its file here and a folder of that name below ``tests/fixtures/lint``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from transformer.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from transformer.lint.build import Build
    from transformer.lint.objects import Object

Check = Callable[["Object", "Build"], Iterable[Finding]]

_FOLDER = Path(__file__).parent


class Known(NamedTuple):
    """A rule with its name, its subject, its text and, unless it is the input's, its check."""

    name: str
    subject: str
    row: Rule
    text: str
    check: Check | None

    @property
    def summary(self) -> str:
        """The first sentence of its text."""
        return self.text.partition("\n")[0].rstrip(".")


@cache
def subjects() -> tuple[str, ...]:
    """The folders that hold rules, sorted."""
    with os.scandir(_FOLDER) as entries:
        return tuple(
            sorted(entry.name for entry in entries if entry.is_dir() and entry.name[0] != "_")
        )


@cache
def about(subject: str) -> tuple[Known, ...]:
    """The rules about one subject, by name; only these are imported."""
    folder = _FOLDER / subject
    if not folder.is_dir():
        return ()
    with os.scandir(folder) as entries:
        files = sorted(entry.name for entry in entries if entry.name.endswith(".py"))
    return tuple(_known(subject, name[:-3]) for name in files if name[0] != "_")


@cache
def applying_to(subject: str) -> tuple[Known, ...]:
    """The rules that check an object of `subject`."""
    both = ("entry_point",) if subject in ("service", "ingress") else ()
    return tuple(known for folder in (subject, *both, "any") for known in about(folder))


def everything() -> Iterator[Known]:
    """Every rule, by subject and name."""
    for subject in subjects():
        yield from about(subject)


@cache
def names() -> frozenset[str]:
    """The names of all rules; imports none of them."""
    return frozenset(
        file.stem.replace("_", "-")
        for subject in subjects()
        for file in (_FOLDER / subject).glob("[!_]*.py")
    )


def named(name: str) -> Known | None:
    """The rule `name`, None when there is none."""
    for subject in subjects() if name in names() else ():
        if (_FOLDER / subject / f"{name.replace('-', '_')}.py").is_file():
            return _known(subject, name.replace("-", "_"))
    return None


@cache
def _known(subject: str, stem: str) -> Known:
    module: ModuleType = import_module(f"transformer.rules.{subject}.{stem}")
    text = (module.__doc__ or "").strip()
    check = getattr(module, "check", None)
    return Known(stem.replace("_", "-"), subject, module.RULE, text, check)
