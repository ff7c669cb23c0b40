"""A Service that leaves it to the cluster whether it is direct.

## What it does

Finds Services of type LoadBalancer with a selector and without the direct-access annotation that
the configuration does not make direct (`targets.services.select: annotated`, or its selectors).

## Why it matters

New clusters have the switch `EnableDefaultDirectAccess` on: there such a Service becomes direct
when it is created, without the readiness gate and network annotations that its Pods then need.
In an older cluster the same manifest goes through NodePorts.

## Example

```yaml
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
```

## Use instead

```yaml
kind: Service
metadata:
  name: web
  annotations:
    service.cloud.tencent.com/direct-access: "false"
spec:
  type: LoadBalancer
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import MODES, SERVICE_DIRECT_ACCESS, NetworkMode
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import INFO, Finding, Rule
from transformer.rules.service._service import annotation, by_tke

RULE = Rule(INFO, "A", 'TKE docs, "Service controller configuration": EnableDefaultDirectAccess')


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service."""
    if SERVICE_DIRECT_ACCESS in service.raw_annotations or build.is_direct(service):
        return
    if not service.selector or service.skipped or not by_tke(service):
        return
    mode = build.settings.mode
    if MODES[mode].supported and mode is not NetworkMode.SERVERLESS:
        yield Finding(
            annotation(SERVICE_DIRECT_ACCESS),
            "is missing, and new clusters make such a Service direct: "
            'write "false" to stay with NodePorts, or "true"',
        )
