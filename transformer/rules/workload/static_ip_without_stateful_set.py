"""A static address for Pods that have no identity to keep it for.

## What it does

Finds pod templates of Deployments and other workloads whose Pods get a new name each time that
keep their address: `tke.cloud.tencent.com/vpc-ip-claim-delete-policy: Never` or
`tke.cloud.tencent.com/enable-static-ip: "true"`.

## Why it matters

TKE keeps the address for the Pod of the same name, which only a StatefulSet brings back.
Elsewhere each rollout leaves addresses behind that nobody uses, until the subnet has none left.

## Example

```yaml
kind: Deployment
spec:
  template:
    metadata:
      annotations:
        tke.cloud.tencent.com/vpc-ip-claim-delete-policy: Never
```

## Use instead

```yaml
kind: StatefulSet
spec:
  template:
    metadata:
      annotations:
        tke.cloud.tencent.com/vpc-ip-claim-delete-policy: Never
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import STATIC_IP
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule

RULE = Rule(WARNING, "A", 'TKE docs, "Static IP address mode": StatefulSets only')

# Kinds whose Pods are known to be nameless; others may keep names.
_NAMELESS = (
    "CloneSet",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "ReplicaSet",
    "ReplicationController",
    "Rollout",
)


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for each annotation."""
    del build
    if workload.kind not in _NAMELESS or workload.skipped:
        return
    for key, value in STATIC_IP.items():
        if workload.pod_annotations.get(key) == value:
            yield Finding(
                workload.in_template("metadata", "annotations", key),
                f'is "{value}": TKE keeps the address for the next Pod of the same name, and a '
                f"{workload.kind} never makes one; remove it, or use a StatefulSet",
            )
