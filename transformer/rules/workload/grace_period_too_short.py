"""A grace period that ends while the preStop hook still sleeps.

## What it does

Finds Pods behind direct access whose `terminationGracePeriodSeconds` (30 unless they say
otherwise) is not longer than what a preStop hook of theirs sleeps.

## Why it matters

The grace period runs from the moment the Pod is told to stop, the preStop hook included.
When it is over the kubelet kills the process, which never heard of the end: open requests are cut
off.

## Example

```yaml
terminationGracePeriodSeconds: 15
containers:
  - name: web
    lifecycle:
      preStop:
        exec:
          command: ["sleep", "15"]
```

## Use instead

The sleep, and then as long as the longest request takes:

```yaml
terminationGracePeriodSeconds: 60
containers:
  - name: web
    lifecycle:
      preStop:
        exec:
          command: ["sleep", "15"]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._pre_stop import sleep_of
from transformer.rules.workload._serving import serves
from transformer.values import integer

RULE = Rule(WARNING, "A", "Kubernetes API: termination of Pods", fixable=True)

_DEFAULT = 30  # of Kubernetes
_FIELD = "terminationGracePeriodSeconds"


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield at most one finding in one workload."""
    if not serves(workload, build):
        return
    sleeps = [slept for row in workload.containers if (slept := sleep_of(row)) is not None]
    longest = max((slept.seconds for slept in sleeps), default=0)
    said = workload.pod_spec.get(_FIELD)
    period = _DEFAULT if said is None else integer(said)
    if not longest or period is None or period > longest:
        return
    place = workload.in_template("spec", _FIELD)
    mends = place in build.plan(workload).lacks and build.settings.grace_period_s > longest
    yield Finding(
        place,
        f"{'is' if said is not None else 'is missing and so'} {period}, but a preStop hook sleeps "
        f"{longest:g} s: the Pod is killed before it has shut down; give it more than that",
        repairs=(place,) if mends else (),
    )
