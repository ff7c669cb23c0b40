"""A `tke-direct.dev/skip` that says neither yes nor no.

## What it does

Finds the annotation `tke-direct.dev/skip` with another text than `"true"` or `"false"`.

## Why it matters

Only `"true"` takes a resource out of `transform`; anything else counts as absent.
The resource that was to be left alone is edited.

## Example

```yaml
metadata:
  annotations:
    tke-direct.dev/skip: "yes"
```

## Use instead

```yaml
metadata:
  annotations:
    tke-direct.dev/skip: "true"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import SKIP
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.any._annotations import OWN_METADATA

RULE = Rule(WARNING, "A", "tke-direct itself")


def check(one: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one object."""
    value = one.annotations.get(SKIP)
    if value is not None and value.lower() not in ("true", "false"):
        yield Finding(
            (*OWN_METADATA, SKIP),
            f'is "{value}", which counts as absent: write "true" to leave this {one.kind} alone, '
            "or remove it",
        )
