"""An annotation whose value TKE does not take.

## What it does

Compares the annotations that TKE reads on Services, Ingresses and pod templates with the values
that its documents allow: switches, ids of CLBs, subnets and security groups (at most five), the
bandwidth, how a CLB is billed.

## Why it matters

TKE either stops with an error event and syncs nothing of this CLB any more, or takes the
annotation for absent; both look like a working manifest until somebody reads the events.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/pass-to-target: "yes"
    service.kubernetes.io/qcloud-loadbalancer-internet-max-bandwidth-out: 10M
```

## Use instead

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/pass-to-target: "true"
    service.kubernetes.io/qcloud-loadbalancer-internet-max-bandwidth-out: "10"
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from schemas.annotations import FORMS, Annotation
from schemas.contract import INGRESS_DIRECT_ACCESS, MODES, NETWORKS, SERVICE_DIRECT_ACCESS
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.any._annotations import said
from transformer.values import is_filled_in_later

RULE = Rule(ERROR, "A", 'TKE docs, "Service annotations", "Ingress annotations" and "VPC-CNI"')

_DIRECT_ACCESS = (SERVICE_DIRECT_ACCESS, INGRESS_DIRECT_ACCESS)


def check(one: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one object."""
    for path, row, value in said(one):
        if _takes(row, value) or is_filled_in_later(value) or _is_judged_elsewhere(one, row, build):
            continue
        yield Finding(
            path,
            f'is "{_short(value)}", expected {_expected(row)}',
            severity=WARNING if _may_work(row, value) else ERROR,
        )


def _is_judged_elsewhere(one: Object, row: Annotation, build: Build) -> bool:
    """Whether direct-access-value or wrong-network knows more about it."""
    if row.key == NETWORKS:
        asking = any(MODES[mode].networks for mode in build.settings.modes)
        return asking and build.is_direct(one)
    return row.key in _DIRECT_ACCESS


def _may_work(row: Annotation, value: str) -> bool:
    """Empty mostly stands for absent, nobody wrote who minds capitals, and there are more CNIs."""
    return not value or value.lower() in map(str.lower, row.values) or row.key == NETWORKS


def _takes(row: Annotation, value: str) -> bool:
    if row.values:
        return value in row.values
    return not row.pattern or re.fullmatch(row.pattern, value) is not None


def _expected(row: Annotation) -> str:
    if row.values:
        return " or ".join(f'"{value}"' for value in row.values)
    return FORMS[row.pattern]


def _short(value: str) -> str:
    return value if len(value) <= 40 else value[:39] + "…"
