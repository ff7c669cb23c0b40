"""A Service of a type that Kubernetes does not have.

## What it does

Finds Services whose `spec.type` is none of ClusterIP, NodePort, LoadBalancer and ExternalName.
The case of letters counts.
A Service without a type is a ClusterIP, and fine; so is a type that is still to be filled in, as
`${TYPE}`.

## Why it matters

The Kubernetes API refuses the Service, so there is nothing that CLB could serve.

## Example

```yaml
kind: Service
spec:
  type: Loadbalancer
```

## Use instead

```yaml
kind: Service
spec:
  type: LoadBalancer
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.service._service import SERVICE_TYPES
from transformer.values import is_filled_in_later, text

RULE = Rule(ERROR, "A", "Kubernetes API")

_ALIKE = 0.75  # so much of both names is the same


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service."""
    kind = text(service.get("spec", "type"))
    if not kind or kind in SERVICE_TYPES or is_filled_in_later(kind):
        return
    meant = _meant(kind)
    advice = f"did you mean {meant}?" if meant else f"write one of {', '.join(SERVICE_TYPES)}"
    yield Finding(
        ("spec", "type"),
        f'is "{kind}", which is no type of a Service, and the Kubernetes API refuses it: {advice}',
    )


def _meant(kind: str) -> str:
    """The type that `kind` nearly is, '' when it is like none."""
    from difflib import get_close_matches  # late: few types are unknown

    names = {name.lower(): name for name in SERVICE_TYPES}
    found = get_close_matches(kind.lower(), names, 1, _ALIKE)
    return names[found[0]] if found else ""
