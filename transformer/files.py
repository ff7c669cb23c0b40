"""Find, read and replace files: all or nothing, and each file wholly old or wholly new."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from transformer.errors import WriteError

SUFFIXES = (".yaml", ".yml", ".json")


class Found(NamedTuple):
    """A file to read; ``named`` when the user named it rather than its directory."""

    path: Path
    named: bool


def discover(paths: tuple[str, ...], excluded: Callable[[Path], bool], force: bool) -> list[Found]:
    """The files that `paths` stand for: files as named, directories walked, each once, in order.

    Hidden directories are left out.  `excluded` applies to walked files, and to named ones too
    when `force`.  Raises OSError for a path that is not there.
    """
    found: dict[Path, Found] = {}
    for name in paths:
        path = Path(name)
        if path.is_dir():
            candidates = [Found(inner, False) for inner in _walk(path)]
        else:
            path.lstat()
            candidates = [Found(path, True)]
        for candidate in candidates:
            if not ((force or not candidate.named) and excluded(candidate.path)):
                found.setdefault(Path(os.path.realpath(candidate.path)), candidate)
    return list(found.values())


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for where, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield Path(where, name)


class Replacement(NamedTuple):
    """New content for a file, and the content that it was made from."""

    path: Path
    before: bytes
    after: bytes


def replace_all(replacements: list[Replacement], on_progress: Callable[[int], None]) -> None:
    """Write every replacement, or none.

    All new contents are on disk beside their targets before the first target is renamed over, so
    a full disk or a read-only directory is met while nothing has changed yet.  A rename is
    atomic: whenever the process dies, each file is wholly old or wholly new.
    Raises WriteError; the temporary files are gone then.
    """
    staged: list[tuple[str, Path]] = []
    try:
        for replacement in replacements:
            target = Path(os.path.realpath(replacement.path))  # a symlink stays a symlink
            try:
                staged.append((_stage(target, replacement), target))
            except OSError as error:
                reason = error.strerror or str(error)
                message = f"{replacement.path}: cannot be written: {reason}; no file was changed"
                raise WriteError(message) from None
            on_progress(1)
        while staged:
            temporary, target = staged[0]
            os.replace(temporary, target)
            staged.pop(0)
    finally:
        for temporary, _ in staged:
            _forget(temporary)


def _stage(target: Path, replacement: Replacement) -> str:
    """Write the new content beside `target`, with its permissions; the temporary's name."""
    import tempfile  # only runs that write pay for it

    status = target.stat()
    if target.read_bytes() != replacement.before:
        raise OSError(0, "it changed while we were reading; run again")
    if not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied")
    handle, temporary = tempfile.mkstemp(
        prefix=f".{target.name}.", suffix=".tke-direct", dir=target.parent
    )
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(replacement.after)
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
