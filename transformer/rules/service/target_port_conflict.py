"""Two ports of one protocol that lead to the same port of the same Pods.

## What it does

Finds direct Services with two TCP ports, or two UDP ports, whose target is one and the same port
of the Pods; names are looked up in the selected workloads.
Services that share an existing CLB are compared with each other too.
Ports that `specify-protocol` turns into HTTP, HTTPS or TCP_SSL are not counted.

## Why it matters

In direct mode CLB knows a target by its own address, the protocol, the Pod's address and the Pod's
port, and takes each of those only once.
TKE reports E4036 and stops syncing the whole Service.
Through NodePorts the same manifest works, for every port has a NodePort of its own.

## Example

```yaml
ports:
  - {name: http, port: 80, targetPort: 8080}
  - {name: alt, port: 8000, targetPort: 8080}
```

## Use instead

A port of its own for each, or only one of the two:

```yaml
ports:
  - {name: http, port: 80, targetPort: 8080}
  - {name: alt, port: 8000, targetPort: 8081}
```
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.service._service import (
    CLB_KEY,
    Listener,
    container_ports,
    earlier_on_clb,
    is_direct,
    is_load_balancer,
    listeners,
    on_clb,
    target_of,
)

RULE = Rule(ERROR, "A", "TKE docs, event code E4036")


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one Service."""
    if not (is_load_balancer(service) and on_clb(service, build) and is_direct(service, build)):
        return
    taken: dict[Hashable, str] = {}
    for other in earlier_on_clb(service, build):
        if is_direct(other, build):
            for listener, target in _targets(other, build):
                clb = other.annotations[CLB_KEY]
                taken.setdefault(target, f"port {listener.port} of {other.shown} on {clb}")
    told = set()
    for listener, target in _targets(service, build):
        first = taken.setdefault(target, f"port {listener.port}")
        if first == f"port {listener.port}" or listener.number in told:
            continue
        told.add(listener.number)
        place = "targetPort" if "targetPort" in service.ports[listener.number] else "port"
        yield Finding(
            ("spec", "ports", listener.number, place),
            f"leads to the same {listener.protocol} port of the Pods as {first}: with direct "
            "access CLB takes it only once (E4036); use another target port, or remove one",
            severity=ERROR if build.is_declared(service) else WARNING,
        )


def _targets(service: Object, build: Build) -> Iterator[tuple[Listener, Hashable]]:
    """The targets behind each listener of layer 4: of every workload, and as they are written."""
    known = [(one.key, container_ports(one)) for one in build.workloads_of(service)]
    selected = (service.namespace, frozenset(service.selector.items()))
    for listener in listeners(service):
        if listener.protocol not in ("TCP", "UDP"):
            continue  # CLB opens connections of its own there: nothing documents a conflict
        target = target_of(service.ports[listener.number])
        if target is None:
            continue
        yield listener, (listener.protocol, selected, target)
        for key, ports in known:
            name = (str(target), listener.protocol)
            number = target if isinstance(target, int) else ports.get(name)
            if number is not None:
                yield listener, (listener.protocol, key, number)
