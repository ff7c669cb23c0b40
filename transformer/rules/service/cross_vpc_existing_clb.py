"""The VPC of a CLB that exists already.

## What it does

Finds Services with both `cross-vpc-id` and `tke-existed-lbid`.

## Why it matters

`cross-vpc-id` says in which VPC TKE is to create a CLB.
An existing one is where it is: for it TKE documents `cross-region-id` alone.
What TKE does when the two disagree is not documented.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/cross-region-id: ap-guangzhou
    service.cloud.tencent.com/cross-vpc-id: vpc-646vhcjj
    service.kubernetes.io/tke-existed-lbid: lb-6swtxxxx
```

## Use instead

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/cross-region-id: ap-guangzhou
    service.kubernetes.io/tke-existed-lbid: lb-6swtxxxx
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import CROSS_REGION, CROSS_VPC
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import annotation, by_tke, existing_clb

RULE = Rule(WARNING, "D", 'TKE docs, "Service cross-region binding"')


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service."""
    if not service.raw_annotations.get(CROSS_VPC) or service.skipped:
        return
    if existing_clb(service) and by_tke(service):
        yield Finding(
            annotation(CROSS_VPC),
            f"is for a CLB that TKE creates, and {existing_clb(service)} exists: remove it; "
            f"a CLB of another region needs {CROSS_REGION} alone",
            at_key=True,
        )
