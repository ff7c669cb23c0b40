"""Pods that request another number of ENI addresses than one.

## What it does

Finds pod templates that a direct Service or Ingress reaches and whose containers ask for
`tke.cloud.tencent.com/eni-ip` (in mode `vpc-cni-exclusive`: `tke.cloud.tencent.com/direct-eni`)
with another value than `"1"`.
It warns when more than one container asks.

## Why it matters

A Pod has one address.
Whatever more it asks for is taken from the few that a node can give, and is used by nobody;
more than a node has leaves the Pod Pending.

## Example

```yaml
resources:
  requests: {tke.cloud.tencent.com/eni-ip: "2"}
  limits: {tke.cloud.tencent.com/eni-ip: "2"}
```

## Use instead

In one container of the Pod:

```yaml
resources:
  requests: {tke.cloud.tencent.com/eni-ip: "1"}
  limits: {tke.cloud.tencent.com/eni-ip: "1"}
```
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.workload._mode import mode_of
from transformer.values import Path, Value, at, text

RULE = Rule(ERROR, "A", 'TKE docs, "VPC-CNI mode": requests and limits of one container')


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for each wrong number, and one for each container too many."""
    mode = mode_of(workload, build)
    if mode is None or mode.resource is None:
        return
    first = ""
    for index, container in enumerate(workload.containers):
        asked = [
            (side, value)
            for side in ("requests", "limits")
            if (value := at(container, "resources", side, mode.resource)) is not None
        ]
        places = [_place(workload, index, side, mode.resource) for side, _ in asked]
        if first and asked:
            yield Finding(
                places[0],
                f"is what container {first} asks for already: the Pod has one address and takes "
                "two from its node; remove it from requests and limits here",
                severity=WARNING,
                at_key=True,
            )
            continue
        for place, (_, value) in zip(places, asked):
            if str(value) != "1":
                shown = _shown(value)
                yield Finding(place, f'is {shown}, expected "1": a Pod has one address')
        first = (text(container.get("name")) or "(unnamed)") if asked else first


def _place(workload: Object, index: int, side: str, resource: str) -> Path:
    return workload.in_template("spec", "containers", index, "resources", side, resource)


def _shown(value: Value) -> str:
    scalar = isinstance(value, (str, int, float))
    return json.dumps(value, ensure_ascii=False) if scalar else "no number"
