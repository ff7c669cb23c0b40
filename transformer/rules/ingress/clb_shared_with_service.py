"""An Ingress and a Service that use the same existing CLB.

## What it does

Finds Ingresses that name an existing CLB that a Service of type LoadBalancer names too.
It is silent when the configuration says that the ingress controller is 2.12.0 or newer.

## Why it matters

Older controllers do not share a CLB between the two: one of them is not synced.
Newer ones are said to do so; that is not in the documents that we could read.

## Example

```yaml
kind: Ingress
metadata:
  annotations:
    kubernetes.io/ingress.existLbId: lb-3k5u8a1c
---
kind: Service
metadata:
  annotations:
    service.kubernetes.io/tke-existed-lbid: lb-3k5u8a1c
```

## Use instead

A CLB each:

```yaml
kind: Service
metadata:
  annotations:
    service.kubernetes.io/tke-existed-lbid: lb-7h2m4p9q
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import EXISTING_CLB
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.ingress._routes import existing_clb, served

RULE = Rule(WARNING, "A", 'TKE docs, "Ingress with an existing CLB"')

_SINCE = (2, 12)


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Ingress."""
    clb = existing_clb(ingress)
    if not clb or not served(ingress, build) or _shares(build.settings.lint.ingress_controller):
        return
    for other in build.sharing(clb):
        if other.subject == "service" and other.get("spec", "type") == "LoadBalancer":
            yield Finding(
                ("metadata", "annotations", EXISTING_CLB["ingress"]),
                f"{other.shown} uses this CLB too, which ingress controllers before 2.12.0 do not "
                "allow: give each its own CLB",
            )
            return


def _shares(version: str) -> bool:
    parts = version.split(".")[:2]
    known = len(parts) == 2 and all(part.isdecimal() for part in parts)
    return known and tuple(int(part) for part in parts) >= _SINCE
