"""A workload that is reached in two network modes.

## What it does

Finds workloads that one Service or Ingress reaches in one network mode and another one in another,
because `spec.overrides` of the configuration gives them different modes.

## Why it matters

A Pod has one network.
One of the two load balancers would bind an address that it cannot reach.

## Example

```yaml
spec:
  networkMode: mixed
  overrides:
    - labelSelector: {matchLabels: {tier: edge}}
      networkMode: serverless
```

with a Service of tier `edge` and one without, both selecting the same Pods.

## Use instead

Choose modes such that all Services of one workload agree, for instance by namespace:

```yaml
spec:
  networkMode: mixed
  overrides:
    - namespaces: [edge]
      networkMode: serverless
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "TKE docs: one workload uses one network mode")
