"""A direct-access switch that is neither "true" nor "false".

## What it does

Finds `service.cloud.tencent.com/direct-access` and `ingress.cloud.tencent.com/direct-access` with
another text.

## Why it matters

TKE takes it for no (on an Ingress with the event E4037), so CLB goes through NodePorts.
`transform` does not guess what was meant and refuses.
Where no CLB can come of it, as on a Service of type ClusterIP, it is a warning.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "yes"
```

## Use instead

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import INGRESS_DIRECT_ACCESS, SERVICE_DIRECT_ACCESS
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.values import is_filled_in_later

RULE = Rule(ERROR, "A", 'TKE docs, "Service annotations", and event code E4037')

_SWITCH = {"service": SERVICE_DIRECT_ACCESS, "ingress": INGRESS_DIRECT_ACCESS}
_REFUSAL = "direct-access-value"  # as transform calls it


def check(entry: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service or Ingress."""
    key = _SWITCH[entry.subject]
    value = entry.raw_annotations.get(key)
    refused = any(row.code == _REFUSAL for row in build.plan(entry).refused)
    wrong = isinstance(value, str) and value not in ("true", "false")
    if refused or (wrong and not is_filled_in_later(str(value))):
        shown = f'"{value}"' if isinstance(value, str) else "not a string"
        yield Finding(
            ("metadata", "annotations", key),
            f'is {shown}: write "true" for direct access, "false" to stay with NodePorts',
            severity=ERROR if refused else WARNING,
        )
