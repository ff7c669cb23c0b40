"""Which files are kustomize patches: pieces of manifests, which nobody applies as they are.

A patch lacks what the base has, so judging it alone only finds what is not wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import click

from schemas.contract import KUSTOMIZATIONS
from transformer.errors import Malformed
from transformer.inputs import Input
from transformer.tree import parse
from transformer.values import TooLarge, Value, at, items, mapping, plain, text


class Patches:
    """Finds and remembers what the kustomizations around a file list as patches."""

    def __init__(self) -> None:
        self._listed: dict[Path, frozenset[Path]] = {}

    def has(self, file: Path) -> bool:
        """Whether a kustomization at or above the folder of `file` uses it as a patch."""
        file = file.resolve()
        for folder in file.parents:
            if file in self._in(folder):
                return True
            if (folder / ".git").exists():
                return False
        return False

    def _in(self, folder: Path) -> frozenset[Path]:
        if folder not in self._listed:
            found = (folder / name for name in KUSTOMIZATIONS)
            files = (path for path in found if path.is_file())
            self._listed[folder] = frozenset(path for file in files for path in _patches(file))
        return self._listed[folder]


class Naming(Protocol):
    """The part of a command line that names standard input."""

    @property
    def stdin_filename(self) -> str | None: ...
    @property
    def verbose(self) -> bool: ...


def without_patches(inputs: list[Input], options: Naming) -> list[Input]:
    """Those of `inputs` that are manifests of their own."""
    known = Patches()
    kept = []
    for one in inputs:
        path = one.path or (Path(options.stdin_filename) if options.stdin_filename else None)
        if path is None or not known.has(path):
            kept.append(one)
        elif options.verbose:
            click.echo(f"{one.source.name}: a kustomize patch", err=True)
    return kept


def _patches(kustomization: Path) -> Iterator[Path]:
    try:
        roots = parse(kustomization.read_bytes().decode()).roots
        content = plain(roots[0]) if roots else None
    except (OSError, UnicodeDecodeError, Malformed, TooLarge):
        return  # whoever runs kustomize hears of it
    for name in _named(content):
        if "\n" not in name:  # a path, not the patch itself
            yield (kustomization.parent / name).resolve()


def _named(content: Value) -> Iterator[str]:
    for key in ("patches", "patchesJson6902"):
        for row in items(mapping(content).get(key)):
            yield text(at(row, "path")) or ""
    for row in items(mapping(content).get("patchesStrategicMerge")):
        yield text(row) or ""
