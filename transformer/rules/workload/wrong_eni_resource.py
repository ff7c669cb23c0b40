"""Pods that request the ENI resource of another network mode.

## What it does

Finds containers of pod templates that a direct Service or Ingress reaches and that request or
limit an extended resource which their network mode does not have:
`tke.cloud.tencent.com/direct-eni` in mode `mixed`, `tke.cloud.tencent.com/eni-ip` in mode
`vpc-cni-exclusive`, either of them in mode `global-router`.

## Why it matters

No node offers the resource, so the scheduler finds no place: the Pods stay Pending for ever.

## Example

In mode `mixed`:

```yaml
resources:
  requests: {tke.cloud.tencent.com/direct-eni: "1"}
  limits: {tke.cloud.tencent.com/direct-eni: "1"}
```

## Use instead

```yaml
resources:
  requests: {tke.cloud.tencent.com/eni-ip: "1"}
  limits: {tke.cloud.tencent.com/eni-ip: "1"}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import ENI_RESOURCES, Mode
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.workload._mode import mode_of
from transformer.values import at, mapping

RULE = Rule(ERROR, "A", 'TKE docs, "VPC-CNI mode"; Kubernetes API: extended resources')


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for each container and resource."""
    mode = mode_of(workload, build)
    if mode is None or not (mode.forbids_eni or mode.resource):
        return
    for index, container in enumerate(workload.containers):
        for name in ENI_RESOURCES:
            sides = [
                side
                for side in ("requests", "limits")
                if name in mapping(at(container, "resources", side))
            ]
            if name != mode.resource and sides:
                inside = ("spec", "containers", index, "resources", sides[0], name)
                yield Finding(
                    workload.in_template(*inside), _message(mode, " and ".join(sides)), at_key=True
                )


def _message(mode: Mode, sides: str) -> str:
    instead = f'; ask for {mode.resource}: "1" instead' if mode.resource else ""
    return (
        f"is no resource of mode {mode.name.value}: no node has it and the Pods stay Pending; "
        f"remove it from {sides}{instead}"
    )
