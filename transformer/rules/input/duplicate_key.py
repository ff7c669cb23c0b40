"""A key that stands twice in one mapping.

## What it does

Finds mappings with the same key twice.

## Why it matters

Readers keep one of the two, not all of them the same one; kustomize refuses the file.

## Example

```yaml
metadata:
  name: web
  name: api
```

## Use instead

```yaml
metadata:
  name: web
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "YAML 1.1; kustomize")
