"""What is to be deployed from a folder, before we touch it: what kustomize builds, or its files.

Which files those are: Argo CD's own answer for a folder of plain manifests, findManifests in its
reposerver/repository/repository.go.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from schemas.contract import KUSTOMIZATIONS
from transformer import config
from transformer.doors import child
from transformer.errors import ConfigError
from transformer.files import SUFFIXES
from transformer.inputs import NOT_KUBERNETES
from transformer.report import showable
from transformer.transform import Source

BUILD = "kustomize build"
_CHART, _JSONNET = "Chart.yaml", ".jsonnet"

# In a comment of a file it keeps Argo CD from deploying that.
_KEPT_OUT = b"+argocd:skip-file-rendering"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

# Argo CD shows all that a plugin says in one box.
MOST_LINES = 20


class Place(NamedTuple):
    """The folder of an application, and the root of the repository that it is in."""

    folder: Path
    root: Path


class Rendered(NamedTuple):
    """What there is to deploy; ``notes`` are lines for standard error."""

    sources: list[Source]
    notes: list[str]
    by_kustomize: bool


def rendered(place: Place, options: Sequence[str], *, recurse: bool) -> Rendered:
    """What the working directory stands for; raises ConfigError.

    `options` are words for ``kustomize build``; `recurse` says to read the folders below a folder
    of plain manifests too.
    """
    here = place.folder
    if any((here / name).is_file() for name in KUSTOMIZATIONS):
        return _built(options)
    if (here / _CHART).is_file():
        raise ConfigError(
            f"{_CHART}: this folder is a Helm chart, and the plugin does not run Helm by itself: "
            "commit what the chart renders, or name the chart in the helmCharts of a "
            "kustomization.yaml, for which an administrator puts helm into the plugin's image and "
            "--kustomize-option=--enable-helm into plugin.yaml"
        )
    return _plain(place, recurse)


def few(lines: Sequence[str], most: int = MOST_LINES) -> list[str]:
    """`lines`, or the first ones and how many more there are."""
    if len(lines) <= most:
        return list(lines)
    return [*lines[: most - 1], f"… and {len(lines) - most + 1} more lines"]


def _built(options: Sequence[str]) -> Rendered:
    done = child.run(["kustomize", "build", ".", *options])
    said = [showable(line) for line in done.err.decode(errors="replace").splitlines() if line]
    if done.status:
        raise ConfigError("\n".join(few(_failure(done.status, said))))
    return Rendered([Source(BUILD, done.out)], said, True)


def _failure(status: int, said: list[str]) -> list[str]:
    """Why kustomize failed in the first line, then the rest of what it `said`."""
    how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    # Warnings come before the error.
    errors = (line for line in said if line.startswith("Error"))
    first = next(chain(errors, said), "it said nothing")
    return [f"{BUILD} failed ({how}): {first}", *(line for line in said if line != first)]


def _plain(place: Place, recurse: bool) -> Rendered:
    sources, notes = [], []
    for name in _manifests(place.folder, recurse):
        path = place.folder / name
        refuse_outside(path, name, place.root)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{name}: cannot be read: {error.strerror}") from None
        if _KEPT_OUT in data:
            notes.append(f"{showable(name)}: left out: {_KEPT_OUT.decode()}")
        elif name.endswith(_JSONNET):
            raise ConfigError(_no_jsonnet(name))
        elif b"apiVersion" in data or data.startswith(_UTF16):  # that hides it; an error comes
            sources.append(Source(name, data))
        else:
            notes.append(not_kubernetes(name))
    return Rendered(sources, notes, False)


def refuse_outside(path: Path, name: str, root: Path) -> None:
    """Raise ConfigError for a link that leads out of the repository, as Argo CD does."""
    if not path.resolve().is_relative_to(root.resolve()):
        raise ConfigError(f"{showable(name)}: is a link that leads out of the repository")


def _no_jsonnet(name: str) -> str:
    """Why a file that Argo CD would render by itself is refused."""
    return (
        f"{showable(name)}: the plugin does not run Jsonnet, and Argo CD would prune what the file "
        "stands for: commit what it renders, and move it out of the application's folder"
    )


def not_kubernetes(name: str) -> str:
    """The note about a file that is left out."""
    return f"{showable(name)}: left out: {NOT_KUBERNETES}"


def _manifests(here: Path, recurse: bool) -> Iterator[str]:
    """The files that may be manifests, hidden ones too, as paths from `here`, in a fixed order."""

    def fail(error: OSError) -> None:
        raise error

    for where, folders, names in os.walk(here, onerror=fail):
        folders[:] = sorted(folders) if recurse else []
        for name in sorted(names):
            path = Path(where, name)
            if (
                name.endswith((*SUFFIXES, _JSONNET))
                and name != config.FILE_NAME
                and (path.is_file() or path.is_symlink())
            ):
                yield str(path.relative_to(here))
