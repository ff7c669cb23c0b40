"""More ports on one CLB than it has listeners.

## What it does

Finds Services of type LoadBalancer with more than 50 ports, and existing CLBs whose Services
have more than 50 together.
For a shared CLB the Service that goes beyond is reported.

## Why it matters

A CLB has 50 listeners unless a ticket raised that quota.
TKE reports an error for the listeners beyond, and one of them stops the sync of the whole CLB.

## Example

```yaml
kind: Service
spec:
  type: LoadBalancer
  ports:
    - {name: game-0, port: 7000}
    # and 50 more
```

## Use instead

Several Services, each with a CLB of its own:

```yaml
kind: Service
spec:
  type: LoadBalancer
  ports:
    - {name: game-0, port: 7000}
    # and 24 more
```

With a raised quota, ignore the rule on that Service.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import LISTENER_QUOTA
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import (
    CLB_KEY,
    annotation,
    earlier_on_clb,
    existing_clb,
    listeners,
    on_clb,
)

RULE = Rule(WARNING, "A", 'CLB docs, "Use limits": 50 listeners')


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service."""
    if not service.ports or service.skipped or not on_clb(service, build):
        return
    own = len(listeners(service))
    if own > LISTENER_QUOTA:
        yield Finding(
            ("spec", "ports"),
            f"makes {own} listeners and a CLB has {LISTENER_QUOTA}: split the Service, "
            "or ask for a larger quota",
        )
    elif existing_clb(service):
        before = sum(len(listeners(other)) for other in earlier_on_clb(service, build))
        if before <= LISTENER_QUOTA < before + own:
            yield Finding(
                annotation(CLB_KEY),
                f"has {before + own} listeners with this Service and those before it, and a CLB "
                f"has {LISTENER_QUOTA}: use another CLB for some, or ask for a larger quota",
            )
