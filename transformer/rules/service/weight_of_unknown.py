"""Weights for a StatefulSet or port that the Service does not have, or beyond 0 to 100.

## What it does

Looks into the annotation `lb-rs-weight` of direct Services: each port must be one of
`spec.ports`, each StatefulSet one that the Service selects (when the build has any workload that
it selects), each weight a whole number from 0 to 100.
One finding for each annotation; the first mistake is named.

## Why it matters

A weight without a target changes nothing, and one beyond the range is no weight for CLB.
The Pod that was to be drained before an upgrade keeps its traffic.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/lb-rs-weight: >-
      {"groups":[{"key":{"proto":"TCP","port":8080},
      "statefulSets":[{"name":"db","weights":[{"weight":0,"podIndexes":[0]}]}]}]}
spec:
  ports:
    - {port: 80, targetPort: 8080}
```

## Use instead

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/lb-rs-weight: >-
      {"groups":[{"key":{"proto":"TCP","port":80},
      "statefulSets":[{"name":"db","weights":[{"weight":0,"podIndexes":[0]}]}]}]}
spec:
  ports:
    - {port: 80, targetPort: 8080}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import LISTENER_PROTOCOLS, SERVICE_WEIGHTS
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import annotation, is_direct, listed, listeners, parsed
from transformer.values import Value, at, integer, items, text

RULE = Rule(WARNING, "B", "tke-guide, lossless upgrades of StatefulSets", whole_build=True)

_MOST = 100


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for a wrong annotation."""
    value = parsed(service, SERVICE_WEIGHTS)
    if value is None or not is_direct(service, build):
        return
    workloads = build.workloads_of(service)
    names = [one.name for one in workloads if one.kind.startswith("StatefulSet")]
    wrong = [*_ports(value, service), *_weights(value)]
    if workloads:
        wrong += _sets(value, names)
    if wrong:
        more = f" (and {len(wrong) - 1} more here)" if len(wrong) > 1 else ""
        yield Finding(annotation(SERVICE_WEIGHTS), wrong[0] + more)


def _ports(value: Value, service: Object) -> Iterator[str]:
    known = {(one.port, one.transport) for one in listeners(service)}
    for group in items(at(value, "groups")):
        port, proto = integer(at(group, "key", "port")), text(at(group, "key", "proto"))
        row = LISTENER_PROTOCOLS.get((proto or "").upper())
        if port is None:
            continue
        if port not in {number for number, _ in known}:
            has = listed(sorted({str(number) for number, _ in known}))
            yield f"port {port} is none of this Service, which has {has}: write the Service's port"
        elif row is not None and (port, row.transport) not in known:
            yield f"port {port} is not {proto} on this Service: correct the protocol"


def _sets(value: Value, names: list[str]) -> Iterator[str]:
    for group in items(at(value, "groups")):
        for one in items(at(group, "statefulSets")):
            name = text(at(one, "name"))
            if name is not None and name not in names:
                has = f"it selects {listed(names)}" if names else "it selects no StatefulSet"
                yield f'"{name}" is no StatefulSet that this Service selects ({has}): correct it'


def _weights(value: Value) -> Iterator[str]:
    found = [at(value, "defaultWeight")]
    for group in items(at(value, "groups")):
        for one in items(at(group, "statefulSets")):
            found += [at(row, "weight") for row in items(at(one, "weights"))]
    for weight in found:
        number = integer(weight)
        if number is not None and not 0 <= number <= _MOST:
            yield f"weight {number} is beyond what CLB takes: write 0 to {_MOST}"
