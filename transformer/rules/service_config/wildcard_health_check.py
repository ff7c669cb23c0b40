"""Health checks of a wildcard domain that do not say which host to ask for.

## What it does

Finds rules of a TkeServiceConfig for a domain with `*` whose health check is on and has no
`httpCheckDomain`.
Checks by TCP are left out: they ask for no host.

## Why it matters

CLB cannot ask for `*.example.com`, so it wants a name, and refuses the health check without one.

## Example

```yaml
domains:
  - domain: "*.example.com"
    rules:
      - url: /
        healthCheck:
          enable: true
```

## Use instead

```yaml
domains:
  - domain: "*.example.com"
    rules:
      - url: /
        healthCheck:
          enable: true
          httpCheckDomain: health.example.com
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.service_config._rows import rows

RULE = Rule(ERROR, "A", 'TKE docs, "Using TkeServiceConfig to configure CLBs"')


def check(config: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each such health check."""
    for row in rows(config):
        checked = row.health_check
        asks = checked.get("enable") is True and checked.get("checkType") != "TCP"
        if row.domain and "*" in row.domain and asks and not checked.get("httpCheckDomain"):
            yield Finding(
                (*row.path, "healthCheck", "httpCheckDomain"),
                f"is missing: CLB cannot check {row.domain} itself, name one host that answers",
            )
