"""Ingresses that share a CLB without saying so.

## What it does

Finds Ingresses that name the same existing CLB as another Ingress of the build and do not have
`ingress.cloud.tencent.com/enable-group: "true"`.

## Why it matters

Without it an Ingress wants the CLB to itself: TKE reports E4020 for the second one, or E4406 when
the others are grouped.
The annotation counts only when the Ingress is created, so it cannot be added later.

## Example

```yaml
kind: Ingress
metadata:
  name: shop
  annotations:
    kubernetes.io/ingress.existLbId: lb-3k5u8a1c
---
kind: Ingress
metadata:
  name: blog
  annotations:
    kubernetes.io/ingress.existLbId: lb-3k5u8a1c
```

## Use instead

On every Ingress of that CLB:

```yaml
metadata:
  annotations:
    kubernetes.io/ingress.existLbId: lb-3k5u8a1c
    ingress.cloud.tencent.com/enable-group: "true"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import ENABLE_GROUP, EXISTING_CLB
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.ingress._routes import existing_clb, served
from transformer.rules.service._service import is_same, is_true

RULE = Rule(ERROR, "A", "TKE docs, event code E4020")


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Ingress."""
    clb = existing_clb(ingress)
    if not clb or is_true(ingress, ENABLE_GROUP) or not served(ingress, build):
        return
    for other in build.sharing(clb):
        same = other.subject != "ingress" or is_same(other, ingress)
        if not same and served(other, build):
            yield Finding(
                ("metadata", "annotations", EXISTING_CLB["ingress"]),
                f'{other.shown} uses this CLB too (E4020): both need {ENABLE_GROUP}: "true" when '
                "they are created, or a CLB each",
            )
            return
