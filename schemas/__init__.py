"""The contract between transformer, binder and users: constants and JSON Schemas.

Standard library only, no I/O but reading the schema files of this package.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_SUFFIX = ".schema.json"
_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Names of the JSON Schemas of this package, sorted."""
    return sorted(file.name.removesuffix(_SUFFIX) for file in _FOLDER.glob(f"*{_SUFFIX}"))


def text(name: str) -> str:
    """The JSON Schema `name` as it stands in its file; KeyError when there is none."""
    if name not in names():
        raise KeyError(name)
    return (_FOLDER / (name + _SUFFIX)).read_text(encoding="utf-8")


def load(name: str) -> dict[str, Any]:
    """The JSON Schema `name`, parsed; KeyError when there is none."""
    schema: dict[str, Any] = json.loads(text(name))
    return schema
