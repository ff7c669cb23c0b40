"""A file that is there and cannot be read.

## What it does

Reports files that lint was to look at and that the operating system does not let it read.

## Why it matters

Nothing in them was checked.
A report that stays silent about them would look like a clean one.

## Example

```yaml
# -rw------- 1 root root  web.yaml, read by another user
```

## Use instead

```yaml
# -rw-r--r-- 1 root root  web.yaml
```
"""

from __future__ import annotations

from transformer.lint.rule import ERROR, Rule

RULE = Rule(ERROR, "A", "tke-direct itself")
