"""Pods behind direct access that nobody asks whether they can serve.

## What it does

Finds containers without a readinessProbe that serve a direct Service or Ingress: those that
declare the port which CLB binds, or the first one when none declares it.

## Why it matters

The gate opens as soon as CLB's health check passes, and never closes again; for a TCP listener
that means that the port is open.
Without a probe of its own a Pod counts as ready before it has loaded what it needs, and keeps its
requests when it no longer can answer them.

## Example

```yaml
containers:
  - name: web
    ports:
      - containerPort: 8080
```

## Use instead

```yaml
containers:
  - name: web
    ports:
      - containerPort: 8080
    readinessProbe:
      httpGet: {path: /healthz, port: 8080}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._serving import lacking, serves

RULE = Rule(WARNING, "A", 'TKE docs, "CLB-to-Pod direct access"; CLB docs, "Health check"')


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for each container."""
    if not serves(workload, build):
        return
    for container in lacking(workload, build, "readinessProbe"):
        yield Finding(
            (*container.path, "readinessProbe"),
            f"is missing from container {container.name}: only CLB's check tells whether it can "
            f"serve, and only once; add a probe ({build.behind(workload)})",
        )
