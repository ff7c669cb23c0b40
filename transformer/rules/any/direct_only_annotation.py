"""An annotation that only direct access gives a meaning, on what is not direct.

## What it does

Finds the annotations for graceful shutdown, graceful deletion, weights and target groups on
Services and Ingresses that are not direct, and Pod weights on templates that Services of the
build select, none of them for direct access.
A Service of another type than LoadBalancer is direct through its Ingress: when the build has none
of them, it is silent.

## Why it matters

Behind NodePorts CLB knows nodes, no Pods: nothing is drained and nothing is weighed.
The manifest promises a rollout without lost requests and does not keep it.

## Example

```yaml
kind: Service
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "false"
    service.cloud.tencent.com/enable-grace-shutdown: "true"
```

## Use instead

```yaml
kind: Service
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
    service.cloud.tencent.com/enable-grace-shutdown: "true"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import (
    INGRESS_DIRECT_ACCESS,
    SERVICE_DIRECT_ACCESS,
    TARGET_GROUPS,
    NetworkMode,
)
from transformer.lint.build import Build
from transformer.lint.objects import WORKLOAD, Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.any._annotations import said
from transformer.rules.service._service import is_load_balancer

RULE = Rule(
    WARNING, "A", 'TKE docs, "Service annotations" and "Ingress annotations"', whole_build=True
)


def check(one: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one object."""
    for path, row, value in said(one):
        if not row.direct_only or value.lower() == "false" or _is_bound_by_group(one, row.key):
            continue
        if _may_be_direct(one, build):
            return
        yield Finding(path, f"works with direct access only, and {_why(one)}", at_key=True)


def _is_bound_by_group(one: Object, key: str) -> bool:
    """Whether target groups are named that are bound without a CLB of the Service's own."""
    return key == TARGET_GROUPS and not is_load_balancer(one)


def _may_be_direct(one: Object, build: Build) -> bool:
    if NetworkMode.SERVERLESS in build.settings.modes:
        return True  # Pods of super nodes are bound directly whatever is said
    if build.is_direct(one):
        return True
    # What makes the others direct may be elsewhere, unless the build shows what reaches them.
    if one.subject == "service":
        ingresses = build.ingresses_of(one)
        alone = not ingresses and not is_load_balancer(one)
        return alone or any(build.is_direct(entry) for entry in ingresses)
    return one.subject == WORKLOAD and not build.services_of(one)


def _why(one: Object) -> str:
    if one.subject == WORKLOAD:
        return "no direct Service or Ingress of this build reaches these Pods: remove it"
    if one.subject == "service" and not is_load_balancer(one):
        return "no direct Ingress of this build uses this Service: remove it"
    switch = SERVICE_DIRECT_ACCESS if one.subject == "service" else INGRESS_DIRECT_ACCESS
    return f'this {one.kind} has none: write {switch}: "true", or remove this one'
