"""Pods that need a newer Kubernetes than the cluster has.

## What it does

Compares `spec.kubernetesVersion` of the configuration with what a pod template needs: 1.12 for
readiness gates, 1.16 for super nodes.
It is silent when the configuration names no version.

## Why it matters

Before 1.12 the API server drops the gate without a word, and rollouts do not wait for CLB.
Before 1.16 TKE has no super nodes, so the Pods stay Pending.

## Example

```yaml
apiVersion: tke-direct.dev/v1alpha1
kind: DirectAccess
spec:
  networkMode: vpc-cni
  kubernetesVersion: "1.10"
```

## Use instead

Upgrade the cluster; until then, leave out the gate:

```yaml
apiVersion: tke-direct.dev/v1alpha1
kind: DirectAccess
spec:
  networkMode: vpc-cni
  kubernetesVersion: "1.10"
  readinessGate: {inject: false}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import NODE_TYPE_LABEL
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.workload._gates import gates
from transformer.rules.workload._super_node import sent_to_super_nodes

RULE = Rule(ERROR, "A", 'TKE docs, "CLB-to-Pod direct access" and "Super nodes": versions')

_GATES, _SUPER_NODES = 12, 16  # minor versions


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for the first gate, and one for the super node."""
    version = build.settings.kubernetes
    if not version or workload.skipped:
        return
    minor = int(version.split(".")[1])
    if minor < _GATES:
        for place, _ in list(gates(workload))[:1]:
            yield Finding(
                place,
                f"needs Kubernetes 1.{_GATES}, and the configuration says {version}: the cluster "
                "drops the gate; upgrade it, or remove the gate",
            )
    sent = sent_to_super_nodes(workload) if minor < _SUPER_NODES else None
    if sent is not None and sent[-1] == NODE_TYPE_LABEL:
        yield Finding(
            sent,
            f"asks for super nodes, which need Kubernetes 1.{_SUPER_NODES}, and the configuration "
            f"says {version}: the Pods stay Pending; upgrade the cluster",
        )
