"""A grouped Ingress that wants a TkeServiceConfig made for it.

## What it does

Finds Ingresses with both `enable-group: "true"` and `tke-service-config-auto: "true"`.

## Why it matters

The listeners of a shared CLB belong to many Ingresses, so TKE does not make a configuration for
one of them.

## Example

```yaml
metadata:
  annotations:
    kubernetes.io/ingress.existLbId: lb-3k5u8a1c
    ingress.cloud.tencent.com/enable-group: "true"
    ingress.cloud.tencent.com/tke-service-config-auto: "true"
```

## Use instead

Write the TkeServiceConfig yourself, and name it:

```yaml
metadata:
  annotations:
    kubernetes.io/ingress.existLbId: lb-3k5u8a1c
    ingress.cloud.tencent.com/enable-group: "true"
    ingress.cloud.tencent.com/tke-service-config: shop
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import ENABLE_GROUP, SERVICE_CONFIG, SERVICE_CONFIG_AUTO
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.ingress._routes import served
from transformer.rules.service._service import is_true

RULE = Rule(WARNING, "C", "notes on TKE's page on several Ingresses of one CLB")

_AUTO = SERVICE_CONFIG_AUTO["ingress"]


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Ingress."""
    # With both configurations named, config-and-auto-config tells.
    if SERVICE_CONFIG["ingress"] in ingress.annotations or not is_true(ingress, _AUTO):
        return
    if is_true(ingress, ENABLE_GROUP) and served(ingress, build):
        yield Finding(
            ("metadata", "annotations", _AUTO),
            f"does not work with {ENABLE_GROUP}: write a TkeServiceConfig and name it in "
            f"{SERVICE_CONFIG['ingress']}",
        )
