"""A TkeServiceConfig that is named and not there.

## What it does

Finds Services and Ingresses that name a TkeServiceConfig that their namespace does not have in
this build, when the build has others there, or one of that name in another namespace.
Otherwise it is taken to be elsewhere.

## Why it matters

TKE reports E4026 or E4043 and goes on without it, so that nobody notices: health checks and
session persistence stay as CLB has them by default.
A TkeServiceConfig is only found in the namespace of the one that names it.

## Example

```yaml
kind: Service
metadata:
  name: web
  namespace: shop
  annotations:
    service.cloud.tencent.com/tke-service-config: web
---
kind: TkeServiceConfig
metadata:
  name: web
  namespace: default
```

## Use instead

```yaml
kind: TkeServiceConfig
metadata:
  name: web
  namespace: shop
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from schemas.contract import RESERVED_CONFIG_ENDINGS, SERVICE_CONFIG
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.entry_point._listeners import has_listeners
from transformer.values import is_filled_in_later

RULE = Rule(WARNING, "A", "TKE docs, event codes E4026 and E4043", whole_build=True)


def check(entry: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service or Ingress."""
    named = SERVICE_CONFIG[entry.subject]
    name = entry.annotations.get(named, "")
    made = name.endswith(RESERVED_CONFIG_ENDINGS)
    if not name or made or is_filled_in_later(name) or build.config_of(entry) is not None:
        return
    if not has_listeners(entry, build):
        return
    known = _namespaces(build)
    places = known.get(name, set())
    # Without a namespace it is only known when something is applied: it may be the same one.
    if "" in places or (places and not entry.namespace):
        return
    if places or entry.namespace in known[""]:
        inside = f"in namespace {entry.namespace}" if entry.namespace else "in this namespace"
        there = f", only in {min(places)}" if places else ""
        yield Finding(
            ("metadata", "annotations", named),
            f"there is no TkeServiceConfig {name} {inside} of this build{there}: TKE goes on "
            "without it, correct the name or add it",
        )


@lru_cache(maxsize=1)
def _namespaces(build: Build) -> dict[str, set[str]]:
    """The namespaces of the TkeServiceConfigs, by name; those of all of them under ''."""
    found: dict[str, set[str]] = defaultdict(set)
    for config in build.by_subject["service_config"]:
        found[config.name].add(config.namespace)
        found[""].add(config.namespace)
    return found
