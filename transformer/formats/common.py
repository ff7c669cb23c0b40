"""What several formats share."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePath
from typing import TypeAlias

from transformer.lint.report import Reported

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json]"


# Surrogates that stand for no byte of a file name: no encoding can write them.
_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def resource(found: Reported) -> str:
    """``Kind namespace/name``, '' when the finding is about no object."""
    return found.subject.shown if found.subject else ""


def message(found: Reported) -> str:
    """``resource: field: message``, for readers that show nothing else."""
    return ": ".join(part for part in (resource(found), found.field, found.message) if part)


def slashes(file: str) -> str:
    """A file's name with forward slashes on every system, encodable with surrogateescape."""
    return writable(PurePath(file).as_posix())


def writable(text: str) -> str:
    """`text` with a replacement character for what no encoding can write."""
    return _LONE.sub("\ufffd", text)


def numbered(name: str, seen: Counter[str], pattern: str) -> str:
    """`name`; from its second time on put into `pattern` with its number.  `seen` remembers."""
    seen[name] += 1
    return name if seen[name] == 1 else pattern.format(name, seen[name])
