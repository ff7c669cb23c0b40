"""Two ways at once to name the certificates of an Ingress.

## What it does

Finds Ingresses with the annotation `ingress.cloud.tencent.com/certificate` and `spec.tls`.

## Why it matters

TKE takes one or the other; with both it is not said which certificate a host gets.

## Example

```yaml
metadata:
  annotations:
    ingress.cloud.tencent.com/certificate: '[{"hosts": ["a.com"], "qcloud_cert_id": ["x"]}]'
spec:
  tls:
    - secretName: shop-certificate
```

## Use instead

```yaml
spec:
  tls:
    - secretName: shop-certificate
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import CERTIFICATE
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.ingress._routes import served
from transformer.values import items

RULE = Rule(WARNING, "C", "notes on TKE's Ingress annotations")


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Ingress."""
    if not ingress.annotations.get(CERTIFICATE) or not items(ingress.get("spec", "tls")):
        return
    if served(ingress, build):
        yield Finding(
            ("metadata", "annotations", CERTIFICATE),
            "does not go together with spec.tls: keep one of the two",
            at_key=True,
        )
