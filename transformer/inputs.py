"""The files of one run and the configuration of each, as all commands read them."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import click

from transformer import config, files, report
from transformer.errors import ConfigError
from transformer.model import Settings
from transformer.transform import Source

_UTF16 = (b"\xff\xfe", b"\xfe\xff")

NOT_KUBERNETES = "not Kubernetes"
TEMPLATES = "skipped (templates)"

# A progress bar is shown from here on; less is over before one can read it.
_LONG_WORK_BYTES = 4_000_000


class Choice(Protocol):
    """The part of a command line that says what to read."""

    @property
    def paths(self) -> tuple[str, ...]: ...
    @property
    def config(self) -> str | None: ...
    @property
    def network_mode(self) -> str | None: ...
    @property
    def stdin_filename(self) -> str | None: ...
    @property
    def force_exclude(self) -> bool: ...
    @property
    def quiet(self) -> bool: ...


class Input(NamedTuple):
    """One source, and how it came to be one."""

    source: Source
    path: Path | None  # None: standard input
    named: bool  # by the user, not by walking a directory
    config: Path | None


class Configurations:
    """Finds, reads and remembers the configuration of each file."""

    def __init__(self, explicit: str | None, mode: str | None) -> None:
        if explicit == "":
            raise ConfigError("--config: an empty path: a variable that is not set?")
        self.explicit = Path(explicit) if explicit else None
        self.mode = config.mode_named(mode) if mode else None
        self._found: dict[Path, Path | None] = {}
        self._content: dict[Path | None, dict[str, Any]] = {None: config.EMPTY}

    def path_for(self, file: Path) -> Path | None:
        """The configuration file that governs `file`."""
        if self.explicit:
            return self.explicit
        folder = file.parent
        if folder not in self._found:
            self._found[folder] = config.find(folder)
        return self._found[folder]

    def settings(self, path: Path | None) -> Settings:
        """The settings that the configuration file at `path` gives, None for no file."""
        if path not in self._content:
            assert path is not None
            self._content[path] = config.read(path)
        return config.settings(self._content[path], self.mode)

    def excludes(self, file: Path) -> bool:
        """Whether the file's configuration takes it out of directory walks."""
        path = self.path_for(file)
        if path is None:
            return False
        if path not in self._content:
            self._content[path] = config.read(path)
        from fnmatch import fnmatch

        patterns = (self._content[path].get("spec") or {}).get("exclude", ())
        inside = os.path.relpath(file, path.parent).replace(os.sep, "/")
        return any(
            fnmatch(inside, pattern.rstrip("/")) or fnmatch(inside, pattern.rstrip("/") + "/*")
            for pattern in patterns
        )


class Unreadable(NamedTuple):
    """A file that is there and cannot be read, and why not."""

    name: str
    reason: str

    @property
    def message(self) -> str:
        """The two, for people."""
        return report.error(f"{self.name}: {self.reason}")


def read(options: Choice, configurations: Configurations) -> tuple[list[Input], list[Unreadable]]:
    """All inputs, and those that cannot be read."""
    inputs: list[Input] = []
    unreadable: list[Unreadable] = []
    if "-" in options.paths:
        name = options.stdin_filename or "<stdin>"
        pretended = Path(options.stdin_filename or "stdin").absolute()
        if sys.stdin is None:
            raise ConfigError("standard input is closed")
        data = sys.stdin.buffer.read()
        if b"apiVersion" not in data and not data.startswith(_UTF16):
            raise ConfigError(
                f"{name}: no Kubernetes object in it; did the command before the pipe fail?"
            )
        source = Source(name, data)
        inputs.append(Input(source, None, True, configurations.path_for(pretended)))
    paths = tuple(path for path in options.paths if path != "-")
    links: list[Path] = []
    try:
        found = files.discover(paths, configurations.excludes, options.force_exclude, links.append)
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from None
    if links and not options.quiet:
        more = f" and {len(links) - 1} more" if len(links) > 1 else ""
        click.echo(f"{links[0]}{more}: a link that was not followed", err=True)
    for path, named in found:
        try:
            data = path.read_bytes()
        except OSError as error:
            unreadable.append(Unreadable(str(path), f"cannot be read: {error.strerror}"))
            continue
        source = Source(str(path), data)
        # Hooks name what changed, whatever it is: such a file is no more meant than a walked one.
        meant = named and not options.force_exclude
        inputs.append(Input(source, path, meant, configurations.path_for(path.absolute())))
    return inputs, unreadable


def by_configuration(
    inputs: list[Input], skipped: Counter[str], verbose: bool
) -> dict[Path | None, list[int]]:
    """The indices of those inputs that may be manifests: each group is a build of its own.

    Counts in `skipped` those that are not, and names them when `verbose`.
    """
    groups: dict[Path | None, list[int]] = {}
    for index, one in enumerate(inputs):
        # A file that never says apiVersion is no manifest; only a user who names it means it.
        # (UTF-16 hides it; such a file goes on, to a message about its encoding.)
        utf16 = one.source.data.startswith(_UTF16)
        if one.named or utf16 or b"apiVersion" in one.source.data:
            groups.setdefault(one.config, []).append(index)
        else:
            skipped[NOT_KUBERNETES] += 1
            if verbose:
                click.echo(f"{one.source.name}: {NOT_KUBERNETES}", err=True)
    return groups


def progress(
    inputs: list[Input], label: str, quiet: bool
) -> AbstractContextManager[Callable[[int], None]]:
    """A progress bar on a terminal for long work, nothing otherwise."""
    size = sum(len(one.source.data) for one in inputs)
    if quiet or size < _LONG_WORK_BYTES or not sys.stderr.isatty():
        return nullcontext(lambda count: None)
    return _Bar(size, label)


class _Bar:
    def __init__(self, size: int, label: str) -> None:
        self.bar = click.progressbar(length=size, label=label, file=sys.stderr)

    def __enter__(self) -> Callable[[int], None]:
        self.bar.__enter__()
        return self.bar.update

    def __exit__(self, *exception: Any) -> None:
        self.bar.__exit__(*exception)


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
