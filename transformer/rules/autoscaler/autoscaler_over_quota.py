"""An autoscaler that may go beyond what CLB takes behind one listener.

## What it does

Finds HorizontalPodAutoscalers of workloads behind direct access whose `maxReplicas` is more than
`spec.lint.targetQuota` of the configuration (100 unless it says otherwise).

## Why it matters

In direct mode each Pod is a target of its own, and CLB takes 100 or 200 of them for a listener or
forwarding rule, depending on the region.
The Pods beyond get no requests, and those with the readiness gate never become ready: under the
greatest load, scaling out stops to help.

## Example

```yaml
kind: HorizontalPodAutoscaler
spec:
  maxReplicas: 300
```

## Use instead

A limit within the quota; or ask for a higher one and say so:

```yaml
apiVersion: tke-direct.dev/v1alpha1
kind: DirectAccess
spec:
  networkMode: vpc-cni
  lint:
    targetQuota: 300
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._serving import serves
from transformer.values import integer

RULE = Rule(WARNING, "A", 'TKE docs, "CLB-to-Pod direct access": limits; event code E4054')


def check(autoscaler: Object, build: Build) -> Iterator[Finding]:
    """Yield at most one finding in one autoscaler."""
    quota = build.settings.lint.target_quota
    most = integer(autoscaler.get("spec", "maxReplicas"))
    if most is None or most <= quota:
        return
    workload = build.target_of(autoscaler)
    if workload is not None and serves(workload, build):
        yield Finding(
            ("spec", "maxReplicas"),
            f"is {most}, but CLB takes {quota} targets for a listener or rule "
            f"({workload.shown} is {build.behind(workload)}); lower it, or raise the quota and "
            "lint.targetQuota",
        )
