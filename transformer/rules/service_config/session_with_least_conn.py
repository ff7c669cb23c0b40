"""Session persistence together with the scheduler that counts connections.

## What it does

Finds rows of a TkeServiceConfig with `session.enable: true` and `scheduler: LEAST_CONN`.

## Why it matters

Persistence sends a client where it was before, the scheduler to whoever has the fewest
connections.
The documents of CLB allow only one of them; a sample of TKE shows both, so it is a warning.

## Example

```yaml
session:
  enable: true
scheduler: LEAST_CONN
```

## Use instead

```yaml
session:
  enable: true
scheduler: WRR
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service_config._rows import rows
from transformer.values import at

RULE = Rule(WARNING, "A", "CLB docs, session persistence")


def check(config: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each such row."""
    for row in rows(config):
        persistent = at(row.data, "session", "enable") is True
        if persistent and row.data.get("scheduler") == "LEAST_CONN":
            yield Finding(
                (*row.path, "scheduler"),
                "is LEAST_CONN, which CLB does not combine with session persistence: use WRR, or "
                "set session.enable to false",
            )
