"""Backend Services of an Ingress that have no NodePort.

## What it does

Finds Services of type ClusterIP (also headless ones, and those that say no type) and
ExternalName behind an Ingress that TKE's CLB serves.

It is an error for ExternalName and when the Ingress says `direct-access: "false"`, and a warning
otherwise.
A Service without a selector behind a direct Ingress is reported by `selectorless-backend`.
Serverless clusters are left out.

## Why it matters

Without direct access CLB sends traffic to NodePorts, and such a Service has none: TKE reports
E4047 and does not sync the Ingress.
With direct access CLB does not need the NodePort, but the documents name no exception.

## Example

```yaml
kind: Service
spec:
  type: ClusterIP
```

## Use instead

```yaml
kind: Service
spec:
  type: NodePort
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import INGRESS_DIRECT_ACCESS, NetworkMode
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.ingress._routes import backend_services, has_no_selector, served

RULE = Rule(ERROR, "A", "TKE docs, event code E4047")

_WITHOUT_NODE_PORT = (None, "ClusterIP", "ExternalName")


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each such Service behind one Ingress."""
    # Where nothing but Pods can be bound, NodePorts do not matter.
    if not served(ingress, build) or NetworkMode.SERVERLESS in build.settings.modes:
        return
    # Clusters may make direct access the default: only "false" tells that NodePorts are needed.
    refused = ingress.annotations.get(INGRESS_DIRECT_ACCESS, "").lower() == "false"
    for backend in backend_services(ingress, build):
        types = [service.get("spec", "type") for service in backend.services]
        outside = "ExternalName" in types
        if not outside and has_no_selector(backend) and build.is_direct(ingress):
            continue  # selectorless-backend tells
        if all(kind in _WITHOUT_NODE_PORT for kind in types):
            yield Finding(
                backend.path,
                f"{backend.services[0].shown} is of type {types[0] or 'ClusterIP'}, TKE "
                "documents NodePort or LoadBalancer behind an Ingress (E4047): set type: NodePort",
                severity=ERROR if refused or outside else WARNING,
            )
