"""Permission to share a CLB on a Service that names none.

## What it does

Finds the annotation `qcloud-share-existed-lb: "true"` without `tke-existed-lbid`.

## Why it matters

The two are documented together: one names the CLB, the other allows more than one Service on it.
Alone it shares nothing; TKE creates, and bills, a CLB for this Service.

## Example

```yaml
metadata:
  annotations:
    service.kubernetes.io/qcloud-share-existed-lb: "true"
```

## Use instead

```yaml
metadata:
  annotations:
    service.kubernetes.io/qcloud-share-existed-lb: "true"
    service.kubernetes.io/tke-existed-lbid: lb-6swtxxxx
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import SHARE_EXISTING_CLB
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import CLB_KEY, annotation, by_tke, is_true

RULE = Rule(WARNING, "A", 'TKE docs, "Multiple Services sharing a CLB"')


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service."""
    if not is_true(service, SHARE_EXISTING_CLB) or service.skipped or not by_tke(service):
        return
    if not service.raw_annotations.get(CLB_KEY):
        yield Finding(
            annotation(SHARE_EXISTING_CLB),
            f"shares no CLB without {CLB_KEY}, and TKE creates one for this Service: name the CLB, "
            "or remove this",
            at_key=True,
        )
