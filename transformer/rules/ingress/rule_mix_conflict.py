"""Two ways at once to serve HTTP and HTTPS.

## What it does

Finds Ingresses with `kubernetes.io/ingress.rule-mix-both: "true"` and, also `"true"`, one of
`rule-mix`, `auto-rewrite`, `rewrite-support`.

## Why it matters

The first puts every rule on both listeners; the others decide rule by rule, or redirect from one
listener to the other.
TKE does not take them together.

## Example

```yaml
metadata:
  annotations:
    kubernetes.io/ingress.rule-mix-both: "true"
    ingress.cloud.tencent.com/auto-rewrite: "true"
```

## Use instead

```yaml
metadata:
  annotations:
    ingress.cloud.tencent.com/auto-rewrite: "true"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import AUTO_REWRITE, REWRITE_SUPPORT, RULE_MIX, RULE_MIX_BOTH
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.ingress._routes import served
from transformer.rules.service._service import is_true

RULE = Rule(WARNING, "C", "notes on TKE's Ingress annotations")

_EXCLUDED = (RULE_MIX, AUTO_REWRITE, REWRITE_SUPPORT)


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each annotation of one Ingress that does not go with the first."""
    if not is_true(ingress, RULE_MIX_BOTH) or not served(ingress, build):
        return
    for key in _EXCLUDED:
        if is_true(ingress, key):
            yield Finding(
                ("metadata", "annotations", key),
                f"does not go together with {RULE_MIX_BOTH}: keep one of the two",
            )
