"""Pods with a static address that are to run on super nodes.

## What it does

Finds pod templates that keep their address (`tke.cloud.tencent.com/vpc-ip-claim-delete-policy`,
`tke.cloud.tencent.com/enable-static-ip`) and ask for super nodes or tolerate them: by node
selector, affinity, toleration or the annotation `tke.cloud.tencent.com/pod-type`.

## Why it matters

TKE does not schedule Pods with a static address to super nodes: they stay Pending, or never burst
out of the nodes that are there.

## Example

```yaml
template:
  metadata:
    annotations:
      tke.cloud.tencent.com/vpc-ip-claim-delete-policy: Never
  spec:
    nodeSelector:
      node.kubernetes.io/instance-type: eklet
```

## Use instead

On super nodes an annotation of their own keeps the address:

```yaml
template:
  metadata:
    annotations:
      eks.tke.cloud.tencent.com/retain-ip: "true"
  spec:
    nodeSelector:
      node.kubernetes.io/instance-type: eklet
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import STATIC_IP
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._super_node import sent_to_super_nodes
from transformer.values import dotted

RULE = Rule(WARNING, "A", 'TKE docs, "Super nodes": Pods that cannot be scheduled to them')


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for each annotation."""
    del build
    asked = [key for key, value in STATIC_IP.items() if workload.pod_annotations.get(key) == value]
    place = sent_to_super_nodes(workload) if asked and not workload.skipped else None
    for key in asked if place else ():
        yield Finding(
            workload.in_template("metadata", "annotations", key),
            "keeps the Pod's address, and such Pods are not scheduled to super nodes, for which "
            f"{dotted(place or ())} is meant; remove one of the two",
            at_key=True,
        )
