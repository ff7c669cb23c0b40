"""What the doctor is given and what it says: values only."""

from __future__ import annotations

from typing import NamedTuple

ERROR, WARNING, INFO, OK = "error", "warning", "info", "ok"
SEVERITIES = (ERROR, WARNING, INFO, OK)


class Finding(NamedTuple):
    """One thing that is wrong, or that is fine.

    ``path`` is relative to the directory that was examined, with slashes; '' for what stands in
    no file.  ``line`` and ``column`` count from 1.
    """

    path: str
    line: int
    column: int
    severity: str
    code: str
    message: str


class Program(NamedTuple):
    """What stands where a program is looked for.

    ``gone`` is what a link there leads to when that does not exist.
    """

    exists: bool
    executable: bool = False
    first_line: bytes = b""
    shown: str = ""  # where it was found
    gone: str = ""


class Plugins(NamedTuple):
    """The home of kustomize's legacy plugins: the first that exists, and all that were tried.

    ``programs`` are the plugins of our kinds in it.
    """

    home: str | None
    tried: tuple[str, ...]
    programs: dict[str, Program]


class Configuration(NamedTuple):
    """A configuration file that governs ``folder`` and below, with its checked content.

    ``folder`` is '' for the examined directory itself, also when the file lies above it.
    """

    folder: str
    shown: str
    data: bytes


class Snapshot(NamedTuple):
    """What is there: the texts that matter by path relative to the examined directory.

    ``programs`` has a row for each ``exec`` path that a kustomization names, by the folder of the
    kustomization and that path.  ``below`` is the examined directory as its Git root sees it; ''
    for that root itself, and outside Git.
    """

    files: dict[str, bytes]
    configurations: tuple[Configuration, ...] = ()
    programs: dict[tuple[str, str], Program] = {}  # noqa: RUF012 - never changed
    plugins: Plugins = Plugins(None, (), {})
    below: str = ""
