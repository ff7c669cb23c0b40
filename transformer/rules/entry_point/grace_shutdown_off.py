"""Graceful shutdown that is switched off where CLB binds Pods.

## What it does

Finds direct Services and Ingresses with `enable-grace-shutdown` or `enable-grace-deletion` set to
`"false"`.
`enable-grace-deletion: "true"` makes up for a shutdown that is off.

## Why it matters

CLB then sends new connections to a Pod until its target is removed, which may be after the Pod
has stopped: requests fail in every rollout.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
    service.cloud.tencent.com/enable-grace-shutdown: "false"
```

## Use instead

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
    service.cloud.tencent.com/enable-grace-shutdown: "true"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import GRACE_DELETION, GRACE_SHUTDOWN
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule

RULE = Rule(WARNING, "A", 'TKE docs, "Graceful Service shutdown"')


def check(entry: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one Service or Ingress."""
    if not build.is_direct(entry) or entry.skipped:
        return
    shutdown, deletion = GRACE_SHUTDOWN[entry.subject], GRACE_DELETION[entry.subject]
    on = entry.annotations.get(deletion, "").lower() == "true"
    if entry.annotations.get(shutdown) == "false" and not on:
        yield Finding(
            ("metadata", "annotations", shutdown),
            "keeps CLB sending to Pods that are about to stop, so rollouts fail requests: "
            'write "true"',
        )
    if entry.annotations.get(deletion) == "false":
        yield Finding(
            ("metadata", "annotations", deletion),
            "lets a Pod stop before CLB has set its weight to 0, even where the cluster would "
            'wait: write "true", or remove it',
        )
