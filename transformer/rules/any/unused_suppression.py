"""A suppression that silences nothing.

## What it does

Finds names in `tke-direct.dev/ignore` annotations, `# tke-direct: ignore[…]` comments and
`spec.lint.ignore` rows that silence no finding, or that name no rule.

## Why it matters

What it excused is gone, or it never worked because of a misspelling.
Left in place it hides the next real finding.

## Example

```yaml
metadata:
  annotations:
    tke-direct.dev/ignore: hots-network
```

## Use instead

```yaml
metadata:
  annotations:
    tke-direct.dev/ignore: host-network
```
"""

from __future__ import annotations

from transformer.lint.rule import WARNING, Rule

RULE = Rule(WARNING, "A", "tke-direct itself")
