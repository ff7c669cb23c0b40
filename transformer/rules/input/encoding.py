"""A file that is not UTF-8.

## What it does

Finds bytes that are no UTF-8 text.

## Why it matters

Git, editors and clusters read manifests as UTF-8; another encoding changes names and values.

## Example

```yaml
metadata:
  annotations: {note: "caf\\xe9"}   # Latin-1
```

## Use instead

```yaml
metadata:
  annotations: {note: "café"}
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "JSON and the Kubernetes API want UTF-8")
