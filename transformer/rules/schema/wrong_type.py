"""A value of the wrong type.

## What it does

Finds lists where mappings are wanted, text where numbers are wanted, and so on.

## Why it matters

The API server refuses the manifest, and the whole sync stops.

## Example

```yaml
spec:
  replicas: "3"
```

## Use instead

```yaml
spec:
  replicas: 3
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "Kubernetes API, OpenAPI definitions of the chosen minor version")
