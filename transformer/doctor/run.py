"""The shell of ``doctor``: take the snapshot of a directory, print what the doctor says."""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from schemas.contract import API_VERSION, CONFIG_KIND, LINT_KIND
from transformer import config, doctor
from transformer.doctor.commands import is_script
from transformer.doctor.kustomizations import EXEC, Builds, is_yaml
from transformer.doctor.model import (
    ERROR,
    OK,
    WARNING,
    Configuration,
    Finding,
    Plugins,
    Program,
    Snapshot,
)
from transformer.errors import ConfigError
from transformer.inputs import Configurations
from transformer.report import COLORS, count, sentence, showable

_FIRST_LINE = 256  # kernels read no more of a #! line


def run(name: str) -> int:
    """Say what is wrong and what is fine in the directory `name`; the exit code."""
    folder = Path(name)
    if not folder.is_dir():
        raise ConfigError(f"{name}: not a directory")
    found = doctor.diagnose(snapshot(folder, os.environ))
    for one in found:
        click.echo(_line(folder, one))
    counts = [sum(one.severity == kind for one in found) for kind in (ERROR, WARNING)]
    click.echo(f"{count(counts[0], 'problem')}, {count(counts[1], 'warning')}", err=True)
    return 1 if counts[0] else 0


def snapshot(folder: Path, environment: Mapping[str, str]) -> Snapshot:
    """What is in `folder`, on the PATH and in kustomize's plugin home."""
    configurations = Configurations(None, None)
    found: dict[str, bytes] = {}
    configs: list[Path] = []
    for path in _walk(folder):
        if path.name == config.FILE_NAME:
            configs.append(path)
        elif not _excluded(path, configurations):
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    programs = {
        (one.folder, one.path): _program(folder / one.folder, one.path, environment)
        for one in Builds(found).functions()
        if one.how == EXEC
    }
    read = tuple(_configurations(folder, configs))
    return Snapshot(found, read, programs, _plugins(environment), _below_git(folder.resolve()))


def _below_git(folder: Path) -> str:
    """`folder` as the root of its Git repository sees it; '' for that root, and outside Git."""
    roots = (one for one in (folder, *folder.parents) if (one / ".git").exists())
    inside = folder.relative_to(next(roots, folder)).as_posix()
    return "" if inside == "." else inside


def _walk(folder: Path) -> Iterator[Path]:
    """The files that the doctor reads; of hidden folders only those with workflows."""

    def fail(error: OSError) -> None:
        raise error

    for where, folders, names in os.walk(folder, onerror=fail):
        inside = Path(where).name == ".github"
        folders[:] = sorted(
            one
            for one in folders
            if (one == "workflows" if inside else not one.startswith(".") or one == ".github")
        )
        for name in sorted(names):
            path = Path(where, name)
            wanted = name == config.FILE_NAME or is_script(path.relative_to(folder).as_posix())
            # A pipe or a broken link is no file.
            if (wanted or (is_yaml(name) and not name.startswith("."))) and path.is_file():
                yield path


def _excluded(path: Path, configurations: Configurations) -> bool:
    try:
        return configurations.excludes(path.absolute())
    except ConfigError:
        return False  # said once, where the configuration is checked


def _configurations(folder: Path, below: list[Path]) -> Iterator[Configuration]:
    """Every configuration below `folder`, and the one that governs it from above."""
    governing = config.find(folder)
    for path in below:
        inside = path.parent.relative_to(folder).as_posix()
        where = "" if inside == "." else inside
        yield Configuration(where, path.relative_to(folder).as_posix(), path.read_bytes())
    if governing is not None and governing.parent != folder.resolve():
        shown = Path(os.path.relpath(governing, folder)).as_posix()
        yield Configuration("", shown, governing.read_bytes())


def _program(folder: Path, name: str, environment: Mapping[str, str]) -> Program:
    """What kustomize finds when it starts `name` in `folder`."""
    if "/" in name:
        return _file(folder / name)
    where = shutil.which(name, path=environment.get("PATH", ""))
    return _file(Path(where)) if where else Program(False)


def _file(path: Path) -> Program:
    if not path.is_file():
        dangling = path.is_symlink() and not path.exists()
        return Program(False, gone=str(path.readlink()) if dangling else "")
    with path.open("rb") as file:
        first = file.read(_FIRST_LINE).partition(b"\n")[0]
    return Program(True, os.access(path, os.X_OK), first)


def _plugins(environment: Mapping[str, str]) -> Plugins:
    """The plugin home, as kustomize looks for it (``DefaultAbsPluginHome`` in its source)."""
    home = environment.get("HOME", "")
    named = (
        environment.get("KUSTOMIZE_PLUGIN_HOME", ""),
        _below(environment.get("XDG_CONFIG_HOME", ""), "kustomize/plugin"),
        _below(home, ".config/kustomize/plugin"),
        _below(home, "kustomize/plugin"),
    )
    tried = tuple(one for one in named if one)
    found = next((one for one in tried if Path(one).is_dir()), None)
    if found is None:
        return Plugins(None, tried, {})
    kinds = (CONFIG_KIND, LINT_KIND)
    programs = {kind: _file(Path(found, API_VERSION, kind.lower(), kind)) for kind in kinds}
    return Plugins(found, tried, programs)


def _below(folder: str, inside: str) -> str:
    return posixpath.join(folder, inside) if folder else ""


def _line(folder: Path, one: Finding) -> str:
    """``file:line:column: severity code: message``; what is fine starts with ``ok:``."""
    place = f"{os.path.normpath(folder / one.path)}:{one.line}:{one.column}" if one.path else ""
    if one.severity == OK:
        return f"{click.style(OK, fg='green', bold=True)}: {showable(place)}: {one.message}"
    if place:
        return sentence(place, one.severity, one.code, ("", ""), one.message)
    severity = click.style(one.severity, fg=COLORS[one.severity], bold=True)
    return f"{severity} {one.code}: {showable(one.message)}"
