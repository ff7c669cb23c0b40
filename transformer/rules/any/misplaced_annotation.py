"""An annotation of TKE's on an object that nobody reads it from.

## What it does

Finds annotations of pod templates on the workload itself, of Services on Ingresses or workloads,
of Ingresses on Services, and so on.
It is silent when the place where the annotation belongs carries it too.

## Why it matters

TKE passes over it without a word: the Pods get no ENI address, the Ingress goes through
NodePorts, the weight is not set.
For the network annotation, where the network mode needs it, it is an error.

## Example

```yaml
kind: Deployment
metadata:
  annotations:
    tke.cloud.tencent.com/networks: tke-route-eni
```

## Use instead

```yaml
kind: Deployment
spec:
  template:
    metadata:
      annotations:
        tke.cloud.tencent.com/networks: tke-route-eni
```
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from schemas.annotations import On
from schemas.contract import (
    INGRESS_CLASS_ANNOTATION,
    MODES,
    NETWORKS,
    SKIP,
)
from transformer.lint.build import Build
from transformer.lint.objects import WORKLOAD, Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.any._annotations import OWN_METADATA, Place, places, rows
from transformer.values import dotted

RULE = Rule(ERROR, "A", 'TKE docs, "Service annotations", "Ingress annotations" and "VPC-CNI mode"')

_SHOWN = {On.SERVICE: "Services", On.INGRESS: "Ingresses", On.POD: "pod templates"}


def check(one: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one object."""
    for place in places(one):
        for key, value in place.entries.items():
            homes = rows().get(key, ())
            if value is None:
                continue
            if key == SKIP and place.path != OWN_METADATA:
                message = f"counts on the {one.kind} itself: move it to metadata.annotations"
            elif not homes or place.on in homes or key == INGRESS_CLASS_ANNOTATION:
                continue  # ingress.class is not TKE's alone
            elif one.template and On.POD in homes and key in one.pod_annotations:
                continue
            else:
                message = _message(one, place, key, homes)
            severity = ERROR if key == NETWORKS and _is_needed(one, build) else WARNING
            yield Finding((*place.path, key), message, severity=severity, at_key=True)


def _message(one: Object, place: Place, key: str, homes: Collection[On]) -> str:
    if On.POD in homes and one.subject == WORKLOAD:
        template = dotted(one.in_template(*OWN_METADATA))
        return f"belongs to the pod template and has no effect here: move it to {template}"
    carriers = " or ".join(_SHOWN[on] for on in homes)
    if twin := _twin(key, place.on):
        return f"is for {carriers} and has no effect here: use {twin}"
    return f"is for {carriers} and has no effect here: move it there, or remove it"


def _twin(key: str, on: On | None) -> str:
    """The annotation of the same name for `on`, '' when there is none."""
    name = key.rpartition("/")[2]
    return next((row for row, homes in rows().items() if on in homes and _named(row, name)), "")


def _named(key: str, name: str) -> bool:
    return key.rpartition("/")[2] == name


def _is_needed(one: Object, build: Build) -> bool:
    """Whether Pods get no ENI address unless their template asks for it."""
    return one.subject == WORKLOAD and any(MODES[mode].networks for mode in build.settings.modes)
