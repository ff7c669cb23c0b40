"""A required field that is not there.

## What it does

Finds objects that lack a field without which Kubernetes does not take them.

## Why it matters

The API server refuses the manifest, and the whole sync stops.

## Example

```yaml
ports:
  - name: http
    targetPort: 8080
```

## Use instead

```yaml
ports:
  - name: http
    port: 80
    targetPort: 8080
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "Kubernetes API, OpenAPI definitions of the chosen minor version")
