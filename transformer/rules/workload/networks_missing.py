"""Pods that do not ask for an ENI address though CLB is to bind one.

## What it does

Finds pod templates that a direct Service or Ingress reaches and that lack the annotation
`tke.cloud.tencent.com/networks`, in the network modes whose Pods must ask for an address:
`mixed` and `vpc-cni-exclusive`.

## Why it matters

In such a cluster a Pod gets an overlay address unless it asks for another one.
CLB cannot bind that address: TKE reports E4033, or goes on through NodePorts.
In mode `vpc-cni-exclusive` it is a warning: a cluster without another network gives the Pods an
ENI unasked.
Pods on super nodes have an address anyway: a warning.

## Example

```yaml
spec:
  template:
    metadata:
      labels: {app: web}
```

## Use instead

```yaml
spec:
  template:
    metadata:
      labels: {app: web}
      annotations:
        tke.cloud.tencent.com/networks: "tke-route-eni"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import MODES, NETWORKS, NetworkMode
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.workload._super_node import sent_to_super_nodes

RULE = Rule(ERROR, "A", 'TKE docs, "VPC-CNI mode" and event code E4033', fixable=True)


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one workload."""
    mode = build.plan(workload).mode
    needed = mode is NetworkMode.MIXED and not sent_to_super_nodes(workload)
    fails = needed and build.is_declared(workload)
    for place in build.lacks(workload, "metadata", "annotations", NETWORKS):
        assert mode is not None
        yield Finding(
            place,
            f'is missing: in mode {mode.value} write "{MODES[mode].networks}", or the Pods get no '
            f"address that CLB can bind ({build.behind(workload)})",
            severity=ERROR if fails else WARNING,
            repairs=(place,),
        )
