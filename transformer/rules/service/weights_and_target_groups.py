"""Weights by StatefulSet on a Service that binds target groups.

## What it does

Finds Services with both `lb-rs-weight` and `target-groups`.

## Why it matters

TKE documents that the two exclude each other: targets in a group have the group's weights.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/lb-rs-weight: '{"defaultWeight":10}'
    service.cloud.tencent.com/target-groups: '[{"protocol":"TCP","port":80,"name":"web"}]'
```

## Use instead

One of the two:

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/target-groups: '[{"protocol":"TCP","port":80,"name":"web"}]'
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import SERVICE_WEIGHTS, TARGET_GROUPS
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.service._service import annotation, parsed

RULE = Rule(ERROR, "A", 'TKE docs, "Service target groups"')


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service."""
    if service.skipped or not parsed(service, SERVICE_WEIGHTS):
        return
    if parsed(service, TARGET_GROUPS):
        yield Finding(
            annotation(SERVICE_WEIGHTS),
            f"cannot be used with {TARGET_GROUPS}: remove one of the two",
            at_key=True,
        )
