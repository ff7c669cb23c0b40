"""An annotation that must be JSON and is not, or is JSON of another type.

## What it does

Parses the annotations whose text is JSON: `extensiveParameters`, `specify-protocol`,
`lb-rs-weight`, `target-groups`, `http-rules`, `https-rules`, `listen-ports` and some more.

## Why it matters

TKE cannot read it, and reports an error event instead of making or changing the CLB.
What is read when the CLB is created cannot be corrected later without making a new one.

## Example

YAML in braces is not JSON, the names need double quotes:

```yaml
metadata:
  annotations:
    service.kubernetes.io/service.extensiveParameters: '{ ZoneId: "ap-guangzhou-1" }'
```

## Use instead

```yaml
metadata:
  annotations:
    service.kubernetes.io/service.extensiveParameters: '{"ZoneId": "ap-guangzhou-1"}'
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.any._annotations import said
from transformer.values import is_filled_in_later

RULE = Rule(
    ERROR, "A", 'TKE docs, "Service annotations", "Ingress annotations" and event code E4026'
)

_TYPES: dict[str, type] = {"object": dict, "array": list}
_NAMES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
}


def check(one: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one object."""
    for path, row, value in said(one):
        if not row.json or not value.strip() or is_filled_in_later(value):
            continue
        if message := _wrong(value, _TYPES[row.json]):
            yield Finding(path, message)


def _wrong(value: str, wanted: type) -> str:
    """What is wrong with `value`, '' for nothing; null stands for absent, as TKE writes it."""
    import json  # late: few manifests have such annotations

    try:
        found: object = json.loads(value)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno} " if "\n" in value.strip() else ""
        reason = error.msg[0].lower() + error.msg[1:]
        return f"is not JSON: {reason} at {line}column {error.colno} of the text"
    except (RecursionError, ValueError):
        return "is not JSON that anybody reads: it is too deep or its numbers are too long"
    if found is None or isinstance(found, wanted):
        return ""
    return f"is {_NAMES[type(found)]} in JSON, expected {_NAMES[wanted]}"
