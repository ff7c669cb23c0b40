"""A tab that indents.

## What it does

Finds lines that are indented with a tab.

## Why it matters

YAML forbids it: no reader takes the file.

## Example

```yaml
metadata:
        name: web
```

## Use instead

```yaml
metadata:
  name: web
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "YAML 1.1, section on indentation")
