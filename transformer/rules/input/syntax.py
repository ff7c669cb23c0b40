"""A file that is not YAML.

## What it does

Finds files that cannot be read as YAML.

## Why it matters

Nothing in them can be checked, and no cluster takes them.

## Example

```yaml
metadata: {name: web
```

## Use instead

```yaml
metadata: {name: web}
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "YAML 1.1")
