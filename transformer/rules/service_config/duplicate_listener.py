"""Two rows of a TkeServiceConfig for the same listener.

## What it does

Finds rows of `l4Listeners` or `l7Listeners` with the protocol and port of an earlier row.

## Why it matters

TKE looks for the row of a listener by protocol and port.
Which of two it takes is not documented, and the other one has no effect.

## Example

```yaml
l4Listeners:
  - {protocol: TCP, port: 80, scheduler: WRR}
  - {protocol: TCP, port: 80, session: {enable: true}}
```

## Use instead

```yaml
l4Listeners:
  - {protocol: TCP, port: 80, scheduler: WRR, session: {enable: true}}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.values import at, integer, items, text

RULE = Rule(WARNING, "D", 'TKE docs, "Service CLB configuration"')


def check(config: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each repeated row."""
    for kind in ("l4Listeners", "l7Listeners"):
        first: dict[tuple[str, int], int] = {}
        for index, row in enumerate(items(config.get("spec", "loadBalancer", kind))):
            protocol, port = text(at(row, "protocol")), integer(at(row, "port"))
            if protocol is None or port is None:
                continue
            earlier = first.setdefault((protocol, port), index)
            if earlier != index:
                yield Finding(
                    ("spec", "loadBalancer", kind, index, "port"),
                    f"{protocol} {port} has a row already, {kind}[{earlier}]: join the two, only "
                    "one of them takes effect",
                )
