"""Pods that ask for another network than the one that CLB can reach.

## What it does

Finds pod templates that a direct Service or Ingress reaches and whose annotation
`tke.cloud.tencent.com/networks` does not name the network of the network mode: `tke-route-eni` in
mode `mixed`, `tke-direct-eni` in mode `vpc-cni-exclusive`.
In mode `vpc-cni` it warns of `tke-bridge`, which such a cluster does not have.

## Why it matters

The Pods get addresses that CLB cannot bind, or none at all.
TKE reports E4033 and the Service gets no backend.
`transform` never overrules what a manifest says, so it stops here.

## Example

```yaml
template:
  metadata:
    annotations:
      tke.cloud.tencent.com/networks: tke-bridge
```

## Use instead

```yaml
template:
  metadata:
    annotations:
      tke.cloud.tencent.com/networks: tke-route-eni
```
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from schemas.contract import BRIDGE_NETWORK, NETWORKS, NetworkMode
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.workload._mode import mode_of
from transformer.values import at

RULE = Rule(ERROR, "A", 'TKE docs, "VPC-CNI mode" and event code E4033')


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield at most one finding in one workload."""
    mode = mode_of(workload, build)
    found = at(workload.pod, "metadata", "annotations", NETWORKS)
    if mode is None or found is None:
        return
    place = workload.in_template("metadata", "annotations", NETWORKS)
    asked = found.split(",") if isinstance(found, str) else []
    shown = json.dumps(found) if isinstance(found, str) else "not a string"
    if mode.networks and mode.networks not in asked and place not in build.plan(workload).lacks:
        yield Finding(
            place,
            f'is {shown}, expected "{mode.networks}" in mode {mode.name.value}: the Pods get no '
            f"address that CLB can bind ({build.behind(workload)})",
        )
    elif mode.name is NetworkMode.VPC_CNI and asked == [BRIDGE_NETWORK]:
        yield Finding(
            place,
            f"is {shown}, which mode {mode.name.value} does not have; remove it, or choose the "
            "mode that the cluster really has",
            severity=WARNING,
        )
