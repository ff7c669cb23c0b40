"""Pods that ask for an ENI address in a cluster that has none.

## What it does

Finds pod templates that a direct Service or Ingress reaches in mode `global-router` and whose
annotation `tke.cloud.tencent.com/networks` asks for an ENI.

## Why it matters

Without VPC-CNI no node gives out ENI addresses: at best the annotation is passed over, at worst
the Pods do not start.
Usually the manifest comes from another cluster, or the mode is the wrong one.

## Example

```yaml
template:
  metadata:
    annotations:
      tke.cloud.tencent.com/networks: tke-route-eni
```

## Use instead

Remove the annotation, or name the mode that the cluster really has:

```yaml
apiVersion: tke-direct.dev/v1alpha1
kind: DirectAccess
spec:
  networkMode: mixed
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import MODES, NETWORKS
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.workload._mode import mode_of

RULE = Rule(ERROR, "A", 'TKE docs, "VPC-CNI mode": what the cluster needs')

_ENI_NETWORKS = {mode.networks for mode in MODES.values() if mode.networks}


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield at most one finding in one workload."""
    mode = mode_of(workload, build)
    if mode is None or not mode.forbids_eni:
        return
    asked = _ENI_NETWORKS & set(workload.pod_annotations.get(NETWORKS, "").split(","))
    if asked:
        yield Finding(
            workload.in_template("metadata", "annotations", NETWORKS),
            f"asks for an ENI, which mode {mode.name.value} does not have; remove it, or choose "
            "the mode that the cluster really has",
        )
