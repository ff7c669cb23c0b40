"""Several direct Services on one existing CLB in one build.

## What it does

Finds existing CLBs that several Services of the build name, at least one of them direct.
The first direct one is reported, once for each CLB.

## Why it matters

TKE syncs the Services of one CLB one after the other.
When all of them roll out at once, the last Pods may stop before CLB has set their weight to 0, and
requests fail although graceful shutdown is on.

## Example

```yaml
kind: Service
metadata:
  name: web
  annotations: {service.kubernetes.io/tke-existed-lbid: lb-6swtxxxx}
---
kind: Service
metadata:
  name: api
  annotations: {service.kubernetes.io/tke-existed-lbid: lb-6swtxxxx}
```

## Use instead

A CLB for each Service that is released on its own, or releases one after the other, for example
with sync waves of Argo CD on the workloads:

```yaml
kind: Deployment
metadata:
  name: api
  annotations: {argocd.argoproj.io/sync-wave: "1"}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import INFO, Finding, Rule
from transformer.rules.service._service import (
    CLB_KEY,
    annotation,
    by_tke,
    earlier_on_clb,
    existing_clb,
    is_direct,
    is_one_clb,
    is_same,
    listed,
)

RULE = Rule(INFO, "A", 'TKE docs, "Graceful Service shutdown"')


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service: the first direct one of its CLB."""
    if not (is_one_clb(existing_clb(service)) and by_tke(service) and is_direct(service, build)):
        return
    if any(is_direct(other, build) for other in earlier_on_clb(service, build)):
        return
    others = [
        other.shown
        for other in build.sharing(existing_clb(service))
        if other.subject == "service" and by_tke(other) and not is_same(other, service)
    ]
    if others:
        yield Finding(
            annotation(CLB_KEY),
            f"is shared with {listed(others)}: TKE syncs them one after the other, so do not "
            "release them together, or weights may change too late",
        )
