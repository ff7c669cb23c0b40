"""A readiness gate that stands twice in one pod template.

## What it does

Finds pod templates that list the same condition type more than once under `readinessGates`.

## Why it matters

The second one changes nothing, and Kubernetes takes it without a word.
It shows that two tools or two people add gates here, each unaware of the other: remove one before
they begin to differ.

## Example

```yaml
readinessGates:
  - conditionType: cloud.tencent.com/load-balancer-backendgroup-ready
  - conditionType: cloud.tencent.com/load-balancer-backendgroup-ready
```

## Use instead

```yaml
readinessGates:
  - conditionType: cloud.tencent.com/load-balancer-backendgroup-ready
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._gates import gates

RULE = Rule(WARNING, "A", "Kubernetes API: Pod readiness gates")


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for each gate that stands there already."""
    del build
    seen = set()
    for place, gate in gates(workload):
        if gate in seen:
            yield Finding(place, f'"{gate}" stands above already: it has no effect; remove it')
        seen.add(gate)
