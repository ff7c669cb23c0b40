"""A TkeServiceConfig named, and one to be made, at once.

## What it does

Finds Services and Ingresses that name a TkeServiceConfig and also want TKE to make one.

## Why it matters

The documents allow only one of the two annotations.
Which configuration CLB gets is not said.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/tke-service-config: web
    service.cloud.tencent.com/tke-service-config-auto: "true"
```

## Use instead

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/tke-service-config: web
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import RESERVED_CONFIG_ENDINGS, SERVICE_CONFIG, SERVICE_CONFIG_AUTO
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.entry_point._listeners import has_listeners
from transformer.rules.service._service import is_true

RULE = Rule(ERROR, "A", 'TKE docs, "Service CLB configuration"')


def check(entry: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service or Ingress."""
    named, auto = SERVICE_CONFIG[entry.subject], SERVICE_CONFIG_AUTO[entry.subject]
    name = entry.annotations.get(named)
    # A name that TKE gives itself is the business of reserved-config-name.
    if not name or name.endswith(RESERVED_CONFIG_ENDINGS):
        return
    if is_true(entry, auto) and has_listeners(entry, build):
        yield Finding(
            ("metadata", "annotations", auto),
            f'does not go together with {named}: "{name}": remove one of the two',
            at_key=True,
        )
