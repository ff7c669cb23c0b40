"""An unquoted value that YAML reads as a boolean or a number where a string is wanted.

## What it does

Finds `true`, `yes`, `on`, `1` and the like without quotes in annotations, labels, environment
variables and every other place that takes strings.
Kubernetes reads YAML 1.1, in which `yes` and `on` are booleans too.

## Why it matters

The API server refuses a boolean as an annotation value; kustomize turns it into a string in
silence, so it works on one way to the cluster and fails on another.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: true
```

## Use instead

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "Kubernetes API; YAML 1.1 as Kubernetes reads it", fixable=True)
