"""Pods that run to their end and wait for CLB's readiness gate.

## What it does

Finds Jobs and CronJobs whose pod template has CLB's readiness gate.

## Why it matters

A Job's Pod is there to end, not to serve: it is counted NotReady all its life if CLB does not bind
it, and gets requests that it cannot answer if CLB does.
Mostly the template was copied from a Deployment, labels and all.

## Example

```yaml
kind: Job
spec:
  template:
    spec:
      readinessGates:
        - conditionType: cloud.tencent.com/load-balancer-backendgroup-ready
```

## Use instead

Remove the gate, and give the Pods labels that no Service selects:

```yaml
kind: Job
spec:
  template:
    metadata:
      labels: {job: migrate}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._gates import clb_gate
from transformer.rules.workload._serving import finishes

RULE = Rule(WARNING, "A", "Kubernetes API: Jobs; Pod readiness")


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield at most one finding in one workload."""
    place = clb_gate(workload, build) if finishes(workload) else None
    if place is None:
        return
    entries = build.entry_points(workload)
    labels = f", and choose labels that {entries[0].shown} does not reach" if entries else ""
    yield Finding(
        place,
        f"waits for CLB, but the Pods of a {workload.kind} are there to end, not to serve; "
        f"remove the gate{labels}",
    )
