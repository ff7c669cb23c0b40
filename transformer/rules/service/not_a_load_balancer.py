"""Direct access on a Service that no load balancer of its own reaches.

## What it does

Finds Services with direct-access `"true"` whose type is not LoadBalancer.
It is silent when an Ingress of the build uses the Service, and when the Service binds target
groups: those are the two uses of such a Service.
Types that Kubernetes does not have are `unknown-service-type`.

## Why it matters

TKE makes a CLB for type LoadBalancer only, so the annotation has no effect.
For an Ingress the switch is `ingress.cloud.tencent.com/direct-access` on the Ingress itself.

## Example

```yaml
kind: Service
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
spec:
  type: ClusterIP
```

## Use instead

```yaml
kind: Service
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
spec:
  type: LoadBalancer
```

Or remove the annotation.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import SERVICE_DIRECT_ACCESS, TARGET_GROUPS
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import (
    SERVICE_TYPES,
    annotation,
    is_load_balancer,
    mode_of,
)
from transformer.values import text

RULE = Rule(
    WARNING, "A", 'TKE docs, "Using Services with CLB-to-Pod direct access mode"', whole_build=True
)


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service."""
    if is_load_balancer(service) or not build.declares(service) or service.skipped:
        return
    if TARGET_GROUPS in service.raw_annotations or build.may_be_backend(service):
        return
    if not isinstance(service.raw_annotations.get(SERVICE_DIRECT_ACCESS), str):
        return  # unquoted-string tells
    if not mode_of(service, build).supported:
        return  # unsupported-mode tells
    kind = text(service.get("spec", "type")) or "ClusterIP"
    if kind not in SERVICE_TYPES:
        return  # Kubernetes takes no such Service at all
    yield Finding(
        annotation(SERVICE_DIRECT_ACCESS),
        f"has no effect on type {kind} without target groups or an Ingress that uses it, and "
        "neither is here: remove it, or make it type LoadBalancer",
        at_key=True,
    )
