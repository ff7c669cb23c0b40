"""A PodDisruptionBudget that never lets a Pod go.

## What it does

Finds budgets over Pods behind direct access, or with CLB's readiness gate, that leave no Pod to
spare: `minAvailable` of as many Pods as there are (100 %, or a percentage that is rounded up to
all), or `maxUnavailable` of none.
Where an autoscaler decides, as many as there are means its `maxReplicas`.

## Why it matters

Every eviction is refused, so a node that is to be drained or upgraded waits for ever, and whoever
loses patience deletes the Pod by force, without waiting for CLB.
A Pod whose gate is still closed counts as missing, which makes it worse during rollouts.

## Example

```yaml
kind: PodDisruptionBudget
spec:
  maxUnavailable: 0
```

## Use instead

```yaml
kind: PodDisruptionBudget
spec:
  maxUnavailable: 1
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._rollout import amount, percentage, scale
from transformer.rules.workload._serving import finishes
from transformer.values import Value

RULE = Rule(WARNING, "A", 'Kubernetes docs, "Disruptions": zero voluntary evictions')


def check(budget: Object, build: Build) -> Iterator[Finding]:
    """Yield at most one finding in one budget."""
    covered = [
        one
        for one in build.covered_by(budget)
        if one.kind != "DaemonSet" and not finishes(one)  # drains pass these by
    ]
    affected = [one for one in covered if _waits_for_clb(one, build)]
    pods = _pods(covered, build)
    if not affected or pods == 0:
        return
    field = "minAvailable" if budget.get("spec", "minAvailable") is not None else "maxUnavailable"
    value = budget.get("spec", field)
    if _keeps_all(field, value, pods):
        total = "Pods" if pods is None else "1 Pod" if pods == 1 else f"{pods} Pods"
        advice = "run at least 2 and let 1 go" if pods == 1 else "write maxUnavailable: 1"
        yield Finding(
            ("spec", field),
            f"is {value}, so of the {total} of {affected[0].shown} none may ever go: evictions are "
            f"refused and node drains hang; {advice}",
        )


def _keeps_all(field: str, value: Value, pods: int | None) -> bool:
    if field == "maxUnavailable":
        return value == "0%" or (value == 0 and value is not False)
    wanted = amount(value, pods or 0, up=True)
    return percentage(value) == 100 or bool(pods and wanted and wanted >= pods)


def _waits_for_clb(workload: Object, build: Build) -> bool:
    direct = build.is_direct(workload) or workload.has_gate(build.settings.gate)
    return direct and not workload.skipped


def _pods(covered: list[Object], build: Build) -> int | None:
    """The most Pods that there are, None when that is not known."""
    scales = [scale(one, build) for one in covered]
    known = [one.most for one in scales if one is not None]
    return sum(known) if len(known) == len(scales) else None
