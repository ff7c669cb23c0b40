"""Pass-to-target on a CLB that TKE did not make, or that others configure too.

## What it does

Finds the annotation `pass-to-target` on Services and Ingresses that use an existing CLB.
It is a warning when another one of the build uses the same CLB and says otherwise, a note else.

## Why it matters

Whether traffic passes to the Pods without a look at their security groups is one setting of the
whole CLB.
Two objects that disagree overwrite each other, and what the last one said holds for both.
Engineers of TKE also write that the annotation works on CLBs of TKE's own making only.

## Example

```yaml
kind: Service
metadata:
  name: web
  annotations:
    service.kubernetes.io/tke-existed-lbid: lb-6swt12ab
    service.cloud.tencent.com/pass-to-target: "true"
---
kind: Service
metadata:
  name: api
  annotations:
    service.kubernetes.io/tke-existed-lbid: lb-6swt12ab
```

## Use instead

Set it on the CLB itself, and let the manifests be silent about it:

```yaml
kind: Service
metadata:
  name: web
  annotations:
    service.kubernetes.io/tke-existed-lbid: lb-6swt12ab
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import EXISTING_CLB, PASS_TO_TARGET
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import INFO, WARNING, Finding, Rule
from transformer.rules.service._service import is_same

RULE = Rule(WARNING, "A", 'TKE docs, "Service annotations"; tke-guide, Cilium gateways')


def check(entry: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service or Ingress."""
    key = PASS_TO_TARGET[entry.subject]
    said = entry.annotations.get(key)
    clb = entry.annotations.get(EXISTING_CLB[entry.subject])
    if not said or not clb:
        return
    path = ("metadata", "annotations", key)
    for other in build.sharing(clb):
        if other.subject == entry.subject and is_same(other, entry):
            continue
        if other.annotations.get(PASS_TO_TARGET[other.subject]) != said:
            yield Finding(
                path,
                f"is a setting of the whole CLB {clb}, and {other.shown}, which uses it too, "
                "does not say the same: set it on the CLB, or alike on both",
            )
            return
    if said == "true":
        yield Finding(
            path,
            f"may have no effect on {clb}, a CLB that TKE did not make: set it on the CLB itself",
            severity=INFO,
        )
