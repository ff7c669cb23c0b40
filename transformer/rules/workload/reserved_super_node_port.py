"""A container port that every Pod on a super node uses for itself.

## What it does

Finds container ports 9100 in pod templates that go to super nodes: in mode `serverless`, or by
node selector, affinity, toleration or annotation.
It is silent when the annotation `eks.tke.cloud.tencent.com/metrics-port` moves the port of the
metrics elsewhere, and for DaemonSets, which do not run there.

## Why it matters

A super node serves the metrics of each Pod on port 9100 of that Pod.
A process that wants to listen there fails with "Operation not permitted".

## Example

```yaml
spec:
  nodeSelector:
    node.kubernetes.io/instance-type: eklet
  containers:
    - name: web
      ports:
        - containerPort: 9100
```

## Use instead

Another port for the process, or for the metrics:

```yaml
template:
  metadata:
    annotations:
      eks.tke.cloud.tencent.com/metrics-port: "9110"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import METRICS_PORT, SUPER_NODE_METRICS_PORT
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._super_node import runs_on_super_nodes
from transformer.values import at, items

RULE = Rule(WARNING, "A", 'TKE docs, "Annotations of super nodes": port 9100')


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for each such port."""
    taken = str(SUPER_NODE_METRICS_PORT)
    if workload.skipped or workload.pod_annotations.get(METRICS_PORT, taken) != taken:
        return
    for index, container in enumerate(workload.containers):
        for number, port in enumerate(items(container.get("ports"))):
            reserved = at(port, "containerPort") == SUPER_NODE_METRICS_PORT
            reserved = reserved and at(port, "protocol") in (None, "TCP")
            if reserved and runs_on_super_nodes(workload, build):
                inside = ("spec", "containers", index, "ports", number, "containerPort")
                yield Finding(
                    workload.in_template(*inside),
                    f"is {taken}, where a super node serves the metrics of the Pod; choose another "
                    f'port, or move the metrics with the annotation {METRICS_PORT}: "9110"',
                )
