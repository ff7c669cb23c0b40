"""Direct access in a GlobalRouter cluster whose switch for it is not on.

## What it does

In network mode `global-router`, looks at the ConfigMap `tke-service-controller-config` if the
build has it, and finds `GlobalRouteDirectAccess` missing or other than `"true"`.

## Why it matters

TKE's service controller binds Pods of a GlobalRouter cluster only when this is on.
Clusters that were upgraded did not get the key, so it has to be written.

## Example

```yaml
kind: ConfigMap
metadata:
  name: tke-service-controller-config
  namespace: kube-system
data:
  GlobalRouteDirectAccess: "false"
```

## Use instead

Change this one key, the ConfigMap holds others that belong to TKE:

```yaml
data:
  GlobalRouteDirectAccess: "true"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import CONTROLLER_CONFIG, GLOBAL_ROUTE_SWITCH, NetworkMode
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.values import at, mapping

RULE = Rule(WARNING, "A", 'TKE docs, "CLB-to-Pod direct access": GlobalRouter clusters')

_NAMESPACES = ("kube-system", "")


def check(config: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in TKE's ConfigMap."""
    if config.name != CONTROLLER_CONFIG or config.namespace not in _NAMESPACES:
        return
    if NetworkMode.GLOBAL_ROUTER not in build.settings.modes or config.skipped:
        return
    said = at(mapping(config.data.get("data")), GLOBAL_ROUTE_SWITCH)
    if said != "true":
        wrong = "is missing" if said is None else f"is {str(said).lower()}"
        yield Finding(
            ("data", GLOBAL_ROUTE_SWITCH),
            f'{wrong}: write "true", or TKE binds no Pods of a GlobalRouter cluster directly',
        )
