"""Pods that wait for CLB though no direct Service or Ingress sends CLB to them.

## What it does

Finds pod templates with CLB's readiness gate that no direct Service or Ingress of the build
reaches.
It is silent when a Service or Ingress reaches them that the cluster may make direct by itself:
one of CLB's that does not say `direct-access: "false"`; and when only one of the Service and the
Pods says its namespace, so that they may yet meet.

## Why it matters

Kubernetes counts a Pod as ready only when somebody has confirmed all its gates.
Nobody does that for a Pod that CLB does not know: it stays NotReady for ever, gets no traffic,
and its rollout never ends.
It is a warning because the Service may come from elsewhere.

## Example

```yaml
kind: Deployment
spec:
  template:
    spec:
      readinessGates:
        - conditionType: cloud.tencent.com/load-balancer-backendgroup-ready
---
kind: Service
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "false"
```

## Use instead

Remove the gate, or let the Service be direct:

```yaml
kind: Service
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import INGRESS_DIRECT_ACCESS, SERVICE_DIRECT_ACCESS
from transformer.lint.build import Build, is_clb_ingress
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._gates import clb_gate
from transformer.rules.workload._serving import finishes

RULE = Rule(
    WARNING, "A", 'Kubernetes API: Pod readiness; TKE docs, "Readiness gate"', whole_build=True
)


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield at most one finding in one workload."""
    place = clb_gate(workload, build)
    if place is None or finishes(workload) or build.is_direct(workload):
        return
    services = build.services_of(workload)
    if not services and build.may_be_selected(workload):
        return
    if not any(_may_be_direct(service, build) for service in services):
        yield Finding(place, f"waits for CLB, but {_why(services)}")


def _why(services: list[Object]) -> str:
    if not services:
        return (
            "no Service of this build selects the Pods: unless one elsewhere does, they never "
            "become ready; add the direct Service, or remove the gate"
        )
    return (
        f"{services[0].shown}, which selects the Pods, is not direct: they never become ready; "
        "make it direct, or remove the gate"
    )


def _may_be_direct(service: Object, build: Build) -> bool:
    """Whether TKE may make it direct unasked, as clusters of today do."""
    if service.get("spec", "type") == "LoadBalancer" and not _refuses(
        service, SERVICE_DIRECT_ACCESS
    ):
        return True
    return any(
        is_clb_ingress(ingress, build.settings) and not _refuses(ingress, INGRESS_DIRECT_ACCESS)
        for ingress in build.ingresses_of(service)
    )


def _refuses(entry: Object, switch: str) -> bool:
    return str(entry.raw_annotations.get(switch)).lower() == "false"
