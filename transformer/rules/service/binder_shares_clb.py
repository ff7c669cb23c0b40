"""A CLB that both our binder and TKE's controller write to.

## What it does

Finds Services that our binder serves and whose existing CLB is also named by a Service or Ingress
that TKE's controller serves.

## Why it matters

TKE overwrites what others change on a CLB that it syncs, and a CLB takes one write at a time, so
each delays the other.
Pods may lose their targets in the middle of a rollout.

## Example

```yaml
kind: Service
metadata:
  name: web
  annotations: {service.kubernetes.io/tke-existed-lbid: lb-6swtxxxx}
spec:
  type: LoadBalancer
  loadBalancerClass: tke-direct.dev/binder
---
kind: Service
metadata:
  name: api
  annotations: {service.kubernetes.io/tke-existed-lbid: lb-6swtxxxx}
spec:
  type: LoadBalancer
```

## Use instead

A CLB for each of the two controllers:

```yaml
kind: Service
metadata:
  name: web
  annotations: {service.kubernetes.io/tke-existed-lbid: lb-8kzpxxxx}
spec:
  type: LoadBalancer
  loadBalancerClass: tke-direct.dev/binder
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import LISTENER_QUOTA, SYNC_MODE, SYNC_SKIP
from transformer.lint.build import Build, is_clb_ingress
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import (
    CLB_KEY,
    annotation,
    by_binder,
    by_tke,
    existing_clb,
    is_one_clb,
    is_same,
)

RULE = Rule(WARNING, "A", 'TKE docs, "Using existing CLBs"')


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service."""
    clb = existing_clb(service)
    if not is_one_clb(clb) or service.skipped or not by_binder(service, build):
        return
    for other in build.sharing(clb)[: 2 * LISTENER_QUOTA]:  # it takes no more, whoever comes
        if _is_tke(other, build) and not (other.subject == "service" and is_same(other, service)):
            yield Finding(
                annotation(CLB_KEY),
                f"is also written by TKE's controller, for {other.shown}: it overwrites what the "
                "binder does; give one of the two another CLB",
            )
            return


def _is_tke(other: Object, build: Build) -> bool:
    if other.subject == "service":
        return by_tke(other)
    parked = other.annotations.get(SYNC_MODE["ingress"]) == SYNC_SKIP
    return is_clb_ingress(other, build.settings) and not parked
