"""Two Services that want the same port of one existing CLB.

## What it does

Finds Services of type LoadBalancer that name the same existing CLB (`tke-existed-lbid`) and the
same port, both over TCP or both over UDP.
TCP, TCP_SSL, HTTP and HTTPS listeners are all TCP; UDP and QUIC are UDP.

## Why it matters

A CLB has one listener for a port and transport.
TKE reports E4014 for the second Service, and it gets no traffic.

## Example

```yaml
kind: Service
metadata:
  name: web
  annotations: {service.kubernetes.io/tke-existed-lbid: lb-6swtxxxx}
spec:
  ports: [{port: 80}]
---
kind: Service
metadata:
  name: shop
  annotations: {service.kubernetes.io/tke-existed-lbid: lb-6swtxxxx}
spec:
  ports: [{port: 80}]
```

## Use instead

Another port, or another CLB, for one of the two:

```yaml
kind: Service
metadata:
  name: shop
  annotations: {service.kubernetes.io/tke-existed-lbid: lb-6swtxxxx}
spec:
  ports: [{port: 8080}]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.service._service import (
    earlier_on_clb,
    existing_clb,
    listeners,
    on_clb,
)

RULE = Rule(ERROR, "A", "TKE docs, event code E4014")


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one Service: ports that an earlier one has already."""
    if not existing_clb(service) or service.skipped or not on_clb(service, build):
        return
    taken: dict[tuple[int, str], Object] = {}
    for other in earlier_on_clb(service, build):
        for one in listeners(other):
            taken.setdefault((one.port, one.transport), other)
    told = set()
    for one in listeners(service):
        first = taken.get((one.port, one.transport))
        if first is None or one.number in told:
            continue
        told.add(one.number)
        yield Finding(
            ("spec", "ports", one.number, "port"),
            f"{one.port} over {one.transport} is taken on {existing_clb(service)} by {first.shown}"
            " (E4014): give one of the two another port or another CLB",
        )
