"""Pods behind direct access without the readiness gate.

## What it does

Finds pod templates that a direct Service or Ingress reaches and that have no readiness gate for
CLB, unless the configuration leaves the gate to an admission webhook (`readinessGate.inject`).

## Why it matters

Without the gate a Pod counts as ready as soon as its own probe passes, seconds before CLB sends
it traffic.
A rolling update then removes old Pods while nothing serves yet: requests are lost.
It is a warning because TKE's webhook can add the gate when the Pod is created; the manifest alone
does not show whether it will.

## Example

```yaml
spec:
  containers:
    - name: web
```

## Use instead

```yaml
spec:
  containers:
    - name: web
  readinessGates:
    - conditionType: "cloud.tencent.com/load-balancer-backendgroup-ready"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule

RULE = Rule(
    WARNING,
    "A",
    'TKE docs, "Using Services with CLB-to-Pod direct access mode": readiness gate',
    fixable=True,
)


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one workload."""
    for place in build.lacks(workload, "readinessGates"):
        yield Finding(
            place,
            f"has no gate {build.settings.gate}: a rollout will not wait until CLB serves the new "
            f"Pods ({build.behind(workload)})",
            repairs=(place,),
        )
