"""Replicas that fit behind one CLB listener, but not while a rollout goes on.

## What it does

Finds workloads behind direct access whose replicas (with an autoscaler: `maxReplicas`) are within
`spec.lint.targetQuota` of the configuration, but not together with the Pods that a rollout adds:
`maxSurge`, 25 % unless a Deployment says otherwise, rounded up.

## Why it matters

The new Pods come first, while the old ones still are targets.
When the listener is full CLB takes no more of them: those that wait for their gate are not ready
until old Pods go, and with `maxUnavailable: 0` no old Pod goes before.

## Example

```yaml
spec:
  replicas: 90
```

## Use instead

```yaml
spec:
  replicas: 90
  strategy:
    rollingUpdate: {maxSurge: 10, maxUnavailable: 0}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._rollout import scale, strategy, surge
from transformer.rules.workload._serving import serves
from transformer.values import at

RULE = Rule(
    WARNING,
    "A",
    'Kubernetes API: maxSurge; TKE docs, "CLB-to-Pod direct access": limits',
)


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield at most one finding in one workload."""
    quota, row, found = build.settings.lint.target_quota, strategy(workload), scale(workload, build)
    if row is None or found is None or found.most > quota:
        return
    added = surge(workload, found.most)
    if found.most + added > quota and serves(workload, build):
        at_surge = (
            at(workload.data, *row.surge) is not None or workload.get("spec", "replicas") is None
        )
        room = quota - found.most
        unless = "" if room else " and maxUnavailable above 0"
        yield Finding(
            row.surge if at_surge else ("spec", "replicas"),
            f"{found.most} Pods and {added} more during a rollout are over CLB's {quota} targets "
            f"for a listener or rule, so the rollout can hang; set maxSurge to at most "
            f"{room}{unless}",
        )
