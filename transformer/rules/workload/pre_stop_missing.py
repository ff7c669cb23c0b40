"""Pods behind direct access that stop at once when they are told to.

## What it does

Finds containers without a preStop hook that serve a direct Service or Ingress: those that declare
the port which CLB binds, or the first one when none declares it.
It is silent when every Service and Ingress in front of them has `enable-grace-deletion: "true"`,
and for Jobs.

## Why it matters

TKE takes a Pod out of CLB while the kubelet stops it, both at the same time.
For some seconds CLB goes on sending requests, and a process that has ended answers none of them:
every rollout and every scale-in loses requests.

## Example

```yaml
containers:
  - name: web
    ports:
      - containerPort: 8080
```

## Use instead

Sleep until CLB has stopped, with a grace period that leaves time for the rest:

```yaml
terminationGracePeriodSeconds: 60
containers:
  - name: web
    ports:
      - containerPort: 8080
    lifecycle:
      preStop:
        exec:
          command: ["sleep", "15"]
```

An image without the program `sleep` can write `preStop: {sleep: {seconds: 15}}`, from Kubernetes
1.30 on.
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._serving import is_deleted_gracefully, lacking, serves

RULE = Rule(WARNING, "A", 'TKE docs, "Graceful shutdown of Services"', fixable=True)


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for each container."""
    if not serves(workload, build) or is_deleted_gracefully(workload, build):
        return
    lacks = build.plan(workload).lacks
    for container in lacking(workload, build, "lifecycle", "preStop"):
        place = (*container.path, "lifecycle", "preStop")
        yield Finding(
            place,
            f"is missing from container {container.name}: it stops while CLB still sends requests; "
            f"sleep {build.settings.pre_stop_s} seconds there ({build.behind(workload)})",
            repairs=tuple(path for path in lacks if path[: len(place)] == place),
        )
