"""What ``tke-direct transform`` does, from paths to exit code.

Reads everything, transforms everything, and only then writes: with one error in any input
nothing is written at all.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import click

from transformer import config, files, report
from transformer.draft import TEMPLATED
from transformer.errors import ConfigError
from transformer.model import Settings
from transformer.parallel import Drafter
from transformer.stream import BOM
from transformer.transform import Outcome, Source, transform

_STARTS_WITH_MARKER = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?\r?\n)*---")

OK, WOULD_CHANGE, WRONG_INPUT = 0, 1, 2

# A progress bar is shown from here on; less is over before one can read it.
_LONG_WORK_BYTES = 4_000_000


class Options(NamedTuple):
    """The command line of ``transform``."""

    paths: tuple[str, ...]
    in_place: bool
    diff: bool
    check: bool
    config: str | None
    network_mode: str | None
    stdin_filename: str | None
    force_exclude: bool
    quiet: bool
    verbose: bool


class _Input(NamedTuple):
    source: Source
    path: Path | None  # None: standard input
    named: bool
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


def run(options: Options) -> int:
    """Transform what `options` name; the exit code."""
    configurations = Configurations(options.config, options.network_mode)
    inputs, unreadable = _read(options, configurations)
    outcomes, skipped = _transform(inputs, configurations, options)
    for message in unreadable:
        click.echo(message, err=True)
    failed = bool(unreadable) or any(outcome.failed for outcome in outcomes)
    if not failed:
        _deliver(inputs, outcomes, options)
    if not options.quiet:
        _summarise(outcomes, skipped, options, failed)
    if failed:
        return WRONG_INPUT
    changed = any(outcome.edits for outcome in outcomes)
    return WOULD_CHANGE if options.check and changed else OK


def _read(options: Options, configurations: Configurations) -> tuple[list[_Input], list[str]]:
    """All inputs, and a message for each that cannot be read."""
    inputs: list[_Input] = []
    unreadable: list[str] = []
    if "-" in options.paths:
        name = options.stdin_filename or "<stdin>"
        pretended = Path(options.stdin_filename or "stdin").absolute()
        data = sys.stdin.buffer.read()
        source = Source(name, data)
        inputs.append(_Input(source, None, True, configurations.path_for(pretended)))
    paths = tuple(path for path in options.paths if path != "-")
    try:
        found = files.discover(paths, configurations.excludes, options.force_exclude)
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from None
    for path, named in found:
        try:
            data = path.read_bytes()
        except OSError as error:
            unreadable.append(report.error(f"{path}: cannot be read: {error.strerror}"))
            continue
        source = Source(str(path), data)
        inputs.append(_Input(source, path, named, configurations.path_for(path.absolute())))
    return inputs, unreadable


def _transform(
    inputs: list[_Input], configurations: Configurations, options: Options
) -> tuple[list[Outcome], Counter[str]]:
    """The outcome of each input that is Kubernetes, in order, and why others were left out."""
    skipped: Counter[str] = Counter()
    groups: dict[Path | None, list[int]] = {}
    for index, one in enumerate(inputs):
        # A file that never says apiVersion is no manifest; only a user who names it means it.
        # (UTF-16 hides it; such a file goes on, to a message about its encoding.)
        utf16 = one.source.data.startswith((b"\xff\xfe", b"\xfe\xff"))
        if one.named or utf16 or b"apiVersion" in one.source.data:
            groups.setdefault(one.config, []).append(index)
        else:
            skipped["not Kubernetes"] += 1
    made: dict[int, Outcome] = {}
    with _progress(inputs, options) as advance:
        drafter = Drafter(_processors(), advance)
        for path, members in groups.items():
            sources = [inputs[index].source for index in members]
            outcomes = transform(sources, configurations.settings(path), drafter)
            made.update(zip(members, outcomes))
    kept = [index for index in sorted(made) if _keep(inputs[index], made[index], skipped, options)]
    return [made[index] for index in kept], skipped


def _keep(one: _Input, outcome: Outcome, skipped: Counter[str], options: Options) -> bool:
    """Report the diagnostics of one outcome; whether it counts as an input of the run."""
    codes = {found.code for found in outcome.diagnostics}
    template = codes == {TEMPLATED}
    if template and not one.named:
        skipped["skipped (templates)"] += 1
    elif not outcome.is_kubernetes and not one.named:
        skipped["not Kubernetes"] += 1
    else:
        if outcome.diagnostics:
            page = report.Page(one.source.name, one.source.data)
            click.echo("\n".join(map(page.diagnostic, outcome.diagnostics)), err=True)
        return True
    if template and options.verbose:
        found = next(found for found in outcome.diagnostics if found.code == TEMPLATED)
        note = found._replace(severity="info")
        click.echo(report.Page(one.source.name, one.source.data).diagnostic(note), err=True)
    return False


def _deliver(inputs: list[_Input], outcomes: list[Outcome], options: Options) -> None:
    """Write the results where the options say."""
    if options.in_place:
        paths = {one.source.name: one.path for one in inputs if one.path is not None}
        replacements = [
            files.Replacement(paths[outcome.source.name], outcome.source.data, outcome.result())
            for outcome in outcomes
            if outcome.edits
        ]
        files.replace_all(replacements)
    elif options.diff:
        from transformer import diff

        for outcome in outcomes:
            if outcome.edits:
                name = _inside(outcome.source.name)
                lines = diff.unified(name, outcome.source.data, outcome.edits)
                _write_text("".join(map(report.diff_line, lines)))
    elif not options.check:
        _write_stream(outcomes)


def _inside(name: str) -> str:
    """`name` relative to the working directory when it lies inside, else without its root."""
    here = str(Path.cwd()) + os.sep
    return name.removeprefix(here).lstrip(os.sep)


def _write_text(text: str) -> None:
    context = click.get_current_context(silent=True)
    if context is None or not _colored(context, sys.stdout):
        text = click.unstyle(text)
    sys.stdout.buffer.write(text.encode(errors="surrogateescape"))


def _colored(context: click.Context, stream: Any) -> bool:
    return bool(context.color) if context.color is not None else bool(stream.isatty())


def _write_stream(outcomes: list[Outcome]) -> None:
    """One result as it is; several as one YAML stream, with a marker where one is missing."""
    stream = sys.stdout.buffer
    for index, outcome in enumerate(outcomes):
        data = outcome.source.data
        if index:
            # Between streams: no second byte order mark, and "..." before a directive.
            data = outcome.result().removeprefix(BOM)
            if data.startswith(b"%"):
                stream.write(b"...\n")
            elif not _STARTS_WITH_MARKER.match(data):
                stream.write(b"---\n")
            stream.write(data)
        else:
            stream.writelines(outcome.pieces())
        if index + 1 < len(outcomes) and not data.endswith(b"\n"):
            stream.write(b"\n")
    stream.flush()


def _summarise(
    outcomes: list[Outcome], skipped: Counter[str], options: Options, failed: bool
) -> None:
    if options.verbose:
        for line in report.changes(outcomes):
            click.echo(line, err=True)
    if failed:
        click.echo("errors: nothing was changed", err=True)
        return
    if options.check:
        for outcome in outcomes:
            if outcome.edits:
                click.echo(f"would change {outcome.source.name}", err=True)
    tried = options.check or options.diff
    verb = "changed" if options.in_place else "would change" if tried else "transformed"
    click.echo(report.summary(outcomes, skipped, verb), err=True)


def _progress(
    inputs: list[_Input], options: Options
) -> AbstractContextManager[Callable[[int], None]]:
    """A progress bar on a terminal for long work, nothing otherwise."""
    size = sum(len(one.source.data) for one in inputs)
    if options.quiet or size < _LONG_WORK_BYTES or not sys.stderr.isatty():
        return nullcontext(lambda count: None)
    return _Bar(size)


class _Bar:
    def __init__(self, size: int) -> None:
        self.bar = click.progressbar(length=size, label="transforming", file=sys.stderr)

    def __enter__(self) -> Callable[[int], None]:
        self.bar.__enter__()
        return self.bar.update

    def __exit__(self, *exception: Any) -> None:
        self.bar.__exit__(*exception)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
