"""An edit that would change another place through an anchor, alias or merge key.

## What it does

Finds manifests that direct access would have to change inside a block that is also used elsewhere
through YAML's `&anchor`, `*alias` or `<<`.

## Why it matters

Whoever edits the one place edits the other as well, without seeing it.
`transform` refuses to.

## Example

```yaml
metadata:
  annotations: *shared
```

## Use instead

Write the block out where direct access needs something of its own:

```yaml
metadata:
  annotations:
    team: shop
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "YAML 1.2, section 3.2.2.2")
