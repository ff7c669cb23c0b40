"""A TkeServiceConfig that has no row for any listener of the one that names it.

## What it does

Compares the protocols and ports of a Service or Ingress with the rows of the TkeServiceConfig
that it names, and finds those that have none in common.

## Why it matters

A TkeServiceConfig makes no listeners, it finds them by protocol and port.
A row that finds none is passed over without a word, and CLB keeps its defaults.

## Example

```yaml
kind: Service
spec:
  ports:
    - {port: 443, targetPort: https}
---
kind: TkeServiceConfig
spec:
  loadBalancer:
    l4Listeners:
      - {protocol: TCP, port: 80}
```

## Use instead

```yaml
kind: TkeServiceConfig
spec:
  loadBalancer:
    l4Listeners:
      - {protocol: TCP, port: 443}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import SERVICE_CONFIG
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.entry_point._listeners import has_listeners, listeners, of_config, shown

RULE = Rule(WARNING, "A", 'TKE docs, "Service CLB configuration"')

# The protocols that rows can name; whether one finds a listener of another is not documented.
_NAMEABLE = {"TCP", "UDP", "HTTP", "HTTPS"}


def check(entry: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service or Ingress."""
    config = build.config_of(entry)
    if config is None or not has_listeners(entry, build):
        return
    made, described = listeners(entry), of_config(config)
    if not made or not described or made & described:
        return
    if {protocol for protocol, _ in made} <= _NAMEABLE:
        yield Finding(
            ("metadata", "annotations", SERVICE_CONFIG[entry.subject]),
            f"{config.shown} has rows for {shown(described)} only, and the listeners here are "
            f"{shown(made)}: it has no effect, add a row for them",
        )
