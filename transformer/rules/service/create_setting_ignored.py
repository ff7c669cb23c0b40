"""A setting for creating a CLB on a Service that uses an existing one.

## What it does

Finds Services with `tke-existed-lbid` and an annotation that TKE reads only when it creates a CLB:
subnet, charge type, bandwidth, `extensiveParameters`.

## Why it matters

TKE ignores these on an existing CLB, so the manifest says something that is not so: a Service that
looks private may be public.
When the existing CLB is removed from the manifest one day, they suddenly count.

## Example

```yaml
metadata:
  annotations:
    service.kubernetes.io/tke-existed-lbid: lb-6swtxxxx
    service.kubernetes.io/qcloud-loadbalancer-internal-subnetid: subnet-abcdefgh
```

## Use instead

```yaml
metadata:
  annotations:
    service.kubernetes.io/tke-existed-lbid: lb-6swtxxxx
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import CLB_CREATION
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import annotation, by_tke, existing_clb

RULE = Rule(WARNING, "A", 'TKE docs, "Using existing CLBs" and "Service annotations"')


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one Service."""
    if not existing_clb(service) or service.skipped or not by_tke(service):
        return
    for key, what in CLB_CREATION.items():
        if service.raw_annotations.get(key):
            yield Finding(
                annotation(key),
                f"is ignored: it decides {what} when TKE creates a CLB, and this Service uses "
                f"{existing_clb(service)}; remove one of the two",
                at_key=True,
            )
