"""Protection against changes on a CLB that our binder is to change.

## What it does

Finds `modification-protection: "true"` on Services that TKE's controller leaves alone: those of
class `tke-direct.dev/binder`, and those with `service.cloud.tencent.com/mode: skip`.

## Why it matters

TKE documents that mode `skip` needs the protection off.
It is there to keep everybody but TKE's controller from changing the CLB, and the binder is such a
somebody: its changes may be refused or undone.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/modification-protection: "true"
spec:
  type: LoadBalancer
  loadBalancerClass: tke-direct.dev/binder
```

## Use instead

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/modification-protection: "false"
spec:
  type: LoadBalancer
  loadBalancerClass: tke-direct.dev/binder
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import MODIFICATION_PROTECTION
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import (
    annotation,
    by_binder,
    is_load_balancer,
    is_parked,
    is_true,
)

RULE = Rule(WARNING, "A", 'TKE docs, "Service annotations": mode')


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service."""
    if not is_true(service, MODIFICATION_PROTECTION) or service.skipped:
        return
    parked = is_load_balancer(service) and is_parked(service)
    if parked or by_binder(service, build):
        why = "mode skip needs it off" if parked else "what the binder does may be refused"
        yield Finding(
            annotation(MODIFICATION_PROTECTION),
            f'protects the CLB of a Service that TKE leaves to others: {why}; write "false"',
        )
