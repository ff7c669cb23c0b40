"""Health checks that time out no sooner than the next one starts.

## What it does

Finds health checks of a TkeServiceConfig whose `timeout` is not less than `intervalTime`, which
is 5 seconds when it is not said.
Being equal is a warning: the documents forbid it, and show it in a sample.
So is an interval that is not said: TKE leaves it as it is at CLB, which somebody may have changed.

## Why it matters

CLB wants an answer before it asks again, and refuses such values.
TKE syncs a Service and all its listeners as one, so nothing else of it changes either.

## Example

```yaml
healthCheck:
  enable: true
  intervalTime: 5
  timeout: 10
```

## Use instead

```yaml
healthCheck:
  enable: true
  intervalTime: 10
  timeout: 5
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.service_config._rows import rows
from transformer.values import integer

RULE = Rule(ERROR, "A", 'TKE docs, "Service CLB configuration"')

_DEFAULT_INTERVAL = 5
_INTERVALS, _TIMEOUTS = range(5, 301), range(2, 61)  # all others, structural validation reports


def check(config: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each such health check."""
    for row in rows(config):
        said = row.health_check.get("intervalTime")
        interval = _DEFAULT_INTERVAL if said is None else integer(said)
        timeout = integer(row.health_check.get("timeout"))
        if interval is None or interval not in _INTERVALS:
            continue
        if timeout is None or timeout not in _TIMEOUTS:
            continue
        if timeout >= interval and row.health_check.get("enable") is not False:
            default = "" if said is not None else " (the default)"
            fails = said is not None and timeout > interval
            yield Finding(
                (*row.path, "healthCheck", "timeout"),
                f"is {timeout}, expected less than intervalTime, which is {interval}{default}: "
                "raise the one or lower the other",
                severity=ERROR if fails else WARNING,
            )
