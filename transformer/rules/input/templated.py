"""A template where a manifest is wanted.

## What it does

Finds files with `{{ … }}` outside of quotes.
Files met while walking a directory are counted and left out; a file that is named is an error.

## Why it matters

A template has no meaning before it is rendered.

## Example

```yaml
replicas: {{ .Values.replicas }}
```

## Use instead

```yaml
replicas: 3
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "tke-direct itself")
