"""Ingresses that name a port that their backend Service does not have.

## What it does

Finds backends whose Service is in the build and has no port of that number or name.

## Why it matters

The port is one of the Service, not of the Pod: `port`, not `targetPort`.
TKE reports E4042 and does not sync the Ingress.

## Example

```yaml
kind: Service
spec:
  ports:
    - {name: http, port: 80, targetPort: 8080}
---
kind: Ingress
spec:
  defaultBackend:
    service:
      name: web
      port: {number: 8080}
```

## Use instead

```yaml
kind: Ingress
spec:
  defaultBackend:
    service:
      name: web
      port: {number: 80}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.ingress._routes import Backend, backends, served
from transformer.rules.service._service import listed
from transformer.values import text

RULE = Rule(ERROR, "A", "TKE docs, event code E4042")


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each missing port of one Ingress."""
    if not served(ingress, build):
        return
    for backend in backends(ingress, build):
        # A Service without ports is a patch for one that is elsewhere.
        whole = backend.services and all(service.ports for service in backend.services)
        if whole and backend.port is not None and not _has(backend):
            yield Finding(
                backend.port_path,
                f"{backend.services[0].shown} has no port {backend.port} (E4042), it has "
                f"{_known(backend)}: name one of these",
            )


def _has(backend: Backend) -> bool:
    # Old manifests write numbers in quotes, so both are compared as text.
    wanted = str(backend.port)
    ports = [port for service in backend.services for port in service.ports]
    return any(wanted in (str(port.get("port")), port.get("name")) for port in ports)


def _known(backend: Backend) -> str:
    ports = backend.services[0].ports
    names = [(str(port.get("port")), text(port.get("name"))) for port in ports]
    return listed([f"{number} ({name})" if name else number for number, name in names], 5)
