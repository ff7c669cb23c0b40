"""An annotation that the configured version of TKE's controller does not know yet.

## What it does

Compares the version that an annotation needs, as TKE's documents name it, with the versions of
the service and ingress controllers in the configuration (`spec.lint.controllers`).
Without them it is silent.

## Why it matters

An older controller passes over what it does not know: no event, no effect.
The versions stand in the ConfigMaps `tke-service-controller-config` and
`tke-ingress-controller-config` of the namespace `kube-system`, under `VERSION`.

## Example

With `spec.lint.controllers.service: v2.4.0`:

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/mode: skip
```

## Use instead

Have the controller upgraded, then say so:

```yaml
apiVersion: tke-direct.dev/v1alpha1
kind: DirectAccess
spec:
  lint:
    controllers: {service: v2.10.0}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.any._annotations import said

RULE = Rule(WARNING, "A", 'TKE docs, "Service annotations" and "Ingress annotations"')


def check(one: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one object."""
    lint = build.settings.lint
    running = {"service": lint.service_controller, "ingress": lint.ingress_controller}
    if not any(running.values()):
        return
    for path, row, _ in said(one):
        has = running[row.controller]
        if row.since and has and _numbers(has) < _numbers(row.since):
            yield Finding(
                path,
                f"needs {row.controller} controller {row.since} and the configuration says "
                f"{has}: it has no effect before the controller is upgraded",
                at_key=True,
            )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
