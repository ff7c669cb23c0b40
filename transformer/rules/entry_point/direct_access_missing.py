"""A Service or Ingress that is to be direct by configuration and does not say so.

## What it does

Finds Services of type LoadBalancer and Ingresses of class `qcloud` that the configuration wants
direct (`targets`) and that do not carry the direct-access annotation.

## Why it matters

CLB goes through NodePorts for them: one more hop, and the clients' addresses are lost.
Nothing breaks, so it is a warning; with `--require-transformed` it is an error, for then
`transform` was to run before and did not.

## Example

```yaml
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
```

## Use instead

```yaml
kind: Service
metadata:
  name: web
  annotations:
    service.cloud.tencent.com/direct-access: "true"
```

Or `"false"`, when this one is to go through NodePorts.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import INGRESS_DIRECT_ACCESS, SERVICE_DIRECT_ACCESS
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule

RULE = Rule(WARNING, "A", 'TKE docs, "Service annotations"', fixable=True)


def check(entry: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one Service or Ingress."""
    for key in (SERVICE_DIRECT_ACCESS, INGRESS_DIRECT_ACCESS):
        for place in build.lacks(entry, "metadata", "annotations", key):
            if entry.get(*place) is None:
                yield Finding(
                    place,
                    'is missing: write "true" for direct access, "false" to stay with NodePorts',
                    repairs=(place,),
                )
