"""A rollout that takes away every old Pod before CLB serves a new one.

## What it does

Finds workloads behind direct access whose rollout may stop all their Pods at once: strategy
`Recreate`, or a `maxUnavailable` of 100 % or of as many Pods as there are.
It is silent about a workload of one Pod: who runs one accepts a gap.

## Why it matters

CLB checks a new Pod for some 15 seconds before it sends requests there, and the Pod has to start
first.
For that long nobody serves, at every rollout.

## Example

```yaml
spec:
  replicas: 3
  strategy:
    type: Recreate
```

## Use instead

```yaml
spec:
  replicas: 3
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._rollout import (
    amount,
    percentage,
    recreates,
    scale,
    strategy,
)
from transformer.rules.workload._serving import serves, window
from transformer.values import Path, at

RULE = Rule(WARNING, "A", 'Kubernetes API: rolling updates; TKE docs, "Readiness gate"')


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield at most one finding in one workload."""
    if not serves(workload, build):
        return
    found = scale(workload, build)
    if found is not None and found.most <= 1:
        return
    if recreates(workload):
        yield _finding(workload, build, ("spec", "strategy", "type"), "Recreate")
        return
    row = strategy(workload)
    value = at(workload.data, *row.unavailable) if row else None
    if row is None or value is None:
        return
    whole = (percentage(value) or 0) >= 100
    if not whole and found is not None:
        gone = amount(value, found.least, up=row.up)
        whole = gone is not None and found.least > 1 and gone >= found.least
    if whole:
        yield _finding(workload, build, row.unavailable, str(value))


def _finding(workload: Object, build: Build, place: Path, value: str) -> Finding:
    return Finding(
        place,
        f"is {value}: a rollout stops every old Pod, and for {window(workload, build)} s or more "
        f"CLB has none to send requests to; roll out Pod by Pod ({build.behind(workload)})",
    )
