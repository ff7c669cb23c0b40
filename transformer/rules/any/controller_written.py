"""Something in the manifest that TKE's controllers write and no one else should.

## What it does

Finds annotations, labels and finalizers that TKE's controllers write into Services, Ingresses and
Pods, and the addresses in the `status` of a Service or Ingress.
It is an error for what TKE's documents call read-only, a warning for what was seen only.

## Why it matters

They came along when the manifest was copied out of a cluster.
Applied elsewhere they name the CLB of another Service; applied again and again, Git and the
controller overwrite each other for ever.

## Example

```yaml
kind: Service
metadata:
  annotations:
    service.kubernetes.io/loadbalance-id: lb-6swt12ab
```

## Use instead

Remove it; to share an existing CLB on purpose:

```yaml
kind: Service
metadata:
  annotations:
    service.kubernetes.io/tke-existed-lbid: lb-6swt12ab
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.annotations import (
    WRITTEN_ANNOTATIONS,
    WRITTEN_FINALIZERS,
    WRITTEN_LABELS,
    Written,
)
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.any._annotations import places
from transformer.values import Path, items, mapping

RULE = Rule(ERROR, "A", 'TKE docs, "Service annotations" and "Ingress annotations": read-only')

_ANNOTATIONS = {row.key: row for row in WRITTEN_ANNOTATIONS}
_LABELS = {row.key: row for row in WRITTEN_LABELS}
_FINALIZERS = {row.key: row for row in WRITTEN_FINALIZERS}


def check(one: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one object."""
    for place in places(one):
        for key in place.entries:
            if row := _ANNOTATIONS.get(key):
                yield _finding((*place.path, key), row)
    for key in mapping(one.get("metadata", "labels")):
        if row := _LABELS.get(key):
            yield _finding(("metadata", "labels", key), row)
    for index, name in enumerate(items(one.get("metadata", "finalizers"))):
        if isinstance(name, str) and (row := _FINALIZERS.get(name)):
            yield _finding(("metadata", "finalizers", index), row)
    if one.subject in ("service", "ingress"):
        addresses: Path = ("status", "loadBalancer", "ingress")
        if items(one.get(*addresses)):
            yield Finding(
                addresses,
                "is written by the controller that serves it: remove status from the manifest",
                severity=WARNING,
                at_key=True,
            )


def _finding(path: Path, row: Written) -> Finding:
    return Finding(
        path,
        f"is written by TKE ({row.summary}): remove it from the manifest",
        severity=ERROR if row.documented else WARNING,
        at_key=isinstance(path[-1], str),
    )
