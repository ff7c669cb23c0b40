"""TCP and UDP in one Service of type LoadBalancer that goes through NodePorts.

## What it does

Finds Services of type LoadBalancer that carry an annotation of TKE, are not direct, and have both
TCP and UDP: in `spec.ports`, or on one port through `specify-protocol`.

## Why it matters

TKE documents mixed protocols for direct access only.
Through NodePorts all ports of a Service have one protocol.
Two protocols on one port of `specify-protocol` are an error when direct access is `"false"`;
the rest is a warning, for new clusters make Services direct by default.

## Example

```yaml
kind: Service
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "false"
spec:
  type: LoadBalancer
  ports:
    - {name: dns, port: 53, protocol: UDP}
    - {name: dns-tcp, port: 53, protocol: TCP}
```

## Use instead

```yaml
kind: Service
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
spec:
  type: LoadBalancer
  ports:
    - {name: dns, port: 53, protocol: UDP}
    - {name: dns-tcp, port: 53, protocol: TCP}
```

Or one Service for each protocol; they can share an existing CLB.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.annotations import ANNOTATIONS, On
from schemas.contract import (
    LISTENER_PROTOCOLS,
    SERVICE_DIRECT_ACCESS,
    SPECIFY_PROTOCOL,
    NetworkMode,
)
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.service._service import (
    annotation,
    by_tke,
    protocol_of,
    specified,
    specified_protocols,
)
from transformer.values import integer

RULE = Rule(ERROR, "A", 'TKE docs, "Service extension protocol"')

_KEYS = frozenset(row.key for row in ANNOTATIONS if row.on is On.SERVICE)
_ADVICE = "only direct access takes both; make a Service for each, or switch direct access on"


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one Service."""
    if build.is_direct(service) or service.skipped or not by_tke(service):
        return
    if build.settings.mode is NetworkMode.SERVERLESS or _KEYS.isdisjoint(service.raw_annotations):
        return  # always direct; another cloud's
    ports = service.ports
    protocols = [protocol_of(port) for port in ports]
    if "TCP" in protocols and "UDP" in protocols:
        index = next(i for i, name in enumerate(protocols) if name != protocols[0])
        yield Finding(
            ("spec", "ports", index, "protocol" if "protocol" in ports[index] else "port"),
            f"adds {protocols[index]} to a Service with {protocols[0]}: {_ADVICE}",
            severity=WARNING,
        )
    numbers = {str(integer(port.get("port"))) for port in ports}
    for port, row in specified(service).items():
        names = specified_protocols(row)
        if port in numbers and len({LISTENER_PROTOCOLS[name].transport for name in names}) > 1:
            off = service.annotations.get(SERVICE_DIRECT_ACCESS, "").lower() == "false"
            yield Finding(
                annotation(SPECIFY_PROTOCOL),
                f"gives port {port} {' and '.join(names)}: {_ADVICE}",
                severity=ERROR if off else WARNING,
            )
            return
