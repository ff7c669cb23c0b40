"""More rules in one Ingress than a CLB takes.

## What it does

Counts the host and path pairs of an Ingress and finds those with more than 50.

## Why it matters

A listener of CLB takes 50 rules unless Tencent Cloud raised the quota.
TKE reports E4005, and as an Ingress is synced as one, none of its changes gets through.

## Example

```yaml
spec:
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /a
          # … and 50 more
```

## Use instead

Serve prefixes instead of single paths, spread the rules over several Ingresses, or ask Tencent
Cloud for a higher quota and then silence this rule here:

```yaml
metadata:
  annotations:
    tke-direct.dev/ignore: too-many-rules
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.ingress._routes import routes, served

RULE = Rule(WARNING, "A", 'CLB docs, "Usage limits"; TKE docs, "Basic Ingress features"')

_MOST = 50


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Ingress."""
    if not served(ingress, build):
        return
    count = sum(1 for _ in routes(ingress))
    if count > _MOST:
        yield Finding(
            ("spec", "rules"),
            f"has {count} paths, a CLB listener takes {_MOST} unless its quota was raised: "
            "spread them over several Ingresses, or have it raised",
            at_key=True,
        )
