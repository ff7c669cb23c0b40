"""Pods that do not request the ENI address that their annotation asks for.

## What it does

Finds pod templates that a direct Service or Ingress reaches and that do not request and limit the
extended resource of the network mode: `tke.cloud.tencent.com/eni-ip` in mode `mixed`,
`tke.cloud.tencent.com/direct-eni` in mode `vpc-cni-exclusive`.

## Why it matters

The scheduler counts these resources to know which node still has addresses.
Without the request a Pod can land on a node that has none left and hang there without a network.
Kubernetes refuses requests without limits.
It is a warning where only limits are given, for Kubernetes then requests as much, and in mode
`vpc-cni-exclusive`, whose resource TKE's documents do not name.
Pods on super nodes have an address anyway: a warning.

## Example

```yaml
containers:
  - name: web
    resources:
      limits: {cpu: "1"}
```

## Use instead

One container of the Pod asks, with requests and limits alike:

```yaml
containers:
  - name: web
    resources:
      requests: {tke.cloud.tencent.com/eni-ip: "1"}
      limits: {cpu: "1", tke.cloud.tencent.com/eni-ip: "1"}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import MODES, NetworkMode
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.workload._super_node import sent_to_super_nodes

RULE = Rule(ERROR, "A", 'TKE docs, "VPC-CNI mode": requests and limits', fixable=True)


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for a workload, wherever the resource is missing."""
    mode = build.plan(workload).mode
    resource = MODES[mode].resource if mode else None
    if mode is None or resource is None:
        return
    places = build.lacks(workload, resource)
    if places:
        sides = " and ".join(str(place[-2]) for place in places)
        needed = mode is NetworkMode.MIXED and not sent_to_super_nodes(workload)
        needed = needed and build.is_declared(workload)
        fails = sides == "limits" or (needed and sides != "requests")
        yield Finding(
            places[0],
            f'is missing from {sides}: in mode {mode.value} one container asks for "1" in requests '
            f"and in limits ({build.behind(workload)})",
            severity=ERROR if fails else WARNING,
            repairs=places,
        )
