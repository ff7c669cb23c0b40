"""A target port whose name no container of the selected Pods has.

## What it does

Finds direct Services, and Services behind direct Ingresses, with a named `targetPort` that the
containers of the workloads they select do not have, in that protocol.
When only some of those workloads have the port, it names the others.

## Why it matters

Kubernetes looks the name up in every Pod.
A Pod that does not have it gets no endpoint, so CLB gets no target, and nothing says why.

## Example

```yaml
kind: Service
spec:
  selector: {app: web}
  ports:
    - {port: 80, targetPort: http}   # the container calls its port "web"
```

## Use instead

```yaml
kind: Service
spec:
  selector: {app: web}
  ports:
    - {port: 80, targetPort: web}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import (
    container_ports,
    is_direct,
    listed,
    protocol_of,
    target_of,
)

RULE = Rule(WARNING, "A", "Kubernetes API: named target ports")

# Their Pods come and go beside a server and often carry its labels; they need no port.
_HELPERS = ("Job", "CronJob")


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one Service."""
    workloads = [one for one in build.workloads_of(service) if one.containers]
    if not workloads or not _reached(service, build):
        return
    known = [(one, container_ports(one)) for one in workloads]
    for index, port in enumerate(service.ports):
        name, protocol = target_of(port), protocol_of(port)
        if not isinstance(name, str):
            continue
        without = [one for one, ports in known if (name, protocol) not in ports]
        if len(without) < len(known):
            without = [one for one in without if one.kind not in _HELPERS]
        if without:
            shown = list(dict.fromkeys(one.shown for one in without))
            yield Finding(
                ("spec", "ports", index, "targetPort"),
                f'"{name}" is no {protocol} port of {listed(shown, 2)}: '
                f"CLB gets none of those Pods; {_advice(name, protocol, without[0])}",
            )


def _reached(service: Object, build: Build) -> bool:
    if is_direct(service, build):
        return True
    ingresses = build.ingresses_of(service)
    return not service.skipped and any(build.is_direct(one) for one in ingresses)


def _advice(name: str, protocol: str, workload: Object) -> str:
    ports = container_ports(workload)
    spoken = [other for known, other in ports if known == name]
    if spoken:
        return f"that port is {spoken[0]}: correct the protocol on one side"
    names = [known for known, other in ports if other == protocol]
    if names:
        return f"they name {listed(names)}"
    return "name the container's port, or write its number"
