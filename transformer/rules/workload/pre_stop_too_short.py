"""A preStop sleep that ends before CLB has stopped sending requests.

## What it does

Finds containers that serve a direct Service or Ingress and whose preStop hook sleeps for less
than `spec.lint.drainSeconds` of the configuration (5 seconds unless it says otherwise).
It knows `sleep` as a command, in a shell script, and as `preStop.sleep`; it is silent about hooks
that do other things which may take time, and where every Service and Ingress in front has
`enable-grace-deletion: "true"`.

## Why it matters

Until TKE has set the weight of the Pod to 0 in CLB, requests go on arriving.
With many backends, or several Services on one CLB, that takes seconds.

## Example

```yaml
lifecycle:
  preStop:
    exec:
      command: ["sleep", "2"]
```

## Use instead

```yaml
lifecycle:
  preStop:
    exec:
      command: ["sleep", "15"]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.workload._pre_stop import sleep_of
from transformer.rules.workload._serving import is_deleted_gracefully, servers, serves

RULE = Rule(WARNING, "A", 'TKE docs, "Graceful shutdown of Services"')


def check(workload: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for each container."""
    if not serves(workload, build) or is_deleted_gracefully(workload, build):
        return
    needed = build.settings.lint.drain_s
    for container in servers(workload, build):
        slept = sleep_of(container.data)
        if slept is not None and slept.only and slept.seconds < needed:
            yield Finding(
                (*container.path, *slept.path),
                f"sleeps {slept.seconds:g} s, but CLB goes on sending requests for {needed} s; "
                f"sleep {max(needed, build.settings.pre_stop_s)} s ({build.behind(workload)})",
            )
