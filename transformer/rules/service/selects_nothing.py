"""A direct Service that misses its workload by one label.

## What it does

Finds direct Services whose selector matches no workload of the build, although a workload in the
same namespace, which no Service selects, matches all of it but one label, and that one looks
like a mistake: a value or key that is spelled alike, a workload of the Service's own name, or a
label that stands on the workload instead of its Pods.
Without such a workload it is silent: the Pods may come from elsewhere.

## Why it matters

The Service gets no endpoint and CLB no target.
Nothing is reported, for a Service without Pods is valid.

## Example

```yaml
kind: Deployment
spec:
  template:
    metadata:
      labels: {app: checkout}
---
kind: Service
spec:
  selector: {app: chekout}
```

## Use instead

```yaml
kind: Service
spec:
  selector: {app: checkout}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import chain, islice

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import is_direct

RULE = Rule(WARNING, "A", "Kubernetes API: label selectors", whole_build=True)

# Labels that controllers put on Pods when they make them: no template has them.
_RUNTIME = (
    "pod-template-hash",
    "controller-revision-hash",
    "rollouts-pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "job-name",
    "batch.kubernetes.io/job-name",
)

# How many workloads are looked at for one Service, and how many of them closely: common labels
# lead to thousands.
_MOST, _CLOSELY = 500, 100

_ALIKE = 0.8  # of SequenceMatcher.ratio


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service."""
    selector = service.selector
    if not selector or build.workloads_of(service) or not is_direct(service, build):
        return
    if any(key in selector for key in _RUNTIME):
        return
    for workload in _near(service, build):
        missed = selector.items() - workload.pod_labels.items()
        if len(missed) != 1:
            continue
        key, value = next(iter(missed))
        meant = _meant(key, value, service, workload)
        if meant:
            yield Finding(
                ("spec", "selector", key),
                f'"{value}" matches no Pod of this build; {workload.shown}, which no Service '
                f"selects, {meant}: correct one of the two",
            )
            return


def _near(service: Object, build: Build) -> Iterator[Object]:
    """Workloads without a Service that may match all of the selector but one label."""
    pairs = service.selector.items()
    if len(pairs) == 1:
        ((key, _),) = pairs
        lists = list(build.labelled(service.namespace, key).values())
    else:  # whoever matches all but one has a label of any two
        found = [build.labelled(service.namespace, key).get(value, []) for key, value in pairs]
        lists = sorted(found, key=len)[:2]
    looked_at = islice(chain.from_iterable(lists), _MOST)
    return islice((one for one in looked_at if not build.services_of(one)), _CLOSELY)


def _meant(key: str, value: str, service: Object, workload: Object) -> str:
    """How the workload all but has the label, in words; '' when it is just another workload."""
    labels = workload.pod_labels
    if key in labels:
        if workload.name == service.name or _alike(labels[key], value):
            return f'has "{labels[key]}"'
        return ""
    for other, found in labels.items():
        if found == value and other not in service.selector and _alike(other, key):
            return f"has it as {other}"
    own = workload.labels.get(key) == value and bool(workload.template)
    return "has it on itself, not on its Pods" if own else ""


def _alike(one: str, other: str) -> bool:
    one, other = (text.lower().replace("_", "-") for text in (one, other))
    if one == other or sorted(one) == sorted(other):
        return True
    return SequenceMatcher(None, one, other).ratio() >= _ALIKE
