"""More replicas than CLB takes behind one listener.

## What it does

Finds workloads behind direct access with more replicas than `spec.lint.targetQuota` of the
configuration (100 unless it says otherwise).
Where an autoscaler decides, `autoscaler-over-quota` is about that.

## Why it matters

In direct mode each Pod is a target of its own, and CLB takes 100 or 200 of them for a listener or
forwarding rule, depending on the region.
TKE reports E4054 for the others: they get no requests, and those that wait for their gate never
become ready.

## Example

```yaml
spec:
  replicas: 150
```

## Use instead

Fewer, larger Pods; or several Services; or ask for a higher quota and say so:

```yaml
apiVersion: tke-direct.dev/v1alpha1
kind: DirectAccess
spec:
  networkMode: vpc-cni
  lint:
    targetQuota: 200
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._serving import serves

RULE = Rule(WARNING, "A", 'TKE docs, "CLB-to-Pod direct access": limits; event code E4054')


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield at most one finding in one workload."""
    quota, replicas = build.settings.lint.target_quota, workload.replicas
    if replicas is None or replicas <= quota or build.autoscalers_of(workload):
        return
    if serves(workload, build):
        yield Finding(
            ("spec", "replicas"),
            f"is {replicas}, but CLB takes {quota} targets for a listener or rule; use fewer Pods "
            f"or more Services, or raise the quota and lint.targetQuota ({build.behind(workload)})",
        )
