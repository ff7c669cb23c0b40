"""An annotation under a name that TKE has given up.

## What it does

Finds annotations that older documents of TKE name and newer ones replace.

## Why it matters

Nobody promises that the next version of the controller still reads them.

## Example

```yaml
metadata:
  annotations:
    kubernetes.io/service.internetChargeType: TRAFFIC_POSTPAID_BY_HOUR
```

## Use instead

```yaml
metadata:
  annotations:
    service.kubernetes.io/qcloud-loadbalancer-internet-charge-type: TRAFFIC_POSTPAID_BY_HOUR
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.annotations import DEPRECATED
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.any._annotations import places

RULE = Rule(WARNING, "A", 'TKE docs, "Service annotations" and their older editions')

_INSTEAD = {row.key: row.instead for row in DEPRECATED}


def check(one: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one object."""
    for place in places(one):
        for key in _INSTEAD.keys() & place.entries.keys():
            yield Finding((*place.path, key), f"is deprecated: {_INSTEAD[key]}", at_key=True)
