"""Direct Ingresses with a backend Service that has no selector.

## What it does

Finds Services without `spec.selector` behind an Ingress with direct access.
Those of type ExternalName are reported by `cluster-ip-backend`.

## Why it matters

TKE finds the Pods to bind through the selector.
For a Service whose endpoints are written by hand it reports E4082, and the Ingress is not synced.

## Example

```yaml
kind: Service
spec:
  type: NodePort
  ports:
    - {port: 80}
```

## Use instead

```yaml
kind: Service
spec:
  type: NodePort
  selector: {app: web}
  ports:
    - {port: 80}
```

Or `ingress.cloud.tencent.com/direct-access: "false"` on the Ingress.
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.ingress._routes import backend_services, has_no_selector, served

RULE = Rule(ERROR, "A", "TKE docs, event code E4082")


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each such Service behind one Ingress."""
    if not served(ingress, build) or not build.is_direct(ingress):
        return
    for backend in backend_services(ingress, build):
        types = [service.get("spec", "type") for service in backend.services]
        if has_no_selector(backend) and "ExternalName" not in types:
            yield Finding(
                backend.path,
                f"{backend.services[0].shown} has no selector, direct access finds no Pods "
                'through it (E4082): give it one, or set direct-access to "false"',
                severity=ERROR if build.is_declared(ingress) else WARNING,
            )
