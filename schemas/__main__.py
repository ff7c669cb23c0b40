"""``python -m schemas generate|check``: make the generated schemas, or prove them current."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import schemas
from schemas import upstream
from schemas.annotations import ANNOTATIONS, Annotation, On
from schemas.contract import LINT_KIND
from schemas.kubernetes import FILE

_FOLDER = Path(__file__).parent
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


def lint_schema() -> dict[str, Any]:
    """JSON Schema of DirectAccessLint: the configuration, and what only a lint function needs."""
    schema = schemas.load("direct-access")
    schema["title"] = "DirectAccessLint: the functionConfig that lints in a kustomize build"
    schema["description"] = "As DirectAccess, and what becomes of the findings."
    schema["properties"]["kind"] = {"enum": [LINT_KIND]}
    schema["$defs"]["spec"]["properties"] |= {
        "emit": {
            "description": "all: pass every resource on. none: for validators only, which must "
            "return nothing; among transformers it would delete every resource.",
            "enum": ["all", "none"],
            "default": "all",
        },
        "failOn": {
            "description": "Stop the build from this severity on.",
            "enum": ["error", "warning", "info"],
            "default": "error",
        },
        "requireTransformed": {
            "description": "What transform would still change is an error.",
            "type": "boolean",
            "default": False,
        },
    }
    generated = "Generated from direct-access.schema.json by `python -m schemas generate`."
    return {"$schema": schema.pop("$schema"), "$comment": generated, **schema}


GENERATED = {
    "annotations.schema.json": annotations_schema,
    "direct-access-lint.schema.json": lint_schema,
}


def rendered(name: str) -> str:
    """The text of the generated file `name`."""
    return json.dumps(GENERATED[name](), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the generated schemas, or say whether they are current; the exit code."""
    if arguments == ["generate"]:
        for name in GENERATED:
            (_FOLDER / name).write_text(rendered(name), encoding="utf-8")
        upstream.generate()
        return 0
    if arguments == ["check"]:
        current = {
            name: (_FOLDER / name).read_text(encoding="utf-8") == rendered(name)
            for name in GENERATED
        }
        current[FILE.name] = not upstream.stale()
        for name in (name for name, good in current.items() if not good):
            print(f"{name} is stale: run `python -m schemas generate`", file=sys.stderr)
        return 0 if all(current.values()) else 1
    print("usage: python -m schemas generate|check", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
