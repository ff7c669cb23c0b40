"""A TkeServiceConfig named by hand whose name only TKE may give.

## What it does

Finds Services and Ingresses that name a TkeServiceConfig that ends with `-auto-service-config`
or `-auto-ingress-config`.

## Why it matters

TKE gives these names to the configurations that it makes, changes and deletes itself.
It reports E4051 when somebody names one.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/tke-service-config: web-auto-service-config
```

## Use instead

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/tke-service-config: web
```

Or let TKE make it, and edit that one:

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/tke-service-config-auto: "true"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import RESERVED_CONFIG_ENDINGS, SERVICE_CONFIG, SERVICE_CONFIG_AUTO
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.entry_point._listeners import has_listeners

RULE = Rule(ERROR, "A", 'TKE docs, "Service CLB configuration", and event code E4051')


def check(entry: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service or Ingress."""
    named = SERVICE_CONFIG[entry.subject]
    name = entry.annotations.get(named, "")
    if name.endswith(RESERVED_CONFIG_ENDINGS) and has_listeners(entry, build):
        yield Finding(
            ("metadata", "annotations", named),
            f"{name} is a name that only TKE gives (E4051): name a TkeServiceConfig of your own, "
            f'or write {SERVICE_CONFIG_AUTO[entry.subject]}: "true" instead',
        )
