"""A field that Kubernetes does not know.

## What it does

Finds fields that the kind does not have in the chosen Kubernetes version, or that stand one level
too high or too low, and says which was probably meant.
For a TkeServiceConfig it is a warning: TKE documents its newer fields late.

## Why it matters

The API server drops an unknown field, or refuses the manifest; either way it does nothing.
A readiness gate under a misspelt key protects nobody.

## Example

```yaml
spec:
  readinessGate:
    - conditionType: "cloud.tencent.com/load-balancer-backendgroup-ready"
```

## Use instead

```yaml
spec:
  readinessGates:
    - conditionType: "cloud.tencent.com/load-balancer-backendgroup-ready"
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "Kubernetes API, OpenAPI definitions of the chosen minor version")
