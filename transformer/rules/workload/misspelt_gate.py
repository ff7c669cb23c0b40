"""A readiness gate that is nearly CLB's.

## What it does

Finds readiness gates whose condition type differs from CLB's
`cloud.tencent.com/load-balancer-backendgroup-ready` by a missing domain, by the case of letters or
by a typing mistake.
The same holds for the gate of the configuration (`readinessGate.conditionType`), typing mistakes
excepted.

## Why it matters

TKE confirms exactly one condition type.
Nobody confirms any other one, so the Pod stays NotReady for ever.

## Example

```yaml
readinessGates:
  - conditionType: load-balancer-backendgroup-ready
```

## Use instead

```yaml
readinessGates:
  - conditionType: cloud.tencent.com/load-balancer-backendgroup-ready
```
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from schemas.contract import READINESS_GATE
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.workload._gates import gates

RULE = Rule(
    ERROR,
    "A",
    'TKE docs, "Using Services with CLB-to-Pod direct access mode": readiness gate',
)

_ALIKE = 0.85  # so much of both names is the same


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for each misspelt gate."""
    known = (build.settings.gate, READINESS_GATE)
    for place, gate in gates(workload):
        if gate in known:
            continue
        meant = next((one for one in known if _same_name(gate, one)), "")
        if not meant and _nearly(gate):
            meant = READINESS_GATE
        if meant:
            yield Finding(
                place,
                f'is "{gate}", which nobody confirms: the Pods never become ready; write "{meant}"',
            )


def _same_name(gate: str, known: str) -> bool:
    gate, known = gate.lower(), known.lower()
    return gate in (known, known.partition("/")[2])


def _nearly(gate: str) -> bool:
    """Whether domain and name are both nearly those of TKE's gate."""
    mine, theirs = gate.lower().partition("/"), READINESS_GATE.partition("/")
    if not mine[2]:
        return _alike(mine[0], theirs[2])
    return _alike(mine[0], theirs[0]) and _alike(mine[2], theirs[2])


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE
