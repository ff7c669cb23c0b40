"""A listener protocol for a port that the Service does not have.

## What it does

Finds ports in the annotation `specify-protocol` that are not in `spec.ports`.
The key is the port's number, not its name.

## Why it matters

TKE ignores such a row, so the port that was meant stays what `spec.ports` says, TCP for example.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/specify-protocol: '{"8443":{"protocol":["TCP_SSL"],"tls":"cert"}}'
spec:
  ports:
    - {port: 443, targetPort: 8443}
```

## Use instead

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/specify-protocol: '{"443":{"protocol":["TCP_SSL"],"tls":"cert"}}'
spec:
  ports:
    - {port: 443, targetPort: 8443}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import SPECIFY_PROTOCOL
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import (
    annotation,
    by_tke,
    listed,
    specified,
    target_of,
)
from transformer.values import integer

RULE = Rule(WARNING, "A", 'TKE docs, "Service extension protocol"')


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for an annotation with such ports."""
    rows = specified(service)
    if not rows or not service.ports or service.skipped or not by_tke(service):
        return
    numbers = [str(integer(port.get("port"))) for port in service.ports]
    unused = [number for number in rows if number not in numbers]
    if unused:
        yield Finding(
            annotation(SPECIFY_PROTOCOL),
            f"has a row for {listed(unused)}, and this Service has port {listed(numbers)} only: "
            f"TKE ignores it; {_advice(unused[0], service)}",
        )


def _advice(unused: str, service: Object) -> str:
    for port in service.ports:
        if unused in (port.get("name"), str(target_of(port))):
            return f'write "{integer(port.get("port"))}", the port that CLB listens on'
    return "remove it, or correct the number"
