"""Ingresses that name a Service that is not there.

## What it does

Finds backend Services that are not in the build, although other Services of that namespace are.
When the build has no Service of the namespace at all, they are taken to be elsewhere.
A Service of that name without a namespace may be the one that is meant.

## Why it matters

TKE reports E4041.
An Ingress is synced as one, so one wrong name keeps all its other changes from CLB too.

## Example

```yaml
backend:
  service:
    name: wbe
    port: {number: 80}
```

## Use instead

```yaml
backend:
  service:
    name: web
    port: {number: 80}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.ingress._routes import backends, served

RULE = Rule(WARNING, "A", "TKE docs, event code E4041", whole_build=True)


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each missing Service of one Ingress."""
    if not served(ingress, build) or not build.has_services(ingress.namespace):
        return
    told = set()
    for backend in backends(ingress, build):
        if backend.services or backend.name in told:
            continue
        told.add(backend.name)
        if not build.may_be_service(ingress.namespace, backend.name):
            where = f"namespace {ingress.namespace}" if ingress.namespace else "its namespace"
            yield Finding(
                backend.path,
                f"there is no Service {backend.name} in {where} of this build (E4041): correct "
                "the name, or add the Service",
            )
