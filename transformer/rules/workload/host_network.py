"""Pods on the host's network behind direct access.

## What it does

Finds pod templates with `hostNetwork: true` that a direct Service or Ingress reaches.

## Why it matters

Such a Pod has the address of its node and none of its own, so CLB has nothing to bind.
TKE reports E4033 and the Service gets no backend.

## Example

```yaml
spec:
  template:
    spec:
      hostNetwork: true
```

## Use instead

Remove `hostNetwork`, or take the workload out of direct access:

```yaml
metadata:
  annotations:
    tke-direct.dev/skip: "true"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule

RULE = Rule(ERROR, "A", 'TKE docs, "CLB-to-Pod direct access", and event code E4033')


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one workload."""
    if workload.pod_spec.get("hostNetwork") is True and build.is_direct(workload):
        yield Finding(
            workload.in_template("spec", "hostNetwork"),
            "is true: a Pod on the host's network has no address of its own for CLB to bind; "
            "remove it, or take the workload out of direct access",
        )
