"""An annotation that only direct access gives a meaning, on what is not direct.

## What it does

Finds the annotations for graceful shutdown, graceful deletion and weights on Services and
Ingresses that are not direct, and Pod weights on templates that no direct Service or
Ingress of the build reaches.

## Why it matters

Behind NodePorts CLB knows nodes, no Pods: nothing is drained and nothing is weighed.
The manifest promises a rollout without lost requests and does not keep it.

## Example

```yaml
kind: Service
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "false"
    service.cloud.tencent.com/enable-grace-shutdown: "true"
```

## Use instead

```yaml
kind: Service
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
    service.cloud.tencent.com/enable-grace-shutdown: "true"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.annotations import On
from schemas.contract import (
    INGRESS_DIRECT_ACCESS,
    SERVICE_DIRECT_ACCESS,
    TARGET_GROUPS,
    NetworkMode,
)
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.any._annotations import said

RULE = Rule(
    WARNING, "A", 'TKE docs, "Service annotations" and "Ingress annotations"', whole_build=True
)

_SWITCH = {On.SERVICE: SERVICE_DIRECT_ACCESS, On.INGRESS: INGRESS_DIRECT_ACCESS}


def check(one: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one object."""
    for path, row, value in said(one):
        # What target groups need besides, target-groups-unsupported tells.
        if not row.direct_only or value == "false" or row.key == TARGET_GROUPS:
            continue
        if _may_be_direct(one, build):
            return
        yield Finding(path, f"works with direct access only, and {_why(row.on)}", at_key=True)


def _may_be_direct(one: Object, build: Build) -> bool:
    if NetworkMode.SERVERLESS in build.settings.modes:
        return True  # Pods of super nodes are bound directly whatever is said
    if one.subject == "service":
        # A Service without a CLB of its own is direct through what uses it.
        return any(build.is_direct(entry) for entry in (one, *build.ingresses_of(one)))
    return build.is_direct(one)


def _why(on: On) -> str:
    switch = _SWITCH.get(on)
    if switch is None:
        return "no direct Service or Ingress of this build reaches these Pods: remove it"
    return f'this {on.value} has none: write {switch}: "true", or remove this one'
