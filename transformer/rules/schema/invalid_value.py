"""A value that is none of the allowed ones.

## What it does

Finds values outside the list, the pattern or the range that their field allows; for a
TkeServiceConfig those are the ranges that CLB takes.

## Why it matters

The API server refuses the manifest, or CLB keeps its old setting.

## Example

```yaml
healthCheck:
  enable: true
  intervalTime: 2
```

## Use instead

```yaml
healthCheck:
  enable: true
  intervalTime: 5
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", 'Kubernetes API; TKE docs, "TkeServiceConfig"')
