"""Direct access in a network mode that does not have it.

## What it does

Finds Services and Ingresses that ask for direct access and that the configuration places into the
network mode `cilium-overlay`.

## Why it matters

There Pods have addresses that nothing outside the cluster reaches, so CLB cannot bind them.
TKE documents direct access as not supported.

## Example

With `spec.networkMode: cilium-overlay`:

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
```

## Use instead

Go through NodePorts, or correct the mode if the cluster has another one:

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "false"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import INGRESS_DIRECT_ACCESS, MODES, SERVICE_DIRECT_ACCESS, NetworkMode
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.model import Settings

RULE = Rule(ERROR, "A", 'TKE docs, "CLB-to-Pod direct access"')

_SWITCH = {"service": SERVICE_DIRECT_ACCESS, "ingress": INGRESS_DIRECT_ACCESS}


def check(entry: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service or Ingress."""
    if not build.declares(entry):
        return
    mode = _mode(entry, build.settings)
    if not MODES[mode].supported:
        yield Finding(
            ("metadata", "annotations", _SWITCH[entry.subject]),
            f"asks for direct access, which mode {mode.value} does not have: CLB cannot reach "
            'these Pods; write "false", or correct the network mode',
        )


def _mode(entry: Object, settings: Settings) -> NetworkMode:
    """The mode that the configuration gives `entry`: the first override that matches it."""
    for row in settings.overrides:
        in_namespace = not row.namespaces or entry.namespace in row.namespaces
        if in_namespace and row.selector.matches(entry.labels):
            return row.mode
    return settings.mode
