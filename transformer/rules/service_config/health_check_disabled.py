"""Health checks switched off where Pods wait for them.

## What it does

Finds rows with `healthCheck.enable: false` in a TkeServiceConfig that a Service or Ingress with
direct access names, for listeners that it has.
UDP listeners are left out: their checks are often switched off for good reason.

## Why it matters

The readiness gate is there so that a rollout waits until CLB found a new Pod healthy.
Without the check CLB sends requests to every Pod that is bound, healthy or not, and the gate
says nothing.

## Example

```yaml
l4Listeners:
  - protocol: TCP
    port: 80
    healthCheck:
      enable: false
```

## Use instead

```yaml
l4Listeners:
  - protocol: TCP
    port: 80
    healthCheck:
      enable: true
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.entry_point._listeners import has_listeners, listeners
from transformer.rules.service_config._rows import rows

RULE = Rule(WARNING, "D", 'TKE docs, "CLB-to-Pod direct access"')


def check(config: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each such row."""
    direct = {
        listener: user
        for user in reversed(build.users_of(config))
        if build.is_direct(user) and has_listeners(user, build)
        for listener in listeners(user) or ()
    }
    for row in rows(config):
        user = direct.get((row.protocol, row.port))
        off = row.health_check.get("enable") is False and row.protocol != "UDP"
        if user is not None and off:
            yield Finding(
                (*row.path, "healthCheck", "enable"),
                "is false: CLB sends requests to broken Pods too and the readiness gate proves "
                f"nothing ({user.shown} is direct); switch it on",
            )
