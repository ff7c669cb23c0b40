"""Pods with one gate for several direct Services.

## What it does

Finds pod templates with CLB's readiness gate through which the traffic of two or more direct
Services comes, be it for an Ingress.

## Why it matters

TKE has one gate for a Pod, however many Services it stands behind, and does not document whether
it opens when the first of them or when the last of them serves the Pod.
During a rollout one Service may be without new Pods while the gate of all is open already.
It is information: many run it so.

## Example

```yaml
kind: Service
metadata:
  name: web-public
spec:
  selector: {app: web}
---
kind: Service
metadata:
  name: web-private
spec:
  selector: {app: web}
```

## Use instead

One Service with all ports where one CLB will do; else let old Pods stay longer than CLB's health
check takes:

```yaml
spec:
  minReadySeconds: 30
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import INFO, Finding, Rule
from transformer.rules.workload._gates import clb_gate
from transformer.rules.workload._serving import direct_services, serves

RULE = Rule(INFO, "D", 'TKE docs, "Readiness gate": one for a Pod')


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield at most one finding in one workload."""
    place = clb_gate(workload, build)
    if place is None or not serves(workload, build):
        return
    # A Service that stands in several overlays is one.
    services = list(dict.fromkeys(one.shown for one in direct_services(workload, build)))
    if len(services) > 1:
        others = f" and {len(services) - 2} more" if len(services) > 2 else ""
        yield Finding(
            place,
            f"is the one gate for {services[0]}, {services[1]}{others}; TKE does not "
            "document whether it waits for all of them: give rollouts some minReadySeconds",
        )
