"""An edit in a place whose layout leaves no safe room for it.

## What it does

Finds manifests that direct access would have to change in a spot that is written in a rare way:
explicit `? key`, an empty value with an anchor or tag, a block scalar at the end of a file without
a final line break.

## Why it matters

`transform` changes only what it can prove, and refuses here.

## Example

```yaml
metadata:
  ? name
  : web
```

## Use instead

```yaml
metadata:
  name: web
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "tke-direct itself")
