"""Find, read and replace files: all or nothing, and each file wholly old or wholly new."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from transformer.errors import ConfigError, WriteError

SUFFIXES = (".yaml", ".yml", ".json")


class Found(NamedTuple):
    """A file to read; ``named`` when the user named it rather than its directory."""

    path: Path
    named: bool


def discover(
    paths: tuple[str, ...],
    excluded: Callable[[Path], bool],
    force: bool,
    on_link: Callable[[Path], None],
) -> list[Found]:
    """The files that `paths` stand for: files as named, directories walked, each once, in order.

    Hidden directories are left out, and so are links that a walk does not follow, which `on_link`
    is told of.  `excluded` applies to walked files, and to named ones too when `force`.
    Raises OSError for a path that is not there.
    """
    found: dict[object, Found] = {}
    for name in paths:
        if not name:
            raise ConfigError("an empty path: a variable that is not set?")
        path = Path(name)
        if path.is_dir():
            candidates = [Found(inner, False) for inner in _walk(path, on_link)]
        else:
            candidates = [Found(path, True)]
        for candidate in candidates:
            if not ((force or not candidate.named) and excluded(candidate.path)):
                status = candidate.path.stat()  # two names of one file are one input
                found.setdefault((status.st_dev, status.st_ino), candidate)
    return list(found.values())


def _walk(folder: Path, on_link: Callable[[Path], None]) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for where, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if Path(where, name).is_symlink():
                on_link(Path(where, name))
        for name in sorted(names):
            path = Path(where, name)
            if not name.endswith(SUFFIXES) or name.startswith("."):
                continue
            if path.is_file():
                yield path
            elif path.is_symlink():  # it leads nowhere; a pipe with such a name is no manifest
                on_link(path)


class Replacement(NamedTuple):
    """New content for a file, and the content that it was made from."""

    path: Path
    before: bytes
    after: bytes


# How many files this process has replaced so far; an error afterwards must not deny it.
replaced = 0


def replace_all(replacements: list[Replacement]) -> None:
    """Write every replacement, or none.

    All new contents are on disk beside their targets before the first target is renamed over, so
    a full disk or a read-only directory is met while nothing has changed yet.  A rename is
    atomic: whenever the process dies, each file is wholly old or wholly new.
    Raises WriteError; whatever is raised, the temporary files are gone and the old contents back.
    """
    global replaced
    staged: list[tuple[str, Path]] = []
    try:
        for replacement in replacements:
            target = _target(replacement)
            with _explained(replacement):
                staged.append((_stage(target, replacement.before, replacement.after), target))
        for replacement, (temporary, target) in zip(replacements, staged, strict=True):
            with _explained(replacement):
                os.replace(temporary, target)
    except BaseException:  # a Ctrl-C between two renames too
        _put_back(replacements[: len(staged)])
        raise
    finally:
        for temporary, _ in staged:
            _forget(temporary)
    replaced += len(replacements)


def _target(replacement: Replacement) -> Path:
    return Path(os.path.realpath(replacement.path))  # a symlink stays a symlink


@contextmanager
def _explained(replacement: Replacement) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"{replacement.path}: cannot be written: {reason}; no file was changed"
        raise WriteError(message) from None


def _put_back(replacements: list[Replacement]) -> None:
    """Undo those replacements that were made (a mount point, for one, cannot be renamed over)."""
    for replacement in replacements:
        target = _target(replacement)
        if target.read_bytes() == replacement.after:
            os.replace(_stage(target, replacement.after, replacement.before), target)


def _stage(target: Path, before: bytes, after: bytes) -> str:
    """Write the new content beside `target`, with its permissions; the temporary's name."""
    import tempfile  # only runs that write pay for it

    status = target.stat()
    if target.read_bytes() != before:
        raise OSError(0, "it changed while we were reading; run again")
    if not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied")
    handle, temporary = tempfile.mkstemp(
        prefix=f".{target.name}.", suffix=".tke-direct", dir=target.parent
    )
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(after)
            file.flush()
            os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
            if hasattr(os, "chown") and (status.st_uid, status.st_gid) != (
                os.geteuid(),
                os.getegid(),
            ):
                with suppress(PermissionError):  # only the owner changes then, as with any editor
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
            os.fsync(file.fileno())
    except BaseException:
        _forget(temporary)
        raise
    return temporary


def _forget(temporary: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(temporary)
