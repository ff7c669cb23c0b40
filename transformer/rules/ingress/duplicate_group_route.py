"""The same host and path in two Ingresses of one CLB.

## What it does

Finds host and path pairs that two grouped Ingresses of one existing CLB have for the same
listener.
It leaves out Ingresses with mixed rules, whose listeners depend on other annotations.

## Why it matters

On one listener of CLB a host and path lead to one place.
TKE stops syncing such an Ingress and reports the conflict in its `status.conditions` annotation.

## Example

```yaml
kind: Ingress
metadata:
  name: new-shop
spec:
  rules:
    - host: shop.example.com  # Ingress shop has it too
      http:
        paths:
          - path: /
```

## Use instead

```yaml
kind: Ingress
metadata:
  name: new-shop
spec:
  rules:
    - host: new.shop.example.com
      http:
        paths:
          - path: /
```
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from schemas.contract import ENABLE_GROUP, RULE_MIX
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.entry_point._listeners import Listener, listeners
from transformer.rules.ingress._routes import Route, existing_clb, routes, served
from transformer.rules.service._service import is_same, is_true

RULE = Rule(WARNING, "C", "notes on TKE's page on several Ingresses of one CLB")

_Slot = tuple[str, Listener, str, str]  # CLB, listener, host and path


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each pair of one Ingress that an earlier one has."""
    if not existing_clb(ingress) or not is_true(ingress, ENABLE_GROUP):
        return
    taken = _taken(build)
    for route, slots in _slots(ingress, build):
        owners = (taken[slot] for slot in slots)
        other = next((one for one in owners if not is_same(one, ingress)), None)
        if other is not None:
            yield Finding(
                (*route.path, "path"),
                f"{other.shown} has {route.host or 'any host'} and {route.url} on this CLB too: "
                "change the host or path of one, or listen on another port",
            )


@lru_cache(maxsize=1)
def _taken(build: Build) -> dict[_Slot, Object]:
    """The first Ingress of every slot."""
    found: dict[_Slot, Object] = {}
    for ingress in build.by_subject["ingress"]:
        for _, slots in _slots(ingress, build):
            for slot in slots:
                found.setdefault(slot, ingress)
    return found


def _slots(ingress: Object, build: Build) -> Iterator[tuple[Route, list[_Slot]]]:
    clb = existing_clb(ingress)
    grouped = clb and is_true(ingress, ENABLE_GROUP) and not is_true(ingress, RULE_MIX)
    if not grouped or not served(ingress, build):
        return
    ports = sorted(listeners(ingress) or ())
    for route in routes(ingress):
        yield route, [(clb, port, route.host, route.url) for port in ports]
