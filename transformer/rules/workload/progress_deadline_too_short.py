"""A rollout that is given up before CLB can have checked one new Pod.

## What it does

Finds Deployments and Argo Rollouts behind direct access whose `progressDeadlineSeconds` (600
unless they say otherwise) is shorter than the way of one Pod from start to available:
`initialDelaySeconds` of its readinessProbe, then CLB's health check, then `minReadySeconds`.
The health check takes `intervalTime` times `healthNum` of the TkeServiceConfig, 15 seconds without
one.

## Why it matters

Each Pod that becomes available starts the deadline anew, so it is the time for one Pod and not
for all of them.
When it is too short, every rollout is reported as failed, and what watches it (Argo CD, Helm,
`kubectl rollout status`) stops or rolls back, though nothing is wrong.

## Example

```yaml
spec:
  progressDeadlineSeconds: 10
```

## Use instead

```yaml
spec:
  progressDeadlineSeconds: 600
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._serving import servers, serves, window
from transformer.values import at, integer

RULE = Rule(WARNING, "A", 'Kubernetes API: Deployments; CLB docs, "Health check overview"')

_KINDS = ("Deployment", "Rollout")
_DEFAULT = 600  # of Kubernetes and Argo Rollouts


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield at most one finding in one workload."""
    if workload.kind not in _KINDS or not serves(workload, build):
        return
    said = workload.get("spec", "progressDeadlineSeconds")
    deadline = _DEFAULT if said is None else integer(said)
    checked = window(workload, build)
    needed = _initial_delay(workload, build) + checked
    needed += integer(workload.get("spec", "minReadySeconds")) or 0
    if deadline is not None and deadline < needed:
        yield Finding(
            ("spec", "progressDeadlineSeconds"),
            f"{'is' if said is not None else 'is missing and so'} {deadline}, but a new Pod needs "
            f"{needed} s to become available, {checked} of them for CLB's health check; give it "
            "more, with room for the start itself",
        )


def _initial_delay(workload: Object, build: Build) -> int:
    """The longest wait before the first readiness probe."""
    return max(
        (
            integer(at(row.data, "readinessProbe", "initialDelaySeconds")) or 0
            for row in servers(workload, build)
        ),
        default=0,
    )
