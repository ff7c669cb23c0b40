"""Target groups for Pods without an ENI address.

## What it does

Finds the annotation `target-groups` on Services in mode `global-router`.
A Service of type LoadBalancer without direct access is reported by `direct-only-annotation`.

## Why it matters

TKE puts Pods into a target group only when they have an ENI address; GlobalRouter gives them none.
The group stays empty.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
    service.cloud.tencent.com/target-groups: '[{"protocol":"TCP","port":80,"name":"web"}]'
```

## Use instead

CLB with listeners of its own:

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
```

Or the annotation as it is, in a cluster whose Pods have ENI addresses.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import TARGET_GROUPS, NetworkMode
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import annotation, is_load_balancer, mode_of, parsed

RULE = Rule(WARNING, "A", 'TKE docs, "Service target groups"')


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service."""
    if not parsed(service, TARGET_GROUPS) or service.skipped:
        return
    if is_load_balancer(service) and not build.is_direct(service):
        return
    if mode_of(service, build).name is NetworkMode.GLOBAL_ROUTER:
        yield Finding(
            annotation(TARGET_GROUPS),
            "needs Pods with an ENI address, and mode global-router has none: remove it, "
            "or move the workload to a cluster with VPC-CNI",
            at_key=True,
        )
