"""An Ingress that names two different classes.

## What it does

Finds Ingresses whose annotation `kubernetes.io/ingress.class` and field `spec.ingressClassName`
differ, one of them being TKE's.

## Why it matters

The Kubernetes API refuses to create such an Ingress.
One that is updated to this gets through, and then two controllers may serve it, or none.

## Example

```yaml
metadata:
  annotations:
    kubernetes.io/ingress.class: qcloud
spec:
  ingressClassName: nginx
```

## Use instead

```yaml
metadata:
  annotations:
    kubernetes.io/ingress.class: qcloud
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import INGRESS_CLASS, INGRESS_CLASS_ANNOTATION
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.values import is_filled_in_later, text

RULE = Rule(ERROR, "A", "Kubernetes API")


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Ingress."""
    said = ingress.annotations.get(INGRESS_CLASS_ANNOTATION)
    named = text(ingress.get("spec", "ingressClassName"))
    if not said or not named or said == named or INGRESS_CLASS not in (said, named):
        return
    if not is_filled_in_later(said + named) and not ingress.skipped:
        yield Finding(
            ("metadata", "annotations", INGRESS_CLASS_ANNOTATION),
            f'is "{said}" and spec.ingressClassName "{named}": the Kubernetes API wants the same '
            "in both, keep one",
        )
