"""Direct access asked for on an Ingress that another controller serves.

## What it does

Finds Ingresses with the direct-access annotation `"true"` whose class is not `qcloud`.

## Why it matters

Only TKE's CLB controller reads the annotation.
The Ingress goes on as its own controller sees fit, and nobody binds or confirms its Pods.

## Example

```yaml
metadata:
  annotations:
    kubernetes.io/ingress.class: nginx
    ingress.cloud.tencent.com/direct-access: "true"
```

## Use instead

```yaml
metadata:
  annotations:
    kubernetes.io/ingress.class: qcloud
    ingress.cloud.tencent.com/direct-access: "true"
```

Or leave the annotation away, and annotate the Service of the other controller's own Pods.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import INGRESS_CLASS, INGRESS_CLASS_ANNOTATION, INGRESS_DIRECT_ACCESS
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import is_true
from transformer.values import text

RULE = Rule(WARNING, "A", 'TKE docs, "Ingress annotations"')


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Ingress."""
    said = ingress.annotations.get(INGRESS_CLASS_ANNOTATION)
    named = text(ingress.get("spec", "ingressClassName"))
    # Where one of the two is TKE's, ingress-class-twice tells.
    foreign = (said or named) and INGRESS_CLASS not in (said, named)
    if foreign and is_true(ingress, INGRESS_DIRECT_ACCESS) and not ingress.skipped:
        yield Finding(
            ("metadata", "annotations", INGRESS_DIRECT_ACCESS),
            f"has no effect: another controller serves class {said or named}; remove it, or use "
            f"class {INGRESS_CLASS}",
            at_key=True,
        )
