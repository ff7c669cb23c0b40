"""``python -m schemas generate|check``: make the generated schemas, or prove them current."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from schemas import upstream
from schemas.annotations import ANNOTATIONS, Annotation, On
from schemas.kubernetes import FILE

_TARGET = Path(__file__).with_name("annotations.schema.json")
_SLUGS = {On.SERVICE: "service", On.INGRESS: "ingress", On.POD: "pod"}


def _value(row: Annotation) -> dict[str, Any]:
    """JSON Schema of one annotation's value, always a string."""
    schema: dict[str, Any] = {"type": "string", "description": row.summary}
    if row.values:
        schema["enum"] = list(row.values)
    if row.pattern:
        schema["pattern"] = f"^(?:{row.pattern})$"
    if row.json:
        schema["contentMediaType"] = "application/json"
        schema["contentSchema"] = {"type": row.json}
    return schema


def annotations_schema() -> dict[str, Any]:
    """JSON Schema with one definition for the annotations of each kind of object."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Generated from schemas/annotations.py by `python -m schemas generate`.",
        "title": "Annotations for CLB direct access on TKE",
        "$defs": {
            slug: {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "properties": {row.key: _value(row) for row in ANNOTATIONS if row.on is on},
            }
            for on, slug in _SLUGS.items()
        },
        "anyOf": [{"$ref": f"#/$defs/{slug}"} for slug in _SLUGS.values()],
    }


def rendered() -> str:
    """The generated file's text."""
    return json.dumps(annotations_schema(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the generated schemas, or say whether they are current; the exit code."""
    if arguments == ["generate"]:
        _TARGET.write_text(rendered(), encoding="utf-8")
        upstream.generate()
        return 0
    if arguments == ["check"]:
        current = {
            _TARGET.name: _TARGET.read_text(encoding="utf-8") == rendered(),
            FILE.name: not upstream.stale(),
        }
        for name in (name for name, good in current.items() if not good):
            print(f"{name} is stale: run `python -m schemas generate`", file=sys.stderr)
        return 0 if all(current.values()) else 1
    print("usage: python -m schemas generate|check", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
